"""Whatever a file holds, reading it gives documents, faults, or one sentence: never a traceback."""

import bz2
import gzip
import json
import lzma
import random
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anekdot.corpus.reading import pieces, read_piece
from anekdot.errors import CorpusError
from tests.corpus.reading.outcomes import PACK, check_error, faults, good, outcome, zipped, zstd

JOKE = "Кот пришёл к врачу и попросил рецепт от понедельников."
OTHER = "Программист второй день чинит чайник, а чайник чинит программиста."
RECORD = json.dumps({"text": JOKE}, ensure_ascii=False)
ENDINGS = (".txt", ".jsonl", ".json", ".csv", ".tsv", ".parquet", ".zip", "", ".unknown")
PACKED = (".txt.gz", ".jsonl.bz2", ".csv.xz", ".json.zst", ".parquet.gz")


def encrypted() -> bytes:
    data = bytearray(zipped({"a.txt": JOKE.encode()}))
    for place in (6, data.rindex(b"PK\x01\x02") + 8):
        data[place] |= 1
    return bytes(data)


def deep(opening_bracket: str, n: int = 100_000) -> bytes:
    return (opening_bracket * n).encode()


def greedy_xz() -> bytes:
    """Returns an xz file whose header says that it needs 4 GB of memory."""
    data = bytearray(lzma.compress(JOKE.encode()))
    end = 12 + (data[12] + 1) * 4 - 4
    data[16] = 40
    data[end : end + 4] = zlib.crc32(data[12:end]).to_bytes(4, "little")
    return bytes(data)


REFUSED: dict[str, tuple[str, bytes]] = {
    "a picture": ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9),
    "a photograph": ("a.txt", b"\xff\xd8\xff\xe0" + random.Random(1).randbytes(999)),
    "a program": ("a.txt", b"\x7fELF" + bytes(999)),
    "a program without a name": ("program", b"MZ\x90\x00" + bytes(999)),
    "a PDF": ("a.txt", b"%PDF-1.7\n" + JOKE.encode()),
    "a letter": ("letter", zipped({"word/document.xml": b"<w/>"})),
    "an old letter": ("letter.old", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99)),
    "rich text": ("a.txt", b"{\\rtf1\\ansi " + JOKE.encode("cp1251")),
    "random bytes": ("a.csv", random.Random(2).randbytes(9999)),
    "zeros": ("a.jsonl", bytes(9999)),
    "a picture by name": ("a.png", JOKE.encode()),
    "a letter by name": ("a.docx", JOKE.encode()),
    "text that claims gzip": ("a.txt.gz", JOKE.encode()),
    "text that claims bzip2": ("a.txt.bz2", JOKE.encode()),
    "text that claims xz": ("a.txt.xz", JOKE.encode()),
    "text that claims zstandard": ("a.txt.zst", JOKE.encode()),
    "text that claims zip": ("a.zip", JOKE.encode()),
    "an empty zip": ("a.zip", zipped({})),
    "a zip of nothing known": ("a.zip", zipped({"a.png": b"x", "b.docx": b"y"})),
    "a zip in a zip only": ("a.zip", zipped({"b.zip": zipped({"a.txt": JOKE.encode()})})),
    "a zip of hidden files": ("a.zip", zipped({".a.txt": b"x", "__MACOSX/a.txt": b"y"})),
    "an encrypted zip": ("a.zip", encrypted()),
    "half a zip": ("a.zip", zipped({"a.txt": JOKE.encode() * 99})[:-40]),
    "half a gzip": ("a.txt.gz", gzip.compress(random.Random(3).randbytes(999).hex().encode())[:-9]),
    "half a bzip2": ("a.txt.bz2", bz2.compress(JOKE.encode() * 99)[:-9]),
    "half an xz": ("a.txt.xz", lzma.compress(JOKE.encode() * 99)[:-9]),
    "half a zstandard": ("a.txt.zst", zstd.compress(JOKE.encode() * 99)[:-9]),
    "gzip with a wrong sum": ("a.txt.gz", gzip.compress(JOKE.encode())[:-8] + bytes(8)),
    "xz that wants 4 GB": ("a.txt.xz", greedy_xz()),
    "gzip with rubbish after it": ("a.txt.gz", gzip.compress(JOKE.encode()) + b"rubbish"),
    "Parquet of nothing": ("a.parquet", b""),
    "Parquet that is text": ("a.parquet", JOKE.encode()),
    "Parquet of magic only": ("a.parquet", b"PAR1PAR1"),
    "Parquet with a wild footer": ("a.parquet", b"PAR1" + b"\xff" * 99 + b"PAR1"),
    "Parquet with a huge footer": ("a.parquet", b"PAR1" + b"\x7f" * 8 + b"PAR1"),
    "Parquet by its magic": ("a.txt", b"PAR1" + JOKE.encode()),
    "numbers only": ("a.csv", b"1,2\n3,4\n"),
    "a table of nothing": ("a.csv", b",,,\n,,,\n"),
}


@pytest.mark.parametrize(("name", "data"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_text_is_refused_in_one_sentence(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    error = outcome(path)
    assert isinstance(error, CorpusError)
    assert name in error.cause


LINES = f"{JOKE}\n{OTHER}\n".encode()
SURVIVED: dict[str, tuple[str, bytes, list[str], list[tuple[int, str]]]] = {
    # name: file, bytes, texts, faults
    "empty": ("a.txt", b"", [], []),
    "empty table": ("a.csv", b"", [], []),
    "empty JSON": ("a.json", b"", [], []),
    "empty gzip": ("a.txt.gz", b"", [], []),
    "empty zstandard": ("a.jsonl.zst", zstd.compress(b""), [], []),
    "white space": ("a.jsonl", b" \r\n\t\n\r\r", [], []),
    "a mark and nothing": ("a.txt", b"\xef\xbb\xbf", [], []),
    "a UTF-16 mark and nothing": ("a.csv", b"\xff\xfe", [], []),
    "a header and nothing": ("a.csv", b"id,text\n", [], []),
    "an empty array": ("a.json", b"[]", [], []),
    "one NUL": ("a.txt", LINES + b"\0" + LINES, [JOKE, OTHER, "\0" + JOKE, OTHER], []),
    "a line of NULs": ("a.txt", LINES * 20 + bytes(60), [JOKE, OTHER] * 20, [(41, "not text")]),
    "a picture in the middle": (
        "a.txt",
        LINES * 99 + b"\x01\x02\x03\x04\x05\x06\x07\x00\x0e" * 5 + b"\n" + LINES,
        [JOKE, OTHER] * 100,
        [(199, "not text")],
    ),
    "half of UTF-16": ("a.txt", ("\ufeff" + JOKE).encode("utf-16-le") + b"\x10", [JOKE + "�"], []),
    "a lone surrogate": ("a.jsonl", b'{"text": "\\ud800 cat"}', ["\ud800 cat"], []),
    "a deep line": ("a.jsonl", f"{RECORD}\n".encode() + deep("["), [JOKE], [(2, "not JSON")]),
    "a deep object": ("a.jsonl", f"{RECORD}\n".encode() + deep('{"a":'), [JOKE], [(2, "not JSON")]),
    "a deep array": ("a.json", deep("["), [], [(1, "not JSON")]),
    "deep objects": ("a.json", deep('{"a":'), [], [(1, "not JSON")]),
    "a number as text": ("a.jsonl", f'{RECORD}\n{{"text": 7}}'.encode(), [JOKE], [(2, "no text")]),
    "null as text": ("a.jsonl", f'{RECORD}\n{{"text": null}}'.encode(), [JOKE], [(2, "no text")]),
    "a list as text": ("a.jsonl", f'{RECORD}\n{{"text": []}}'.encode(), [JOKE], [(2, "no text")]),
    "a bare number": ("a.jsonl", f"{RECORD}\n7\n{RECORD}".encode(), [JOKE] * 2, [(2, "no text")]),
    "a huge number": (
        "a.jsonl",
        f"{RECORD}\n{'7' * 9999}".encode(),
        [JOKE],
        [(2, "not JSON")],
    ),
    "not a number": ("a.jsonl", f"{RECORD}\nNaN".encode(), [JOKE], [(2, "no text")]),
    "keys twice": ("a.jsonl", b'{"text": "one", "text": "two"}', ["two"], []),
    "a late key": (
        "a.jsonl",
        b'{"id": 1}\n' * 9 + RECORD.encode(),
        [JOKE],
        [(number, "no text") for number in range(1, 10)],
    ),
    "a key later than any sample": (
        "a.jsonl",
        b'{"id": 1}\n' * 999 + json.dumps({"joke": JOKE}).encode(),
        [JOKE],
        [(number, "no text") for number in range(1, 1000)],
    ),
    "a key late in an array": (
        "a.json",
        b'[{"id": 1},' + b'{"id": "?"},' * 998 + json.dumps({"joke": JOKE}).encode() + b"]",
        [JOKE],
        [(number, "no text") for number in range(1, 1000)],
    ),
    "half a record": ("a.jsonl", f'{RECORD}\n{{"text": "Ко'.encode(), [JOKE], [(2, "not JSON")]),
    "half an array": ("a.json", f'[{RECORD}, {{"text": "Ко'.encode(), [JOKE], [(2, "not JSON")]),
    "a broken item": (
        "a.json",
        f'[\n{RECORD},\n{{"text": oops}},\n{RECORD}\n]'.encode(),
        [JOKE, JOKE],
        [(2, "not JSON")],
    ),
    "a broken item on one line": (
        "a.json",
        f'[{RECORD},{{"text": oops}},{RECORD}]'.encode(),
        [JOKE, JOKE],
        [(2, "not JSON")],
    ),
    "words for JSON": ("a.json", JOKE.encode(), [], [(1, "not JSON")]),
    "a cell too many": (
        "a.csv",
        f"id,text\n1,один\n2,раз,два\n3,три {JOKE}\n".encode(),
        ["один", f"три {JOKE}"],
        [(3, "wrong number of cells")],
    ),
    "a quote that is never closed": (
        "a.csv",
        f'id;text\n1;"{JOKE}\n2;{OTHER}\n3;"Ещё одна"\n'.encode(),
        [OTHER, "Ещё одна"],
        [(2, "broken quotes")],
    ),
    "a quote that is closed by another row": (
        "a.csv",
        f'id,text\n1,"{JOKE}\n2,"{OTHER}"\n3,Третья шутка\n'.encode(),
        [OTHER, "Третья шутка"],
        [(2, "broken quotes")],
    ),
    "a quote at the end": (
        "a.csv",
        f'id,text\n1,{JOKE}\n2,"'.encode(),
        [JOKE],
        [(3, "broken quotes")],
    ),
    "a table of quotes": ("a.csv", b'id,text\n1,Cat\n"""', ["Cat"], [(3, "broken quotes")]),
    "a zip that climbs": ("a.zip", zipped({"../../etc/a.txt": LINES}), [JOKE, OTHER], []),
    "a zip with an absolute name": ("a.zip", zipped({"/etc/a.txt": LINES}), [JOKE, OTHER], []),
    "a zip of a gzip": ("a.zip", zipped({"a.txt.gz": gzip.compress(LINES)}), [JOKE, OTHER], []),
    "a zip with a zip": (
        "a.zip",
        zipped({"a.txt": LINES, "b.zip": zipped({"c.txt": LINES})}),
        [JOKE, OTHER],
        [],
    ),
    "a gzip without its ending": ("jokes", gzip.compress(LINES), [JOKE, OTHER], []),
    "a zip without its ending": ("jokes", zipped({"a.txt": LINES}), [JOKE, OTHER], []),
    "two gzips in one": (
        "a.txt.gz",
        gzip.compress(LINES) * 2,
        [JOKE, OTHER] * 2,
        [],
    ),
    "two of each": ("a.txt.bz2", bz2.compress(LINES) * 2, [JOKE, OTHER] * 2, []),
    "xz with padding": (
        "a.txt.xz",
        (lzma.compress(LINES) + bytes(4)) * 2,
        [JOKE, OTHER] * 2,
        [],
    ),
    "zstandard twice": ("a.txt.zst", zstd.compress(LINES) * 2, [JOKE, OTHER] * 2, []),
}


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


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
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


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
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
