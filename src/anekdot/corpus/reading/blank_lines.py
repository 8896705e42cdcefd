"""What blank lines separate: texts, or the parts of texts; and prose that is wrapped."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import lgamma, log

from anekdot.corpus.reading.recurring import DASHES, MAX_MEAN_LINES

_MAX_BLOCKS = 8  # of a text, on average
_MAX_SURE = 10  # lines of a block, on average, that need no evidence
_DOUBT, _DOUBT_OF_VERSE, _DOUBT_OF_TALKS = 1.5, -1.0, 4.5
"""Log odds against two kinds of gaps, before the lines are seen: of single lines, of stanzas, and
of blocks that hold replies and so are whole."""
_WIDTHS = range(25, 130)  # in characters, to which prose is wrapped
_MIN_WRAPPED = 8  # ends of lines by which it shows
_INDENT = re.compile(r"[ ]{2,}|\t+")
INDENT = r"(?:[ ]{2,}|\t+)(?=\S)"


def stands_in_blocks(lines: Iterable[str]) -> bool:
    """Whether the texts are blocks between blank lines, rather than lines.

    Blocks of several lines mean blank-line separation, as long as they are short: a stray
    blank line in a one-per-line file makes few blocks, and long ones. Longer blocks are texts
    if lines inside them go on, unlike the first ones; or if they are verse of an even length.
    """
    seams = _seams(lines)
    sizes = _sizes(seams, 1)
    blocks, count = len(sizes), sum(sizes)
    if not 1 < blocks < count or count > MAX_MEAN_LINES * blocks:
        return False
    if count <= blocks * min(2 * blocks, _MAX_SURE):
        return True
    inner, outer = _parted(seams, 1)
    evenness = _evenness(sizes) if _is_verse(inner) else 0.0
    return _difference(inner, outer) + evenness > 0.5


def longer_gap(lines: Sequence[str]) -> tuple[int, float]:
    """Returns how many blank lines may separate texts while fewer of them separate their parts.

    The gaps are of two kinds if after the shorter ones a text goes on more often than after
    the longer ones, or if the parts of the texts are as many as by no chance. Otherwise, the
    gaps are sloppy, and the shortest one separates.

    Returns:
        The blank lines, or 0 if all gaps are the same; and the log odds that they are of two
        kinds.
    """
    seams = _seams(lines)
    close, seams = [seam for seam in seams if not seam[0]], [seam for seam in seams if seam[0]]
    n_lines = len(close) + len(seams) + 1
    has_replies = 2 * sum(seam[1] for seam in close) > len(close)
    verse = _is_verse(close)
    doubt = _DOUBT_OF_TALKS if has_replies else _DOUBT_OF_VERSE if verse else _DOUBT
    found = [(0.0, 0)]
    for gap in [shorter + 1 for shorter in sorted({seam[0] for seam in seams})[:-1]]:
        sizes = _sizes(seams, gap)
        if sum(sizes) <= _MAX_BLOCKS * len(sizes) and n_lines <= MAX_MEAN_LINES * len(sizes):
            is_sure = not has_replies and len(sizes) >= (2 if verse else 3)
            evenness = _evenness(sizes) if is_sure else 0.0
            odds = _difference(*_parted(seams, gap)) + evenness - doubt
            found.append((odds, gap))
    odds, gap = max(found[1:] or found)
    return gap, odds


_Seam = tuple[int, bool, bool]
"""Between two lines: how many are blank; whether the second goes on, and the first is unfinished"""


def _seams(lines: Iterable[str]) -> list[_Seam]:
    found: list[_Seam] = []
    above, gap = "", 0
    for line in lines:
        if not line:
            gap += 1
            continue
        if above:
            goes_on = line.startswith(DASHES) or line[0].islower()
            found.append((gap, goes_on, above[-1].isalnum() or above[-1] in ",;:"))
        above, gap = line, 0
    return found


def _parted(seams: Sequence[_Seam], gap: int) -> tuple[list[_Seam], list[_Seam]]:
    """Returns the seams with fewer blank lines than a gap, and those with as many or more."""
    return [seam for seam in seams if seam[0] < gap], [seam for seam in seams if seam[0] >= gap]


def _sizes(seams: Sequence[_Seam], gap: int) -> list[int]:
    """Returns how many blocks, or lines, stand together between gaps of some length."""
    sizes = [1]
    for seam in seams:
        if seam[0] >= gap:
            sizes.append(0)
        sizes[-1] += 1
    return sizes


def _is_verse(inner: Sequence[_Seam]) -> bool:
    """Whether most lines inside blocks end without a full stop, and few are replies."""
    unfinished = sum(seam[2] and not seam[1] for seam in inner)
    return 2 * unfinished >= max(len(inner), 1)


def _difference(inner: Sequence[_Seam], outer: Sequence[_Seam]) -> float:
    """Returns the log odds that texts go on at inner seams, and seldom at outer ones.

    They are those of two unknown shares over a common one, for each of the two signs.
    """
    odds = 0.0
    for sign in (1, 2):
        a, b = sum(seam[sign] for seam in inner), sum(seam[sign] for seam in outer)
        if a * len(outer) < b * len(inner):
            continue  # the other way round
        odds += _log_beta(a + 1, len(inner) - a + 1) + _log_beta(b + 1, len(outer) - b + 3) + log(3)
        odds -= _log_beta(a + b + 1, len(inner) + len(outer) - a - b + 1)
    return odds


def _evenness(sizes: Sequence[int]) -> float:
    """Returns the log odds that sizes recur, over those that gaps fall by chance."""
    odds, seen = 0.0, Counter[int]()
    end = (len(sizes) + 1) / (sum(sizes) + 2)  # chance that a text ends after a block
    for count, size in enumerate(sizes):
        chance = end * (1 - end) ** (size - 1)
        odds += log((seen[size] + chance) / (count + 1)) - log(chance)
        seen[size] += 1
    return odds


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def is_poem(lines: Iterable[str]) -> bool:
    """Whether there are stanzas, most of whose lines end without a full stop."""
    inner, outer = _parted(_seams(lines), 1)
    return len(inner) > 1 and len(outer) > 0 and _is_verse(inner)


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
