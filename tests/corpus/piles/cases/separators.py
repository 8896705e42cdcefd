"""What stands between texts of several lines: F6, F7, F8."""

from tests.corpus.piles.case import Case, case
from tests.corpus.piles.contents import (
    DIALOGUES,
    ENGLISH_DIALOGUES,
    LISTS,
    MIXED,
    POEMS,
    PROSE,
    REFRAINS,
    RUSSIAN,
    hyphens,
)
from tests.corpus.piles.shapes.text import (
    blocks,
    framed,
    headed,
    lines,
    numbered,
    poems,
    ruled,
    ruled_with_blanks,
    spread,
    wrapped,
)

TALKS = DIALOGUES[:24]
RULES = (
    "/", "*-----*", "-", ".", "...", "+", "@", "//", "&&&", "$$$", "☆☆☆", "[---]", "x x x",
    "*  *  *", "<hr>", "КОНЕЦ", "😂", "~ ~ ~", ":::", "<->", "-=-=-=-", "=*=*=*=", "(*)", "^^^",
    "Анекдот", "-----8<-----", "…", "|", "o0o", "конец анекдота", "THE END",
)  # fmt: skip
COUNTED = (
    "{}", "№ {}", "#{}", "{}.", "{})", "Анекдот {}", "Анекдот № {}", "=== {} ===",
    "== Анекдот {} ==", "-- {} --", "[{}]", "({})", "*{}*", "Шутка {}:", "## Шутка {}", "### {}",
    "Joke #{}",
)  # fmt: skip
STARTS = ("{}. ", "{}) ", "№{} ", "#{} ", "{} ", "[{}] ", "Анекдот {}. ", "({}) ", "{} - ")
ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
DATES = [f"{n + 1:02}.03.2024" for n in range(24)]
STAMPS = [f"2024-03-{n + 1:02} 10:{n:02}" for n in range(24)]
TOPICS = [f"Про {word}" for word in (
    "ежа", "врача", "сторожа", "кота", "любовь", "рояль", "Петю", "дрель", "код", "муху", "мужа",
    "жизнь", "деньги", "работу", "улиток", "очки", "рыбаков", "землю", "кружку", "очередь",
    "билет", "посуду", "мёд", "молчание",
)]  # fmt: skip


def under(heads: list[str], texts: list[str], gap: str = "\n") -> str:
    return "".join(f"{h}\n{t}\n{gap}" for h, t in zip(heads, texts, strict=True))


def titled(texts: list[str]) -> list[list[str]]:
    """With each title before its text, by a line end or by a blank line."""
    return [[f"{a}{gap}{b}" for a, b in zip(TOPICS, texts, strict=True)] for gap in ("\n", "\n\n")]


def text(name: str, data: str | bytes, texts: list[str], **more: object) -> Case:
    return case("F6", name, {"a.txt": data}, texts, **more)  # type: ignore[arg-type]


SLASH = "Купил ёж зонт.\n— Зачем?\n— Дождь продать.\n/\nВрач спросил: болит?\n— Смотря кого.\n/\n\
Сторож проспал ночь.\n— Сдал как утро.\n"
POINTS = "1. Купил ёж зонт.\n— Зачем?\n— Дождь продать.\n2. Врач спросил: болит?\n— Смотря кого.\n\
3. Сторож проспал ночь.\n— Сдал как утро.\n"
AMONG_BLANKS = "\n\n1\n\n\nКупил ёж зонт.\n\n— Зачем это ежу?\n\n— Дождь продать.\n\n\n\n2\n\n\n\
Врач спросил: болит?\n\n— Смотря кого, доктор.\n\n\n\n3\n\n\nСторож проспал ночь.\n\n\
— А смену сдал?\n\n— Сдал её как утро.\n"
THREE = ["Купил ёж зонт.\n— Зачем?\n— Дождь продать.", "Врач спросил: болит?\n— Смотря кого.",
         "Сторож проспал ночь.\n— Сдал как утро."]  # fmt: skip
SPREAD = [*map(spread, TALKS)]

SEPARATED = [
    text("three dialogues between slashes", SLASH, THREE),
    text("three dialogues after numbers", POINTS, THREE),
    text("three dialogues between numbers among blank lines", AMONG_BLANKS, [
        spread(t) for t in TALKS[:3]],
        also=[TALKS[:3]]),
    *(text(f"dialogues between {rule}", ruled(TALKS, rule), TALKS) for rule in RULES),
    text("dialogues between slashes among blank lines", ruled_with_blanks(TALKS, "/"), TALKS),
    text("English dialogues between slashes", ruled(ENGLISH_DIALOGUES, "/"), ENGLISH_DIALOGUES),
    text("dialogues and one-liners between slashes", ruled(MIXED, "/"), MIXED),
    text("a mark that the user names", ruled(TALKS, "*-----*"), TALKS,
         flags={"separator": "*-----*"}),
    text("dialogues between slashes, in cp1251", ruled(TALKS, "/").encode("cp1251"), TALKS),
    text("dialogues between marks, Windows lines, in UTF-16",
         ruled(TALKS, "[---]").replace("\n", "\r\n").encode("utf-16"), TALKS),
    *(text(f"a line {form} above each dialogue", headed(TALKS, form, ""), TALKS)
      for form in COUNTED),
    *(text(f"a line {form} above each dialogue, a blank line below", headed(TALKS, form), TALKS)
      for form in ("{}", "{}.", "Анекдот {}", "#{}")),
    text("numbers among blank lines, every reply followed by a blank line", "".join(
        f"\n\n{n}\n\n\n{t}\n\n" for n, t in enumerate(SPREAD, 1)), SPREAD, also=[TALKS]),
    *(text(f"{form.strip()} before each dialogue", numbered(TALKS, form), TALKS)
      for form in STARTS),
    text("1. before dialogues and one-liners", numbered(MIXED, "{}. "), MIXED),
    text("1. before each dialogue, a blank line below", numbered(TALKS, "{}. ", "\n"), TALKS),
    text("numbers that begin with 101", numbered(["?"] * 100 + TALKS, "{}. ")
         .partition("100. ?\n")[2], TALKS),
    text("a blank line between replies, two between dialogues", blocks(SPREAD, "\n\n\n"), SPREAD,
         also=[TALKS]),
    text("a blank line between replies, three between dialogues", blocks(SPREAD, "\n\n\n\n"),
         SPREAD, also=[TALKS]),
    text("two line ends of Windows between dialogues that have blank lines",
         blocks(SPREAD, "\n\n\n").replace("\n", "\r\n"), SPREAD, also=[TALKS]),
    text("U+2028 between one-liners", "\u2028".join(RUSSIAN[:30]), RUSSIAN[:30]),
    text("U+2029 between dialogues", "\u2029".join(TALKS), TALKS),
    text("NUL between one-liners", "\0".join(RUSSIAN[:30]) + "\0", RUSSIAN[:30]),
    text("NUL between dialogues", "\0".join(TALKS), TALKS),
    text("form feeds between dialogues", "\f".join(TALKS), TALKS),
    text("a form feed between two dialogues", "\f".join(TALKS[:2]) + "\n", TALKS[:2]),
    text("form feeds on lines of their own", ruled(TALKS, "\f"), TALKS),
    text("dates above dialogues", under(DATES, TALKS), TALKS),
    text("dates above dialogues, no blank lines", under(DATES, TALKS, ""), TALKS),
    text("dates and times above dialogues", under(STAMPS, TALKS, ""), TALKS),
    text("dates in words above dialogues", under([f"{n} марта 2024 г." for n in range(1, 25)],
                                                 TALKS), TALKS),
    text("numbers, dates and ratings above dialogues", under(
        [f"#{4000 + 17 * n} | 2024-03-{n + 1:02} | {n * 37 % 90}" for n in range(24)], TALKS),
        TALKS),
    text("the same heading above each dialogue, a blank line below",
         under(["Анекдот дня"] * 24, TALKS), TALKS),
    text("rules of several lengths", under(["-" * (n % 7 + 3) for n in range(24)], TALKS, ""),
         TALKS),
    text("two rules in turn", under(["***", "-----"] * 12, TALKS, ""), TALKS),
    text("Roman numbers above dialogues", under(ROMAN, TALKS[:12], ""), TALKS[:12]),
    text("1) before each dialogue, in koi8-r, Windows lines", numbered(hyphens(TALKS), "{}) ")
         .replace("\n", "\r\n").encode("koi8-r"), hyphens(TALKS)),
    text("a line #{} above each dialogue, in UTF-16", headed(TALKS, "#{}").encode("utf-16"),
         TALKS),
    text("a line № {} above each English dialogue, in cp1251",
         headed(ENGLISH_DIALOGUES, "№ {}").encode("cp1251"), ENGLISH_DIALOGUES),
    text("headings of Markdown, each another", under([f"## {t}" for t in TOPICS], TALKS),
         TALKS, also=titled(TALKS)),
    case("F6", "a page of Markdown with headings and a title",
         {"a.md": "# Шутки\n\n" + under([f"## {t}\n" for t in TOPICS], TALKS)}, TALKS,
         also=titled(TALKS)),
    text("<s>…</s> around dialogues", framed(TALKS, "<s>", "</s>"), TALKS),
    text("[BOS]…[EOS] around dialogues", framed(TALKS, "[BOS]", "[EOS]"), TALKS),
    text("two marks in turn", "".join(f"BEGIN\n{t}\nEND\n" for t in TALKS), TALKS),
]  # fmt: skip

WHOLE = [
    text("lists of points between blank lines", blocks(LISTS), LISTS),
    text("lists of points between stars", ruled(LISTS, "***"), LISTS),
    text("lists of points between slashes", ruled(LISTS, "/"), LISTS),
    text("lists and dialogues between blank lines", blocks([*LISTS, *TALKS]), [*LISTS, *TALKS]),
    text("songs with the same last line, between blank lines", blocks(REFRAINS), REFRAINS),
    text("songs with the same last line, between stars", ruled(REFRAINS, "***"), REFRAINS),
    text("one-liners of which some begin with a number",
         lines([*RUSSIAN[:10], "3 раза звонил будильник, и 3 раза его не было дома.",
                *RUSSIAN[10:20], "40 лет вахтёр ждал лифт и стал подниматься сам."]),
         [*RUSSIAN[:10], "3 раза звонил будильник, и 3 раза его не было дома.",
          *RUSSIAN[10:20], "40 лет вахтёр ждал лифт и стал подниматься сам."]),
    text("one-liners with a stray row of dots", lines([*RUSSIAN[:20], "...", *RUSSIAN[20:40]]),
         RUSSIAN[:40]),
    text("replies that recur inside dialogues",
         blocks([f"{a}\n— Что?\n— {b}" for a, b in zip(RUSSIAN[:20], RUSSIAN[20:40], strict=True)]),
         [f"{a}\n— Что?\n— {b}" for a, b in zip(RUSSIAN[:20], RUSSIAN[20:40], strict=True)]),
    text("dialogues that begin with a hyphen",
         blocks([t.replace("—", "-") for t in TALKS]), [t.replace("—", "-") for t in TALKS]),
]  # fmt: skip

WITH_TITLES = [f"{title}\n\n" + "\n\n".join(v) for title, v in POEMS.items()]
WITHOUT = ["\n\n".join(v) for v in POEMS.values()]
CLOSE = [f"{title}\n" + "\n\n".join(v) for title, v in POEMS.items()]
NARROW = [wrapped(text, 45) for text in PROSE]
PARAGRAPHS = [*map(wrapped, PROSE)]
TWO = {
    "Стих первый": ["Мой кот уехал на вокзал,\nИ всем соседям рассказал.",
                    "Он скоро будет генерал,\nИ всем прикажет есть крахмал."],
    "Стих второй": ["Кипит на кухне старый чайник,\nКак будто он большой начальник.",
                    "А в чашке тихо стынет чай,\nИ говорит ему: прощай."],
}  # fmt: skip


def verse(name: str, data: str, texts: list[str], **more: object) -> Case:
    return case("F7", name, {"a.txt": data}, texts, **more)  # type: ignore[arg-type]


VERSE = [
    verse("two poems with titles and stanzas", poems(TWO),
          ["\n\n".join([t, *v]) for t, v in TWO.items()], also=[["\n\n".join(v)
                                                                for v in TWO.values()]]),
    verse("poems with titles, two blank lines between", poems(POEMS), WITH_TITLES,
          also=[WITHOUT]),
    verse("poems without titles, two blank lines between",
          poems(POEMS, title=lambda _: ""), WITHOUT),
    verse("poems without titles, three blank lines between",
          poems(POEMS, "\n\n\n\n", lambda _: ""), WITHOUT),
    verse("poems with the title right above", poems(POEMS, title="{}\n".format), CLOSE,
          also=[WITHOUT]),
    verse("poems with a title in capitals",
          poems({t.upper(): v for t, v in POEMS.items()}),
          ["\n\n".join([t.upper(), *v]) for t, v in POEMS.items()], also=[WITHOUT]),
    verse("poems below stars", "".join(f"* * *\n\n{w}\n\n" for w in WITHOUT), WITHOUT),
    verse("poems between stars", ruled_with_blanks(WITHOUT, "* * *"), WITHOUT),
    verse("poems with titles between stars", ruled_with_blanks(WITH_TITLES, "***"), WITH_TITLES,
          also=[WITHOUT]),
    verse("poems with Roman numbers above", "".join(
        f"{n}\n\n{w}\n\n\n" for n, w in zip(
            ROMAN, WITHOUT, strict=True)), WITHOUT),
    verse("wrapped prose between blank lines", blocks(PARAGRAPHS), PARAGRAPHS, also=[PROSE]),
    verse("prose wrapped to more than ten lines a paragraph", blocks(NARROW), NARROW, also=[PROSE]),
    verse("prose, a paragraph a line", lines(PROSE), PROSE),
    verse("prose, an indent before each wrapped paragraph",
          "".join(f"    {t}\n" for t in PARAGRAPHS), PARAGRAPHS, also=[PROSE]),
    verse("short wrapped texts between blank lines",
          blocks([wrapped(t, 40) for t in RUSSIAN[:30]]), [wrapped(t, 40) for t in RUSSIAN[:30]],
          also=[RUSSIAN[:30]]),
]  # fmt: skip

MENTIONS = {
    "<|endoftext|>": "Знак <|endoftext|> кончает текст, а <|endoftext|> не кончает жизнь.",
    "[EOS]": "Токен [EOS] сказал токену [BOS]: давай встретимся, [EOS] так [EOS].",
    "<eos>": "Модель шепнула <eos> дважды: <eos>, и никто не заплакал.",
    "<|end|>": "В блоге написали <|end|>, подумали и стёрли <|end|> обратно.",
}
CODE = "if token == '<|endoftext|>':\n    stop('<|endoftext|>')"
MARKS = [
    *(case("F8", f"two mentions of {mark} in one of the lines",
           {"a.txt": lines([*RUSSIAN[:10], mention, *RUSSIAN[10:30]])},
           [*RUSSIAN[:10], mention, *RUSSIAN[10:30]]) for mark, mention in MENTIONS.items()),
    case("F8", "two mentions of a mark in four lines",
         {"a.txt": lines([RUSSIAN[0], MENTIONS["<|endoftext|>"], RUSSIAN[2], RUSSIAN[1]])},
         [RUSSIAN[0], MENTIONS["<|endoftext|>"], RUSSIAN[2], RUSSIAN[1]]),
    case("F8", "two mentions of a mark in one of the dialogues",
         {"a.txt": blocks([*TALKS, MENTIONS["[EOS]"]])}, [*TALKS, MENTIONS["[EOS]"]]),
    case("F8", "code about marks between blank lines",
         {"a.txt": blocks([*TALKS, CODE, *MIXED[1::2]])}, [*TALKS, CODE, *MIXED[1::2]]),
    case("F8", "a mention in every fifth line", {"a.txt": lines(
        f"{t[:-1]} <|endoftext|> и ушёл." if n % 5 == 0 else t for n, t in enumerate(RUSSIAN))},
        [f"{t[:-1]} <|endoftext|> и ушёл." if n % 5 == 0 else t for n, t in enumerate(RUSSIAN)]),
    case("F8", "marks that end every dialogue on its last line",
         {"a.txt": "".join(f"{t} <|endoftext|>\n" for t in TALKS)}, TALKS),
]  # fmt: skip

LISTED = (
    "Купил мужик собаку и составил список:\n1. Кормить.\n2. Гулять.\n3. Не говорить жене.\n"
    "Жена нашла список."
)
FEW = [
    *(case("F6", f"two dialogues with {mark} between",
           {"a.txt": f"{TALKS[0]}\n{mark}\n{TALKS[1]}\n"}, TALKS[:2])
      for mark in ("//", "/", ". . .", "☆")),
    case("F6", "a single text with a list in it", {"a.txt": LISTED}, [LISTED]),
    case("F6", "a pause inside a dialogue",
         {"a.txt": "Муж пришёл домой.\n— Ты где был?\n...\n— Молчишь?\n— Думаю.\n"},
         ["Муж пришёл домой.\n— Ты где был?\n...\n— Молчишь?\n— Думаю."],
         also=[["Муж пришёл домой.", "— Ты где был?", "— Молчишь?"],
               ["Муж пришёл домой.", "— Ты где был?", "— Молчишь?", "— Думаю."],
               ["Муж пришёл домой.", "— Ты где был?"]]),
    case("F6", "a heading above a few numbered texts",
         {"a.txt": "Анекдоты недели:\n" + numbered(RUSSIAN[:6], "{}. ")},
         RUSSIAN[:6], also=[["Анекдоты недели:", *RUSSIAN[:6]]]),
]  # fmt: skip

CASES: list[Case] = [*SEPARATED, *WHOLE, *VERSE, *MARKS, *FEW]
