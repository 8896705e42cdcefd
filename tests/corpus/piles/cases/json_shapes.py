"""JSON whose records do not stand in the first array at the top: F3, F9, and lists of F2."""

from tests.corpus.piles.case import Answer, Case, case
from tests.corpus.piles.contents import DIALOGUES, ENGLISH, MIXED, RUSSIAN
from tests.corpus.piles.shapes.tables import dump, jsonl, records

TEN, TWENTY, THIRTY = RUSSIAN[:10], RUSSIAN[:20], RUSSIAN[:30]
THEMES = {"врачи": RUSSIAN[:10], "лифты": RUSSIAN[10:20], "коты": RUSSIAN[20:30]}
IDS = {str(n): text for n, text in enumerate(MIXED, 1)}
OBJECTS = {str(n): {"text": text, "rating": n} for n, text in enumerate(MIXED, 1)}
TALKS = DIALOGUES[:20]
TALK_LINES = [text.split("\n") for text in TALKS]
FRAME = records(THIRTY, rating=5)


def columns(key: str) -> dict[str, object]:
    return {str(n): record[key] for n, record in enumerate(FRAME)}


def json_case(name: str, value: object, texts: list[str], **more: object) -> Case:
    return case("F3", name, {"a.json": dump(value)}, texts, **more)  # type: ignore[arg-type]


DICTIONARIES = [
    json_case("jokes by category", THEMES, THIRTY),
    json_case("two categories of one joke each",
              {"врачи": [RUSSIAN[3]], "лифты": [RUSSIAN[1]]}, [RUSSIAN[3], RUSSIAN[1]]),
    case("F3", "jokes by category, indented", {"a.json": dump(THEMES, indent=2)}, THIRTY),
    json_case("one category that the user names", THEMES, RUSSIAN[10:20],
              flags={"column": "лифты"}),
    json_case("jokes by category, as records",
              {theme: records(texts) for theme, texts in THEMES.items()}, THIRTY),
    json_case("jokes by id", IDS, MIXED),
    json_case("three jokes by id", {str(n): text for n, text in enumerate(RUSSIAN[:3], 1)},
              RUSSIAN[:3]),
    case("F3", "jokes by id, indented", {"a.json": dump(IDS, indent=4)}, MIXED),
    json_case("jokes by id with a word in it", {f"joke_{k}": t for k, t in IDS.items()}, MIXED),
    json_case("objects by id", OBJECTS, MIXED),
    case("F3", "objects by id, indented", {"a.json": dump(OBJECTS, indent=2)}, MIXED),
    json_case("jokes by the first letter",
              {letter: [t for t in TWENTY if t[0] == letter]
               for letter in sorted({t[0] for t in TWENTY})}, TWENTY),
    json_case("jokes nested by language, theme and length",
              {"ru": {"врачи": {"короткие": RUSSIAN[:8], "длинные": RUSSIAN[8:16]},
                      "лифты": {"короткие": RUSSIAN[16:24], "длинные": RUSSIAN[24:30]}}}, THIRTY),
    json_case("jokes for keys", dict.fromkeys(MIXED, 1) | {MIXED[0]: 0}, MIXED),
    json_case("two jokes for keys", {RUSSIAN[0]: 1, RUSSIAN[1]: 0}, RUSSIAN[:2]),
    json_case("a dictionary by id below a key",
              {"version": 3, "jokes": IDS, "updated": "2024-03-01"}, MIXED),
]  # fmt: skip

ENVELOPES = [
    json_case("an answer in an envelope", {"status": "ok", "data": {"items": records(MIXED)}},
              MIXED),
    json_case("an answer in an envelope, with one record",
              {"status": "ok", "data": {"items": records(RUSSIAN[:1])}}, RUSSIAN[:1]),
    json_case("an answer whose message is longer than a record",
              {"message": "The request was carried out successfully and without any problems "
               "whatever; see the documentation for the fields of the records below.",
               "result": {"total": 30, "hits": [{"_id": n, "_source": {"joke": t}}
                                               for n, t in enumerate(THIRTY)]}}, THIRTY),
    json_case("pages, each an answer", [{"page": n, "results": records(RUSSIAN[n:n + 10])}
                                       for n in (0, 10, 20)], THIRTY),
    case("F3", "pages, an answer a line",
         {"a.jsonl": jsonl({"page": n, "results": records(RUSSIAN[n:n + 10])}
                           for n in (0, 10, 20))}, THIRTY),
    json_case("GraphQL's edges and nodes",
              {"data": {"jokes": {"pageInfo": {"hasNextPage": False, "endCursor": "YXJyYXk="},
                                  "edges": [{"cursor": f"Y3Vyc29y{n}", "node": {"text": t}}
                                            for n, t in enumerate(THIRTY)]}}}, THIRTY),
    json_case("Reddit's listing",
              {"kind": "Listing", "data": {"after": "t3_abc", "children": [
                  {"kind": "t1", "data": {"author": f"user{n}", "body": t, "score": n,
                                          "permalink": f"/r/jokes/comments/{n:06}/a_long_slug/"}}
                  for n, t in enumerate(ENGLISH)]}}, ENGLISH),
    json_case("features of a map with stories",
              {"type": "FeatureCollection", "features": [
                  {"type": "Feature",
                   "geometry": {"type": "Point", "coordinates": [37.6 + n, 55.7]},
                   "properties": {"name": "Точка", "description": t}}
                  for n, t in enumerate(THIRTY)]}, THIRTY),
    case("F3", "Mongo's export", {"a.jsonl": jsonl(
        {"_id": {"$oid": f"{n:024x}"}, "joke": {"ru": t}, "createdAt": {"$date": "2024-03-01"}}
        for n, t in enumerate(THIRTY))}, THIRTY),
    json_case("Firebase's tree", {"jokes": {f"-NrT{n:016}": {"author": "anna", "text": t}
                                            for n, t in enumerate(THIRTY)},
                                  "users": {"anna": {"name": "Анна", "since": 2024}}}, THIRTY),
    json_case("resources with attributes", {"data": [
        {"type": "jokes", "id": str(n), "attributes": {"text": t, "rating": 5},
         "links": {"self": f"https://example.org/jokes/{n}"}} for n, t in enumerate(THIRTY)],
        "links": {"next": "https://example.org/jokes?page=2"}}, THIRTY),
    json_case("arrays of records in an array", [records(RUSSIAN[:15]), records(RUSSIAN[15:30])],
              THIRTY),
    case("F3", "jokes by category, in cp1251", {"a.json": dump(THEMES, indent=1).encode("cp1251")},
         THIRTY),
    json_case("an array of numbers and of links before the texts",
              {"shape": [[37.61, 55.75]] * 50,
               "images": [f"https://example.org/img/{n:08}/a_picture_of_something.jpg"
                          for n in range(60)],
               "jokes": THIRTY}, THIRTY),
    json_case("a short array of names before the texts",
              {"authors": ["Анна Иванова", "Пётр Кузнецов"], "tags": ["юмор", "коты"],
               "jokes": records(THIRTY)}, THIRTY),
    json_case("posts and comments", {"posts": records(RUSSIAN[:15]),
                                     "comments": records(RUSSIAN[15:30], "body")}, THIRTY),
    json_case("a comment below each post",
              [{"text": a, "comments": [{"text": b}]}
               for a, b in zip(RUSSIAN[:15], RUSSIAN[15:30], strict=True)], THIRTY,
              also=[Answer(RUSSIAN[:15], ("comments",))]),
]  # fmt: skip

PANDAS = [
    json_case("pandas, by columns", {key: columns(key) for key in ("id", "rating", "text")},
              THIRTY),
    json_case("pandas, one column", {"text": columns("text")}, THIRTY),
    json_case("pandas, by index", {str(n): record for n, record in enumerate(FRAME)}, THIRTY),
    json_case("pandas, split", {"columns": ["id", "text"], "index": [*range(30)],
                                "data": [[n, t] for n, t in enumerate(THIRTY)]}, THIRTY),
    json_case("pandas, records", FRAME, THIRTY),
    json_case("pandas, values", [[n, t] for n, t in enumerate(THIRTY)], THIRTY),
    json_case("pandas, table", {
        "schema": {"fields": [{"name": "index", "type": "integer"},
                              {"name": "text", "type": "string"}],
                   "primaryKey": ["index"], "pandas_version": "1.4.0"},
        "data": [{"index": n, "text": t} for n, t in enumerate(THIRTY)]}, THIRTY),
    json_case("columns of equal length", {"id": [*range(30)], "text": THIRTY}, THIRTY),
]  # fmt: skip

LISTS = [
    case("F2", "texts as arrays of lines",
         {"a.json": dump([{"id": n, "lines": each} for n, each in enumerate(TALK_LINES)])}, TALKS),
    case("F2", "texts as arrays of lines, below a key",
         {"a.json": dump({"jokes": [{"lines": each} for each in TALK_LINES]}, indent=1)}, TALKS),
    case("F2", "texts as arrays of lines, a record a line",
         {"a.jsonl": jsonl({"text": each} for each in TALK_LINES)}, TALKS),
    case("F2", "an array of arrays of lines", {"a.json": dump(TALK_LINES)}, TALKS),
    case("F2", "a notebook of Jupyter", {"a.ipynb": dump({
        "cells": [{"cell_type": "markdown", "metadata": {}, "source": [
            *(f"{line}\n" for line in each[:-1]), each[-1]]} for each in TALK_LINES],
        "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5},
        indent=1)}, TALKS),
    case("F3", "quotes with their authors in arrays",
         {"a.json": dump({"quotes": [[t, "Анна И."] for t in THIRTY]})}, THIRTY),
    case("F3", "an array of pairs with an id", {"a.json": dump([[n, t] for n, t in
                                                                enumerate(THIRTY)], indent=1)},
         THIRTY),
    case("F9", "JSON lines of arrays", {"a.jsonl": jsonl([n, t] for n, t in enumerate(THIRTY))},
         THIRTY),
    case("F9", "two JSON lines of arrays",
         {"a.jsonl": jsonl([n, t] for n, t in enumerate(RUSSIAN[:2]))}, RUSSIAN[:2]),
    case("F9", "JSON lines of strings", {"a.jsonl": jsonl(TALKS)}, TALKS),
]  # fmt: skip

KEYS = ("text", "joke", "body")
SOURCES = [{KEYS[n % 3]: text, "n": n} for n, text in enumerate(THIRTY)]
MERGED = [
    case("F9", "three keys in turn, three lines",
         {"a.jsonl": jsonl({key: t} for key, t in zip(KEYS, TEN, strict=False))}, RUSSIAN[:3]),
    case("F9", "three keys in turn", {"a.jsonl": jsonl(SOURCES)}, THIRTY),
    case("F9", "three keys in turn, in an array", {"a.json": dump(SOURCES)}, THIRTY),
    case("F9", "three keys one after another",
         {"a.jsonl": jsonl(sorted(SOURCES, key=lambda record: next(iter(record))))}, THIRTY),
    case("F9", "Russian and English keys", {"a.jsonl": jsonl(
        {("анекдот" if n % 2 else "text"): t} for n, t in enumerate(THIRTY))}, THIRTY),
    case("F9", "polls among the messages", {"a.jsonl": jsonl(
        {"type": "poll", "question": "Кто?", "options": ["Я", "Ты"]} if n % 5 == 4 else
        {"type": "message", "text": t} for n, t in enumerate(THIRTY))},
        [t for n, t in enumerate(THIRTY) if n % 5 != 4]),
    case("F9", "posts and comments in one stream", {"a.jsonl": jsonl(
        {"kind": "comment", "author": "anna", "body": t, "parent": n} if n % 2 else
        {"kind": "post", "author": "anna", "selftext": t, "score": n}
        for n, t in enumerate(ENGLISH))}, ENGLISH),
]  # fmt: skip

TREE = [
    {"author": "anna", "body": RUSSIAN[n], "replies": [
        {"author": "ivan", "body": RUSSIAN[n + 40], "replies": [
            {"author": "anna", "body": TALKS[n], "replies": []}]},
        {"author": "oleg", "body": RUSSIAN[n + 60], "replies": []}]}
    for n in range(15)
]  # fmt: skip
BRANCHES = [*RUSSIAN[:15], *RUSSIAN[40:55], *TALKS[:15], *RUSSIAN[60:75]]
LISTING = {"data": {"children": [
    {"data": {"body": RUSSIAN[n], "replies": {"data": {"children": [
        {"data": {"body": RUSSIAN[n + 40], "replies": ""}}]}}}} for n in range(30)]}}  # fmt: skip
POSTS = [{"text": t, "comments": [{"text": f"Ха-ха, смешно, номер {n}."}]}
         for n, t in enumerate(TALKS)]  # fmt: skip
TREES = [
    case("F3", "comments with answers", {"a.json": dump(TREE)}, BRANCHES),
    case("F3", "comments with answers, a comment a line", {"a.jsonl": jsonl(TREE)}, BRANCHES),
    case("F3", "comments with answers, below a post",
         {"a.json": dump({"post": {"title": "Шутки недели"}, "comments": TREE})}, BRANCHES),
    case("F3", "comments of Reddit", {"a.json": dump(LISTING)}, [*RUSSIAN[:30], *RUSSIAN[40:70]]),
    case("F3", "posts with comments of another kind", {"a.json": dump(POSTS)}, TALKS),
]  # fmt: skip

CASES: list[Case] = [*DICTIONARIES, *ENVELOPES, *PANDAS, *LISTS, *MERGED, *TREES]
