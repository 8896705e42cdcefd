"""Parquet to documents, through DuckDB, which may read that file and nothing else."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from anekdot.corpus.database import connect, literal
from anekdot.corpus.documents import Document, column_error
from anekdot.corpus.reading.detect_layout import TEXT_NAMES, best_column
from anekdot.errors import CorpusError, require

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAGIC = b"PAR1"

_FETCH_ROWS = 256
_SAMPLE_ROWS = 200  # by which the column is chosen
_MEMORY = 256 << 20  # bytes


def guess_column(path: Path, column: str | None, name: str) -> str:
    """Returns the column of a Parquet file that holds the texts.

    Args:
        path: The file.
        column: The column, if the user named it.
        name: The name that messages carry.

    Raises:
        CorpusError: The file is damaged, or has no such column.
        MissingExtra: DuckDB is not installed.
    """
    with _opened(path, name) as connection:
        found = _string_columns(connection)
        if column is not None:
            if column not in found:
                raise column_error(f"{name} has no column {column!r}.", found)
            return column
        if not found:
            raise CorpusError(f"{name} has no column of texts.", "Store the texts as strings.")
        listed = ", ".join(f"substring({_quoted(each)}, 1, 10000)" for each in found)
        rows = connection.execute(f"SELECT {listed} FROM texts LIMIT {_SAMPLE_ROWS}").fetchall()
    letters = {
        each: sum(sum(map(str.isalpha, row[place] or "")) for row in rows)
        for place, each in enumerate(found)
    }
    named = [each for each in found if each.strip().lower() in TEXT_NAMES]
    return best_column(letters) or (named or found)[0]


def read_parquet(path: Path, column: str, name: str, no_text: str) -> Iterator[Document]:
    """Yields the texts of a column; a row without one is a fault.

    Args:
        path: The file.
        column: The column of the texts.
        name: What the documents give as their source.
        no_text: The fault of a row without a text.

    Raises:
        CorpusError: The file is damaged.
    """
    with _opened(path, name) as connection:
        marked = "coalesce(obscene, false)" if _has_mark(connection) else "false"
        connection.execute(f"SELECT {_quoted(column)}, {marked} FROM texts")
        number = 0
        while rows := connection.fetchmany(_FETCH_ROWS):
            for text, obscene in rows:
                number += 1
                fault = no_text if text is None else None
                yield Document(text or "", name, number, obscene, fault)


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


def _string_columns(connection: "DuckDBPyConnection") -> list[str]:
    columns = connection.execute("DESCRIBE texts").fetchall()
    return [column[0] for column in columns if column[1] == "VARCHAR"]


def _has_mark(connection: "DuckDBPyConnection") -> bool:
    columns = connection.execute("DESCRIBE texts").fetchall()
    return any((column[0], column[1]) == ("obscene", "BOOLEAN") for column in columns)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
