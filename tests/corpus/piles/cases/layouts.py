"""How texts stand in files that people keep by hand: gaps, long blocks, notes, lists."""

from itertools import pairwise
from random import Random

from tests.corpus.piles.case import Answer, Case, case
from tests.corpus.piles.contents import (
    DIALOGUES,
    ENGLISH,
    ENGLISH_DIALOGUES,
    MIXED,
    POEMS,
    PROSE,
    RUSSIAN,
)
from tests.corpus.piles.shapes.text import blocks, spread

TALKS = DIALOGUES[:24]
VERSES = ["\n\n".join(stanzas) for stanzas in POEMS.values()]
SONGS = ["\n".join(stanzas) for stanzas in POEMS.values()]
LONG = [
    "\n".join([a, *b.split("\n")[1:], *c.split("\n")[1:], *d.split("\n")[1:], *e.split("\n")[1:]])
    for a, b, c, d, e in zip(
        RUSSIAN, TALKS, TALKS[5:], TALKS[9:], TALKS[14:], strict=False
    )
]  # fmt: skip
"""Dialogues of a dozen lines."""
FIVE = ["\n".join([*t.split("\n")[:3], "— И что?", "— Уже ничего."]) for t in TALKS[:2]]


def text(name: str, data: str, texts: list[str], **more: object) -> Case:
    return case("F7", name, {"a.txt": data}, texts, **more)  # type: ignore[arg-type]


def sloppy(texts: list[str], share: float, seed: int) -> str:
    """A blank line between texts, or a few where somebody's finger stayed on the key."""
    random = Random(seed)
    return "".join(
        t + "\n" * (random.randint(3, 4) if random.random() < share else 2) for t in texts
    )


GAPS = [
    *(
        text(f"{kind} with sloppy gaps, {share:.0%} too long", sloppy(texts, share, seed), texts)
        for seed, (kind, texts) in enumerate(
            (("one-liners", RUSSIAN[:40]), ("dialogues and one-liners", MIXED),
             ("English dialogues", ENGLISH_DIALOGUES), ("a dozen of one-liners", RUSSIAN[:12]))
        )
        for share in (0.1, 0.4, 0.7)
    ),
    *(
        text(f"{kind}, a blank line between replies, {gap} between texts",
             blocks(map(spread, texts), "\n" * (gap + 1)), [*map(spread, texts)], also=[texts])
        for kind, texts in (("dialogues and one-liners", MIXED), ("eight texts", MIXED[:8]),
                            ("a few dialogues among one-liners", [*RUSSIAN[20:40], *TALKS[:8]]))
        for gap in (2, 3)
    ),
    text("replies with blank lines between or without, two between dialogues",
         blocks([t if n % 2 else spread(t) for n, t in enumerate(TALKS)], "\n\n\n"),
         [t if n % 2 else spread(t) for n, t in enumerate(TALKS)], also=[TALKS]),
]  # fmt: skip

BLOCKS = [
    text("dialogues of a dozen lines between blank lines", blocks(LONG), LONG),
    text("two dialogues of a dozen lines", blocks(LONG[:2]), LONG[:2]),
    text("two dialogues of five lines", blocks(FIVE), FIVE),
    text("long poems without stanzas between blank lines", blocks(SONGS), SONGS),
    text("a text a line, a page between blank lines",
         blocks(["\n".join(RUSSIAN[:17]), "\n".join(RUSSIAN[17:40])]), RUSSIAN[:40]),
]  # fmt: skip


def notes(texts: list[str], front: str, ending: str = ".md") -> dict[str, bytes | str]:
    return {f"notes/{n}{ending}": front.format(n) + t + "\n" for n, t in enumerate(texts)}


FRONT = '---\ntags: [смех, "ёж"]\ncreated: 2024-01-{:02}\naliases:\n  - запись\n---\n\n'
STORIES = [f"{a}\n\n{b}" for a, b in pairwise(PROSE)]
FOLDER = [
    case("F16", "notes with front matter, a text each", notes(MIXED[:20], FRONT), MIXED[:20],
         source="notes"),
    case("F16", "one note with front matter and texts between blank lines",
         {"a.md": FRONT.format(3) + blocks(TALKS)}, Answer(TALKS, ("front matter",))),
    case("F16", "one note with front matter and texts between rules",
         {"a.md": FRONT.format(3) + blocks(TALKS, "\n\n---\n\n")}, TALKS),
    case("F16", "front matter of TOML",
         {"a.md": '+++\ntitle = "Смех"\ndraft = false\n+++\n\n' + blocks(TALKS, "\n***\n")}, TALKS),
    case("F16", "questions and answers between rules, no front matter",
         {"a.md": "---\n" + blocks([f"Q: {a}\nA: {b}" for a, b in
                                    zip(ENGLISH[:9], ENGLISH[9:18], strict=True)], "\n---\n")},
         [f"Q: {a}\nA: {b}" for a, b in zip(ENGLISH[:9], ENGLISH[9:18], strict=True)]),
    case("F16", "a folder of poems, one a file", notes(VERSES * 3, "", ".txt"), VERSES * 3,
         source="notes"),
    case("F16", "a folder of stories, one a file", notes(STORIES * 4, "", ".txt"), STORIES * 4,
         source="notes"),
    case("F16", "a folder of notes with titles, one a file",
         notes([spread(t) for t in TALKS], "# Запись {}\n\n"),
         [f"# Запись {n}\n\n{spread(t)}" for n, t in enumerate(TALKS)], source="notes"),
    case("F16", "a folder of files with several one-liners each",
         {f"notes/{n}.txt": blocks(RUSSIAN[4 * n : 4 * n + 4]) for n in range(10)},
         RUSSIAN[:40], source="notes"),
]  # fmt: skip

JUMPS = [7, 12, 13, 40, 41, 58, 90, 97, 133, 160, 171, 205]
NUMBERS = [
    text("chosen texts with the numbers they had",
         "".join(f"{n}. {t}\n" for n, t in zip(JUMPS, TALKS, strict=False)), TALKS[:12]),
    text("chosen texts with the numbers they had, blank lines between",
         "".join(f"{n}) {t}\n\n" for n, t in zip(JUMPS, TALKS, strict=False)), TALKS[:12]),
]  # fmt: skip


def nested(texts: list[str], mark: str) -> str:
    """A list of Markdown whose points go on below with an indent."""
    return "".join(mark + t.replace("\n", "\n  ") + "\n" for t in texts)


def page(name: str, data: str, texts: list[str], **more: object) -> Case:
    return case("F15", name, {"a.md": data}, texts, **more)  # type: ignore[arg-type]


QUOTED = [t.replace("\n", "\n> ") for t in TALKS]
KINDS = ("Про котов", "Про врачей", "Про лифт", "Про сон")
HEADS = [Random(n).choice(KINDS) for n in range(24)]
MARKDOWN = [
    page("hyphens before each line of a page", blocks((f"- {t}" for t in RUSSIAN), "\n"), RUSSIAN),
    page("a title, and hyphens before each line",
         "# Все шутки о лифтах и ежах\n\n" + blocks((f"- {t}" for t in RUSSIAN), "\n"), RUSSIAN,
         also=[["# Все шутки о лифтах и ежах", *RUSSIAN]]),
    page("boxes to tick before each line", blocks((f"- [ ] {t}" for t in RUSSIAN), "\n"), RUSSIAN),
    *(page(f"points of a list that go on with an indent, {mark}", nested(MIXED, f"{mark} "), MIXED)
      for mark in "-*+"),
    page("quoted dialogues", blocks(f"> {t}" for t in QUOTED), TALKS),
    page("headings of which some recur, in any order",
         "".join(f"### {h}\n\n{t}\n\n" for h, t in zip(HEADS, TALKS, strict=True)), TALKS,
         also=[[f"{h}\n\n{t}" for h, t in zip(HEADS, TALKS, strict=True)]]),
]  # fmt: skip

RADIO = [f"Чукотское радио спрашивают:\n— {t.rstrip('.')}?\n— {n} раз." for n, t in
         enumerate(RUSSIAN[:20], 2)]  # fmt: skip
KNOCKS = [f"Toc, toc.\nWho is there?\n{t}" for t in ENGLISH[:20]]
CHATS = [f"xxx: {a}\nyyy: {b}" for a, b in zip(RUSSIAN[:20], RUSSIAN[20:40], strict=True)]
PAIRED = [*zip(RUSSIAN[:20], RUSSIAN[20:40], strict=True)]
SPOKEN = [
    text("the same words that open each dialogue", blocks(RADIO), RADIO),
    text("the same words that open each dialogue, no blank lines", blocks(RADIO, "\n"), RADIO),
    text("the same words that open each English text", blocks(KNOCKS), KNOCKS),
    text("speakers before each line, between blank lines", blocks(CHATS), CHATS),
    text("speakers before each line, between stars", blocks(CHATS, "\n***\n"), CHATS),
    text("questions and answers on lines in turn",
         blocks([f"Вопрос: {a}\nОтвет: {b}" for a, b in PAIRED], "\n"),
         [f"{a}\n{b}" for a, b in PAIRED], also=[[f"Вопрос: {a}\nОтвет: {b}" for a, b in PAIRED]]),
    text("a rating on a line above each text, between rules",
         blocks((f"Оценка: {n * 7}\n{t}" for n, t in enumerate(TALKS)), "\n-----\n"), TALKS),
]  # fmt: skip


def said(name: str, texts: list[str], word: str) -> Case:
    return text(name, blocks(texts), Answer(texts, (word,)))  # type: ignore[arg-type]


EDGES = [
    said("topics below each text", [f"{t}\nТемы: {KINDS[n % 4]}, {n}" for n, t in enumerate(MIXED)],
         "--strip «Темы:*»"),
    said("addresses below each text", [f"{t}\nhttps://x.invalid/{n}" for n, t in enumerate(MIXED)],
         "--strip «https:*»"),
    said("tags below each text", [f"{t}\n#смех #тема{n % 3}" for n, t in enumerate(MIXED)],
         "--strip «#*»"),
    said("topics above each text", [f"[{h}]\n{t}" for h, t in zip(HEADS, TALKS, strict=True)],
         "--strip «[*»"),
]  # fmt: skip

CASES: list[Case] = [
    *GAPS, *BLOCKS, *FOLDER, *NUMBERS, *MARKDOWN, *SPOKEN, *EDGES
]  # fmt: skip
