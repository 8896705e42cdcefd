"""PDF: what is a paragraph, what is no text, and files that are made to do harm."""

import zlib
from pathlib import Path

import pytest

from anekdot.corpus.reading import pieces, read
from anekdot.corpus.reading.extraction import pdf as reader
from anekdot.corpus.reading.names import reason_unread
from anekdot.errors import CorpusError, MissingExtra
from tests.corpus.piles.shapes.files import pdf
from tests.support.outcomes import good, outcome

TALK = "— Сосед, вы не спите?\n— Сплю.\n— Тогда сделайте музыку потише!"
STORY = (
    "Смотритель маяка каждое утро писал письмо морю и каждый вечер бросал его в воду, а море "
    "отвечало ему то бочкой, то сапогом, то целым ящиком апельсинов, и так прошло много лет, пока "
    "на маяк не провели телефон."
)
EXAM = "Студент вышел с экзамена раньше, чем вошёл."


def texts_of(path: Path, content: bytes) -> list[str]:
    path.write_bytes(content)
    return good([*read(path)])


def test_lines_of_the_paper_become_paragraphs(tmp_path):
    texts = [TALK, STORY, EXAM] * 20  # several pages
    found = texts_of(tmp_path / "a.pdf", pdf(texts, header="Анекдоты"))
    assert {*texts} <= {*found}
    assert abs(len(found) - len(texts)) <= 3  # a dialogue may part where a page does


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("Смотритель маяка писал письмо мо-\nрю и бросал его в воду.", "письмо морю и"),
        ("Смотритель маяка приходил к мо\u00ad\nрю и бросал его в воду.", "к морю и"),
        ("Смотритель маяка писал письмо по-\nпрежнему каждый день.", "по-прежнему каждый"),
        ("Смотритель маяка написал что-\nнибудь и бросил его в воду.", "что-нибудь и"),
    ],
)
def test_hyphens_at_the_ends_of_lines(lines, expected, tmp_path):
    (found,) = texts_of(tmp_path / "a.pdf", pdf([lines]))
    assert expected in found


def test_a_scan_is_said_and_does_not_stop_the_rest(tmp_path):
    (tmp_path / "scan.pdf").write_bytes(pdf([]))
    (tmp_path / "b.txt").write_text(EXAM, "utf-8")
    said: list[str] = []
    assert good([*read(tmp_path, said.append)]) == [EXAM]
    what = "no text was found in this pdf: a scan has to be recognised (OCR) first."
    assert f"{tmp_path}/scan.pdf: {what}" in said


def test_without_pypdf_a_pdf_is_refused_or_left_out(tmp_path, monkeypatch):
    (tmp_path / "a.pdf").write_bytes(pdf([EXAM]))
    (tmp_path / "b.txt").write_text(EXAM, "utf-8")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'pip install "anekdot\[documents\]"'):
        read(tmp_path / "a.pdf")
    assert "anekdot[documents]" in str(reason_unread("a.pdf"))
    assert [each.name for each in pieces([tmp_path])] == [f"{tmp_path}/b.txt"]


def with_content(content: bytes, *, extra: str = "") -> bytes:
    """A PDF of one page whose commands are packed."""
    head = pdf([EXAM]).decode().partition("6 0 obj")[0]
    packed = zlib.compress(content, 9)
    page = (
        "6 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 7 0 R"
        f"/Resources<</Font<</F 3 0 R>>{extra}>>>>\nendobj\n"
        f"7 0 obj\n<</Filter/FlateDecode/Length {len(packed)}>>stream\n"
    )
    end = b"\nendstream\nendobj\ntrailer<</Size 8/Root 1 0 R>>\nstartxref\n0\n%%EOF\n"
    return head.encode() + page.encode() + packed + end


HELLO = b"BT /F 11 Tf 60 700 Td <0041004200430044> Tj ET\n"


def test_a_page_is_read_after_damage_to_the_table_of_its_objects(tmp_path):
    assert texts_of(tmp_path / "a.pdf", with_content(HELLO)) == ["ABCD"]


@pytest.mark.parametrize(
    "content",
    [b" " * (40 << 20), b"q " * 210_000, b"[" * 200_000, b"q\n" * 30_000 + HELLO],
    ids=["spaces", "commands", "nested", "states"],
)
def test_a_page_that_is_made_to_take_long_is_refused(content, tmp_path):
    (tmp_path / "a.pdf").write_bytes(with_content(content))
    found = outcome(tmp_path / "a.pdf")
    if isinstance(found, CorpusError):
        assert found.cause.startswith(f"{tmp_path}/a.pdf cannot be read")
    else:
        assert good(found) in ([], ["ABCD"])


def test_a_file_of_many_slow_pages_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_SECONDS", 0.0)
    monkeypatch.setattr(reader, "_SECONDS_PER_BYTE", 0.0)
    (tmp_path / "a.pdf").write_bytes(pdf([TALK] * 200))
    with pytest.raises(CorpusError, match="its pages take too long"):
        [*read(tmp_path / "a.pdf")]
