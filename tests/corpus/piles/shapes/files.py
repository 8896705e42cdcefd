"""Files that programs make, in memory: archives, documents of an office, books, dumps."""

import io
import tarfile
import textwrap
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def zipped(members: Mapping[str, bytes | str]) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(members: Mapping[str, bytes | str], mode: str = "w:gz") -> bytes:
    """A tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def docx(paragraphs: Iterable[str]) -> bytes:
    """A document of Word; a line end inside a paragraph is a soft one."""
    body = "".join(
        "<w:p>"
        + "<w:r><w:br/></w:r>".join(
            f'<w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r>'
            for line in paragraph.split("\n")
        )
        + "</w:p>"
        for paragraph in paragraphs
    )
    types = (
        _HEAD + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>'
    )
    document = f'{_HEAD}<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>'
    return zipped({"[Content_Types].xml": types, "word/document.xml": document})


def xlsx(rows: Iterable[Sequence[str]]) -> bytes:
    """A sheet of Excel with its strings in the cells."""
    cells = "".join(
        f'<row r="{n}">'
        + "".join(
            f'<c r="{chr(65 + place)}{n}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
            for place, cell in enumerate(row)
        )
        + "</row>"
        for n, row in enumerate(rows, 1)
    )
    sheet = f'{_HEAD}<worksheet xmlns="{_SHEET}"><sheetData>{cells}</sheetData></worksheet>'
    book = (
        f'{_HEAD}<workbook xmlns="{_SHEET}" xmlns:r="http://schemas.openxmlformats.org/'
        'officeDocument/2006/relationships"><sheets><sheet name="1" sheetId="1" r:id="rId1"/>'
        "</sheets></workbook>"
    )
    links = (
        _HEAD + '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        'relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/'
        'officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>"
    )
    types = (
        _HEAD + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>'
    )
    return zipped(
        {
            "[Content_Types].xml": types,
            "xl/workbook.xml": book,
            "xl/_rels/workbook.xml.rels": links,
            "xl/worksheets/sheet1.xml": sheet,
        }
    )


def odt(paragraphs: Iterable[str]) -> bytes:
    """A document of LibreOffice."""
    body = "".join(
        f"<text:p>{escape(p).replace(chr(10), '<text:line-break/>')}</text:p>" for p in paragraphs
    )
    content = (
        f'{_HEAD}<office:document-content xmlns:office="{_ODF}:office:1.0" '
        f'xmlns:text="{_ODF}:text:1.0"><office:body><office:text>{body}</office:text>'
        "</office:body></office:document-content>"
    )
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": content,
        }
    )


def epub(chapters: Iterable[Iterable[str]]) -> bytes:
    """A book, a paragraph a text."""
    members = {"mimetype": "application/epub+zip"}
    for number, texts in enumerate(chapters, 1):
        body = "".join(f"<p>{escape(text).replace(chr(10), '<br/>')}</p>\n" for text in texts)
        members[f"OEBPS/chapter{number}.xhtml"] = (
            f'{_HEAD}<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{number}</title>'
            f"</head><body>\n{body}</body></html>"
        )
    return zipped(members)


def page(texts: Iterable[str]) -> str:
    """A saved page: a menu, a script, a paragraph a text, a foot."""
    body = "\n".join(f"<p>{escape(text).replace(chr(10), '<br>')}</p>" for text in texts)
    return (
        "<!DOCTYPE html>\n<html><head><meta charset='utf-8'><title>Шутки</title>\n"
        "<style>p { color: red; margin: 0 auto; }</style></head>\n<body>\n"
        "<nav><a href='/'>Главная</a> <a href='/new'>Новые</a></nav>\n"
        "<script>var counter = 'это не шутка, а скрипт';</script>\n"
        f"<div class='jokes'>\n{body}\n</div>\n<footer>© Мы</footer>\n</body></html>\n"
    )


def subtitles(texts: Iterable[str], mark: str = ",") -> str:
    """Subtitles with their numbers and times."""
    return "".join(
        f"{n}\n00:{n // 60:02}:{n % 60:02}{mark}000 --> 00:{n // 60:02}:{n % 60:02}{mark}900\n"
        f"{text}\n\n"
        for n, text in enumerate(texts, 1)
    )


def mysql(texts: Iterable[str], together: bool = True) -> str:
    """A dump of a table with its definition."""
    rows = [
        "({}, '{}', '2024-03-01 10:00:00')".format(
            n, text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
        )
        for n, text in enumerate(texts, 1)
    ]
    insert = "INSERT INTO `jokes` (`id`, `text`, `added`) VALUES"
    body = (
        f"{insert}\n" + ",\n".join(rows) + ";\n"
        if together
        else "".join(f"{insert} {row};\n" for row in rows)
    )
    return (
        "-- MySQL dump 10.13\n\nSET NAMES utf8mb4;\nDROP TABLE IF EXISTS `jokes`;\n"
        "CREATE TABLE `jokes` (\n  `id` int NOT NULL,\n  `text` text,\n"
        "  `added` datetime DEFAULT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\n\n"
        f"{body}\nUNLOCK TABLES;\n"
    )


def pdf(blocks: Iterable[str], *, gap: int = 12, header: str = "") -> bytes:
    """Printed pages: blocks of lines, wrapped to 80 letters, with a gap between, and numbered."""
    lines: list[tuple[str, int]] = []  # and how far each is below the one before
    for block in blocks:
        wrapped = [each for line in block.split("\n") for each in textwrap.wrap(line, 80)]
        lines += [(line, 14 if place else 14 + gap) for place, line in enumerate(wrapped)]
    characters = sorted({c for line, _ in lines for c in line} | {*header, *"0123456789 –"})
    known = [f"<{c.encode('utf-16-be').hex()}> <{c.encode('utf-16-be').hex()}>" for c in characters]
    tables = (known[start : start + 100] for start in range(0, len(known), 100))
    mapping = "".join(
        f"{len(table)} beginbfchar\n" + "\n".join(table) + "\nendbfchar\n" for table in tables
    )
    pages, place = [], 0
    while place < len(lines):
        shown, y = [(header, 810)] * bool(header), 770
        while place < len(lines) and y > 60:
            y -= lines[place][1]
            shown.append((lines[place][0], y))
            place += 1
        shown.append((f"– {len(pages) + 1} –", 30))
        pages.append(
            "".join(
                f"BT /F 11 Tf 1 0 0 1 60 {y} Tm <{text.encode('utf-16-be').hex()}> Tj ET\n"
                for text, y in shown
            )
        )
    first = 6  # number of the first page
    kids = " ".join(f"{first + 2 * n} 0 R" for n in range(len(pages)))
    cmap = (
        "begincmap\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n" + mapping + "endcmap"
    )
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>",
        "<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/DescendantFonts[5 0 R]"
        "/ToUnicode 4 0 R>>",
        f"<</Length {len(cmap)}>>stream\n{cmap}\nendstream",
        "<</Type/Font/Subtype/CIDFontType2/BaseFont/A/DW 500>>",
    ]
    for n, content in enumerate(pages):
        objects.append(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>"
            f"/Contents {first + 2 * n + 1} 0 R>>"
        )
        objects.append(f"<</Length {len(content)}>>stream\n{content}\nendstream")
    body, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{each}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF\n"
    return body + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{end}".encode()
