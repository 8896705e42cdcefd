"""Parquet to documents, through DuckDB, which may read that file and nothing else."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from anekdot.corpus.documents import Document
from anekdot.corpus.reading.detect_layout import TEXT_NAMES, best_column, no_column
from anekdot.errors import CorpusError, require

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAGIC = b"PAR1"

_BATCH = 256  # rows
_SAMPLE = 200  # rows that are looked at
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "256MB",
    "temp_directory": "",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


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
    with _opened(path, name) as database:
        found = _string_columns(database)
        if column is not None:
            if column not in found:
                raise no_column(name, column, found)
            return column
        if not found:
            raise CorpusError(f"{name} has no column of texts.", "Store the texts as strings.")
        listed = ", ".join(f"substring({_quoted(each)}, 1, 10000)" for each in found)
        rows = database.execute(f"SELECT {listed} FROM texts LIMIT {_SAMPLE}").fetchall()
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
    with _opened(path, name) as database:
        marked = "coalesce(obscene, false)" if _has_mark(database) else "false"
        database.execute(f"SELECT {_quoted(column)}, {marked} FROM texts")
        number = 0
        while rows := database.fetchmany(_BATCH):
            for text, obscene in rows:
                number += 1
                fault = no_text if text is None else None
                yield Document(text or "", name, number, obscene, fault)


@contextmanager
def spooled(blocks: Iterable[bytes]) -> Iterator[Path]:
    """Gives what can only be read in order a file of its own, which goes with the block."""
    with tempfile.TemporaryDirectory(prefix="anekdot-") as folder:
        path = Path(folder) / "texts.parquet"
        with path.open("wb") as file:
            file.writelines(blocks)
        yield path


@contextmanager
def _opened(path: Path, name: str) -> Iterator["DuckDBPyConnection"]:
    """Opens a Parquet file as the view ``texts`` of a database in memory."""
    require("Reading Parquet", "train", "duckdb")
    import duckdb  # noqa: PLC0415 (large, and only for Parquet)

    _check_magic(path, name)
    try:
        with _plainly_named(path) as plain, duckdb.connect(config=_CONFIG) as database:
            literal = str(plain).replace("'", "''")
            database.execute(f"SET allowed_paths = ['{literal}']")
            database.execute("SET enable_external_access = false")
            database.execute(
                "CREATE VIEW texts AS "
                f"SELECT * FROM read_parquet('{literal}', binary_as_string = true)"
            )
            yield database
    except duckdb.Error as error:
        reason = str(error).strip().split("\n")[0].replace(str(path), name).rstrip(".")
        cause = f"{name} cannot be read: {reason}."
        raise CorpusError(cause, "Check the file: it may be cut off.") from error


@contextmanager
def _plainly_named(path: Path) -> Iterator[Path]:
    """Gives a file a name that DuckDB does not take for a pattern."""
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
        raise CorpusError(f"{name} is no whole Parquet file.", "Check the file: it may be cut off.")


def _string_columns(database: "DuckDBPyConnection") -> list[str]:
    columns = database.execute("DESCRIBE texts").fetchall()
    return [column[0] for column in columns if column[1] == "VARCHAR"]


def _has_mark(database: "DuckDBPyConnection") -> bool:
    columns = database.execute("DESCRIBE texts").fetchall()
    return any((column[0], column[1]) == ("obscene", "BOOLEAN") for column in columns)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
