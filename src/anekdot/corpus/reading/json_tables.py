"""The kinds of records in JSON: each array and each dictionary of like values holds one."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from anekdot.corpus.reading.columns import (
    FIELD_NAMES,
    Choice,
    distinct_letters,
    is_known,
    varies,
)
from anekdot.corpus.reading.json_shape import Shape, merge
from anekdot.corpus.reading.json_stream import Path
from anekdot.corpus.reading.json_texts import is_said, is_turn, role, text_of

_LIKE = 0.4  # of the keys of two objects, that they share
_MAX_CELLS = 20  # of a row
_ID = re.compile(r"[\W_]*(?:[^\W\d_]+[\W_]*)?\d+|[0-9a-fA-F-]{8,}")
_GOES_ON = re.compile(r"\s*(?:[-—–]|[a-zа-яё])")
_ENDS = (".", "!", "…", "»", "”", '"', ")")
_MAX_KEY = 400  # characters of a key that are looked at


@dataclass
class Table:
    """Records of one kind, and the strings in them.

    Attributes:
        path: Where they stand.
        record: What they are.
        columns: Texts under each of their keys, parted by dots; "" of records that are texts.
        counts: How many there are under each.
        choice: Which of them are texts.
    """

    path: Path
    record: Shape
    columns: dict[str, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    choice: Choice | None = None

    @property
    def name(self) -> str:
        """How the place of the records is named: its keys, parted by dots."""
        return ".".join(step for step in self.path if isinstance(step, str))

    @property
    def shown(self) -> str:
        """How the user may name it: all keys down to the texts."""
        column = self.choice.column.split(",")[0] if self.choice else ""
        return ".".join(part for part in (self.name, column) if part)

    @property
    def rank(self) -> float:
        """How likely it holds the texts: by its distinct letters, names and depth."""
        if self.choice is None:
            return 0
        known = self.choice.known or (self.choice.column == "" and is_known(self.name))
        alone = not any(not isinstance(step, str) for step in self.path)
        return self.score * (3 if known else 0.1 if alone and self.record.count < 2 else 1)

    @property
    def score(self) -> float:
        """The distinct letters of its texts."""
        if self.choice is None:
            return 0
        column = self.choice.column.split(",")[-1]
        seen = len(self.columns.get(column, ())) or 1
        return self.choice.score * max(1.0, self.counts[column] / seen)


def tables(shape: Shape) -> list[Table]:
    """Returns all kinds of records in a file."""
    found: dict[str, Table] = {}
    for path, record, column, texts, count in _leaves(shape, (), shape, ()):
        table = found.setdefault(repr(path), Table(path, record))
        name = ".".join(column)
        table.columns.setdefault(name, []).extend(texts)
        table.counts[name] += count
    return [*found.values()]


Leaf = tuple[Path, Shape, tuple[str, ...], list[str], int]
"""Where records stand, what they are, the keys of a string in them, some strings, their number."""


def _leaves(shape: Shape, path: Path, record: Shape, column: tuple[str, ...]) -> Iterator[Leaf]:
    """Yields what there is of strings at a place and below."""
    if shape.strings:
        yield path, record, column, shape.strings, shape.n_strings
    if shape.n_arrays:
        yield from _in_arrays(shape, path, record, column)
    here = (*path, *column)
    if _are_sentences(shape):
        yield (*here, None), Shape(count=len(shape.keys)), (), [*shape.keys], len(shape.keys)
        return
    for keys, excluded in _families(shape):
        if excluded is None:
            yield from _leaves(shape.keys[keys[0]], path, record, (*column, keys[0]))
        else:
            merged = merge([shape.keys[key] for key in keys])
            yield from _leaves(merged, (*here, excluded), merged, ())


def _in_arrays(shape: Shape, path: Path, record: Shape, column: tuple[str, ...]) -> Iterator[Leaf]:
    """Yields the strings of arrays, which are texts in lines, talks, rows, or hold records."""
    starred = any(not isinstance(step, str) for step in path) or record.count > 1
    arrays = [array for array in shape.arrays if array]
    if starred and arrays and all(is_turn(item) for array in arrays for item in array):
        talks = _without_constant_questions(arrays, column)
        yield path, record, talks, _texts(arrays), shape.n_arrays
    elif starred and _are_lines(arrays, column):
        yield path, record, column, _texts(arrays), shape.n_arrays
    elif starred and _are_rows(arrays):
        for place in range(max(map(len, arrays))):
            cell = Shape()
            for array in arrays:
                for value in array[place : place + 1]:
                    cell.add(value)
            yield from _leaves(cell, path, record, (*column, str(place + 1)))
    elif shape.items:
        yield from _leaves(shape.items, (*path, *column, ()), shape.items, ())


def _texts(arrays: Sequence[list[object]]) -> list[str]:
    return [text for text in map(text_of, arrays) if text and text.strip()]


def _without_constant_questions(
    talks: Sequence[list[dict[str, object]]], column: tuple[str, ...]
) -> tuple[str, ...]:
    """Returns the key of some talks, or of the answers in them if all questions are alike."""
    turns = [turn for talk in talks for turn in talk if is_said(turn)]
    by_role: dict[str, list[str]] = {}
    for turn in turns:
        by_role.setdefault(str(role(turn)), []).append(str(text_of([turn])))
    varied = [who for who, texts in by_role.items() if varies(texts)]
    if len(varied) == 1 < len(by_role):
        return (*column, varied[0])
    return column


def _are_lines(arrays: Sequence[list[object]], column: tuple[str, ...]) -> bool:
    """Whether arrays of strings are texts, each in lines, rather than lists of texts."""
    if not arrays or not all(isinstance(item, str) for array in arrays for item in array):
        return False
    if column and column[-1].lower() in FIELD_NAMES | {"source"}:
        return True
    if _are_rows(arrays, of_strings=True):
        return False
    pairs = [(str(a), str(b)) for array in arrays for a, b in pairwise(array)]
    going_on = sum(bool(_GOES_ON.match(b)) or not a.rstrip().endswith(_ENDS) for a, b in pairs)
    return 2 * going_on > len(pairs) > 0


def _are_rows(arrays: Sequence[list[object]], *, of_strings: bool = False) -> bool:
    """Whether arrays are rows of a table: equally long, and their columns unlike one another."""
    if len(arrays) < 2:
        return False
    (width, times), *_ = Counter(map(len, arrays)).most_common(1)
    if not 2 <= width <= _MAX_CELLS or 10 * times < 9 * len(arrays):
        return False
    if any(isinstance(item, dict | list) for array in arrays for item in array):
        return False
    columns = [
        [str(row[place]) for row in arrays if len(row) == width and isinstance(row[place], str)]
        for place in range(width)
    ]
    sizes = [sum(map(len, {*texts})) for texts in columns]
    if not of_strings and min(map(len, columns)) < times / 2:
        return True
    return 3 * min(sizes) < max(sizes)


def _are_sentences(shape: Shape) -> bool:
    """Whether the texts are keys: sentences, with less under them, or questions."""
    keys = [*shape.keys]
    if len(keys) < 2 or any(len(key[:_MAX_KEY].split()) < 3 for key in keys[:100]):
        return False
    if all(key.rstrip().endswith("?") for key in keys):
        return True
    below = merge([*shape.keys.values()])
    letters = sum(distinct_letters(leaf[3]) for leaf in _leaves(below, (), below, ()))
    return distinct_letters(keys) > letters


def _families(shape: Shape) -> Iterator[tuple[list[str], Sequence[str] | None]]:
    """Yields the keys of an object whose values are alike, and the keys that are left out.

    Yields:
        The keys of a dictionary, and all other keys; or one key of a record, and None.
    """
    families: list[list[str]] = []
    for key, child in shape.keys.items():
        if child.kind:
            family = next((f for f in families if _alike(shape.keys[f[0]], child)), None)
            if family is None:
                families.append(family := [])
            family.append(key)
    for family in families:
        if _is_dictionary(shape, family):
            left_out = {*shape.keys} - {*family}
            yield family, sorted(key for key in left_out if len(key) < _MAX_KEY)
        else:
            yield from (([key], None) for key in family)


def _is_dictionary(shape: Shape, keys: Sequence[str]) -> bool:
    """Whether like values stand under ids, themes and the like, not under names of fields."""
    if all(_ID.fullmatch(key[:_MAX_KEY]) for key in keys):
        return True
    if len(keys) < 2 or any(key.strip().lower() in FIELD_NAMES for key in keys):
        return False
    if shape.keys[keys[0]].kind == "array":
        return True
    times = sum(shape.keys[key].count for key in keys)
    return shape.objects < 2 or 2 * times < len(keys) * shape.objects


def _alike(one: Shape, other: Shape) -> bool:
    """Whether values of two keys may be of one kind."""
    if one.kind != other.kind:
        return False
    if one.kind == "array":
        return not (one.items and other.items) or _alike(one.items, other.items)
    if one.kind == "string":
        return are_phrases(one.strings) == are_phrases(other.strings)
    if one.kind != "object":
        return True
    return _objects_alike(one.keys, other.keys)


def are_phrases(texts: Sequence[str]) -> bool:
    """Whether strings are more than links, names and words."""
    sample = texts[:20]
    return distinct_letters(sample) > 0 and sum(map(len, map(str.split, sample))) > 3 * len(sample)


def _objects_alike(one: Mapping[str, Shape], other: Mapping[str, Shape]) -> bool:
    shared = len(one.keys() & other.keys())
    if shared >= _LIKE * len(one.keys() | other.keys()):
        return True
    if any(map(is_known, one)) and any(map(is_known, other)):
        return True
    if shared or not one or not other:
        return False
    first, second = next(iter(one)), next(iter(other))
    ids = bool(_ID.fullmatch(first) and _ID.fullmatch(second))
    return (ids or one[first].kind in ("array", "object")) and _alike(one[first], other[second])
