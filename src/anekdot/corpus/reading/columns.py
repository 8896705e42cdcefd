"""Which columns of a table, or keys of records, hold texts: by names and distinct letters."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from anekdot.corpus.cleaning.filters import is_only_links

TEXT_NAMES = (
    *("full_text", "text", "joke", "body", "content", "anecdote", "anekdot", "story", "document"),
    *("sentence", "joketext", "selftext", "текст", "анекдот", "анекдоты", "шутка", "содержание"),
    *("тело", "история", "цитата", "message", "сообщение", "quote", "punchline", "delivery"),
    *("answer", "ответ", "completion", "response", "output", "caption", "lines", "строки"),
    *("post", "tweet", "comment", "стих", "poem", "verse", "lyrics", "description"),
)
"""How people name what holds the texts, the surest name first."""

PAIRS = (
    *(("title", second) for second in ("body", "selftext", "text", "content")),
    *(("setup", second) for second in ("punchline", "delivery")),
    *(("заголовок", "текст"), ("название", "текст"), ("вопрос", "ответ"), ("question", "answer")),
    *(("q", "a"), ("prompt", "completion"), ("prompt", "response"), ("input", "output")),
    *(("instruction", "response"), ("instruction", "input", "output"), ("instruction", "output")),
)
"""Columns that make one text together."""

FIELD_NAMES = frozenset(
    {name for name in TEXT_NAMES if name != "анекдоты"}
    | {name for pair in PAIRS for name in pair if len(name) > 1}
    | {"id", "name", "type", "status", "url", "link", "date", "time", "author", "user"}
    | {"category", "rating", "score"}
)
"""Keys that tell a record from a dictionary of texts."""

MIN_SHARE = 0.2
"""How many different texts there must be in a column of texts, of all that are there."""

_NOT_TEXT = frozenset(
    (
        *("id", "ids", "url", "link", "count", "length", "len", "size", "lang", "language", "type"),
        *("date", "author", "time", "user", "name", "title", "html", "source", "format", "hash"),
        *("score", "rating"),
    )
)
_MAX_LETTERS = 1000  # of a text that count
_WORDS = re.compile(r"[^\W\d_]+")
_PATH = re.compile(r"(?:[A-Za-z]:)?[\\/~.]*[\\/]\S.*[\\/].*|\S+")
_CYRILLIC = re.compile("[а-яё]")
_NAME_PARTS = re.compile(r"[\W_]+|(?<=[a-zа-я])(?=[A-ZА-Я])")


@dataclass(frozen=True)
class Choice:
    """The columns of the texts.

    Attributes:
        column: The column; several that are joined, with commas between.
        others: Columns of rows that lack it, the surest first.
        left: Columns that hold texts too, and are not read.
        score: The distinct letters in all chosen columns, of the sample.
        known: Whether it was chosen by its name.
    """

    column: str
    others: tuple[str, ...]
    left: tuple[str, ...]
    score: float
    known: bool = False


def choose(
    columns: Mapping[str, Sequence[str]], counts: Mapping[str, int], rows: int
) -> Choice | None:
    """Chooses the columns of the texts, or None if no column has letters.

    Args:
        columns: A sample of the texts of each column; keys below keys are parted by dots.
        counts: How many texts each column has in all.
        rows: How many rows there are.
    """
    prose = {name: {_prose(text) for text in texts} for name, texts in columns.items()}
    scores = {name: _score(found) for name, found in prose.items()}
    known = sorted(
        (
            name
            for name in columns
            if _rank(name) is not None and scores[name] and varies(columns[name])
        ),
        key=lambda name: (_rank(name), -scores[name]),
    )
    groups = [*_pairs(columns, scores), *((name,) for name in known)]
    groups = [each for n, each in enumerate(groups) if not any({*each} <= {*g} for g in groups[:n])]
    groups.sort(key=lambda group: _rank(group[-1]) or (len(TEXT_NAMES), 0))
    if not groups:
        best = max(columns, key=lambda name: (scores[name], _letters(columns[name])), default=None)
        if best is None or not _letters(columns[best]):
            return None
        return _choice([(best,)], columns, prose, counts, rows)
    found = _choice(groups, columns, prose, counts, rows)
    return replace(found, known=True)


def split_column(column: str, names: Collection[str]) -> list[str]:
    """Returns the columns that are joined; a name with a comma in it is one column."""
    return [column] if column in names else [each.strip() for each in column.split(",")]


def is_known(name: str) -> bool:
    """Whether people give this name to texts."""
    return _rank(name) is not None


def distinct_letters(texts: Sequence[str]) -> float:
    """Returns how many letters there are in different prose; links, paths, numbers are none."""
    return _score({_prose(text) for text in texts})


def varies(texts: Sequence[str]) -> bool:
    """Whether texts are not the same few again and again."""
    found = [_prose(text) for text in texts if text.strip()]
    return len(found) < 2 or len({*found}) > max(1, MIN_SHARE * len(found))


def _score(prose: set[str]) -> float:
    """Returns the letters of different texts; Cyrillic ones count double, as of two languages."""
    return sum(len(text) * (2 if _CYRILLIC.search(text) else 1) for text in prose)


def _choice(
    groups: Sequence[tuple[str, ...]],
    columns: Mapping[str, Sequence[str]],
    prose: Mapping[str, set[str]],
    counts: Mapping[str, int],
    rows: int,
) -> Choice:
    """Returns the first group, those for the rows that lack it, and what remains unread."""
    scores = {name: _score(found) for name, found in prose.items()}
    first, *rest = groups
    covered = counts[first[-1]]
    others = []
    for group in rest:
        if covered + counts[group[-1]] <= 1.05 * rows:
            others.append(group)
            covered += counts[group[-1]]
    used = {name for group in (first, *others) for name in group}
    score = sum(scores[name] for name in used)
    read = set().union(*(prose[name] for name in used))
    partners = {member for name in used for pair in PAIRS if pair[-1] in name for member in pair}
    left = [
        name
        for name in columns
        if name
        and name not in used
        and scores[name]
        and 2 * len(prose[name] & read) < len(prose[name])
        and (
            name.lower() in partners
            or (scores[name] >= MIN_SHARE * score and varies(columns[name]))
        )
    ]
    return Choice(",".join(first), tuple(map(",".join, others)), tuple(left), score)


def _pairs(
    columns: Mapping[str, Sequence[str]], scores: Mapping[str, float]
) -> list[tuple[str, ...]]:
    """Returns the groups of columns that make one text; those that hardly vary are left out."""
    found: list[tuple[str, ...]] = []
    places = {name.strip().lower(): name for name in columns}
    for name in columns:
        prefix = name[: name.rfind(".") + 1].lower()
        for pair in PAIRS:
            members = [places.get(prefix + member) for member in pair]
            if members[-1] != name or None in members or not scores[name]:
                continue
            varied = [each for each in members if each and scores[each] and varies(columns[each])]
            if name in varied:
                found.append(tuple(varied))
    return sorted(found, key=len, reverse=True)


def _rank(name: str) -> tuple[int, int] | None:
    """Returns how sure a name means texts: its place among the known names, exact ones first."""
    last = name.strip().lower()
    for part in (last, last.rsplit(".", 1)[-1]):
        if part in TEXT_NAMES:
            return TEXT_NAMES.index(part), 0
    parts = [part.lower() for part in _NAME_PARTS.split(name) if part]
    places = [TEXT_NAMES.index(part) for part in parts if part in TEXT_NAMES]
    places += [place for part, place in _STEMS.items() if any(each == part for each in parts)]
    if not places or _NOT_TEXT & {*parts}:
        return None
    return len(TEXT_NAMES) + min(places), 0


_STEMS = {"текста": 11, "шутки": 13, "анекдота": 12, "texts": 1, "jokes": 2}


def _prose(text: str) -> str:
    """Returns the letters of a text; nothing of a link, a path, or one word of no language."""
    text = text.strip()[: 2 * _MAX_LETTERS]
    if is_only_links(text) or (_PATH.fullmatch(text) and (text.isascii() or "\\" in text)):
        return ""
    return "".join(_WORDS.findall(text))[:_MAX_LETTERS].lower()


def _letters(texts: Sequence[str]) -> int:
    return sum(sum(map(str.isalpha, text[:10_000])) for text in texts)
