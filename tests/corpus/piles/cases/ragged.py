"""Tables by hand and by accident: short rows, lists that are called tables, odd delimiters."""

from tests.corpus.piles.case import Case, case
from tests.corpus.piles.contents import DIALOGUES, ENGLISH, RUSSIAN
from tests.corpus.piles.shapes.tables import bare, quoted, table

THIRTY, TALKS = RUSSIAN[:30], DIALOGUES[:20]
COMMAS = [f"{text[:-1]}, вот так." for text in THIRTY]
QUOTES = [f'Сосед крикнул "пожар", {text}' for text in THIRTY]


def cut(rows: list[tuple[object, ...]], every: int, width: int) -> list[tuple[object, ...]]:
    """A table some of whose rows end early."""
    return [row[:width] if n % every == 1 else row for n, row in enumerate(rows)]


TAGGED = [(n, text, "смешно", 5) for n, text in enumerate(THIRTY, 1)]
HEADED = [("номер", "шутка дня", "метка", "оценка"), *TAGGED]
BULLETED = [("дата", "текст", "лайки"), *(("1.02", t, n) for n, t in enumerate(TALKS))]

SHORT = [
    case("F10", "a sixth of the rows lack their tag",
         {"a.csv": quoted(cut([("id", "text", "tag"), *(r[:3] for r in TAGGED)], 6, 2))}, THIRTY),
    case("F10", "rows that end after the text or later", {"a.csv": table(cut(HEADED, 3, 2))},
         THIRTY),
    case("F10", "rows that end early, semicolons",
         {"a.csv": table(cut(HEADED, 4, 3), ";")}, THIRTY),
    case("F10", "rows that end early, no header",
         {"a.csv": quoted(cut([TAGGED[0], *TAGGED], 5, 2))},
         [THIRTY[0], *THIRTY]),
    case("F10", "three rows, one of them short",
         {"a.csv": quoted([("id", "text", "tag"), (1, THIRTY[0], "x"), (2, THIRTY[1])])},
         THIRTY[:2]),
    case("F10", "dialogues in rows that end early", {"a.csv": table(cut(BULLETED, 4, 2))}, TALKS),
    case("F10", "rows that end before the text", {"a.csv": table(
        [("date", "text", "likes"), *(("1.02", t, 5) if n % 7 else ("1.02",)
                                      for n, t in enumerate(THIRTY))])},
        [t for n, t in enumerate(THIRTY) if n % 7]),
    case("F10", "a delimiter at the end of each row but the header",
         {"a.csv": "id,text\n" + "".join(f'{n},"{t}",\n' for n, t in enumerate(THIRTY))}, THIRTY),
]  # fmt: skip

LISTS = [
    case("F10", "lines with commas, called a table",
         {"a.csv": bare([[t] for t in COMMAS])}, COMMAS),
    case("F10", "lines with and without commas, called a table",
         {"a.csv": bare([[t] for pair in zip(COMMAS, ENGLISH, strict=False) for t in pair])},
         [t for pair in zip(COMMAS, ENGLISH, strict=False) for t in pair]),
    case("F10", "five lines with commas, called a table",
         {"a.csv": bare([[t] for t in COMMAS[:5]])}, COMMAS[:5]),
    case("F10", "lines with semicolons, called a table",
         {"a.csv": bare([[t.replace(",", ";")] for t in COMMAS])},
         [t.replace(",", ";") for t in COMMAS]),
    case("F10", "dialogues between blank lines, called a table", {"a.csv": "\n\n".join(TALKS)},
         TALKS),
    case("F10", "dialogues between stars, called a table",
         {"a.csv": "\n***\n".join(TALKS)}, TALKS),
    case("F10", "lines called a table, as the user says", {"a.csv": bare([[t] for t in COMMAS])},
         COMMAS, flags={"separator": "line"}),
    case("F10", "blank lines in what is called a table, as the user says",
         {"a.csv": "\n\n".join(TALKS)}, TALKS, flags={"separator": "blank line"}),
    case("F10", "tabs, as the user says", {"a.csv": bare(enumerate(COMMAS), "\t")}, COMMAS,
         flags={"separator": "tab"}),
]  # fmt: skip

DELIMITERS = [
    case("F10", "tabs, and a comma in each row",
         {"a.tsv": bare([(f"{n}:", t) for n, t in enumerate(COMMAS)], "\t")}, COMMAS),
    case("F10", "a space after each comma, all in quotes", {"a.csv": "".join(
        f'"{a}", "{b}"\n' for a, b in [("id", "text"), *enumerate(COMMAS)])}, COMMAS),
    case("F10", "a space after each comma, no quotes",
         {"a.csv": bare([("id", "text"), *enumerate(COMMAS)], ", ")}, COMMAS),
    case("F10", "quotes and commas in a bare text",
         {"a.csv": bare([("id", "text"), *enumerate(QUOTES)])}, QUOTES),
    case("F15", "numbers and semicolons called .txt", {"a.txt": bare(enumerate(COMMAS, 1), ";")},
         COMMAS),
    case("F15", "a table of Markdown below a paragraph", {"a.md":
         "# Сборник\n\nЗдесь шутки и те, кто их рассказал.\n\n| Шутка | Автор |\n| :--- | ---: |\n"
         + "".join(f"| {t} | Анна |\n" for t in THIRTY)}, THIRTY),
    case("F15", "a table of Markdown without outer bars", {"a.md": "текст | кто\n--- | ---\n"
         + "".join(f"{t} | Анна\n" for t in THIRTY)}, THIRTY),
    case("F15", "notes of Anki", {"deck.txt": "#separator:tab\n#html:false\n#tags column:3\n"
         + bare([(f"Шутка {n}", t, "юмор") for n, t in enumerate(COMMAS)], "\t")}, COMMAS),
    case("F15", "JSON lines called a table", {"a.csv": "".join(
        f'{{"id": {n}, "text": "{t}"}}\n' for n, t in enumerate(COMMAS))}, COMMAS),
]  # fmt: skip

CASES: list[Case] = [*SHORT, *LISTS, *DELIMITERS]
