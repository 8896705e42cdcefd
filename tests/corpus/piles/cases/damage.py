"""Files that were cut, glued or badly copied."""

import gzip

from tests.corpus.piles.case import Case, case
from tests.corpus.piles.contents import DIALOGUES, MIXED, RUSSIAN
from tests.corpus.piles.shapes.chats import telegram
from tests.corpus.piles.shapes.files import zipped
from tests.corpus.piles.shapes.tables import dump, jsonl, quoted, records
from tests.corpus.piles.shapes.text import blocks, lines

THIRTY, TALKS = RUSSIAN[:30], DIALOGUES[:20]


def cut(data: str, text: str) -> str:
    """Data up to the middle of a text."""
    return data[: data.index(text[:12]) + 8]


ARRAY, OBJECTS = dump(THIRTY, indent=1), dump(records(THIRTY))
LAST = THIRTY[-1]
TABLE = quoted([("id", "text"), *enumerate(THIRTY)])
TORN = LAST[:8]
BROKEN = r"damaged|cut|broken|whole"

CASES: list[Case] = [
    case("kept", "a torn array of strings", {"a.json": cut(ARRAY, LAST)}, THIRTY[:-1]),
    case("kept", "a torn array of objects", {"a.json": cut(OBJECTS, LAST)}, THIRTY[:-1]),
    case("kept", "a torn last line of JSON",
         {"a.jsonl": cut(jsonl(records(THIRTY)), LAST)}, THIRTY[:-1]),
    case("kept", "a torn last row", {"a.csv": cut(TABLE, LAST)}, THIRTY[:-1],
         also=[[*THIRTY[:-1], TORN]]),
    case("F3", "a torn dictionary of categories",
         {"a.json": cut(dump({"a": THIRTY[:10], "b": THIRTY[10:20], "c": THIRTY[20:]}), LAST)},
         THIRTY[:-1], refusal=BROKEN),
    case("F3", "a torn dictionary by id",
         {"a.json": cut(dump({str(n): t for n, t in enumerate(THIRTY)}), LAST)}, THIRTY[:-1],
         refusal=BROKEN),
    case("F2", "a torn export of Telegram",
         {"result.json": cut(dump(telegram([*MIXED, RUSSIAN[60]]), indent=1), RUSSIAN[60])}, MIXED,
         refusal=BROKEN),
    case("kept", "two files of JSON lines glued, a mark of order between",
         {"a.jsonl": "\ufeff" + jsonl(records(THIRTY[:15])) + "\ufeff"
          + jsonl(records(THIRTY[15:]))}, THIRTY),
    case("F9", "two arrays glued", {"a.json": dump(THIRTY[:15]) + "\n" + dump(THIRTY[15:])},
         THIRTY, refusal=BROKEN),
    case("F9", "an array with a comma at its end",
         {"a.json": "[\n" + "".join(f" {dump(t)},\n" for t in THIRTY) + "]\n"}, THIRTY),
    case("F9", "objects with commas between and no brackets",
         {"a.json": ",\n".join(dump(r) for r in records(THIRTY)) + "\n"}, THIRTY),
    case("kept", "null among the texts",
         {"a.json": dump([{"text": t} if n % 5 else {"text": None} for n, t in enumerate(THIRTY)])},
         [t for n, t in enumerate(THIRTY) if n % 5]),
    case("kept", "NaN beside the texts", {"a.json": dump(
        [{"n": float("nan"), "text": t} for t in THIRTY])}, THIRTY),
    case("kept", "a table with old Mac lines", {"a.csv": TABLE.replace("\n", "\r")}, THIRTY),
    case("kept", "a quote that nobody closed",
         {"a.csv": TABLE.replace(f'{THIRTY[4]}"', THIRTY[4])},
         [t for t in THIRTY if t != THIRTY[4]], also=[THIRTY]),
    case("kept", "the mark of DOS at the end", {"a.txt": lines(THIRTY, "\r\n") + "\x1a"}, THIRTY),
    case("kept", "blanks and tabs around the lines",
         {"a.txt": lines(f"  \t{t}  \t" for t in THIRTY)}, THIRTY),
    case("kept", "blank lines at both ends", {"a.txt": "\n\n\n" + blocks(TALKS) + "\n\n\n"}, TALKS),
    case("kept", "UTF-16 that lacks its last byte",
         {"a.txt": lines(THIRTY).encode("utf-16")[:-1]}, THIRTY,
         also=[[*THIRTY[:-1], f"{LAST}\ufffd"]]),
    case("kept", "no-break and zero-width spaces", {"a.txt": lines(
        t.replace(" ", "\u200b ", 1) for t in THIRTY)}, THIRTY),
    case("kept", "an empty file", {"a.txt": b""}, None),
    case("kept", "a file of blank lines", {"a.txt": "\n \n\t\n" * 20}, None),
    case("kept", "a file of rules alone", {"a.txt": "***\n" * 20}, None),
    case("kept", "an empty array", {"a.json": "[]"}, None),
    case("kept", "an empty archive", {"a.zip": zipped({})}, None),
    case("kept", "a torn gzip", {"a.txt.gz": gzip.compress(lines(THIRTY).encode())[:-90]}, None),
    case("kept", "gzip of gzip's name only", {"a.txt.gz": lines(THIRTY)}, THIRTY, refusal="gz"),
]  # fmt: skip
