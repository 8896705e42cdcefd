"""Folders, and files that are neither text nor table: F16."""

import gzip

from tests.corpus.piles.case import Answer, Case, File, Link, case
from tests.corpus.piles.contents import DIALOGUES, ENGLISH, MIXED, POEMS, PROSE, RUSSIAN, hyphens
from tests.corpus.piles.shapes.files import (
    docx,
    epub,
    mysql,
    odt,
    page,
    pdf,
    subtitles,
    tarred,
    xlsx,
    zipped,
)
from tests.corpus.piles.shapes.tables import dump, quoted
from tests.corpus.piles.shapes.text import blocks, lines, ruled

FEW, REST, TALKS = RUSSIAN[:12], RUSSIAN[12:40], DIALOGUES[:20]
OLD = hyphens(TALKS)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
MP3 = b"ID3\x03" + bytes(range(255, -1, -1)) * 4
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAA\n" * 20
SAVE = r"save|convert|export|unpack"
SHEET = xlsx([("id", "text"), *((str(n), t) for n, t in enumerate(TALKS, 1))])
BOOK = epub([TALKS[:10], TALKS[10:]])
OTHERS: dict[str, tuple[File, list[str]]] = {
    ".md": (blocks(TALKS).encode(), TALKS),
    ".html": (page(TALKS).encode(), TALKS),
    ".htm": (page(RUSSIAN[40:60]).encode("cp1251"), RUSSIAN[40:60]),
    ".docx": (docx(REST), REST),
    ".odt": (odt(REST), REST),
    ".xlsx": (SHEET, TALKS),
    ".epub": (BOOK, TALKS),
    ".pdf": (pdf(TALKS), TALKS),
    ".srt": (subtitles(TALKS).encode(), TALKS),
    ".sql": (mysql(TALKS).encode(), TALKS),
    ".fort": (ruled(OLD, "%").encode("koi8-r"), OLD),
    ".text": (lines(REST).encode(), REST),
    ".log": (lines(REST).encode(), REST),
    ".old": (lines(OLD).encode("cp866"), [t for t in lines(OLD).splitlines() if len(t) >= 10]),
    ".rtf": (b"{\\rtf1\\ansi " + b"\\par ".join(t.encode() for t in ENGLISH) + b"}", ENGLISH),
    ".tar.gz": (tarred({"b/c.txt": lines(REST)}), REST),
}
BESIDE = [
    case("F16", f"a folder with one .txt and one {ending}",
         {"a.txt": lines(FEW), f"b{ending}": content}, [*FEW, *texts],
         also=[Answer(FEW, (ending,))])
    for ending, (content, texts) in OTHERS.items()
]  # fmt: skip
MANY = {f"notes/{n:02}.md": f"{text}\n" for n, text in enumerate(TALKS)}
FORTUNES: dict[str, File] = {
    "anekdoty": ruled(OLD[:10], "%").encode("koi8-r"), "anekdoty.dat": bytes(range(200)),
    "kompyutery": ruled(OLD[10:], "%").encode("koi8-r"), "kompyutery.dat": bytes(range(200)),
}  # fmt: skip
SECRETS = {
    "id_rsa": KEY, "server.pem": KEY, "server.key": KEY, ".env": "PASSWORD=очень длинный пароль\n",
    "credentials.json": dump({"client_secret": "GOCSPX-0123456789abcdefghij", "project": "a-b"}),
    "passwords.txt": "почта: ёжик-2024-секретно\nбанк: зонт-и-дождь-777\n",
    "authorized_keys": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ anna@example\n",
    ".git/config": "[remote]\n\turl = https://example.org/anna/jokes.git\n",
}  # fmt: skip
PROJECT = {
    "requirements.txt": "flask==2.3.1\nrequests==2.31.0\nnumpy>=1.26.0\n",
    "package.json": dump({"name": "jokes-bot", "description": "A bot that tells jokes.",
                          "scripts": {"start": "node index.js"}}, indent=2),
    "config.yml": "token: 0123456789abcdef\ndatabase: sqlite:///jokes.db\n",
    "Makefile": "all:\n\tpython -m bot --verbose\n", ".gitignore": "__pycache__/\n*.log\n",
    "setup.cfg": "[metadata]\nname = jokes-bot\nversion = 1.0.0\n", "poetry.lock": "# generated\n",
}  # fmt: skip
FOLDERS = [
    case("F16", "a folder with one .txt and many .md", {"a.txt": lines(FEW), **MANY},
         [*FEW, *TALKS], also=[Answer(FEW, (".md",))]),
    case("F16", "a folder of .md alone", MANY, TALKS),
    case("F16", "a folder of fortune files without endings", FORTUNES, OLD),
    case("F16", "a folder with a nameless fortune file", {
        "a.txt": lines(FEW), "fortune computers": FORTUNES["anekdoty"]},
         [*FEW, *OLD[:10]], also=[Answer(FEW, ("fortune computers",))]),
    case("F16", "a folder with hidden files", {
        "a.txt": lines(FEW), ".hidden.txt": lines(REST), ".cache/b.txt": lines(REST),
        "._a.txt": b"\x00\x05\x16\x07", ".DS_Store": b"\x00\x00\x00\x01Bud1"}, FEW),
    case("F16", "a folder with keys and passwords", {"a.txt": lines(FEW), **SECRETS}, FEW),
    case("F16", "a folder of a program with its jokes", {"jokes.txt": lines(FEW), **PROJECT}, FEW),
    case("F16", "a folder with pictures and music", {
        "a.txt": lines(FEW), "b.png": PNG, "c.mp3": MP3, "d": PNG, "e.exe": b"MZ\x90" + MP3}, FEW),
    case("F16", "a picture called .txt beside texts", {"a.txt": lines(FEW), "b.txt": PNG}, FEW,
         refusal=r"b\.txt"),
    case("F16", "a folder with an empty file", {"a.txt": lines(FEW), "b.txt": b"", "c.json": b""},
         FEW),
    case("F16", "a link to a file outside of the folder", {
        "../outside/b.txt": lines(REST), "a.txt": lines(FEW), "b.txt": Link("../outside/b.txt")},
        FEW, source="."),
    case("F16", "a link to a folder outside", {
        "../outside/b.txt": lines(REST), "a.txt": lines(FEW), "more": Link("../outside")}, FEW,
        also=[Answer([*FEW, *REST], ("more",))], source="."),
    case("F16", "a link to the folder itself", {"a.txt": lines(FEW), "b/c.txt": lines(REST),
                                                "b/d": Link("..")}, [*FEW, *REST]),
    case("F16", "a link to nothing", {"a.txt": lines(FEW), "b.txt": Link("nowhere.txt")}, FEW),
    case("F16", "a folder of folders", {"2023/a.txt": lines(FEW), "2024/a.csv": quoted(
        [("id", "text"), *enumerate(REST)]), "2024/talks/a.txt": blocks(TALKS)},
        [*FEW, *REST, *TALKS]),
    case("F16", "a folder of pictures alone", {"a.png": PNG, "b.jpg": PNG}, None),
    case("F16", "an archive of a Mac", {"a.zip": zipped({
        "a.txt": lines(FEW), "__MACOSX/._a.txt": b"\x00\x05\x16\x07\x00" + b"\x02" * 99,
        ".DS_Store": b"\x00\x00\x00\x01Bud1"})}, FEW),
    case("F16", "an archive with pages and notes", {"a.zip": zipped({
        "a.txt": lines(FEW), "b.md": blocks(TALKS)})}, [*FEW, *TALKS],
        also=[Answer(FEW, (".md",))]),
    case("F16", "an archive of tar", {"a.tar.gz": tarred({"a.txt": lines(FEW)})}, FEW,
         refusal=SAVE),
    case("F16", "an archive of tar, not compressed",
         {"a.tar": tarred({"a.txt": lines(FEW), "b.jsonl": dump({"text": REST[0]})}, "w")},
         [*FEW, REST[0]], refusal=SAVE),
]  # fmt: skip

XML = "<?xml version='1.0' encoding='utf-8'?>\n<jokes>\n" + "".join(
    f"  <joke id='{n}'>\n    <text>{t}</text>\n  </joke>\n" for n, t in enumerate(RUSSIAN[:20])
) + "</jokes>\n"  # fmt: skip
COPY = "COPY public.jokes (id, text) FROM stdin;\n" + "".join(
    f"{n}\t{t.replace(chr(10), chr(92) + 'n')}\n" for n, t in enumerate(TALKS)
) + "\\.\n"  # fmt: skip
QUOTED = [f"Сосед сказал: 'зонт', а {t[0].lower()}{t[1:]}" for t in REST]
VERSES = [stanza for poem in POEMS.values() for stanza in poem]
LONG = " ".join(PROSE * 6)
ALONE = [
    case("F16", "a page of the web", {"a.html": page(TALKS)}, TALKS),
    case("F16", "a page of the web, in cp1251",
         {"a.html": page(TALKS).replace("utf-8", "windows-1251").encode("cp1251")}, TALKS),
    case("F16", "a page of the web with a list", {"a.htm": "<html><body><ul>\n" + "".join(
        f"<li>{t}</li>\n" for t in REST) + "</ul></body></html>"}, REST),
    case("F16", "Telegram's export as pages", {"messages.html": page([]).replace(
        "<div class='jokes'>", "<div class='history'>" + "".join(
            f'<div class="message default clearfix" id="message{n}"><div class="body">\n'
            f'<div class="pull_right date details" title="01.03.2024 10:00:00">10:00</div>\n'
            f'<div class="from_name">Канал</div>\n<div class="text">\n{t}\n</div></div></div>\n'
            for n, t in enumerate(REST)))}, REST, refusal=r"json"),
    case("F16", "points of Markdown", {"a.md": "# Шутки\n\n" + lines(f"- {t}" for t in REST)},
         REST, also=[[f"- {t}" for t in REST]]),
    case("F16", "a document of Word, a paragraph a text", {"a.docx": docx(REST)}, REST,
         refusal=SAVE),
    case("F16", "a document of Word, blank paragraphs between dialogues", {"a.docx": docx(
        line for t in TALKS for line in [*t.split("\n"), ""])}, TALKS, refusal=SAVE),
    case("F16", "a document of LibreOffice", {"a.odt": odt(REST)}, REST, refusal=SAVE),
    case("F16", "a PDF of dialogues", {"a.pdf": pdf(TALKS)}, TALKS, refusal=SAVE),
    case("F16", "a PDF of one-liners, wrapped, below a heading on each page",
         {"a.pdf": pdf(PROSE, header="Сборник рассказов")}, PROSE, refusal=SAVE),
    case("F16", "a PDF of numbered texts without gaps",
         {"a.pdf": pdf((f"{n}. {t}" for n, t in enumerate(TALKS, 1)), gap=0)}, TALKS, refusal=SAVE),
    case("F16", "a PDF of one-liners", {"a.pdf": pdf(REST)}, REST, refusal=SAVE),
    case("F16", "a PDF of verse", {"a.pdf": pdf(VERSES)}, VERSES, refusal=SAVE),
    case("F16", "a PDF without text", {"a.pdf": pdf([])}, None),
    case("F16", "a sheet of Excel", {"a.xlsx": SHEET}, TALKS, refusal=SAVE),
    case("F16", "a book", {"a.epub": BOOK}, TALKS, refusal=SAVE),
    case("F16", "a dump of MySQL", {"a.sql": mysql(TALKS)}, TALKS),
    case("F16", "a dump of MySQL, an insert a row", {"a.sql": mysql(MIXED, together=False)}, MIXED),
    case("F16", "a dump of MySQL with quotes in the texts", {"a.sql": mysql(QUOTED)}, QUOTED),
    case("F16", "a dump of SQLite", {"a.sql": "BEGIN TRANSACTION;\nCREATE TABLE jokes (id, text);\n"
         + "".join(f"INSERT INTO jokes VALUES({n},'{t.replace(chr(39), chr(39) * 2)}');\n"
                   for n, t in enumerate(QUOTED)) + "COMMIT;\n"}, QUOTED),
    case("F16", "a dump of PostgreSQL", {"a.sql": f"SET client_encoding = 'UTF8';\n\n{COPY}"},
         TALKS),
    case("F16", "records of XML", {"a.xml": XML}, RUSSIAN[:20], refusal=SAVE),
    case("F16", "a novel on one line", {"a.txt": LONG}, [LONG]),
    case("F16", "a picture called .txt", {"a.txt": PNG}, None),
    case("F16", "a fortune file without an ending", {"anekdoty": FORTUNES["anekdoty"]}, OLD[:10]),
    case("F16", "a gzip called .txt", {"a.txt": gzip.compress(lines(FEW).encode())}, FEW,
         refusal=r"gz"),
]  # fmt: skip

CASES: list[Case] = [*BESIDE, *FOLDERS, *ALONE]
