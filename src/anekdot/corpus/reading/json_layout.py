"""Where the texts of a JSON file stand: the likeliest of all kinds of records in it."""

import json
from collections import Counter
from collections.abc import Sequence

from anekdot.corpus.documents import Layout, column_error
from anekdot.corpus.reading.chats import json_chat
from anekdot.corpus.reading.columns import MIN_SHARE, TEXT_NAMES, Choice, choose
from anekdot.corpus.reading.json_shape import Shape, focus, merge
from anekdot.corpus.reading.json_stream import Path
from anekdot.corpus.reading.json_tables import Table, are_phrases, tables
from anekdot.errors import CorpusError

_MAX_LOSS = 4  # times the letters that are read, that may stand elsewhere


def layout_of(shape: Shape, format: str, column: str | None, name: str) -> Layout:
    """Returns where the texts stand in a file.

    Args:
        shape: What was found in it.
        format: Its format.
        column: The key of the texts, if the user named it; several with commas between.
        name: Its name in messages.

    Raises:
        CorpusError: The named key is not there, or the texts stand in several places.
    """
    table, rest, nested = find_texts(shape, column, name)
    if table.choice is None:
        path = json.dumps([[]] if format == "json" and shape.kind == "array" else [])
        return Layout(format=format, separator=path, column=column or TEXT_NAMES[1])
    others = list(table.choice.others)
    if not column:  # for records that the sample lacks
        others += [each for each in TEXT_NAMES[:5] if each not in table.columns]
    unread = [f"{other.shown} ({other.record.count:,} texts)" for other in rest]
    return Layout(
        format=format,
        separator=json.dumps(table.path, ensure_ascii=False),
        nested=json.dumps(nested, ensure_ascii=False) if nested else "",
        column=table.choice.column,
        others=others,
        chat=json_chat(table.record.keys),
        unread=[*table.choice.left, *unread],
    )


def shown_places(layout: Layout) -> str:
    """Returns under which keys the texts of a JSON file stand, in words."""
    steps = json.loads(layout.separator)
    above = [step if isinstance(step, str) else "*" for step in steps if step != []]
    columns = (layout.column or "").split(",")
    names = [".".join(filter(None, [*above, column])) for column in columns]
    if not any(names):
        return "each string is a text"
    keys = "key" if len(names) == 1 else "keys"
    return f"texts under the {keys} " + " and ".join(f"«{name}»" for name in names)


def find_texts(shape: Shape, column: str | None, name: str) -> tuple[Table, list[Table], Path]:
    """Returns the records that hold the texts, those that hold others, and the way to answers.

    Args:
        shape: What was found in the file.
        column: The key of the texts, if the user named it; several with commas between.
        name: The name of the file in messages.

    Raises:
        CorpusError: The named key is not there, or the texts stand in several places.
    """
    whole = shape
    named = _named(shape, column, name) if column else []
    if column:
        shape = merge([found for _, found in named])
    found = tables(shape)
    for table in found:
        table.choice = _wanted(table, [each for each, _ in named]) or choose(
            table.columns, table.counts, table.record.count
        )
    found = [table for table in found if table.choice and (table.score or column)]
    if not found:
        if column and shape.count:
            raise column_error(f"{name} has no texts under {column!r}.", _names(whole))
        return Table((), shape), [], ()
    first = _likeliest(found)
    nested = _way_to_answers(first, found)
    rest = [
        table
        for table in found
        if table is not first
        and not (nested and _repeats(table.path[len(first.path) :], nested))
        and table.score >= MIN_SHARE * first.score
        and any(are_phrases(texts) for texts in table.columns.values())
    ]
    if not column and sum(table.score for table in rest) > _MAX_LOSS * first.score:
        raise _scattered([first, *rest], name)
    return first, rest, nested


def _likeliest(found: Sequence[Table]) -> Table:
    """Returns the records with the best texts, or those above that are about as good."""
    best = max(found, key=lambda table: table.rank)
    return next(
        table
        for table in found
        if (len(table.path) <= len(best.path) and 2 * table.rank >= best.rank)
        or _way_to_answers(table, [best])
    )


def _way_to_answers(table: Table, others: Sequence[Table]) -> Path:
    """Returns the way from a record to records of its kind in it, as comments have answers."""
    assert table.choice is not None
    for other in others:
        assert other.choice is not None
        way = other.path[len(table.path) :]
        is_below = way and [*other.path] == [*table.path, *way]
        keys = [step for step in way if isinstance(step, str)][:2]
        if is_below and keys and other.choice.column == table.choice.column:
            goes_on = focus(other.record, keys) is not None
            return way if goes_on else ()
    return ()


def _repeats(way: Path, part: Path) -> bool:
    """Whether a way is a part again and again."""
    times = len(way) // len(part)
    return times > 0 and [*way] == [*part] * times


def _scattered(found: Sequence[Table], name: str) -> CorpusError:
    """Returns the error of a file most of whose texts would be lost."""
    places = ", ".join(f"«{table.shown}»" for table in found[:9])
    return CorpusError(
        f"{name} holds texts in several places: {places}.",
        f"Name the one you want, such as --column {found[1].shown}.",
    )


def _named(shape: Shape, column: str, name: str) -> list[tuple[str, Shape]]:
    """Returns each key that the user named, with the branches that lead to it."""
    whole = focus(shape, [column])
    names = [column] if whole else [part.strip() for part in column.split(",")]
    found = []
    for each in names:
        part = focus(shape, [each]) or focus(shape, each.split("."))
        if part is None and each.isdecimal():
            part = shape
        if part is None and shape.count:
            raise column_error(f"{name} has no key {each!r}.", _names(shape))
        found.append((each, part or Shape()))
    return found


def _wanted(table: Table, names: Sequence[str]) -> Choice | None:
    """Returns the choice of the columns that the user named, in that order."""
    found = []
    for name in names:
        ends = [key for key in table.columns if f".{key}".endswith(f".{name}")]
        last = [key for key in table.columns if key and f".{name}".endswith(f".{key}")]
        found += (ends or last)[:1]
    if not found:
        return None
    score = sum(len(text) for key in found for text in table.columns[key])
    return Choice(",".join(dict.fromkeys(found)), (), (), score, known=True)


def _names(shape: Shape) -> list[str]:
    """Returns the keys under which there are strings, as the user may name them."""
    found: Counter[str] = Counter()
    for table in tables(shape):
        for column, texts in table.columns.items():
            found[column or table.name] += len(texts)
    return [name for name, _ in found.most_common()]
