"""Pages, documents, books, sheets and dumps: what is text in them, and what happens to bad ones."""

import zipfile
from pathlib import Path

import pytest

from anekdot.corpus.reading import read
from anekdot.errors import CorpusError
from tests.support.outcomes import good, zipped

CAT = "Кот пришёл к врачу и жалуется на мышей."
TALK = "— Сосед, вы не спите?\n— Сплю.\n— Тогда сделайте музыку потише!"
EXAM = "Студент вышел с экзамена раньше, чем вошёл."


def texts_of(path: Path, content: bytes | str) -> list[str]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [text.strip() for text in good(list(read(path)))]


def word(body: str) -> bytes:
    return zipped({"word/document.xml": f"<w:d xmlns:w='x'><w:body>{body}</w:body></w:d>".encode()})


def paragraph(text: str) -> str:
    return f"<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"<p>{CAT}</p><p>{EXAM}", [CAT, EXAM]),
        (f"<p>{TALK.replace(chr(10), '<br/>')}</p>", [TALK]),
        (f"<ul><li>{CAT}<li>{EXAM}</ul>", [CAT, EXAM]),
        (f"<table><tr><td>1<td>{CAT}<tr><td>2<td>{EXAM}</table>", ["1", CAT, "2", EXAM]),
        (f"{CAT}<br><br>{EXAM}", [CAT, EXAM]),
        ("<div><p>Раз.</p><p>Два.</p></div><div><p>Три.</p><p>Пять.</p></div>",
         ["Раз.\nДва.", "Три.\nПять."]),
        (f"<nav><p>Меню</p></nav><div class='top menu'>Ещё меню</div>{CAT}<footer>Мы</footer>",
         [CAT]),
        (f"<script>var a = '<p>нет</p>';</script><style>p {{}}</style><p>{CAT}</p>", [CAT]),
        (f"<p>{CAT}</p><p><a href='/'>Читать дальше</a></p>", [CAT]),
        (f"<form><p hidden>Нет</p><p style='display: none'>Нет</p><p>{CAT}</p></form>", [CAT]),
        (f"<![if !vml]><p>{CAT}</p><![endif]><![<![x", [CAT]),
        (f"<p>{CAT}</p></div></section><p>{EXAM}</p>", [CAT, EXAM]),
    ],
)  # fmt: skip
def test_the_main_text_of_a_page(tmp_path, body, expected):
    page = f"<html><head><title>Шутки</title></head><body>{body}</body></html>"
    assert texts_of(tmp_path / "a.html", page) == expected


def test_a_page_names_its_encoding(tmp_path):
    page = "<html><meta charset=gb2312><p>小明问老师：为什么天空是蓝色的？</p></html>"
    (text,) = texts_of(tmp_path / "a.html", page.encode("gb2312"))
    assert text == "小明问老师：为什么天空是蓝色的？"


def test_a_page_is_known_whatever_it_is_called(tmp_path):
    page = f"<!DOCTYPE html>\n<p>{CAT}</p>\n<p>{EXAM}</p>"
    assert texts_of(tmp_path / "a.txt", page) == [CAT, EXAM]


def test_a_page_without_text_is_said(tmp_path):
    notices: list[str] = []
    (tmp_path / "a.html").write_text("<nav>Главная</nav>", "utf-8")
    assert [*read(tmp_path / "a.html", notices.append)] == []
    assert notices == [f"{tmp_path}/a.html: no text was found in this html."]


def test_a_document_of_word_is_read_with_its_changes_accepted(tmp_path):
    removed = "<w:del><w:r><w:delText>было</w:delText></w:r></w:del>"
    moved = "<w:moveFrom><w:r><w:t>было</w:t></w:r></w:moveFrom>"
    body = paragraph(CAT) + f"<w:p>{removed}{moved}<w:r><w:t>{EXAM}</w:t></w:r></w:p>"
    assert texts_of(tmp_path / "a.docx", word(body)) == [CAT, EXAM]


def test_a_line_break_in_a_paragraph_stays_in_the_text(tmp_path):
    lines = "<w:br/>".join(f"<w:t>{line}</w:t>" for line in TALK.split("\n"))
    body = f"<w:p><w:r>{lines}</w:r></w:p>" + paragraph(CAT)
    assert texts_of(tmp_path / "a.docx", word(body)) == [TALK, CAT]


def test_a_document_inside_an_archive_has_the_name_of_the_member(tmp_path):
    inner = {"b/c.docx": word(paragraph(CAT)), "d.html": f"<p>{EXAM}</p>".encode()}
    (tmp_path / "a.zip").write_bytes(zipped(inner))
    found = [*read(tmp_path / "a.zip")]
    assert [(each.source, each.text) for each in found] == [
        (f"{tmp_path}/a.zip/b/c.docx", CAT),
        (f"{tmp_path}/a.zip/d.html", EXAM),
    ]
    (tmp_path / "b.zip").write_bytes(zipped({"c.docx": b"PK\x03\x04"}))
    with pytest.raises(CorpusError, match=r"b\.zip/c\.docx cannot be read"):
        list(read(tmp_path / "b.zip"))


ENTITY = b'<!DOCTYPE d [<!ENTITY a "aa">]><p>&a;</p>'
OUTSIDE = b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/hosts">]><p>&a;</p>'


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("a.docx", zipped({"word/document.xml": ENTITY}), "entity 'a', which is not expanded"),
        ("a.docx", zipped({"word/document.xml": OUTSIDE}), "entity 'a', which is not expanded"),
        ("a.docx", zipped({"word/document.xml": b"<p><t>"}), "no element found"),
        ("a.docx", zipped({"a.txt": b"a"}), "has no word/document.xml"),
        ("a.xlsx", zipped({"a.txt": b"a"}), "has no sheet"),
        ("a.odt", b"\xd0\xcf\x11\xe0" * 9, "not a zip file"),
        ("a.pdf", b"%PDF-1.4", "a.pdf cannot be read: it is damaged"),
        ("a.pdf", b"no PDF at all", "a.pdf cannot be read: it is damaged"),
        ("a.djvu", b"AT&TFORM", "Convert it to .txt or .docx"),
        ("a.rtf", b"{\\rtf1 a}", "Save it as .docx or .txt"),
    ],
)
def test_a_bad_document_is_refused_with_a_remedy(tmp_path, name, content, cause):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match=cause):
        list(read(tmp_path / name))


def test_a_document_that_unpacks_to_a_huge_line_takes_no_room(tmp_path):
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        body = paragraph("x" * (9 << 20)) + paragraph(CAT)
        archive.writestr("word/document.xml", f"<w:d xmlns:w='x'>{body}</w:d>")
    found = [*read(path)]
    assert [each.fault for each in found] == ["too long a line", None]
    assert len(found[0].text) <= 200


def test_the_chapters_of_a_book_come_in_the_order_of_the_spine(tmp_path):
    members = {
        "META-INF/container.xml": b"<c><rootfile full-path='O/book.opf'/></c>",
        "O/book.opf": b"<p><item id='a' href='x.xhtml' media-type='application/xhtml+xml'/>"
        b"<item id='b' href='y.xhtml' media-type='application/xhtml+xml'/>"
        b"<spine><itemref idref='b'/><itemref idref='a'/></spine></p>",
        "O/x.xhtml": f"<p>{CAT}</p>".encode(),
        "O/y.xhtml": f"<p>{EXAM}</p>".encode(),
    }
    assert texts_of(tmp_path / "a.epub", zipped(members)) == [EXAM, CAT]
    members["O/book.opf"] = members["O/book.opf"].replace(b"y.xhtml", b"../../gone.xhtml")
    assert texts_of(tmp_path / "b.epub", zipped(members)) == [CAT, EXAM]


def test_formulas_are_not_computed_and_cells_share_their_strings(tmp_path):
    rows = "".join(
        f"<row><c r='A{n}'><f>1+1</f><v>2</v></c><c r='C{n}' t='s'><v>{n - 1}</v></c></row>"
        for n in (1, 2, 3)
    )
    members = {
        "xl/worksheets/sheet1.xml": f"<s>{rows}</s>".encode(),
        "xl/sharedStrings.xml": f"<t><si><r><t>{CAT[:9]}</t></r><r><t>{CAT[9:]}</t></r>"
        f"<rPh><t>нет</t></rPh></si><si><t>{EXAM}</t></si></t>".encode(),
    }
    # the third string does not exist
    assert texts_of(tmp_path / "a.xlsx", zipped(members)) == [CAT, EXAM]


SQL = """-- INSERT INTO users VALUES (1, 'not this');
CREATE TABLE users (id int, name text, PRIMARY KEY (id));
CREATE TABLE IF NOT EXISTS "jokes" (id int, joke text DEFAULT 'x, y');
INSERT INTO users VALUES (1,'ivan'),(2,'anna');
INSERT INTO jokes VALUES (1,'{cat}'), (2, NULL), (3, CONCAT('a','b')), (4,'A ''quoted'' cat; sat');
"""


def test_a_dump_gives_the_table_with_the_most_text(tmp_path):
    notices: list[str] = []
    (tmp_path / "a.sql").write_text(SQL.format(cat=CAT), "utf-8")
    found = good(list(read(tmp_path / "a.sql", notices.append)))
    assert found == [CAT, "A 'quoted' cat; sat"]
    assert any("users (a table beside «jokes»)" in notice for notice in notices)


def test_backslashes_are_escapes_where_the_dump_is_of_mysql(tmp_path):
    row = r"'C:\\new\n\'quoted\' text here'"
    mysql = f"INSERT INTO `t` (`text`) VALUES ({row});"
    assert texts_of(tmp_path / "a.sql", mysql) == ["C:\\new\n'quoted' text here"]
    sqlite = r"INSERT INTO t (text) VALUES ('It is in C:\'),('And that is a text.');"
    assert texts_of(tmp_path / "b.sql", sqlite) == ["It is in C:\\", "And that is a text."]


def test_a_dump_that_is_cut_off_keeps_what_is_whole(tmp_path):
    cut = f"INSERT INTO t (text) VALUES ('{CAT}'),('{EXAM[:9]}"
    assert texts_of(tmp_path / "a.sql", cut) == [CAT]


def test_subtitles_keep_what_is_said(tmp_path):
    srt = f"1\n00:00:01,000 --> 00:00:02,000\n<i>{CAT}</i>\n\n2\n00:00:03,000 --> 00:00:04,000\n"
    assert texts_of(tmp_path / "a.srt", f"{srt}{TALK}\n") == [CAT, TALK]
    vtt = f"WEBVTT\n\nNOTE of nobody\n\nintro\n00:01.000 --> 00:02.000 align:start\n{CAT}\n"
    assert texts_of(tmp_path / "a.vtt", vtt) == [CAT]


def test_a_book_in_fictionbook_declares_its_encoding(tmp_path):
    book = (
        '<?xml version="1.0" encoding="windows-1251"?><FictionBook><description><p>о книге</p>'
        f"</description><body><title><p>Книга</p></title><section><p>{CAT}</p></section>"
        f"<section><p>{EXAM}</p></section></body></FictionBook>"
    )
    assert texts_of(tmp_path / "a.fb2", book.encode("cp1251")) == [CAT, EXAM]
