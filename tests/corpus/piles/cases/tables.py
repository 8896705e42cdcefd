"""Which columns hold the text, and tables that are not quite CSV: F4, F5, F10."""

from base64 import b64encode

from tests.corpus.piles.case import Answer, Case, case
from tests.corpus.piles.contents import (
    DIALOGUES,
    ENGLISH,
    ENGLISH_PAIRS,
    RUSSIAN,
    RUSSIAN_PAIRS,
)
from tests.corpus.piles.shapes.tables import bare, dump, escaped, jsonl, quoted, table
from tests.corpus.piles.shapes.text import lines

TALKS, THIRTY = DIALOGUES[:20], RUSSIAN[:30]
PROMPT = (
    "Ты опытный юморист. Придумай, пожалуйста, короткую смешную историю для вечернего выпуска и "
    "пиши простыми словами, без имён и без политики, не больше двух предложений."
)
SLUG = "https://www.example.org/jokes/comments/{:08}/a_very_long_slug_that_beats_every_joke_here/"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0 Safari"
RU_NAMES = ("Анекдот", "Текст шутки", "Содержание", "Сообщение", "Цитата")
EN_NAMES = ("joketext", "output", "completion", "response", "full_text", "selftext", "message",
            "quote", "caption", "text_ru", "Joke Text", "content_text")  # fmt: skip


def beside(name: str, noise: str) -> list[tuple[object, ...]]:
    """A table with a longer column before the text."""
    return [("id", name, "joketext"), *((n, noise.format(n), t) for n, t in enumerate(THIRTY))]


CHOICE = [
    case("F4", "Alpaca, the same long request each time", {"a.json": dump([
        {"instruction": PROMPT, "input": "", "output": t} for t in THIRTY], indent=1)}, THIRTY),
    case("F4", "a constant prompt in JSON lines",
         {"a.jsonl": jsonl({"prompt": PROMPT, "completion": t} for t in THIRTY)}, THIRTY),
    case("F4", "a constant prompt in a table",
         {"a.csv": table([("prompt", "q"), *((PROMPT, t) for t in THIRTY)])}, THIRTY),
    case("F4", "one of three long prompts", {"a.jsonl": jsonl(
        {"q": f"{PROMPT} Тема: {('коты', 'лифты', 'врачи')[n % 3]}.", "a": t}
        for n, t in enumerate(THIRTY))}, THIRTY),
    case("F4", "links longer than the jokes", {"a.csv": table(beside("permalink", SLUG))}, THIRTY),
    case("F4", "links in JSON", {"a.json": dump([
        {"url": SLUG.format(n), "смешное": t} for n, t in enumerate(THIRTY)])}, THIRTY),
    case("F4", "paths longer than the jokes", {"a.csv": table(
        beside("file", "/home/user/archive/jokes/collected/from/forums/page_{:06}/part_one.html"))},
         THIRTY),
    case("F4", "paths of Windows", {"a.csv": table(
        beside("file", r"C:\Users\Иван\Documents\Мои анекдоты\Старые сборники\страница {:06}.docx"))
    }, THIRTY),
    case("F4", "browsers longer than the jokes", {"a.csv": table(beside("agent", AGENT))}, THIRTY),
    case("F4", "hashes longer than the jokes", {"a.csv": table(beside("sha", "{0:064x}{0:064x}"))},
         THIRTY),
    case("F4", "bytes in base64", {"a.jsonl": jsonl(
        {"thumb": b64encode(f"{n:04}".encode() * 90).decode(), "q": t}
        for n, t in enumerate(THIRTY))}, THIRTY),
    case("F4", "names and dates beside an unknown name", {"a.csv": table(
        [("author", "date", "q"), *((f"Анна Сергеевна Длиннофамильная-{n}", "2024-03-01", t)
                                   for n, t in enumerate(THIRTY))])}, THIRTY),
    *(case("F4", f"a column called {name}", {"a.csv": table(
        [("id", "author", name), *((n, "Анна Сергеевна", t) for n, t in enumerate(THIRTY))])},
        THIRTY) for name in (*RU_NAMES, *EN_NAMES)),
    case("F4", "a joke in two languages", {"a.csv": table(
        [("id", "text_en", "text_ru"),
         *((n, e, r) for n, (e, r) in enumerate(zip(ENGLISH[:30], THIRTY, strict=True)))])},
         THIRTY, also=[Answer(ENGLISH[:30], ("text_en",))]),
    case("F4", "a joke in two languages, one named by the user", {"a.csv": table(
        [("id", "text_en", "text_ru"),
         *((n, e, r) for n, (e, r) in enumerate(zip(ENGLISH[:30], THIRTY, strict=True)))])},
         THIRTY, flags={"column": "text_ru"}),
    case("F4", "a known name with another in the same table", {"a.csv": table(
        [("type", "status", "message", "source"),
         *(("joke", "published and approved", t, "an old and very long name of a collection")
           for t in TALKS)])}, TALKS),
]  # fmt: skip

TITLES = [f"Про тему номер {n}" for n in range(1, 21)]


def joined(pairs: list[tuple[str, str]]) -> list[str]:
    return ["\n".join(pair) for pair in pairs]


PAIRS: list[Case] = []
for first, second in (
    ("title", "body"), ("title", "selftext"), ("setup", "punchline"), ("question", "answer"),
    ("setup", "delivery"),
):  # fmt: skip
    rows = [{"id": n, first: a, second: b} for n, (a, b) in enumerate(ENGLISH_PAIRS)]
    PAIRS += [
        case("F5", f"{first} and {second} in JSON", {"a.json": dump(rows)}, joined(ENGLISH_PAIRS)),
        case("F5", f"{first} and {second} in a table",
             {"a.csv": quoted([(first, second), *RUSSIAN_PAIRS])}, joined(RUSSIAN_PAIRS)),
    ]  # fmt: skip
PAIRS += [
    case("F5", "setup and punchline, a record a line",
         {"a.jsonl": jsonl({"setup": a, "punchline": b} for a, b in RUSSIAN_PAIRS)},
         joined(RUSSIAN_PAIRS)),
    case("F5", "two columns named by the user",
         {"a.csv": quoted([("id", "a", "b"), *((n, *p) for n, p in enumerate(RUSSIAN_PAIRS))])},
         joined(RUSSIAN_PAIRS), flags={"column": "a,b"}),
    case("F5", "Question and Answer with capitals", {"jokes.csv": quoted(
        [("ID", "Question", "Answer"), *((n, *p) for n, p in enumerate(ENGLISH_PAIRS, 1))])},
        joined(ENGLISH_PAIRS)),
    case("F5", "вопрос и ответ", {"a.csv": table([("Вопрос", "Ответ"), *RUSSIAN_PAIRS], ";")},
         joined(RUSSIAN_PAIRS)),
    case("F5", "prompt and completion",
         {"a.jsonl": jsonl({"prompt": a, "completion": f" {b}"} for a, b in RUSSIAN_PAIRS)},
         joined(RUSSIAN_PAIRS), also=[[f"{a} {b}" for a, b in RUSSIAN_PAIRS]]),
    case("F5", "instruction and output, all different", {"a.json": dump([
        {"instruction": a, "input": "", "output": b} for a, b in ENGLISH_PAIRS])},
        joined(ENGLISH_PAIRS)),
    case("F5", "a title and a whole text", {"a.csv": table(
        [("title", "text"), *zip(TITLES, TALKS, strict=True)])},
        ["\n".join(p) for p in zip(TITLES, TALKS, strict=True)], also=[Answer(TALKS, ("title",))]),
    case("F5", "a title and no body in some posts", {"a.json": dump([
        {"title": a, "body": "" if n % 4 == 3 else b, "score": n}
        for n, (a, b) in enumerate(ENGLISH_PAIRS)])},
        [a if n % 4 == 3 else f"{a}\n{b}" for n, (a, b) in enumerate(ENGLISH_PAIRS)]),
    case("F5", "jokes of one part and of two", {"a.json": dump({"error": False, "jokes": [
        {"category": "Misc", "type": "twopart", "setup": a, "delivery": b, "id": 2 * n}
        if kind else {"category": "Misc", "type": "single", "joke": t, "id": 2 * n + 1}
        for n, ((a, b), t) in enumerate(zip(ENGLISH_PAIRS, ENGLISH, strict=False))
        for kind in (True, False)]})}, [*joined(ENGLISH_PAIRS), *ENGLISH[:20]]),
]  # fmt: skip

SPOKEN = [f'Сказал ёж номер {n}: "{t}" и ушёл, а дождь остался.' for n, t in enumerate(TALKS[:3])]
QUOTES = [f'Сосед крикнул: "{t}", и все замолчали.' for t in THIRTY]
ROWS = [("id", "text"), *enumerate(QUOTES, 1)]
COMMAS = [("id", "text"), *enumerate(THIRTY, 1)]
NOTE = "Выгрузка из базы анекдотов\nСоздано: 01.03.2024\n\n"
TINY = (
    'id,text\n1,"Сказал ёж: \\"купи зонт\\", и ушёл."\n2,"Врач: \\"болит?\\", а больной молчит."\n'
)
BROKEN = [
    case("F10", "backslashes before quotes", {"a.csv": escaped(ROWS)}, QUOTES),
    case("F10", "backslashes before quotes, two rows", {"a.csv": TINY},
         ['Сказал ёж: "купи зонт", и ушёл.', 'Врач: "болит?", а больной молчит.']),
    case("F10", "backslashes before quotes, semicolons", {"a.csv": escaped(ROWS, ";")}, QUOTES),
    case("F10", "backslashes before quotes, tabs", {"a.tsv": escaped(ROWS, "\t")}, QUOTES),
    case("F10", "backslashes before quotes, texts of several lines",
         {"a.csv": escaped([("id", "text"), *enumerate(SPOKEN, 1)])}, SPOKEN),
    case("F10", "backslashes before quotes, no header", {"a.csv": escaped(ROWS[1:])}, QUOTES),
    case("F10", "commas without quotes in the last column", {"a.csv": bare(COMMAS)}, THIRTY),
    case("F10", "commas without quotes, no header", {"a.csv": bare(COMMAS[1:])}, THIRTY),
    case("F10", "commas without quotes in the only column",
         {"a.csv": "joke\n" + bare([[t] for t in THIRTY])}, THIRTY),
    case("F10", "semicolons without quotes in the last column",
         {"a.csv": bare([("id", "text"), *enumerate([t.replace(",", ";") for t in THIRTY])], ";")},
         [t.replace(",", ";") for t in THIRTY]),
    case("F10", "a table between semicolons", {"a.csv": table(COMMAS, ";")}, THIRTY),
    case("F10", "a table between bars", {"a.csv": table(COMMAS, "|")}, THIRTY),
    case("F10", "lines above the table", {"a.csv": NOTE + table(COMMAS, ";")}, THIRTY),
    case("F10", "lines above a table with commas", {"a.csv": NOTE + table(COMMAS)}, THIRTY),
    case("F10", "commas in numbers", {"a.csv": table(
        [("id", "оценка", "text"), *((n, f"{n},5", t) for n, t in enumerate(THIRTY))], ";")},
        THIRTY),
    case("F10", "quotes in a table with tabs", {"a.tsv": bare(ROWS, "\t")}, QUOTES),
    case("F10", "empty columns at the end",
         {"a.csv": table([("id", "text", "", ""), *((n, t, "", "") for n, t in COMMAS[1:])])},
         THIRTY),
    case("F10", "a column of remarks after the text", {"a.csv": table(
        [("id", "text", "remark"), *((n, t, "смешно" if n % 7 == 0 else "") for n, t in
                                     COMMAS[1:])])}, THIRTY),
    case("F15", "Excel's Unicode text", {"a.txt": table(COMMAS, "\t", "\r\n").encode("utf-16")},
         THIRTY),
    case("F15", "a table with tabs called .txt", {"a.txt": table(
        [("id", "date", "text"), *((n, "2024-03-01", t) for n, t in COMMAS[1:])], "\t")}, THIRTY),
    case("F15", "a number, a tab and a text", {"a.txt": bare(enumerate(THIRTY, 1), "\t")}, THIRTY),
    case("F10", "a table with commas called .txt", {"a.txt": quoted(COMMAS)}, THIRTY),
]  # fmt: skip


def in_single_quotes(texts: list[str], apostrophe: str = "''", *, all_cells: bool = False) -> str:
    """A table whose cells stand in single quotes."""
    mark = "'" if all_cells else ""
    rows = [f"{mark}id{mark},{mark}text{mark}"]
    rows += [f"{mark}{n}{mark},'{t.replace(chr(39), apostrophe)}'" for n, t in enumerate(texts)]
    return lines(rows)


PLAIN = [text for text in THIRTY if '"' not in text]
BARE = [*DIALOGUES[:20], "It's raining, and the cat's umbrella isn't open."]
SINGLE = [
    case("F10", "cells in single quotes", {"a.csv": in_single_quotes(PLAIN)}, PLAIN),
    case("F10", "dialogues in single quotes", {"a.csv": in_single_quotes(BARE)}, BARE),
    case("F10", "all cells in single quotes",
         {"a.csv": in_single_quotes(BARE, all_cells=True)}, BARE),
    case("F10", "single quotes with backslashes", {"a.csv": in_single_quotes(BARE, "\\'")}, BARE),
    case("F10", "replies in single quotes are text", {"a.csv": table(
        [("id", "text"), *((n, f"'{t}' - сказал ёж") for n, t in enumerate(PLAIN))])},
        [f"'{t}' - сказал ёж" for t in PLAIN]),
]  # fmt: skip

CASES: list[Case] = [*CHOICE, *PAIRS, *BROKEN, *SINGLE]
