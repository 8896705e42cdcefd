import csv
import gzip
import json
import random
import tracemalloc
from pathlib import Path

import pytest

from anekdot.corpus.documents import Document
from anekdot.corpus.reading import pieces, read, read_piece
from tests.support.outcomes import faults, good, outcome

JOKE = "Кот пришёл к врачу и попросил рецепт от понедельников."
OTHER = "Программист второй день чинит чайник, а чайник чинит программиста."
RECORD = json.dumps({"text": JOKE}, ensure_ascii=False)


def lines_of(documents: list[Document]) -> list[int]:
    return [document.line for document in documents]


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv"])
def test_a_line_that_is_too_long_is_read_past(tmp_path, name):
    path = tmp_path / name
    kept = {"a.txt": JOKE, "a.jsonl": RECORD, "a.csv": f"1;{JOKE}"}[name]
    start = "id;text\n" if name == "a.csv" else ""
    with path.open("wb") as file:
        file.write(f"{start}{kept}\n".encode())
        for _ in range(13):
            file.write(b"meow! " * 180_000)
        file.write(f"\n{kept}\n".encode())
    documents = outcome(path)
    first = 1 + bool(start)
    assert good(documents) == [JOKE, JOKE]
    assert faults(documents) == [(first + 1, "too long a line")]
    assert lines_of(documents) == [first, first + 1, first + 2]


@pytest.mark.parametrize("size", [(4 << 20) - 1, 4 << 20, (4 << 20) + 1])
@pytest.mark.parametrize("before", [0, 1, 1 << 20])
def test_the_longest_line_is_the_same_wherever_it_stands(tmp_path, size, before):
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * before + b"\n" + b"y" * (size - 1) + b"\n")
    too_long = [document for document in read(path) if document.fault]
    assert len(too_long) == (size > 4 << 20)


def test_a_cell_of_ten_megabytes(tmp_path):
    path = tmp_path / "a.csv"
    long = f"{JOKE} " * 110_000
    path.write_text(f'id,text\n1,"{long}"\n2,{JOKE}\n', "utf-8")
    assert path.stat().st_size > 10_000_000
    assert good(outcome(path)) == [long, JOKE]


def test_a_text_without_an_end_is_one_fault(tmp_path):
    path = tmp_path / "a.txt"
    blocks = f"{JOKE}\n{OTHER}\n\n" * 9
    path.write_text(blocks + f"{JOKE}\n" * 80_000 + "\n" + blocks, "utf-8")
    (piece,) = pieces([path], separator="blank line")
    documents = list(read_piece(piece))
    assert good(documents) == [f"{JOKE}\n{OTHER}"] * 18
    assert faults(documents) == [(28, "too long a text")]


def test_a_broken_quote_before_a_large_table_is_one_fault(tmp_path):
    path = tmp_path / "a.csv"
    rows = "".join(f"{number};{JOKE}\n" for number in range(30_000))
    path.write_text(f'id;text\n0;"{OTHER}\n{rows}', "utf-8")
    documents = outcome(path)
    assert len(good(documents)) == 30_000
    assert faults(documents) == [(2, "broken quotes")]


def held(path: Path) -> int:
    """Returns the most bytes of Python memory that reading takes."""
    tracemalloc.start()
    try:
        for _ in read(path):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv", "a.json", "a.txt.gz"])
def test_a_line_of_a_gigabyte_is_not_held(tmp_path, name):
    path = tmp_path / name
    size = 300 << 20 if name.endswith((".json", ".gz", ".csv")) else 1 << 30
    with gzip.open(path, "wb", 1) if path.suffix == ".gz" else path.open("wb") as file:
        file.write(b'["' if path.suffix == ".json" else b"id;text\n")
        for _ in range(size >> 20):
            file.write(random.Random(size).randbytes(1 << 19).hex().encode())
    assert held(path) < 100 << 20
    path.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("ending", [b"\n", b"\r", b"\r\n", b" \n"])
def test_ten_million_empty_lines(tmp_path, ending):
    path = tmp_path / "a.txt"
    path.write_bytes(ending * 10_000_000 + JOKE.encode())
    assert [(document.text, document.line) for document in read(path)] == [(JOKE, 10_000_001)]


def test_the_limit_of_cells_is_given_back(tmp_path):
    (tmp_path / "a.csv").write_text(f"id,text\n1,{JOKE}\n", "utf-8")
    before = csv.field_size_limit(1234)
    try:
        next(read(tmp_path / "a.csv"))
        assert csv.field_size_limit() == 1234
    finally:
        csv.field_size_limit(before)
