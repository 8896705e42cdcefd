"""What blank lines separate: texts, or the parts of texts; and prose that is wrapped."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from statistics import fmean, pstdev

from anekdot.corpus.reading.recurring import DASHES, MAX_MEAN_LINES

_MAX_SPREAD = 0.75  # of the blocks of a text, over their mean; by chance, it is about 1
_MAX_BLOCKS = 8  # of a text, on average
_WIDTHS = range(25, 130)  # in characters, to which prose is wrapped
_MIN_WRAPPED = 8  # ends of lines by which it shows
_INDENT = re.compile(r"[ ]{2,}|\t+")
INDENT = r"(?:[ ]{2,}|\t+)(?=\S)"


def stands_in_blocks(lines: Iterable[str]) -> bool:
    """Whether the texts are blocks between blank lines, rather than lines.

    Blocks of several lines mean blank-line separation, as long as they are short: a stray
    blank line in a one-per-line file makes few blocks, and long ones. The fewer the blocks,
    the shorter they must be, up to a mean of ten lines.
    """
    blocks = count = 0
    inside = False
    for line in lines:
        filled = bool(line)
        blocks += filled and not inside
        count += filled
        inside = filled
    return 1 < blocks < count <= blocks * min(2 * blocks, 10)


def longer_gap(lines: Sequence[str]) -> int:
    """Returns how many blank lines separate texts if fewer of them separate their parts, or 0."""
    gaps: list[int] = []
    for is_filled, group in groupby(lines, bool):
        gaps += [] if is_filled else [sum(1 for _ in group)]
    if lines and not lines[0]:
        del gaps[:1]
    if lines and not lines[-1]:
        del gaps[-1:]
    if len({*gaps}) < 2:
        return 0
    shortest = min(gaps)
    parts = [0]
    for gap in gaps:
        if gap > shortest:
            parts.append(0)
        else:
            parts[-1] += 1
    blocks = [part + 1 for part in parts]
    n_lines = sum(map(bool, lines))
    if sum(blocks) > _MAX_BLOCKS * len(blocks) or n_lines > MAX_MEAN_LINES * len(blocks):
        return 0
    groups = [[*group] for is_filled, group in groupby(lines, bool) if is_filled]
    talks = sum(any(line[0] in DASHES for line in group[1:]) for group in groups)
    if 2 * talks > len(groups):
        return 0  # each block is a text: the gaps are sloppy
    if len(blocks) > 4 and pstdev(blocks) >= _MAX_SPREAD * fmean(blocks):
        return 0
    return shortest + 1


def is_wrapped(lines: Sequence[str], *, indented: bool = False) -> bool:
    """Whether lines are prose that was wrapped: the next word would not have fitted.

    Args:
        lines: The first lines of a file; blank ones separate paragraphs.
        indented: Whether an indent begins a paragraph.
    """
    inner = [
        (a.strip(), b.strip())
        for a, b in pairwise(lines)
        if a.strip() and b.strip() and not (indented and _INDENT.match(b))
    ]
    if len(inner) < _MIN_WRAPPED:
        return False
    width = max(len(line) for line, _ in inner)
    if width not in _WIDTHS:
        return False
    full = sum(
        len(line) + 1 + len(after.split(None, 1)[0]) > width - 4 * indented for line, after in inner
    )
    lower = sum(not after[0].isupper() for _, after in inner)
    return full >= 0.9 * len(inner) and 2 * lower >= len(inner)


def is_indented(lines: Sequence[str]) -> bool:
    """Whether paragraphs of wrapped prose begin with an indent."""
    filled = [line for line in lines if line.strip()]
    indents = sum(_INDENT.match(line) is not None for line in filled)
    return 1 < indents < 0.6 * len(filled) and is_wrapped(lines, indented=True)


def unwrapped(text: str) -> str:
    """Joins the lines of each paragraph, but for replies."""
    paragraphs = re.split(r"\n[ \t]*\n", re.sub("\r\n?", "\n", text))
    return "\n\n".join(re.sub(r"[ \t]*\n[ \t]*(?![-—–] )", " ", each) for each in paragraphs)
