import gzip
import io
import json
import sys
from pathlib import Path

import pytest

from anekdot.corpus.reading import Document, Layout, files, guess_layout, read
from anekdot.errors import CorpusError

FIRST = "Кот пришёл к врачу.\n— На что жалуетесь?\n— На мышей."
SECOND = "Программист чинит чайник второй день."


def write(path: Path, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def texts(path: Path) -> list[str]:
    return [document.text for document in read(path)]


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch):
    def give(content: str) -> list[Document]:
        stream = io.TextIOWrapper(io.BytesIO(content.encode()))
        monkeypatch.setattr(sys, "stdin", stream)
        return list(read("-"))

    return give


@pytest.mark.parametrize("name", ["a.txt", "a.TXT", "a.txt.gz"])
def test_text_one_document_a_line(tmp_path, name):
    path = write(tmp_path / name, "\ufeffПервая строка\r\nВторая строка\n")
    assert list(read(path)) == [
        Document("Первая строка", str(path), 1),
        Document("Вторая строка", str(path), 2),
    ]


def test_text_in_blocks_carries_the_first_line_of_each(tmp_path):
    path = write(tmp_path / "a.txt", f"\n{FIRST}\n \n\n{SECOND}")
    assert list(read(path)) == [Document(FIRST, str(path), 2), Document(SECOND, str(path), 7)]


@pytest.mark.parametrize(
    ("content", "layout"),
    [
        ("", Layout.LINES),
        ("а\nб\nв", Layout.LINES),
        ("а\n\nб\n\nв", Layout.LINES),  # both readings give the same
        ("\n\nа\nб\nв\n\n", Layout.LINES),
        ("а\nб\n\nв", Layout.BLOCKS),
        ("а\nб\nв\n\n\nг\nд\nе\n", Layout.BLOCKS),
        ("реплика\n" * 5 + "\nшутка\n" + "\nреплика\nответ\n" * 9, Layout.BLOCKS),
        ("шутка\n" * 5 + "\n" + "шутка\n" * 5, Layout.LINES),
        ("шутка\n" * 500 + "\n" + "шутка\n" * 3 + "\n\nшутка\n", Layout.LINES),
    ],
)
def test_guess(content, layout):
    assert guess_layout(content.splitlines(keepends=True)) is layout


def test_the_guess_is_told(tmp_path):
    path = write(tmp_path / "a.txt", f"{FIRST}\n\n{SECOND}")
    notices: list[str] = []
    list(read(path, notices.append))
    assert notices == [f"{path}: read as documents separated by blank lines."]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_json_lines(tmp_path, name):
    records = [{"text": FIRST, "obscene": True}, {"text": SECOND, "year": 1999}]
    content = "\n\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    path = write(tmp_path / name, content)
    assert list(read(path)) == [
        Document(FIRST, str(path), 1, obscene=True),
        Document(SECOND, str(path), 3),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_takes_the_column_text(tmp_path, separator):
    quoted = FIRST.replace("Кот", '""Кот""')
    rows = [["note", "Text"], ["очень длинная заметка " * 9, f'"{quoted}"'], ["", SECOND]]
    path = write(tmp_path / "a.csv", "\n".join(separator.join(row) for row in rows))
    assert list(read(path)) == [
        Document(FIRST.replace("Кот", '"Кот"'), str(path), 2),
        Document(SECOND, str(path), 5),
    ]


def test_csv_takes_the_column_with_the_most_letters(tmp_path):
    path = write(tmp_path / "a.csv", f"id,joke,mark\n{10**40},{SECOND},good\n2,Ещё шутка,bad\n")
    assert texts(path) == [SECOND, "Ещё шутка"]


def test_folder_in_sorted_order_without_other_and_hidden_files(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / ".git").mkdir()
    write(tmp_path / "sub" / "c.csv", "text\nтретья")
    write(tmp_path / "b.jsonl", '{"text": "вторая"}')
    write(tmp_path / "a.txt.gz", "первая")
    for other in ("picture.png", ".a.txt", ".git/b.txt"):
        write(tmp_path / other, "не текст")
    assert texts(tmp_path) == ["первая", "вторая", "третья"]


def test_standard_input(stdin):
    assert stdin(f"{FIRST}\n\n{SECOND}") == [
        Document(FIRST, "standard input", 1),
        Document(SECOND, "standard input", 5),
    ]
    assert stdin('{"text": "раз"}\n{"text": "два"}') == [
        Document("раз", "standard input", 1),
        Document("два", "standard input", 2),
    ]
    assert [d.text for d in stdin('{"text": "раз"}\nне JSON')] == ['{"text": "раз"}', "не JSON"]
    assert stdin("") == []


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("a.txt", "раз\nдва\n".encode() + "три".encode("cp1251"), "a.txt, line 3"),
        ("a.jsonl", "раз".encode("utf-16"), "a.jsonl, line 1"),
        ("a.jsonl", '{"text": "раз"}\n{"text": ', "a.jsonl, line 2"),
        ("a.jsonl", '\n{"joke": "раз"}', "a.jsonl, line 2"),
        ("a.jsonl", '{"text": 7}', "a.jsonl, line 1"),
        ("a.jsonl", '["text"]', "a.jsonl, line 1"),
        ("a.jsonl", "[" * 100_000, "a.jsonl, line 1"),
        ("a.csv", "id,text\n1,раз\n2,раз, два\n", "a.csv, line 3"),
        ("a.csv", 'id,text\n1,"раз\nдва', "a.csv, line 2"),
        ("a.csv", "id,mark\n1,2\n", "a.csv has no column"),
    ],
)
def test_damage_is_named_with_its_line(tmp_path, name, content, place):
    path = write(tmp_path / name, content)
    with pytest.raises(CorpusError) as caught:
        list(read(path))
    assert place in caught.value.cause
    assert caught.value.remedy


@pytest.mark.parametrize("damage", [b"not gzip", gzip.compress(b"text" * 99)[:-12]])
def test_damaged_gzip(tmp_path, damage):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(damage)
    with pytest.raises(CorpusError, match=r"a\.txt\.gz cannot be read"):
        list(read(path))


@pytest.mark.parametrize("name", ["missing.txt", "letter.docx", "empty"])
def test_what_cannot_be_a_source_is_refused_at_once_with_the_formats(tmp_path, name):
    write(tmp_path / "letter.docx", "текст")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError) as caught:
        read(tmp_path / name)
    assert name in caught.value.cause
    assert ".txt, .jsonl, .csv" in caught.value.remedy


def test_files_of_a_file(tmp_path):
    path = write(tmp_path / "a.txt", "раз")
    assert files(path) == [path]
    assert files("-") == ["-"]


def test_bundles_and_prepared_folders_inside_a_folder_are_left_alone(tmp_path):
    (tmp_path / "jokes.txt").write_text("Кот спит.\n", "utf-8")
    for own, name in (("model", "model.safetensors"), ("data", "manifest.json")):
        (tmp_path / own / "run").mkdir(parents=True)
        (tmp_path / own / name).write_text("x")
        (tmp_path / own / "run" / "metrics.jsonl").write_text("{}")
    assert files(tmp_path) == [tmp_path / "jokes.txt"]
