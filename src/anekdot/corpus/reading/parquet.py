"""Parquet to documents, through DuckDB, which may read that file and nothing else."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from anekdot.corpus.database import connect, literal
from anekdot.corpus.documents import Document, Layout, column_error
from anekdot.corpus.reading.columns import is_known, split_column
from anekdot.corpus.reading.json_layout import layout_of
from anekdot.corpus.reading.json_shape import Shape
from anekdot.corpus.reading.json_stream import Path as Steps
from anekdot.corpus.reading.json_stream import pick
from anekdot.corpus.reading.readers import record_document
from anekdot.errors import CorpusError, require

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAGIC = b"PAR1"

_FETCH_ROWS = 256
_SAMPLE_ROWS = 200  # by which the column is chosen
_MEMORY = 256 << 20  # bytes


def guess_layout(path: Path, column: str | None, name: str) -> Layout:
    """Returns which columns of a Parquet file hold the texts.

    Args:
        path: The file.
        column: The column, if the user named it.
        name: The name that messages carry.

    Raises:
        CorpusError: The file is damaged, or has no such column.
        MissingExtra: DuckDB is not installed.
    """
    shape = Shape()
    with _opened(path, name) as connection:
        found = _text_columns(connection)
        if not found:
            raise CorpusError(f"{name} has no column of texts.", "Store the texts as strings.")
        for row in connection.execute(_select(found, _SAMPLE_ROWS)).fetchall():
            shape.add(dict(zip(found, row, strict=True)))
    for each in split_column(column, found) if column else ():
        if each.split(".")[0] not in found and each not in found:
            raise column_error(f"{name} has no column {each!r}.", found)
    layout = layout_of(shape, "parquet", column, name)
    if shape.kind and layout.column is not None:
        return layout
    named = [each for each in found if is_known(each)]
    return replace(layout, column=column or (named or found)[0])


def read_parquet(path: Path, layout: Layout, name: str) -> Iterator[Document]:
    """Yields the texts of the rows; a row without one is a fault.

    Args:
        path: The file.
        layout: Where the texts stand.
        name: What the documents give as their source.

    Raises:
        CorpusError: The file is damaged.
    """
    steps: Steps = json.loads(layout.separator)
    with _opened(path, name) as connection:
        found = _text_columns(connection)
        wanted = _top_columns(steps, layout, found)
        if not wanted:
            raise column_error(f"{name} has no column {layout.column!r}.", found)
        marked = ["obscene"] if _has_mark(connection) else []
        connection.execute(_select([*wanted, *marked]))
        number = 0
        while rows := connection.fetchmany(_FETCH_ROWS):
            for row in rows:
                number += 1
                value = dict(zip([*wanted, *marked], row, strict=True))
                for record in pick(value, steps):
                    yield record_document(record, layout, name, number)


def _top_columns(steps: Steps, layout: Layout, found: Sequence[str]) -> list[str]:
    """Returns the columns of the file that are needed for the texts."""
    if steps and isinstance(steps[0], str):
        return [steps[0]] if steps[0] in found else []
    if steps:
        return [*found]
    names = {
        part for each in (layout.column or "", *layout.others) for part in [each, *each.split(",")]
    }
    names |= {each.split(".")[0] for each in names}
    return [each for each in found if each in names]


def _select(columns: Sequence[str], rows: int | None = None) -> str:
    limit = "" if rows is None else f" LIMIT {rows}"
    return f"SELECT {', '.join(map(_quoted, columns))} FROM texts{limit}"


@contextmanager
def _opened(path: Path, name: str) -> Iterator["DuckDBPyConnection"]:
    """Opens a Parquet file as the view ``texts`` of a database in memory."""
    require("Reading Parquet", "train", "duckdb")
    import duckdb  # noqa: PLC0415 (large, and only for Parquet)

    _check_magic(path, name)
    try:
        with _plainly_named(path) as plain, connect(memory=_MEMORY, threads=1) as connection:
            connection.execute(f"SET allowed_paths = [{literal(plain)}]")
            connection.execute("SET enable_external_access = false")
            connection.execute(
                "CREATE VIEW texts AS "
                f"SELECT * FROM read_parquet({literal(plain)}, binary_as_string = true)"
            )
            yield connection
    except duckdb.Error as error:
        reason = str(error).strip().split("\n")[0].replace(str(path), name).rstrip(".")
        cause = f"{name} cannot be read: {reason}."
        raise CorpusError(cause, "Check the file: it may be cut off.") from error


@contextmanager
def _plainly_named(path: Path) -> Iterator[Path]:
    """Yields a path to the file that DuckDB does not take for a pattern."""
    if not set("*?[") & set(str(path.resolve())):
        yield path.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="anekdot-") as folder:
        link = Path(folder) / "texts.parquet"
        link.symlink_to(path.resolve())
        yield link


def _check_magic(path: Path, name: str) -> None:
    with path.open("rb") as file:
        start = file.read(4)
        size = file.seek(0, 2)
        file.seek(max(0, size - 4))
        end = file.read(4)
    if size < 12 or start != MAGIC or end != MAGIC:
        raise CorpusError(
            f"{name} is not a complete Parquet file.", "Check the file: it may be cut off."
        )


def _text_columns(connection: "DuckDBPyConnection") -> list[str]:
    """Returns the columns with strings, or with strings below them."""
    columns = connection.execute("DESCRIBE texts").fetchall()
    return [column[0] for column in columns if "VARCHAR" in column[1]]


def _has_mark(connection: "DuckDBPyConnection") -> bool:
    columns = connection.execute("DESCRIBE texts").fetchall()
    return any((column[0], column[1]) == ("obscene", "BOOLEAN") for column in columns)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
