"""Files made to do harm, or damaged on the way: a sentence or counted drops, in bounded memory."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from anekdot.corpus.documents import Document
from anekdot.corpus.reading.extraction.html import paragraphs
from anekdot.corpus.reading.files import BOMB_RATIO
from anekdot.errors import CorpusError
from tests.corpus.piles.contents import DIALOGUES, RUSSIAN
from tests.corpus.piles.shapes.chats import telegram
from tests.corpus.piles.shapes.files import docx, pdf, xlsx
from tests.corpus.piles.shapes.tables import dump
from tests.support.outcomes import faults, good, outcome, zipped

TALKS = DIALOGUES[:20]


def read_bytes(path: Path, content: bytes | str) -> list[Document] | CorpusError:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return outcome(path)


@pytest.mark.parametrize(
    "deep", ["[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000]
)
@pytest.mark.parametrize("closed", [True, False])
def test_json_nested_ten_thousand_deep_beside_texts(tmp_path, deep, closed):
    texts = json.dumps(RUSSIAN[:20], ensure_ascii=False)
    cut = deep if closed else deep[: len(deep) // 2]
    found = read_bytes(tmp_path / "a.json", f'{{"jokes": {texts}, "deep": {cut}}}')
    assert good(found) == RUSSIAN[:20]
    found = read_bytes(tmp_path / "a.json", f'{{"deep": {deep}, "jokes": {texts}}}')
    assert good(found) == RUSSIAN[:20]


def test_a_key_of_ten_megabytes(tmp_path):
    records = [{"text": text} for text in RUSSIAN[:20]]
    whole = {"k" * (10 << 20): [{"text": "no"}], "jokes": records}
    found = read_bytes(tmp_path / "a.json", json.dumps(whole, ensure_ascii=False))
    assert {*RUSSIAN[:20]} <= {*good(found)} or isinstance(found, CorpusError)
    lines = [*records[:10], {"k" * (10 << 20): 1, "text": "no"}, *records[10:]]
    packed = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    found = read_bytes(tmp_path / "a.jsonl", packed)
    assert good(found) == RUSSIAN[:20]
    assert faults(found) == [(11, "too long a line")]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.999])
def test_an_export_of_a_chat_that_is_cut_in_the_middle(tmp_path, share, indent):
    data = dump(telegram(TALKS), indent=indent).encode()
    found = read_bytes(tmp_path / "result.json", data[: int(share * len(data))])
    texts = good(found)
    assert texts == TALKS[: len(texts)]
    assert len(texts) >= int(share * len(TALKS)) - 3
    reasons = [reason for _, reason in faults(found)]
    assert reasons[0] == "service message"
    assert reasons[1:] in (["not JSON"], ["not JSON"] * 2)


def test_a_document_of_word_with_archives_inside(tmp_path):
    bomb = zipped({"a.txt": bytes(5 << 20)})
    path = tmp_path / "a.docx"
    path.write_bytes(docx(TALKS))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("word/embeddings/bomb.zip", b"BOMB" * 99)
    path.write_bytes(path.read_bytes().replace(b"BOMB", b"bomb"))  # its sum is wrong: who unpacks
    assert good(outcome(path)) == TALKS  # it fails
    found = read_bytes(path, zipped({"word/document.xml": bomb}))
    assert isinstance(found, CorpusError)
    assert found.cause.startswith(f"{path} cannot be read")


def test_a_document_of_word_that_unpacks_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr("anekdot.corpus.reading.files.BOMB_SIZE", 1 << 20)
    monkeypatch.setattr("anekdot.corpus.reading.files.BOMB_RATIO", min(BOMB_RATIO, 100))
    found = read_bytes(tmp_path / "a.docx", zipped({"word/document.xml": bytes(30 << 20)}))
    assert isinstance(found, CorpusError)


ITEMS = "".join(
    f"<item id='{name}' href='{name}.xhtml' media-type='application/xhtml+xml'/>" for name in "ab"
)


@pytest.mark.parametrize(
    "package",
    [
        f"<p>{ITEMS}<spine></spine></p>",
        f"<p>{ITEMS}<spine><itemref idref='x'/></spine></p>",
        f"<p>{ITEMS}<spine><itemref/><itemref idref=''/></spine></p>",
        f"<p>{ITEMS.replace('b.xhtml', '../../etc/passwd')}<spine><itemref idref='b'/></spine></p>",
        "<p><item id='a' href='http://127.0.0.1:9/a.xhtml' media-type='text/html'/>"
        "<spine><itemref idref='a'/></spine></p>",
    ],
)
def test_a_book_whose_spine_is_wrong_is_read_by_the_names_of_its_chapters(tmp_path, package):
    members = {
        "META-INF/container.xml": b"<c><rootfile full-path='O/book.opf'/></c>",
        "O/book.opf": package.encode(),
        "O/a.xhtml": f"<p>{RUSSIAN[0]}</p>".encode(),
        "O/b.xhtml": f"<p>{RUSSIAN[1]}</p>".encode(),
    }
    assert good(read_bytes(tmp_path / "a.epub", zipped(members))) == RUSSIAN[:2]


def test_a_page_is_read_as_a_stream_however_deep_it_is(tmp_path):
    n_read = 0

    def blocks() -> Iterator[str]:
        nonlocal n_read
        yield "<html><body>" + "<div>" * 5000
        for _ in range(100):
            n_read += 1
            yield "".join(f"<p>{text}</p>\n" for text in RUSSIAN)

    found = paragraphs(blocks())
    assert [next(found) for _ in range(3)] == [f"{text}\n" for text in RUSSIAN[:3]]
    assert n_read == 1
    assert sum(line != "\n" for line in found) == 100 * len(RUSSIAN) - 3


def test_formulas_of_a_sheet_are_neither_computed_nor_fetched(tmp_path):
    rows = [("id", "text"), *((str(n), text) for n, text in enumerate(TALKS))]
    (tmp_path / "a.xlsx").write_bytes(xlsx(rows))
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = next(name for name in members if "sheet1" in name)
    row = (
        '<row r="99"><c r="A99"><f>1+1</f></c><c r="B99"><f>WEBSERVICE("http://127.0.0.1:9")</f>'
        '</c></row><row r="100"><c r="A100"/><c r="B100"><f>cmd|\'/c calc\'!A1</f></c></row>'
    )
    members[sheet] = members[sheet].replace(b"</sheetData>", row.encode() + b"</sheetData>")
    found = read_bytes(tmp_path / "a.xlsx", zipped(members))
    assert good(found) == TALKS
    assert {fault for _, fault in faults(found)} <= {"no text"}


def test_a_pdf_without_text_is_said(tmp_path):
    assert read_bytes(tmp_path / "a.pdf", pdf([])) == []
