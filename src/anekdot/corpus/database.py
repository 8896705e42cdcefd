"""DuckDB as the corpus uses it: within a limit of memory, on local files, without a network."""

import errno
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anekdot.errors import CorpusError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MIN_MEMORY = 64 << 20  # bytes that DuckDB needs to do anything at all
_FULL = (os.strerror(errno.ENOSPC), "max_temp_directory_size")  # what it says of a full disk


@contextmanager
def connect(
    *, spill: Path | None = None, memory: int | None = None, threads: int | None = None
) -> Iterator["DuckDBPyConnection"]:
    """Opens a database that lives in memory and reaches no network.

    Args:
        spill: A folder of its own, made when it is needed, for what does not fit into memory.
        memory: Bytes that it may take; DuckDB's own limit unless given.
        threads: As many as there are cores unless given.
    """
    import duckdb  # noqa: PLC0415 (an extra)

    settings: dict[str, Any] = {
        "temp_directory": "" if spill is None else _name(spill),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "python_enable_replacements": False,
    }
    if memory is not None:
        settings["memory_limit"] = f"{max(memory, MIN_MEMORY) >> 20} MiB"
    if threads is not None:
        settings["threads"] = threads
    with duckdb.connect(":memory:", config=settings) as connection:
        connection.execute("SET enable_progress_bar = false")
        yield connection


@contextmanager
def database(
    spill: Path, *, memory: int | None = None, threads: int | None = None
) -> Iterator["DuckDBPyConnection"]:
    """Opens a database for the corpus; see `connect` for the arguments.

    Raises:
        OSError: The disk is full, or fails.
        CorpusError: The memory does not suffice.
    """
    import duckdb  # noqa: PLC0415 (an extra)

    try:
        with connect(spill=spill, memory=memory, threads=threads) as connection:
            connection.execute("SET lock_configuration = true")
            yield connection
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        if any(sign in str(error) for sign in _FULL):
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(spill.parent))
            raise full from None
        if isinstance(error, duckdb.OutOfMemoryException):
            cause = "The database needs more memory than it may take."
            raise CorpusError(cause, "Give more with --memory, or close other programs.") from None
        raise OSError(errno.EIO, str(error), str(spill.parent)) from None


def insert(
    connection: "DuckDBPyConnection",
    table: str,
    columns: Mapping[str, NDArray[Any] | Sequence[str]],
) -> None:
    """Appends rows, given by column, to a table with the same columns in the same order."""
    arrays = {
        name: column if isinstance(column, np.ndarray) else np.array([*column], dtype=object)
        for name, column in columns.items()
    }
    connection.register("rows", arrays)
    connection.execute(f"INSERT INTO {table} SELECT * FROM rows")
    connection.unregister("rows")


def fetch_integer(connection: "DuckDBPyConnection", query: str) -> int:
    """Returns the only value of a query."""
    (row,) = connection.execute(query).fetchall()
    return int(row[0])


def write_parquet(
    connection: "DuckDBPyConnection", query: str, path: Path, options: str = ""
) -> None:
    """Writes the rows of a query into a Parquet file.

    Args:
        connection: The database.
        query: The query.
        path: The file.
        options: More options of COPY, each after a comma.
    """
    connection.execute(f"COPY ({query}) TO {literal(path)} (FORMAT parquet{options})")


def literal(path: Path | str) -> str:
    """Returns a path as a string in SQL."""
    return "'" + _name(path).replace("'", "''") + "'"


def parquet(folder: Path, pattern: str) -> str:
    """Returns the Parquet files that match a pattern below a folder, as a table in SQL."""
    plain = "".join(f"[{c}]" if c in "*?[" else c for c in _name(folder))
    return f"read_parquet({literal(Path(plain, pattern))})"


def _name(path: Path | str) -> str:
    """Returns a path as DuckDB takes it: in UTF-8, through a link if it is in another encoding."""
    whole = Path(path)
    for place in (whole, *whole.parents):
        if not _is_utf8(place.name):
            link = Path(_links().name, sha256(os.fsencode(place.absolute())).hexdigest()[:16])
            with suppress(FileExistsError):
                link.symlink_to(place.absolute())
            return str(link / whole.relative_to(place))
    return str(path)


@cache
def _links() -> tempfile.TemporaryDirectory[str]:
    """Makes a folder for links, which goes when the process ends."""
    if not _is_utf8(tempfile.gettempdir()):
        cause = (
            f"The name of the folder for temporary files, {tempfile.gettempdir()}, is not UTF-8."
        )
        raise CorpusError(cause, "Set TMPDIR to another folder.")
    return tempfile.TemporaryDirectory(prefix="anekdot-")


def _is_utf8(name: str) -> bool:
    """Whether the file system has just the name that DuckDB will ask it for."""
    return os.fsencode(name).decode("utf-8", "replace") == name
