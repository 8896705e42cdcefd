"""Bytes in the encodings that people have, and letters in disguise: F11, F12, F14."""

from tests.corpus.piles.case import Case, case
from tests.corpus.piles.contents import (
    DIALOGUES,
    LANGUAGES,
    LOOKALIKES,
    RUSSIAN,
    VERSE_OF_FIVE,
    hyphens,
)
from tests.corpus.piles.shapes.tables import dump, jsonl, quoted, records
from tests.corpus.piles.shapes.text import blocks, lines

THIRTY, TALKS = RUSSIAN[:30], DIALOGUES[:20]
PLAIN = hyphens(TALKS)
TOGETHER = LANGUAGES | {"russian": THIRTY}
NAMED = (
    *(("russian", name) for name in ("cp1251", "koi8-r", "cp866", "mac-cyrillic", "iso-8859-5")),
    *(("russian", name) for name in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")),
    ("ukrainian", "koi8-u"), ("bulgarian", "cp1251"),
    ("polish", "cp1250"), ("polish", "iso-8859-2"), ("polish", "utf-16"),
    ("czech", "cp1250"), ("czech", "iso-8859-2"), ("turkish", "cp1254"),
    ("german", "latin-1"), ("german", "cp1252"), ("french", "cp1252"), ("french", "latin-1"),
    ("spanish", "latin-1"), ("spanish", "mac-roman"),
    ("greek", "cp1253"), ("greek", "iso-8859-7"), ("hebrew", "cp1255"), ("arabic", "cp1256"),
    ("chinese", "gb18030"), ("chinese", "gbk"), ("traditional", "big5"),
    ("japanese", "shift_jis"), ("japanese", "euc_jp"), ("korean", "euc_kr"), ("korean", "cp949"),
    ("chinese", "utf-16"), ("japanese", "utf-16"), ("hindi", "utf-8"), ("greek", "utf-8"),
)  # fmt: skip
TINY = (("polish", "cp1250", 1), ("chinese", "gbk", 1), ("japanese", "shift_jis", 2))


def is_in(text: str, encoding: str) -> bool:
    """Whether an encoding has all characters of a text."""
    return text.encode(encoding, "ignore").decode(encoding) == text


def of(language: str, encoding: str, count: int | None = None, **more: object) -> Case:
    texts = [text for text in TOGETHER[language] if is_in(text, encoding)][:count]
    size = "" if count is None else f", {count} line" + "s" * (count > 1)
    told = ", named by the user" if more else ""
    return case(
        "F11",
        f"{language} in {encoding}{size}{told}",
        {"a.txt": lines(texts).encode(encoding)},
        texts,
        **more,  # type: ignore[arg-type]
    )


def damaged(texts: list[str], encoding: str, place: int, byte: bytes) -> tuple[bytes, list[str]]:
    """Lines with one byte that is none; and what is left of them."""
    text = texts[3]
    torn = text[:place].encode(encoding) + byte + text[place:].encode(encoding)
    data = b"\n".join([*(t.encode(encoding) for t in texts[:3]), torn,
                       *(t.encode(encoding) for t in texts[4:])])  # fmt: skip
    return data, [*texts[:3], f"{text[:place]}\ufffd{text[place:]}", *texts[4:]]


TORN, REST = damaged(THIRTY, "utf-8", 8, b"\xff")
ONCE = [text.encode().decode("latin-1") for text in THIRTY]
TWICE = [text.encode().decode("latin-1") for text in ONCE]
OF_WINDOWS = [text for text in RUSSIAN[:40] if not {0x98} & {*text.encode()}]

FOUND = [
    *(of(language, encoding) for language, encoding in NAMED),
    *(of(*each) for each in TINY),
    case("F11", "dialogues in cp1251 with Windows lines",
         {"a.txt": blocks(TALKS).replace("\n", "\r\n").encode("cp1251")}, TALKS),
    case("F11", "dialogues in cp866", {"a.txt": blocks(PLAIN).encode("cp866")}, PLAIN),
    case("F11", "JSON lines in cp1251", {"a.jsonl": jsonl(records(TALKS)).encode("cp1251")}, TALKS),
    case("F11", "an array in cp1250", {"a.json": dump(LANGUAGES["polish"]).encode("cp1250")},
         LANGUAGES["polish"]),
    case("F11", "a Polish table of Excel",
         {"a.csv": quoted([("nr", "treść"), *enumerate(LANGUAGES["polish"])], ";")
          .encode("cp1250")}, LANGUAGES["polish"]),
    case("F11", "a Chinese table of Excel",
         {"a.csv": quoted([("id", "text"), *enumerate(LANGUAGES["chinese"])]).encode("gbk")},
         LANGUAGES["chinese"]),
    *(of(language, encoding, flags={"encoding": encoding}) for language, encoding in (
        ("polish", "cp1250"), ("turkish", "cp1254"), ("chinese", "gbk"), ("russian", "koi8-r"))),
    case("F11", "a folder with a file of each encoding", {
        "a.txt": lines(THIRTY).encode("cp1251"), "b.txt": lines(LANGUAGES["polish"])
        .encode("cp1250"), "c.txt": lines(LANGUAGES["japanese"]).encode("shift_jis"),
        "d.txt": lines(LANGUAGES["greek"]), "e.txt": lines(LANGUAGES["german"]).encode("latin-1")},
        [*THIRTY, *LANGUAGES["polish"], *LANGUAGES["japanese"], *LANGUAGES["greek"],
         *LANGUAGES["german"]]),
    case("F11", "two encodings in one file",
         {"a.txt": lines(THIRTY[:15]).encode() + lines(THIRTY[15:]).encode("cp1251")}, THIRTY),
    case("F11", "a damaged byte in UTF-8", {"a.txt": TORN}, REST,
         also=[[t.replace("\ufffd", "") for t in REST]]),
    case("F11", "UTF-8 taken for Latin-1", {"a.txt": lines(ONCE)}, THIRTY),
    case("F11", "UTF-8 taken for Latin-1 twice", {"a.txt": lines(TWICE)}, THIRTY),
    case("F11", "UTF-8 taken for cp1251",
         {"a.txt": lines(t.encode().decode("cp1251") for t in OF_WINDOWS)}, OF_WINDOWS),
    case("F11", "cp1251 taken for Latin-1",
         {"a.txt": lines(t.encode("cp1251").decode("latin-1") for t in THIRTY)}, THIRTY),
    case("F11", "French UTF-8 taken for cp1252",
         {"a.txt": lines(t.encode().decode("cp1252", "replace") for t in LANGUAGES["french"]
                         if "à" not in t)}, [t for t in LANGUAGES["french"] if "à" not in t]),
]  # fmt: skip

HABITS, REPAIRED, LATIN = (LOOKALIKES[name] for name in ("habits", "repaired", "latin"))
LETTERS = [
    *(case("F12", f"{language}, whose joiners are part of words",
           {"a.txt": lines(LANGUAGES[language])}, LANGUAGES[language])
      for language in ("persian", "sinhala")),
    case("F12", "Chinese verse of ten letters and fewer", {"a.txt": lines(VERSE_OF_FIVE)},
         VERSE_OF_FIVE),
    case("F14", "Latin letters inside Russian words", {"a.txt": lines([*HABITS, *THIRTY])},
         [*REPAIRED, *THIRTY]),
    case("F14", "Latin letters inside Russian words, in cp866",
         {"a.txt": lines([*HABITS, *THIRTY[:10]]).encode("cp866")}, [*REPAIRED, *THIRTY[:10]]),
    case("F14", "Latin words beside and inside Russian ones", {"a.txt": lines([*LATIN, *THIRTY])},
         [*LATIN, *THIRTY]),
]  # fmt: skip

CASES: list[Case] = [*FOUND, *LETTERS]
