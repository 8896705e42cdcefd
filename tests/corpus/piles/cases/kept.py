"""What was read right from the beginning, and must stay so."""

import bz2
import gzip
import lzma

from tests.corpus.piles.case import Case, Link, case
from tests.corpus.piles.contents import (
    DIALOGUES,
    ENGLISH,
    ENGLISH_DIALOGUES,
    LANGUAGES,
    MIXED,
    RUSSIAN,
)
from tests.corpus.piles.shapes.chats import discord, slack
from tests.corpus.piles.shapes.files import zipped
from tests.corpus.piles.shapes.tables import dump, jsonl, quoted, records, table
from tests.corpus.piles.shapes.text import blocks, framed, lines, ruled, ruled_with_blanks

FEW, MANY = RUSSIAN[:12], RUSSIAN[:60]
TALKS = DIALOGUES[:20]
RULES = ("***", "---", "=====", "____", "###", "~~~", "* * *", "_ _ _", "= = =", "-" * 80, "%")
MARKS = (("<|startoftext|>", "<|endoftext|>"), ("", "<|endoftext|>"))


def kept(name: str, files: dict[str, bytes | str | Link], texts: list[str], **more: str) -> Case:
    return case("kept", name, files, texts, **more)


CASES = [
    kept("lines", {"a.txt": lines(MANY)}, MANY),
    kept("English lines", {"a.txt": lines(ENGLISH)}, ENGLISH),
    kept("lines with a blank line after each", {"a.txt": blocks(FEW)}, FEW),
    kept("blocks between blank lines", {"a.txt": blocks(TALKS)}, TALKS),
    kept("English blocks", {"a.txt": blocks(ENGLISH_DIALOGUES)}, ENGLISH_DIALOGUES),
    kept("lines and dialogues between blank lines", {"a.txt": blocks(MIXED)}, MIXED),
    kept("lines and dialogues between stars", {"a.txt": ruled(MIXED, "***")}, MIXED),
    kept("old Mac line ends", {"a.txt": lines(FEW, "\r")}, FEW),
    kept("old Mac blocks", {"a.txt": blocks(TALKS).replace("\n", "\r")}, TALKS),
    kept("Windows blocks", {"a.txt": blocks(TALKS).replace("\n", "\r\n")}, TALKS),
    kept(
        "three kinds of line ends in one file",
        {"a.txt": lines(FEW[:4], "\r") + lines(FEW[4:8], "\r\n") + lines(FEW[8:])},
        FEW,
    ),
    kept("no line end at the end", {"a.txt": lines(FEW)[:-1]}, FEW),
    kept(
        "a byte order mark in the middle, as cat leaves it",
        {"a.txt": "\ufeff" + lines(FEW[:6]) + "\ufeff" + lines(FEW[6:])},
        FEW,
    ),
    kept("Ukrainian in cp1251", {"a.txt": lines(LANGUAGES["ukrainian"]).encode("cp1251")},
         LANGUAGES["ukrainian"]),
    *(kept(f"dialogues between {rule[:12]}", {"a.txt": ruled(TALKS, rule)}, TALKS)
      for rule in RULES),
    kept("stars among blank lines", {"a.txt": ruled_with_blanks(TALKS, "* * *")}, TALKS),
    *(kept(f"marks {start}…{end}", {"a.txt": framed(TALKS, start, end)}, TALKS)
      for start, end in MARKS),
    kept("marks <s>…</s> in lines", {"a.txt": framed(FEW, "<s>", "</s>")}, FEW),
    kept("one mention of a mark",
         {"a.txt": lines([*FEW, "Знак <|endoftext|> кончает текст, а не жизнь."])},
         [*FEW, "Знак <|endoftext|> кончает текст, а не жизнь."]),
    kept("line breaks of HTML in lines",
         {"a.txt": lines(text.replace("\n", "<br>") for text in TALKS)}, TALKS),
    kept("emoji with joiners", {"a.txt": lines(f"{text} 👨‍👩‍👧" for text in FEW)},
         [f"{text} 👨‍👩‍👧" for text in FEW]),
    kept("code, whose tabs become blanks",
         {"a.txt": ruled([f"if x == {n}:\n\tprint({n * n})\n\tstop()" for n in range(99, 120)],
                         "%")},
         [f"if x == {n}:\n print({n * n})\n stop()" for n in range(99, 120)]),
    kept("a name with blanks, brackets and Cyrillic",
         {"мои (старые) [шутки] 1.txt": lines(FEW)}, FEW),
    kept("a source that is a link", {"../outside/real.txt": lines(FEW),
                                     "a.txt": Link("../outside/real.txt")}, FEW, source="a.txt"),
    kept("Excel's table", {"a.csv": table([("№", "Анекдот"), *enumerate(TALKS, 1)], ";", "\r\n")
                           .encode("cp1251")}, TALKS),
    kept("Excel's table with a byte order mark and its delimiter named",
         {"a.csv": ("\ufeffsep=;\r\n" + table([("id", "text"), *enumerate(TALKS, 1)], ";", "\r\n"))
          .encode()}, TALKS),
    kept("Kaggle's short jokes", {"shortjokes.csv": quoted([("ID", "Joke"),
                                                            *enumerate(ENGLISH, 1)])}, ENGLISH),
    kept("a table without a header", {"a.csv": table(enumerate(ENGLISH, 1))}, ENGLISH),
    kept("a table with the index of pandas",
         {"a.csv": table([("", "id", "text"), *((n, 7 * n, t) for n, t in enumerate(ENGLISH))])},
         ENGLISH),
    kept("Discord's JSON", {"chat.json": dump(discord(TALKS), indent=2)}, TALKS),
    kept("Discord's table",
         {"chat.csv": table([("AuthorID", "Author", "Date", "Content", "Attachments", "Reactions"),
                             *(("7", "anna", "2024-03-01T10:00:00", t, "", "") for t in TALKS)])},
         TALKS),
    kept("Slack's JSON", {"2024-03-01.json": dump(slack(TALKS), indent=4)}, TALKS),
    kept("records with a category and a rating",
         {"stupidstuff.json": dump([
             {"body": text, "category": "Children", "id": n, "rating": 2.63}
             for n, text in enumerate(ENGLISH_DIALOGUES)
         ], indent=4)}, ENGLISH_DIALOGUES),
    kept("quotes with facts about them",
         {"quotes.json": dump([
             {"citation": t, "infos": {"auteur": "Anna", "acteur": "Anna", "saison": "Livre I"}}
             for t in LANGUAGES["french"]
         ])}, LANGUAGES["french"]),
    kept("an array of strings", {"a.json": dump(TALKS)}, TALKS),
    kept("JSON lines", {"a.jsonl": jsonl(records(TALKS))}, TALKS),
    kept("JSON lines compressed", {"a.jsonl.gz": gzip.compress(jsonl(records(TALKS)).encode())},
         TALKS),
    kept("lines in bzip2", {"a.txt.bz2": bz2.compress(lines(FEW).encode("cp1251"))}, FEW),
    kept("blocks in xz", {"a.txt.xz": lzma.compress(blocks(TALKS).encode())}, TALKS),
    kept("a zip archive of several formats",
         {"a.zip": zipped({"a.txt": lines(FEW[:6]), "b/c.jsonl": jsonl(records(FEW[6:]))})}, FEW),
    kept("a folder of files in several encodings",
         {"a.txt": lines(FEW[:3]).encode("cp1251"), "b.txt": lines(FEW[3:6]).encode("koi8-r"),
          "c.txt": lines(FEW[6:9]), "d/e.txt": lines(FEW[9:]).encode("utf-16")}, FEW),
]  # fmt: skip
