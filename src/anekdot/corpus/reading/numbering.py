"""Numbers that rise at the beginnings of texts: «1. …», «2. …»."""

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from anekdot.corpus.reading.recurring import MAX_MEAN_LINES, looks_like_replies

MAX_STEP = 20
"""The most by which a number may exceed the last one."""

_SMALL_STEP = 5  # most of them do not exceed it by more
_MIN_CHOSEN = 5  # numbers that always rise, by however much: of texts that somebody chose

START = re.compile(r"([^\d\s][^\d]{0,11}?)??(\d{1,7})([.):\]]+[ \t]*|[ \t]+)(?=[^\d\s])")
"""The number of a text, with what stands around it, before its first word."""

_DASH = re.compile(r"[-–—:|][ \t]+")
_SIGNS = ("#", "№")
_FEW = 2  # lines that may stand above the first number
_MIN_NUMBERS = 3
_MIN_RUN = 10  # numbers in a row, where they begin anew


class Counter:
    """Tells the numbers of texts from those of lists inside them: they rise through the file."""

    def __init__(self) -> None:
        self._last = self._previous = -1

    def counts(self, number: int) -> bool:
        """Whether a number that begins a line goes on with the numbers of the texts."""
        rises = self._last < number <= self._last + MAX_STEP
        found = self._last < 0 or rises or (number > self._last and number == self._previous + 1)
        self._previous = number
        if found:
            self._last = number
        return found


def rising_numbers(lines: Sequence[str]) -> tuple[str, str, bool] | None:
    """Returns how the texts of a file are numbered, if they are.

    Args:
        lines: Its first lines, without the blanks around them.

    Returns:
        The beginning of the first text; a regular expression for it, whose group is the number;
        and whether the texts hold lists of their own, whose numbers do not count.
    """
    filled = [line for line in lines if line]
    found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for place, line in enumerate(filled):
        if match := START.match(line):
            found[match[1] or "", match[3].rstrip()].append((place, int(match[2])))
    for (before, after), starts in sorted(found.items(), key=lambda item: -len(item[1])):
        above = filled[: starts[0][0]]
        if (
            len(starts) < _MIN_NUMBERS
            or len(above) > _FEW
            or any(":" in line[-1] for line in above)
        ):
            continue
        numbers = [number for _, number in starts]
        kind = _rising(numbers)
        if kind is None and _are_names(numbers, before, after):
            kind = "restarts"
        if kind is None:
            continue
        counter = Counter()
        begins = {place for place, number in starts if kind == "restarts" or counter.counts(number)}
        if _cuts(filled, begins):
            end = after or dash_after([filled[place] for place in begins])
            gap = "[ \\t]*" if end else "[ \\t]+"
            pattern = rf"{re.escape(before)}(\d+){re.escape(end)}{gap}(?=[^\d\s])"
            return f"{before}{starts[0][1]}{end}", pattern, kind == "lists"
    return None


def _are_names(numbers: Sequence[int], before: str, after: str) -> bool:
    """Whether numbers are those of a larger collection: «#4711», or ever larger ones with a sign.

    «Cat 7 sleeps» has none.
    """
    is_signed = before in _SIGNS
    if is_signed and len({*numbers}) >= max(_MIN_RUN, 0.95 * len(numbers)):
        return True
    return (
        bool(after or is_signed)
        and len(numbers) >= _MIN_CHOSEN
        and list(numbers) == sorted({*numbers})
    )


def dash_after(starts: Sequence[str]) -> str:
    """Returns the dash between numbers and texts, with a blank before it, if there is one."""
    found = [_DASH.match(line, match.end()) for line in starts if (match := START.match(line))]
    dashes = {match[0].rstrip() for match in found if match}
    return f" {dashes.pop()}" if all(found) and len(dashes) == 1 else ""


def _rising(numbers: Sequence[int]) -> str | None:
    """Says how numbers rise: "restarts" (all count, they may begin anew), "lists", or None."""
    if _mostly_by_one([-number for number in numbers]):
        return "restarts"
    counter = Counter()
    counted = [number for number in numbers if counter.counts(number)]
    if not _mostly_by_one(counted):
        return None
    falls = [place for place, (a, b) in enumerate(pairwise(numbers)) if b <= a]
    if 2 * sum(_returns(numbers, place) for place in falls) > len(falls):
        return "lists"
    return "restarts" if not falls or len(numbers) >= _MIN_RUN * (len(falls) + 1) else None


def _mostly_by_one(numbers: Sequence[int]) -> bool:
    """Whether numbers rise, mostly by one and else by a little."""
    steps = [b - a for a, b in pairwise(numbers)]
    small = sum(0 < step <= _SMALL_STEP for step in steps)
    return len(steps) + 1 >= _MIN_NUMBERS and small >= 0.9 * len(steps) <= 2 * steps.count(1)


def _returns(numbers: Sequence[int], place: int) -> bool:
    """Whether numbers that fall after a place jump back to where they were, as after a list."""
    after = numbers[place + 1 :]
    later = next((n for n, number in enumerate(after) if number > numbers[place]), 0)
    return later > 0 and after[later] - after[later - 1] > 1


def _cuts(filled: Sequence[str], begins: set[int]) -> bool:
    """Whether lines that begin texts cut a file into texts of which some have several lines."""
    bounds = [*sorted(begins), len(filled)]
    if len(filled) > MAX_MEAN_LINES * len(begins) or bounds[-1] - bounds[-2] > 5 * MAX_MEAN_LINES:
        return False
    if len(begins) < 0.9 * len(filled):
        return True
    return any(looks_like_replies(filled[a:b]) for a, b in pairwise(bounds))
