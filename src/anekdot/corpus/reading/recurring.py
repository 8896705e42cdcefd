"""Lines that recur between texts: the same line, or the same but for its numbers and dates."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, pstdev

RULE = re.compile(r"%%?|[*#~]|([-*=_~#+•—–])(?: ?\1){2,79}")
"""Lines that separate texts even where there is only one of them."""

MAX_MEAN_LINES = 40
"""Of texts between separators: longer ones are chapters."""

DASHES = ("-", "—", "–", "−")
"""What a reply begins with."""

_LONGEST = 60  # characters of a line that may recur
_MAX_FORMS = 50  # that are looked at, the most frequent first
_MIN_EVEN = 5  # occurrences from which it shows whether they stand evenly
_EVEN, _UNEVEN = 0.5, 0.9  # deviation of the distances over their mean; by chance, about 1
_SHARE = 0.2  # of the occurrences of the first separator, from which another one counts too
_MOST = 0.8
_MAX_WORDS = 4  # of a line that separates texts

_MONTHS = "январ феврал март апрел ма июн июл август сентябр октябр ноябр декабр"
_DATE_WORDS = [
    *(stem + end for stem in _MONTHS.split(" ") for end in ("я", "ь", "а", "й", "")),
    *("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"),
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december", "monday", "tuesday", "wednesday", "thursday", "friday"),
    *("saturday", "sunday"),
]
DATE = "|".join([*_DATE_WORDS, *map(str.title, _DATE_WORDS)])
"""A regular expression of the names of months and days."""

_VARYING = re.compile(rf"\d+|\b(?:{DATE})\b")
_RUN = re.compile(r"([-=_*~#+.•—–])\1{2,}")
_ROMAN = re.compile(r"[IVXLC]+(?=[.)]?\Z)")
_NUMBER, _NUMERAL = "\ue000", "\ue001"  # stand for what varies
_PATTERNS = {_NUMBER: rf"(?:\d+|{DATE})", _NUMERAL: "[IVXLC]+"}
_PARTS = re.compile(r"([-=_*~#+.•—–])\1\1|.", re.DOTALL)


@dataclass(frozen=True)
class Form:
    """What is common to some lines, and where they stand.

    Attributes:
        key: The line with marks in place of what varies.
        places: The numbers of the lines.
        order: Their places among the lines that are not blank.
    """

    key: str
    places: list[int]
    order: list[int]

    @property
    def has_letters(self) -> bool:
        """Whether there are letters, dates and numerals aside."""
        return any(map(str.isalpha, self.key))

    @property
    def has_numbers(self) -> bool:
        """Whether something varies."""
        return _NUMBER in self.key or _NUMERAL in self.key


def form_of(line: str) -> str:
    """Returns a line with marks in place of its numbers and dates, and with short rules.

    >>> form_of("=== 12 ===") == form_of("===== 7 =====")
    True
    """
    if numeral := _ROMAN.match(line):
        return _NUMERAL + line[numeral.end() :]
    return _VARYING.sub(_NUMBER, _RUN.sub(r"\1\1\1", line))


def pattern_of(key: str) -> str:
    """Returns a regular expression for the lines of a form."""
    return _PARTS.sub(
        lambda part: (
            f"(?:{re.escape(part[1])}){{3,}}"
            if part[1]
            else _PATTERNS.get(part[0]) or re.escape(part[0])
        ),
        key,
    )


def separating_forms(lines: Sequence[str]) -> list[Form]:
    """Returns the forms of the lines that separate texts, the surest first.

    Args:
        lines: The first lines of a file, without the blanks around them.
    """
    filled = [number for number, line in enumerate(lines) if line]
    keys = [_key(lines[n]) for n in filled]
    counts = Counter(filter(None, keys))
    wanted = {key for key, count in counts.most_common(_MAX_FORMS) if count > 1}
    is_short = len(filled) <= 2 * MAX_MEAN_LINES  # then one sign may separate two texts
    order: dict[str, list[int]] = {
        key: []
        for key in counts
        if key in wanted or RULE.fullmatch(key) or (is_short and _is_sign(key))
    }
    for place, key in enumerate(keys):
        if key in order:
            order[key].append(place)
    forms = [Form(key, [filled[each] for each in places], places) for key, places in order.items()]
    chosen = [form for form in forms if _separates(form, lines, filled)]
    places = {place for form in chosen for place in form.places}
    rest = ["" if number in places else line for number, line in enumerate(lines)]
    below = [f for f in forms if f not in chosen and chosen and _separates(f, rest, filled)]
    return _together(chosen + below)


def _key(line: str) -> str:
    return form_of(line) if len(line) <= _LONGEST or RULE.fullmatch(line) else ""


def looks_like_replies(lines: Sequence[str]) -> bool:
    """Whether a line after the first goes on, as a reply or in the middle of a sentence."""
    return any(map(_is_reply, lines[1:]))


def _is_reply(line: str) -> bool:
    return line.startswith(DASHES) or line[:1].islower()


def _is_sign(key: str) -> bool:
    return bool(key) and not any(map(str.isalnum, key)) and _NUMBER not in key


def _separates(form: Form, lines: Sequence[str], filled: Sequence[int]) -> bool:
    bounds = [-1, *form.order, len(filled)]
    parts = [(a + 1, b) for a, b in pairwise(bounds) if b - a > 1]
    if len(parts) < 2 or len(filled) - len(form.order) > MAX_MEAN_LINES * len(parts):
        return False
    if RULE.fullmatch(lines[form.places[0]]):
        return True
    texts = [[lines[n] for n in filled[a:b]] for a, b in parts]
    if len(form.order) == 1:  # between two dialogues
        return not _is_reply(texts[1][0]) and all(map(looks_like_replies, texts))
    distances = [b - a for a, b in pairwise(form.order)]
    is_dense = distances.count(1) * (20 if form.has_letters else 5) > len(distances)
    if is_dense or not _stands_as_separator(form, lines):
        return False
    is_rising = form.has_numbers and _rises(form, lines)
    spread = pstdev(distances) / fmean(distances)
    goes_on = _mostly(looks_like_replies(text) for text in texts if len(text) > 1)
    is_often = len(form.order) >= _MIN_EVEN
    if is_rising or (is_often and spread < (_UNEVEN if goes_on else _EVEN)):
        return not form.has_letters or 2 * len({*map(tuple, texts)}) > len(texts)
    return not form.has_letters and not is_often and goes_on


def _stands_as_separator(form: Form, lines: Sequence[str]) -> bool:
    """Whether its place among blank lines, and its letters, do not speak against a form."""
    above = [n == 0 or not lines[n - 1] for n in form.places]
    below = [n + 1 == len(lines) or not lines[n + 1] for n in form.places]
    n_blocks = sum(bool(line) and (not n or not lines[n - 1]) for n, line in enumerate(lines))
    if form.has_letters and _says_something(form):
        return False
    if 2 * n_blocks <= len(form.places) or _mostly(
        a and b for a, b in zip(above, below, strict=True)
    ):
        return True
    if _mostly(above):
        return len(form.places) >= _MOST * n_blocks or (form.has_numbers and _rises(form, lines))
    return not form.has_letters and _mostly(below)


def _says_something(form: Form) -> bool:
    """Whether a line is a reply or a sentence, to judge by its signs and its length."""
    if len(_words(form)) > _MAX_WORDS or (form.key[-1] in "?!,;" and not form.has_numbers):
        return True
    return form.key[0] in '-—–«"' and not form.key[1:2].strip()


def _words(form: Form) -> list[str]:
    return re.findall(r"[^\W\d_]+", form.key)


def _rises(form: Form, lines: Sequence[str]) -> bool:
    if _NUMERAL in form.key:
        return len(form.places) >= 3
    numbers = [int(re.search(r"\d+", lines[n] + "0")[0]) for n in form.places]  # type: ignore[index]
    return len(numbers) >= 3 and _mostly(a < b for a, b in pairwise(numbers))


def _together(forms: list[Form]) -> list[Form]:
    """Returns the forms that separate texts together, the surest first."""
    forms.sort(key=lambda form: (form.has_letters, -len(form.places)))
    most = max((len(form.places) for form in forms), default=0)
    forms = [form for form in forms if len(form.places) >= _SHARE * most]
    chosen = forms[:1]
    for form in forms[1:]:
        if not form.has_letters or chosen[0].has_letters or _follows(form, chosen[0]):
            chosen.append(form)
    return chosen


def _follows(form: Form, other: Form) -> bool:
    """Whether a word and a number, such as «Анекдот 12», stand below another separator."""
    if len(_words(form)) > 1:
        return False
    before = {place + 1 for place in other.order}
    return _mostly(place in before for place in form.order)


def _mostly(facts: Iterable[bool]) -> bool:
    found = [*facts]
    return sum(found) >= _MOST * len(found) > 0
