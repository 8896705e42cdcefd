import errno
import os
import sys

import pytest

from anekdot.corpus.database import database
from anekdot.errors import CorpusError

FULL = os.strerror(errno.ENOSPC)
duckdb = pytest.importorskip("duckdb")
ROWS = "SELECT range, md5(range::VARCHAR) AS sum FROM range(2000000) ORDER BY sum"


def test_a_spill_that_fills_the_disk_is_a_full_disk(tmp_path, monkeypatch):
    connect = duckdb.connect

    def cramped(*arguments, **named):
        connection = connect(*arguments, **named)
        connection.execute("SET max_temp_directory_size = '1MB'")
        return connection

    monkeypatch.setattr(duckdb, "connect", cramped)
    with (
        pytest.raises(OSError, match=FULL) as caught,
        database(tmp_path / "spill", memory=1) as connection,
    ):
        connection.execute(f"CREATE TABLE large AS {ROWS}")
    assert caught.value.filename == str(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a device that is always full")
def test_a_table_that_does_not_fit_the_disk_is_a_full_disk(tmp_path):
    with pytest.raises(OSError, match=FULL), database(tmp_path / "spill") as connection:
        connection.execute(f"COPY ({ROWS}) TO '/dev/full' (FORMAT csv)")


def test_too_little_memory_is_said_in_one_sentence(tmp_path):
    with (
        pytest.raises(CorpusError, match="needs more memory than it may take"),
        database(tmp_path / "spill", memory=1) as connection,
    ):
        connection.execute("SELECT list(range) FROM range(20000000)")
