"""Whatever a file holds, reading it gives documents, faults, or one sentence: never a traceback."""

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anekdot.corpus.reading import pieces, read_piece
from anekdot.errors import CorpusError
from tests.support.hostile_files import JOKE, LINES, RECORD, REFUSED, SURVIVED, encrypted
from tests.support.outcomes import PACK, check_error, faults, good, outcome, zipped

ENDINGS = (".txt", ".jsonl", ".json", ".csv", ".tsv", ".parquet", ".zip", "", ".unknown")
PACKED = (".txt.gz", ".jsonl.bz2", ".csv.xz", ".json.zst", ".parquet.gz")


@pytest.mark.parametrize(("name", "data"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_text_is_refused_in_one_sentence(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    error = outcome(path)
    assert isinstance(error, CorpusError)
    assert name in error.cause


@pytest.mark.parametrize(("name", "data", "texts", "flaws"), SURVIVED.values(), ids=list(SURVIVED))
def test_damage_costs_what_is_damaged_only(tmp_path, name, data, texts, flaws):
    path = tmp_path / name
    path.write_bytes(data)
    documents = outcome(path)
    assert good(documents) == texts
    assert faults(documents) == flaws


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.zip", "a.txt.gz", "a.json", "a.jsonl"])
def test_a_file_that_becomes_another_before_it_is_read(tmp_path, name):
    path = tmp_path / name
    write_good(path)
    planned = pieces([path])
    path.write_bytes(b"oops;oops\n1;2\n")
    outcomes: list[str] = []
    try:
        outcomes += [document.text for piece in planned for document in read_piece(piece)]
    except CorpusError as error:
        check_error(error)
    assert JOKE not in outcomes


def write_good(path: Path) -> None:
    """Writes a file of its format that is right."""
    if path.suffix == ".parquet":
        duckdb = pytest.importorskip("duckdb")
        duckdb.execute(f"COPY (SELECT '{JOKE}' AS joke FROM range(99)) TO '{path}'")
    elif path.suffix == ".zip":
        path.write_bytes(zipped({"a.txt": LINES, "b.csv": f"id;joke\n1;{JOKE}\n".encode()}))
    elif path.suffix == ".csv":
        path.write_bytes(f"id,joke\n1,{JOKE}\n2,{JOKE}\n".encode())
    elif path.suffix == ".json":
        path.write_bytes(f"[{RECORD},\n{RECORD}]".encode())
    elif path.suffix == ".jsonl":
        path.write_bytes(f"{RECORD}\n{RECORD}\n".encode())
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(LINES))
    else:
        path.write_bytes(LINES)


def packed(data: bytes, name: str) -> bytes:
    return PACK.get(Path(name).suffix, bytes)(data)


FRAGMENTS = st.sampled_from(
    [
        b"\n",
        b"\r",
        b"\r\n",
        b'"',
        b'""',
        b",",
        b";",
        b"\t",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"\\",
        b"\0",
    ]
    + [b'{"text": "', b'"text"', b"\\ud800", b"%\n", b"***\n", b"<|endoftext|>", b"null", b"1e999"]
    + [b"PAR1", b"PK\x03\x04", b"\x1f\x8b", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc2\xa0", b"sep=;\n"]
    + [JOKE.encode(encoding) for encoding in ("utf-8", "cp1251", "koi8-r", "cp866", "utf-16-le")]
)
ANYTHING = st.one_of(st.binary(max_size=300), st.lists(FRAGMENTS, max_size=30).map(b"".join))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", [f"a{ending}" for ending in (*ENDINGS, *PACKED)])
@given(data=ANYTHING)
def test_any_bytes_under_any_ending(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    outcome(path)
    path.write_bytes(packed(data, name))
    outcome(path)


GOOD = ("a.parquet", "a.zip", "a.csv", "a.json", "a.jsonl", "a.txt.gz", "a.txt")


@pytest.fixture(scope="module")
def good_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("good")
    for name in GOOD:
        write_good(folder / name)
    return {name: (folder / name).read_bytes() for name in GOOD}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", GOOD)
@given(data=st.data())
def test_any_damage_to_a_good_file(tmp_path, good_files, name, data):
    path = tmp_path / name
    whole = bytearray(good_files[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path.write_bytes(whole)
    outcome(path)


def test_an_encrypted_member_is_named(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(encrypted())
    error = outcome(path)
    assert isinstance(error, CorpusError)
    assert error.cause == f"{path}/a.txt is encrypted."
