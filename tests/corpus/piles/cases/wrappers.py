"""What stands around each text, and what text files of programs hold: F15."""

from tests.corpus.piles.case import Answer, Case, case
from tests.corpus.piles.contents import DIALOGUES, ENGLISH, MIXED, NAMES, RUSSIAN
from tests.corpus.piles.shapes.files import subtitles
from tests.corpus.piles.shapes.tables import dump, jsonl, quoted, records
from tests.corpus.piles.shapes.text import blocks, lines, numbered, ruled

THIRTY, TALKS = RUSSIAN[:30], DIALOGUES[:20]
COUNTERS = ("{}. ", "{}) ", "№{}. ", "#{} ", "[{}] ", "{}: ", "{:03}. ")
LOGS = ("INFO - ", "[INFO] ", "INFO:root:", "2024-03-01 10:00:00,123 [INFO] bot: ", "Анекдот — ")
BULLETS = ("• ", "#) ", "* ", "► ", "☺ ", "·", "Анекдот: ", "Joke: ")
STAMPS = ("[10:{:02}] ", "01.03.2024 10:{:02} ", "2024-03-01T10:{:02}:00 — ", "(12.{:02}.2023) ")
OPEN = [text.replace("\n", "\\n") for text in TALKS]
FIELDS = "ID: {}\nТекст: {}\nДата: 2026-08-{:02}\n\n"
ENGLISH_FIELDS = "Title: no. {}\nText: {}\nDate: 2026-08-{:02}\n\n"


def stamped(texts: list[str], form: str) -> str:
    return "".join(f"{form.format(n % 28 + 1)}{t}\n" for n, t in enumerate(texts))


def wrapped(name: str, data: str, texts: list[str], **more: object) -> Case:
    return case("F15", name, {"a.txt": data}, texts, **more)  # type: ignore[arg-type]


PREFIXES = [
    *(wrapped(f"{form.strip()} before each line", numbered(THIRTY, form), THIRTY)
      for form in COUNTERS),
    *(wrapped(f"{form.strip()} before each line", numbered(THIRTY, form), THIRTY)
      for form in (*BULLETS, *LOGS)),
    *(wrapped(f"{form.strip()} before each line", stamped(THIRTY, form), THIRTY)
      for form in STAMPS),
    wrapped("a bullet before each dialogue", blocks(f"• {t}" for t in TALKS), TALKS),
    wrapped("1. before most of the lines", numbered(THIRTY[:28], "{}. ") + lines(THIRTY[28:]),
            THIRTY),
    wrapped("hyphens before each line", lines(f"- {t}" for t in THIRTY), THIRTY,
            also=[[f"- {t}" for t in THIRTY]]),
    wrapped("a quotation mark on both sides of each line", lines(f'"{t}"' for t in THIRTY), THIRTY,
            also=[[f'"{t}"' for t in THIRTY]]),
    wrapped("numbers that the user keeps", numbered(THIRTY, "{}. "),
            [f"{n}. {t}" for n, t in enumerate(THIRTY, 1)], flags={"without": "prefix"}),
    wrapped("one-liners that begin with the same word",
            lines(f"Приходит {t[0].lower()}{t[1:]}" for t in THIRTY),
            [f"Приходит {t[0].lower()}{t[1:]}" for t in THIRTY]),
    wrapped("dialogues that begin with a dash", blocks(f"— {t}" for t in TALKS),
            [f"— {t}" for t in TALKS]),
    case("F15", "numbers inside records",
         {"a.jsonl": jsonl(records([f"{n}. {t}" for n, t in enumerate(TALKS, 1)]))}, TALKS),
    case("F15", "numbers inside a table",
         {"a.csv": quoted([("id", "text"), *((n, f"{n}. {t}") for n, t in enumerate(TALKS, 1))])},
         TALKS),
]  # fmt: skip

SIGNED = [f"{text}\n-- Евгений Кащеев" for text in TALKS]
SIGNATURES = [
    wrapped("the same signature below each dialogue", blocks(SIGNED), TALKS,
            also=[Answer(SIGNED, ("Кащеев",))]),
    wrapped("the same signature below each dialogue, between stars", ruled(SIGNED, "***"), TALKS,
            also=[Answer(SIGNED, ("Кащеев",))]),
    wrapped("the name of a site below each text",
            blocks(f"{t}\nИсточник: ежи и зонты" for t in MIXED), MIXED,
            also=[Answer([f"{t}\nИсточник: ежи и зонты" for t in MIXED], ("Источник",))]),
]  # fmt: skip

FIELD_BLOCKS = [
    wrapped("blocks of fields", "".join(FIELDS.format(n, t, n % 28 + 1)
                                        for n, t in enumerate(THIRTY, 1)), THIRTY),
    wrapped("blocks of fields, line breaks written out",
            "".join(FIELDS.format(n, t, n % 28 + 1) for n, t in enumerate(OPEN, 1)), TALKS),
    wrapped("blocks of fields, texts of several lines",
            "".join(FIELDS.format(n, t, n % 28 + 1) for n, t in enumerate(TALKS, 1)), TALKS),
    wrapped("blocks of English fields", "".join(
        ENGLISH_FIELDS.format(n, t, n % 28 + 1) for n, t in enumerate(ENGLISH, 1)), ENGLISH),
]  # fmt: skip

BARE = [text.replace('"', "") for text in TALKS]
PYTHON = "jokes = [\n" + "".join(f"    {dump(t)},\n" for t in BARE) + "]\n"
PROGRAMS = [
    wrapped("a list of Python", PYTHON, BARE),
    case("F15", "a list of Python in a program", {"jokes.py": f"import random\n\n{PYTHON}"}, BARE),
    wrapped("a list of Python, single quotes",
            "[\n" + "".join(f"    '{t}',\n" for t in THIRTY) + "]\n", THIRTY),
    wrapped("the lines of a list without its brackets",
            lines(f'"{t}",' for t in THIRTY), THIRTY),
    case("F15", "an array of JavaScript", {"jokes.js": "const jokes = [\n" + "".join(
        f"  {dump(t)},\n" for t in BARE) + "];\n\nmodule.exports = jokes;\n"}, BARE),
    case("F15", "a list of YAML", {"jokes.yml": "jokes:\n" + lines(f"  - {dump(t)}"
                                                                   for t in THIRTY)}, THIRTY),
    wrapped("line breaks written out", lines(OPEN), TALKS),
    wrapped("line breaks written out, among one-liners",
            lines([*OPEN, *THIRTY]), [*TALKS, *THIRTY]),
    case("F15", "line breaks written out in a table",
         {"a.csv": quoted([("id", "text"), *enumerate(OPEN, 1)])}, TALKS),
    case("F15", "line breaks written out twice in JSON", {"a.jsonl": jsonl(records(OPEN))}, TALKS),
    wrapped("one mention of a line break written out",
            lines([*THIRTY, "Программист ставит \\n даже в конце письма бабушке."]),
            [*THIRTY, "Программист ставит \\n даже в конце письма бабушке."]),
    case("F15", "subtitles", {"a.srt": subtitles(MIXED)}, MIXED),
    case("F15", "subtitles with Windows lines in cp1251",
         {"a.srt": subtitles(MIXED).replace("\n", "\r\n").encode("cp1251")}, MIXED),
    case("F15", "subtitles of the web", {"a.vtt": "WEBVTT\n\n" + subtitles(MIXED, ".")}, MIXED),
    case("F15", "subtitles called .txt", {"a.txt": subtitles(MIXED)}, MIXED),
    case("F16", "names, a name a line", {"names.txt": lines(NAMES)}, NAMES),
]  # fmt: skip

CASES: list[Case] = [*PREFIXES, *SIGNATURES, *FIELD_BLOCKS, *PROGRAMS]
