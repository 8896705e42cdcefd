import dataclasses
import gzip
import io
import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anekdot.corpus.reading import Document, Layout, Piece, find_files, pieces, read, read_piece
from anekdot.corpus.reading.detect import HEAD_BYTES
from anekdot.errors import CorpusError
from tests.support.outcomes import zipped

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
    def give(content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return give


@pytest.mark.parametrize("name", ["a.txt", "a.TXT", "a.txt.gz"])
def test_text_one_document_a_line(tmp_path, name):
    path = write(tmp_path / name, "\ufeffПервая строка\r\nВторая строка\n")
    assert list(read(path)) == [
        Document("Первая строка", str(path), 1),
        Document("Вторая строка", str(path), 2),
    ]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_text_in_blocks_carries_the_first_line_of_each(tmp_path, end):
    path = write(tmp_path / "a.txt", f"\n{FIRST}\n \n\n{SECOND}".replace("\n", end))
    assert list(read(path)) == [
        Document(FIRST.replace("\n", end), str(path), 2),
        Document(SECOND, str(path), 7),
    ]


def test_markers_do_not_disturb_the_count_of_lines(tmp_path):
    path = write(tmp_path / "a.txt", f"{FIRST}<|endoftext|>\n{SECOND}<|endoftext|>Мяу")
    assert [(document.text, document.line) for document in read(path)] == [
        (FIRST, 1),
        (SECOND, 4),
        ("Мяу", 4),
    ]


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


def test_json_counts_records(tmp_path):
    path = write(tmp_path / "a.json", json.dumps([FIRST, {"text": SECOND, "obscene": True}]))
    assert list(read(path)) == [
        Document(FIRST, str(path), 1),
        Document(SECOND, str(path), 2, obscene=True),
    ]


def test_folder_in_sorted_order_without_other_and_hidden_files(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / ".git").mkdir()
    write(tmp_path / "sub" / "c.csv", "text\nтретья")
    write(tmp_path / "b.jsonl", '{"text": "вторая"}')
    write(tmp_path / "a.txt.gz", "первая")
    for other in ("picture.png", "setup.cfg", ".a.txt", ".git/b.txt"):
        write(tmp_path / other, "не текст")
    assert texts(tmp_path) == ["первая", "вторая", "третья"]


@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode())])
def test_standard_input(stdin, pack):
    stdin(pack(f"{FIRST}\n\n{SECOND}"))
    notices: list[str] = []
    assert list(read("-", notices.append)) == [
        Document(FIRST, "standard input", 1),
        Document(SECOND, "standard input", 5),
    ]
    assert notices == ["standard input: read as txt, texts separated by blank lines."]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"text": "раз"}\n{"text": "два"}', ["раз", "два"]),
        ('{"text": "раз"}\nне JSON', ['{"text": "раз"}', "не JSON"]),
        ('[{"text": "раз"},\n{"text": "два"}]', ["раз", "два"]),
        ("[раз]\n[два]", ["[раз]", "[два]"]),
        ("", []),
    ],
)
def test_standard_input_may_be_json(stdin, content, expected):
    stdin(content)
    assert [document.text for document in read("-")] == expected


def test_standard_input_is_kept_for_the_pieces(stdin, tmp_path):
    stdin("раз\nдва\n")
    found = pieces(["-"], work=tmp_path, size=5)
    stdin("")
    assert len(found) == 2
    assert [document for piece in found for document in read_piece(piece)] == [
        Document("раз", "standard input", 1),
        Document("два", "standard input", 2),
    ]


def test_standard_input_that_is_closed(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CorpusError, match="Standard input is closed"):
        list(read("-"))


@pytest.mark.parametrize("name", ["missing.txt", "letter.png", "empty"])
def test_what_cannot_be_a_source_is_refused_at_once_with_the_formats(tmp_path, name):
    write(tmp_path / "letter.png", "текст")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError) as caught:
        read(tmp_path / name)
    assert name in caught.value.cause
    assert ".txt, .jsonl, .ndjson, .json, .csv" in caught.value.remedy


def test_files_of_a_file(tmp_path):
    path = write(tmp_path / "a.txt", "раз")
    assert find_files(path) == [path]
    assert find_files("-") == ["-"]


def test_a_file_with_the_name_of_a_pattern_is_itself(tmp_path):
    path = write(tmp_path / "a[1].txt", "раз")
    write(tmp_path / "a1.txt", "два")
    assert find_files(str(path)) == [path]


def test_bundles_and_prepared_folders_inside_a_folder_are_left_alone(tmp_path):
    (tmp_path / "jokes.txt").write_text("Кот спит.\n", "utf-8")
    for own, name in (("model", "model.safetensors"), ("data", "manifest.json")):
        (tmp_path / own / "run").mkdir(parents=True)
        (tmp_path / own / name).write_text("x")
        (tmp_path / own / "run" / "metrics.jsonl").write_text("{}")
    assert find_files(tmp_path) == [tmp_path / "jokes.txt"]


def test_no_sources():
    with pytest.raises(CorpusError, match="No texts were named"):
        pieces([])


def test_what_the_user_names_wins(tmp_path):
    text = write(tmp_path / "a.txt", "раз, два|||три\n\nчетыре")
    table = write(tmp_path / "b.csv", "text,joke\nраз,два\n")
    record = write(tmp_path / "c.jsonl", '{"text": "раз", "joke": "три"}\n')

    def named(path: Path, **named: str) -> list[str]:
        return [
            document.text for piece in pieces([path], **named) for document in read_piece(piece)
        ]

    assert named(text, separator="|||") == ["раз, два", "три\n\nчетыре"]
    assert named(text, separator="line") == ["раз, два|||три", "четыре"]
    assert named(table, column="joke") == ["два"]
    assert named(record, column="joke") == ["три"]
    with pytest.raises(CorpusError, match="no key 'body'"):
        named(record, column="body")


# pieces


def test_a_piece_is_json(tmp_path):
    write(tmp_path / "a.txt", f"{FIRST}\n\n{SECOND}\n")
    write(tmp_path / "b.zip", zipped({"c.csv": "id;text\n1;Кот спит.\n".encode()}))
    found = pieces([tmp_path])
    again = json.loads(json.dumps([dataclasses.asdict(piece) for piece in found]))
    assert [Piece(**{**each, "layout": Layout(**each["layout"])}) for each in again] == found


def test_large_files_are_cut_where_that_is_possible(tmp_path):
    lines = "".join(f"Кот номер {number} спит.\n" for number in range(500))
    records = "".join(f'{{"text": "Кот {number}"}}\n' for number in range(500))
    counts = {
        "a.txt": lines,
        "b.jsonl": records,
        "c.csv": lines,
        "d.txt.gz": lines,
        "e.txt": lines.encode("utf-16"),
        "f.json": "[" + records.replace("\n", ",")[:-1] + "]",
    }
    cut = {}
    for name, content in counts.items():
        path = write(tmp_path / name, content)
        found = pieces([path], size=1000)
        cut[name] = len(found) > 5
        assert [document for piece in found for document in read_piece(piece)] == list(read(path))
        for before, after in pairwise(found):
            assert before.stop == after.start
            assert before.stop - before.start >= 1000
            assert before.line < after.line
    assert cut == {"a.txt": True, "b.jsonl": True} | dict.fromkeys(list(counts)[2:], False)


PARTS = (
    *(
        "\n",
        "\r",
        "\r\n",
        " \n",
        "\n\n",
        "\xa0\n",
        "%",
        "%\n",
        "***\n",
        "\n***\n",
        "мяу",
        "Кот",
        "a",
    ),
    *("<|startoftext|>", "<|endoftext|>", '{"text": "кот"}\n', '{"text": "a\\nb"}\r', "--", "ё"),
)
ENCODINGS = ("utf-8", "utf-8", "cp1251", "cp866", "koi8-r")


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """Draws the bytes of a file in one encoding or in several."""
    one = draw(st.none() | st.sampled_from([*ENCODINGS, "utf-16"]))
    parts = draw(
        st.lists(st.tuples(st.sampled_from(PARTS), st.sampled_from(ENCODINGS)), max_size=40)
    )
    if one:
        return "".join(text for text, _ in parts).encode(one, "replace")
    return b"".join(text.encode(each, "replace") for text, each in parts)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
@given(
    content=contents(),
    size=st.integers(1, 60),
    separator=st.none() | st.sampled_from(["line", "blank line", "%", "--", "<s>", "кот", "ё"]),
)
def test_pieces_of_any_size_hold_the_same_documents(tmp_path, name, content, size, separator):
    path = write(tmp_path / name, content)
    try:
        (whole,) = pieces([path], separator=separator)
    except CorpusError:  # a few bytes in several encodings may be refused, at any size
        with pytest.raises(CorpusError):
            pieces([path], separator=separator, size=size)
        return
    found = pieces([path], separator=separator, size=size)
    assert [document for piece in found for document in read_piece(piece)] == list(
        read_piece(whole)
    )
    assert found == pieces([path], separator=separator, size=size)


@pytest.mark.parametrize("size", range(1, 12))
def test_a_separator_that_overlaps_itself_is_found_from_the_start(tmp_path, size):
    path = write(tmp_path / "a.txt", "Кот-----пёс---мышь--")
    found = pieces([path], separator="--", size=size)
    assert [document.text for piece in found for document in read_piece(piece)] == [
        "Кот",
        "-пёс",
        "-мышь",
    ]


def test_the_end_of_the_head_is_no_damage(tmp_path):
    path = write(tmp_path / "a.txt", b"a" * (HEAD_BYTES - 2) + "\nяблоко\n".encode())
    notices: list[str] = []
    assert len(list(read(path, notices.append))) == 2
    assert notices == [f"{path}: one text a line."]
