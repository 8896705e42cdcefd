"""Folders of many small files, each of which is one text: notes, jokes saved one by one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from anekdot.corpus.documents import Piece
from anekdot.corpus.reading.files import head
from anekdot.corpus.reading.names import ending

Examined = tuple[Piece, str, str]
"""A whole file, its name, and what was guessed about it."""

_MIN_FILES = 10  # of one folder and one ending
_SAMPLE_FILES = 50
_MAX_BYTES = 1 << 14  # of each file
_MAX_LINES = 8  # of a text, on average
_DASHES = ("-", "–", "—", "―")


def one_text_a_file(examined: list[Examined]) -> list[Examined]:
    """Makes each file one text where many small ones of a folder hold a dialogue each.

    Args:
        examined: All files, with what was guessed about each by itself.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for place, (piece, _, _) in enumerate(examined):
        layout = piece.layout
        if layout.format == "txt" and layout.separator in ("line", "blank line"):
            folder = f"{piece.path}/{piece.member or ''}".rstrip("/").rpartition("/")[0]
            groups.setdefault((folder, ending(piece.member or piece.path)), []).append(place)
    found = [*examined]
    for places in groups.values():
        if len(places) >= _MIN_FILES and _are_texts([examined[place][0] for place in places]):
            for place in places:
                piece, name, guess = examined[place]
                layout = replace(piece.layout, separator="file")
                said = guess.replace("one text a line", "one text a file")
                said = said.replace("texts separated by blank lines", "one text a file")
                found[place] = (replace(piece, layout=layout), name, said)
    return found


def _are_texts(pieces: Sequence[Piece]) -> bool:
    """Whether most files of a sample that have several lines look like one dialogue."""
    sample = pieces[:: -(-len(pieces) // _SAMPLE_FILES)]
    n_lines = n_several = n_dialogues = 0
    for piece in sample:
        start = head(Path(piece.path), piece.member, piece.compression, size=_MAX_BYTES + 1)
        if len(start) > _MAX_BYTES:
            return False
        text = start.decode(piece.layout.encoding, "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        n_lines += len(lines)
        n_several += len(lines) > 1
        dashes = [line.startswith(_DASHES) for line in lines]
        n_dialogues += any(dashes) and not (dashes[0] and all(dashes) and len(lines) > 6)
    return n_lines <= _MAX_LINES * len(sample) and 0 < n_several <= 2 * n_dialogues
