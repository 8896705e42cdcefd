"""Small files as people have them: read right, with no flags, and with the right notice."""

import json
from pathlib import Path

import pytest

from anekdot.corpus.reading import find_files, read
from tests.support.outcomes import PACK, faults, good, zipped

CAT = "Кот пришёл к врачу и жалуется на мышей."
KETTLE = "Программист чинит чайник второй день."
EXAM = "Студент вышел с экзамена раньше, чем вошёл."
TALK = "— Сосед, вы не спите?\n— Сплю.\n— Тогда сделайте музыку потише!"
LUNCH = "Бабушка спрашивает внука:\n— Ты ел?\n— Ел.\n— Значит, ещё поешь."
FEW = [CAT, KETTLE, EXAM]
DIALOGUES = [TALK, LUNCH, CAT]


def lines(*texts: str, end: str = "\n") -> str:
    return "".join(text + end for text in texts)


def records(*texts: str, key: str = "text") -> str:
    return lines(*(json.dumps({key: text}, ensure_ascii=False) for text in texts))


def table(*texts: str, delimiter: str = ",", header: str = "id,text") -> str:
    quoted = [text.replace('"', '""') for text in texts]
    rows = [f'{number}{delimiter}"{text}"' for number, text in enumerate(quoted, 1)]
    return lines(header.replace(",", delimiter), *rows) if header else lines(*rows)


FEW_LINES = "one text a line."
BLANK = "texts separated by blank lines."
KEY = "texts under the key «text»."
EACH = "each string is a text."
COLUMN = "text column «text», separated by «,»."

CASES: dict[str, tuple[str, bytes, list[str], str]] = {
    # name: file, bytes, texts, notice without the name
    "lines": ("a.txt", lines(*FEW).encode(), FEW, FEW_LINES),
    "no end of line": ("a.txt", lines(*FEW).rstrip().encode(), FEW, FEW_LINES),
    "one line": ("a.txt", CAT.encode(), [CAT], FEW_LINES),
    "lines with blank lines between": ("a.txt", "\n\n".join(FEW).encode(), FEW, FEW_LINES),
    "Windows lines": ("a.txt", lines(*FEW, end="\r\n").encode(), FEW, FEW_LINES),
    "old Mac lines": ("a.txt", lines(*FEW, end="\r").encode(), FEW, FEW_LINES),
    "all line ends": ("a.txt", f"{CAT}\r{KETTLE}\r\n{EXAM}\n".encode(), FEW, FEW_LINES),
    "a mark": ("a.txt", lines(*FEW).encode("utf-8-sig"), FEW, FEW_LINES),
    "an ending in capitals": ("A.TXT", lines(*FEW).encode(), FEW, FEW_LINES),
    "English": ("a.txt", b"A cat sat.\nIt left.\n", ["A cat sat.", "It left."], FEW_LINES),
    "blocks": ("a.txt", "\n\n".join(DIALOGUES).encode(), DIALOGUES, BLANK),
    "blocks with spaces between": ("a.txt", "\n \t\n".join(DIALOGUES).encode(), DIALOGUES, BLANK),
    "blocks with hard spaces between": (
        "a.txt", "\n\xa0\n".join(DIALOGUES).encode(), DIALOGUES, BLANK
    ),
    "Windows blocks": (
        "a.txt", "\n\n\n".join(DIALOGUES).replace("\n", "\r\n").encode(),
        [text.replace("\n", "\r\n") for text in DIALOGUES], BLANK,
    ),
    "a fortune file": (
        "a.txt", "\n%\n".join(DIALOGUES).encode(), DIALOGUES, "texts separated by «%»."
    ),
    "stars": (
        "a.txt", "\n* * *\n".join(DIALOGUES).encode(), DIALOGUES, "texts separated by «* * *»."
    ),
    "stars and blank lines": (
        "a.txt", "\n\n***\n\n".join(DIALOGUES).encode(), DIALOGUES, "texts separated by «***»."
    ),
    "a long rule": (
        "a.txt", f"\n{'-' * 30}\n".join(DIALOGUES).encode(), DIALOGUES,
        f"texts separated by «{'-' * 30}».",
    ),
    "markers alone": (
        "a.txt", lines(*(f"<|startoftext|>\n{text}\n<|endoftext|>" for text in DIALOGUES)).encode(),
        DIALOGUES, "texts separated by «<|endoftext|>».",
    ),
    "markers beside texts": (
        "a.txt", lines(*(f"<|startoftext|>{text}<|endoftext|>" for text in DIALOGUES)).encode(),
        DIALOGUES, "texts separated by «<|endoftext|>».",
    ),
    "markers on one line": (
        "a.txt", "<|endoftext|>".join(FEW + FEW).encode(), FEW + FEW,
        "texts separated by «<|endoftext|>».",
    ),
    "blocks in cp1251": (
        "a.txt", "\n\n".join(DIALOGUES).encode("cp1251"), DIALOGUES,
        "texts separated by blank lines, in cp1251.",
    ),
    "Windows lines in cp1251": (
        "a.txt", lines(*FEW, end="\r\n").encode("cp1251"), FEW, "one text a line, in cp1251."
    ),
    "lines in koi8-r": (
        "a.txt", lines(*FEW).encode("koi8-r"), FEW, "one text a line, in koi8-r."
    ),
    "lines in cp866": ("a.txt", lines(*FEW).encode("cp866"), FEW, "one text a line, in cp866."),
    "lines in iso-8859-5": (
        "a.txt", lines(*FEW).encode("iso-8859-5"), FEW, "one text a line, in iso-8859-5."
    ),
    "lines of an old Mac": (
        "a.txt", lines(*FEW, end="\r").encode("mac-cyrillic"), FEW,
        "one text a line, in mac-cyrillic.",
    ),
    "lines in UTF-16": (
        "a.txt", lines(*FEW, end="\r\n").encode("utf-16"), FEW, "one text a line, in utf-16-le."
    ),
    "blocks in UTF-16 of the other kind, without a mark": (
        "a.txt", "\n\n".join(DIALOGUES).encode("utf-16-be"), DIALOGUES,
        "texts separated by blank lines, in utf-16-be.",
    ),
    "lines in UTF-32": (
        "a.txt", lines(*FEW).encode("utf-32"), FEW, "one text a line, in utf-32-le."
    ),
    "two encodings": (
        "a.txt", lines(CAT).encode() + lines(KETTLE, EXAM).encode("cp1251"), FEW,
        "one text a line, in cp1251.",
    ),
    "one damaged byte": (
        "a.txt", lines(*FEW).encode().replace("ш".encode(), b"\xff", 1),
        [CAT.replace("ш", "\ufffd", 1), KETTLE, EXAM], FEW_LINES,
    ),
    "French": (
        "a.txt", "Le café est fermé à midi.\nMême l'été.\n".encode("latin-1"),
        ["Le café est fermé à midi.", "Même l'été."], "one text a line, in cp1252.",
    ),
    "records": ("a.jsonl", records(*DIALOGUES).encode(), DIALOGUES, KEY),
    "records of another ending": ("a.ndjson", records(*DIALOGUES).encode(), DIALOGUES, KEY),
    "records in ASCII": (
        "a.jsonl", lines(*(json.dumps({"text": text}) for text in FEW)).encode(), FEW, KEY
    ),
    "records in cp1251": (
        "a.jsonl", records(*FEW).encode("cp1251"), FEW, "texts under the key «text», in cp1251."
    ),
    "records in UTF-16": (
        "a.jsonl", records(*FEW).encode("utf-16"), FEW,
        "texts under the key «text», in utf-16-le.",
    ),
    "records with a mark": ("a.jsonl", records(*FEW).encode("utf-8-sig"), FEW, KEY),
    "jokes": ("a.jsonl", records(*FEW, key="joke").encode(), FEW, "texts under the key «joke»."),
    "a key of one's own": (
        "a.jsonl",
        lines(*(json.dumps({"site": "example", "смешное": text}) for text in FEW)).encode(),
        FEW, "texts under the key «смешное».",
    ),
    "strings in lines": (
        "a.jsonl", lines(*(json.dumps(text) for text in FEW)).encode(), FEW, EACH
    ),
    "records in a text file": (
        "a.txt", records(*FEW).encode(), FEW, "read as jsonl, texts under the key «text»."
    ),
    "records named .json": (
        "a.json", records(*FEW).encode(), FEW, "read as jsonl, texts under the key «text»."
    ),
    "an array of strings": ("a.json", json.dumps(DIALOGUES).encode(), DIALOGUES, EACH),
    "an array of records": (
        "a.json", json.dumps([{"body": text} for text in FEW], indent=2).encode(), FEW,
        "texts under the key «body».",
    ),
    "an array inside an object": (
        "a.json", json.dumps({"site": "example", "n": 3, "jokes": FEW}, indent=1).encode(), FEW,
        "texts under the key «jokes».",
    ),
    "records inside an object": (
        "a.json",
        json.dumps({"meta": {"n": 3}, "items": [{"text": text} for text in FEW]}).encode(),
        FEW, "texts under the key «items.text».",
    ),
    "an array named .jsonl": (
        "a.jsonl", json.dumps([{"text": text} for text in FEW], indent=1).encode(), FEW,
        "read as json, texts under the key «text».",
    ),
    "one record over several lines": (
        "a.json", json.dumps({"text": CAT, "tags": ["кот", "врач"]}, indent=1).encode(), [CAT], KEY
    ),
    "an array in cp1251": (
        "a.json", json.dumps(FEW, ensure_ascii=False, indent=0).encode("cp1251"), FEW,
        "each string is a text, in cp1251.",
    ),
    "an array with one line in cp1251": (
        "a.json",
        lines('["', *(f'{text}",\n"' for text in FEW * 4), end="").encode() + b'\xce\xf5"]',
        [*FEW * 4, "\ufffd\ufffd"], EACH,
    ),
    "a table": ("a.csv", table(*DIALOGUES).encode(), DIALOGUES, COLUMN),
    "a table of Excel": (
        "a.csv", table(*DIALOGUES, delimiter=";").replace("\n", "\r\n").encode("cp1251"),
        [text.replace("\n", "\r\n") for text in DIALOGUES],
        "text column «text», separated by «;», in cp1251.",
    ),
    "a table that names its delimiter": (
        "a.csv", ("sep=;\r\n" + table(*FEW, delimiter=";")).encode("utf-8-sig"), FEW,
        "text column «text», separated by «;».",
    ),
    "tabs": ("a.tsv", table(*FEW, delimiter="\t").encode(), FEW,
             "text column «text», separated by «tab»."),
    "Unicode text of Excel": (
        "a.tsv", table(*FEW, delimiter="\t").encode("utf-16"), FEW,
        "text column «text», separated by «tab», in utf-16-le.",
    ),
    "tabs and quotes that mean nothing": (
        "a.tsv", 'id\ttext\n1\t"Кот" спит\n2\t"Гав! — сказал пёс\n'.encode(),
        ['"Кот" спит', '"Гав! — сказал пёс'], "text column «text», separated by «tab».",
    ),
    "bars": ("a.csv", table(*FEW, delimiter="|").encode(), FEW,
             "text column «text», separated by «|»."),
    "no header": (
        "a.csv", table(*FEW, header="").encode(), FEW,
        "text column «2», no header, separated by «,».",
    ),
    "a Russian header": (
        "a.csv", table(*FEW, header="номер,Анекдот").encode(), FEW,
        "text column «Анекдот», separated by «,».",
    ),
    "an unknown header": (
        "a.csv", table(*FEW, header="nr,q").encode(), FEW, "text column «q», separated by «,»."
    ),
    "quotes in quotes": ("a.csv", table('Кот сказал: "Мяу".', CAT).encode(),
                         ['Кот сказал: "Мяу".', CAT], COLUMN),
    "one column": (
        "a.csv", lines("text", *FEW).encode(), FEW, COLUMN
    ),
    "one column without a header": (
        "a.csv", lines(*FEW).encode(), FEW, "text column «1», no header, separated by «,»."
    ),
    "gzip": ("a.txt.gz", PACK[".gz"](lines(*FEW).encode()), FEW, FEW_LINES),
    "bzip2": ("a.jsonl.bz2", PACK[".bz2"](records(*FEW).encode()), FEW, KEY),
    "xz": ("a.csv.xz", PACK[".xz"](table(*FEW).encode()), FEW, COLUMN),
    "zstandard": ("a.jsonl.zst", PACK[".zst"](records(*FEW).encode()), FEW, KEY),
    "gzip in cp866": (
        "a.txt.gz", PACK[".gz"](lines(*FEW).encode("cp866")), FEW, "one text a line, in cp866."
    ),
    "no ending": ("jokes", lines(*FEW).encode(), FEW, "read as txt, one text a line."),
    "an unknown ending": (
        "jokes.old", "\n\n".join(DIALOGUES).encode(), DIALOGUES,
        "read as txt, texts separated by blank lines.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "data", "texts", "notice"), CASES.values(), ids=list(CASES))
def test_a_small_file_is_read_right(tmp_path, name, data, texts, notice):
    path = tmp_path / name
    path.write_bytes(data)
    notices: list[str] = []
    documents = list(read(path, notices.append))
    assert good(documents) == texts
    assert faults(documents) == []
    assert notices == [f"{path}: {notice}"]
    assert {document.source for document in documents} == {str(path)}


def test_a_zip_of_several_formats(tmp_path):
    path = tmp_path / "a.zip"
    members = {"b/c.csv": table(LUNCH), "a.txt": lines(CAT, KETTLE), "d.jsonl": records(EXAM)}
    path.write_bytes(zipped({name: text.encode() for name, text in members.items()}))
    notices: list[str] = []
    documents = list(read(path, notices.append))
    assert [(document.source, document.text) for document in documents] == [
        (f"{path}/a.txt", CAT),
        (f"{path}/a.txt", KETTLE),
        (f"{path}/b/c.csv", LUNCH),
        (f"{path}/d.jsonl", EXAM),
    ]
    assert notices == [
        f"{path}/a.txt: {FEW_LINES}",
        f"{path}/b/c.csv: {COLUMN}",
        f"{path}/d.jsonl: {KEY}",
    ]


@pytest.mark.parametrize(
    "name", ["a.parquet", "a.parquet.gz", "a.zip", "a[1].parquet", "it's.parquet"]
)
def test_parquet(tmp_path: Path, name):
    duckdb = pytest.importorskip("duckdb")
    made = tmp_path / "made.pq"
    values = ", ".join(
        f"({number}, '{text}', {number == 2})" for number, text in enumerate(DIALOGUES)
    )
    table = f"(VALUES {values}, (9, NULL, NULL)) AS t(id, joke, obscene)"
    duckdb.execute(f"COPY (SELECT * FROM {table}) TO '{made}' (FORMAT parquet)")
    data = made.read_bytes()
    packed = zipped({"b.parquet": data}) if name == "a.zip" else data
    path = tmp_path / name
    path.write_bytes(PACK[".gz"](data) if name.endswith(".gz") else packed)
    duckdb.execute(f"COPY (SELECT 'другая' AS joke) TO '{tmp_path}/a1.parquet'")
    notices: list[str] = []
    documents = list(read(str(path), notices.append))
    shown = f"{path}/b.parquet" if name == "a.zip" else str(path)
    assert notices == [f"{shown}: text column «joke»."]
    assert good(documents) == DIALOGUES
    assert faults(documents) == [(4, "no text")]
    assert [document.obscene for document in documents] == [False, False, True, False]
    assert {document.source for document in documents} == {shown}


def test_a_folder_and_a_pattern(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("b.txt", "a.jsonl", "sub/c.txt.gz", "photo.png", ".hidden.txt"):
        text = records(CAT) if name.endswith("jsonl") else lines(CAT)
        data = text.encode()
        (tmp_path / name).write_bytes(PACK[".gz"](data) if name.endswith(".gz") else data)
    assert find_files(tmp_path) == [
        tmp_path / "a.jsonl",
        tmp_path / "b.txt",
        tmp_path / "sub/c.txt.gz",
    ]
    assert find_files(f"{tmp_path}/*.txt") == [tmp_path / "b.txt"]
    assert find_files(str(tmp_path / "**" / "*.txt*")) == [
        tmp_path / "b.txt",
        tmp_path / "sub/c.txt.gz",
    ]
    assert good(list(read(f"{tmp_path}/**/*"))) == [CAT] * 3
