"""Folders of many small files, each of which is one text: notes, jokes saved one by one."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from anekdot.corpus.documents import Layout, Piece
from anekdot.corpus.reading.blank_lines import is_poem
from anekdot.corpus.reading.description import described
from anekdot.corpus.reading.files import head
from anekdot.corpus.reading.lines import blank_lines
from anekdot.corpus.reading.names import ending
from anekdot.corpus.reading.recurring import MAX_MEAN_LINES

Examined = tuple[Piece, str, str]
"""A whole file, its name, and what was guessed about it."""

_MIN_FILES = 10  # of one folder and one ending
_SAMPLE_FILES = 50
_MAX_BYTES = 1 << 14  # of each file
_MAX_LINES = 8  # of a text, on average
_LONG = 200  # characters of a paragraph, on average
_DASHES = ("-", "–", "—", "―")


def one_text_a_file(examined: list[Examined]) -> list[Examined]:
    """Makes each file one text where many small ones of a folder hold one each.

    Such are dialogues, poems, stories, and notes with a title or front matter.

    Args:
        examined: All files, with what was guessed about each by itself.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for place, (piece, _, _) in enumerate(examined):
        layout = piece.layout
        is_blank = layout.separator == "line" or blank_lines(layout.separator)
        if layout.format == "txt" and (layout.front or (is_blank and not layout.pattern)):
            folder = f"{piece.path}/{piece.member or ''}".rstrip("/").rpartition("/")[0]
            groups.setdefault((folder, ending(piece.member or piece.path)), []).append(place)
    found = [*examined]
    for places in groups.values():
        if len(places) >= _MIN_FILES and _are_texts([examined[place][0] for place in places]):
            said = any(blank_lines(examined[place][0].layout.separator) for place in places)
            instead = "blank line" if said else ""
            for place in places:
                piece, name, _ = examined[place]
                encoding, front = piece.layout.encoding, piece.layout.front
                layout = Layout(
                    format="txt", separator="file", encoding=encoding, front=front, instead=instead
                )
                guess = described(layout, piece.extraction or layout.format)
                found[place] = (replace(piece, layout=layout), name, guess)
    return found


def _are_texts(pieces: Sequence[Piece]) -> bool:
    """Whether most files of a sample that have several lines look like one text each."""
    sample = pieces[:: -(-len(pieces) // _SAMPLE_FILES)]
    n_lines = n_several = n_dialogues = n_whole = 0
    for piece in sample:
        start = head(Path(piece.path), piece.member, piece.compression, size=_MAX_BYTES + 1)
        if len(start) > _MAX_BYTES:
            return False
        text = start.decode(piece.layout.encoding, "replace")
        lines = [line.strip() for line in text.splitlines()]
        filled = [line for line in lines if line]
        n_lines += len(filled)
        n_several += len(filled) > 1
        n_dialogues += _is_dialogue(filled)
        n_whole += piece.layout.front or _is_note(filled) or is_poem(lines)
    if 2 * n_whole >= n_several > 0 and n_lines <= MAX_MEAN_LINES * len(sample):
        return True
    return n_lines <= _MAX_LINES * len(sample) and 0 < n_several <= 2 * n_dialogues


def _is_dialogue(lines: Sequence[str]) -> bool:
    dashes = [line.startswith(_DASHES) for line in lines]
    return any(dashes) and not (dashes[0] and all(dashes) and len(lines) > 6)


def _is_note(lines: Sequence[str]) -> bool:
    """Whether there is a title, or a few long paragraphs."""
    if len(lines) > 1 and re.match(r"#{1,6} ", lines[0]):
        return True
    return 1 < len(lines) <= _MAX_LINES and sum(map(len, lines)) >= _LONG * len(lines)
