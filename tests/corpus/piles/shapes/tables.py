"""How people let texts stand in tables and in JSON."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any


def table(rows: Iterable[Sequence[object]], delimiter: str = ",", end: str = "\n") -> str:
    """A table as a spreadsheet writes it: quotes only where they are needed."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=end).writerows(rows)
    return buffer.getvalue()


def quoted(rows: Iterable[Sequence[object]], delimiter: str = ",") -> str:
    """A table with every string in quotes."""
    buffer = io.StringIO()
    writer = csv.writer(
        buffer, delimiter=delimiter, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n"
    )
    writer.writerows(rows)
    return buffer.getvalue()


def bare(rows: Iterable[Sequence[object]], delimiter: str = ",") -> str:
    """A table by hand: no quotes at all."""
    return "".join(delimiter.join(map(str, row)) + "\n" for row in rows)


def escaped(rows: Iterable[Sequence[object]], delimiter: str = ",") -> str:
    r"""A table as MySQL and Spark write it: \" in quotes."""

    def cell(value: object) -> str:
        if not isinstance(value, str):
            return str(value)
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    return "".join(delimiter.join(map(cell, row)) + "\n" for row in rows)


def dump(value: Any, **options: Any) -> str:
    """JSON with letters as they are."""
    return json.dumps(value, ensure_ascii=False, **options)


def jsonl(records: Iterable[Any]) -> str:
    """A record a line."""
    return "".join(dump(record) + "\n" for record in records)


def records(texts: Iterable[str], key: str = "text", **others: Any) -> list[dict[str, Any]]:
    """Records with an id and other fields beside the text."""
    return [{"id": n, **others, key: text} for n, text in enumerate(texts, 1)]
