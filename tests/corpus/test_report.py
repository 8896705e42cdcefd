"""The report against a count by hand, and what hostile texts can do to its page."""

import base64
import hashlib
import json
import random
import re
import unicodedata
from collections import Counter
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path

import pytest

from anekdot.corpus.collection import PROCESSED, Collection
from anekdot.corpus.config import Rules
from anekdot.corpus.database import database, parquet
from anekdot.corpus.deduplication.select import EXACT_DUPLICATE, LEAK, NEAR_DUPLICATE, deduplicate
from anekdot.corpus.documents import Document, Layout, Piece
from anekdot.corpus.plan import Plan
from anekdot.corpus.processing import process_documents
from anekdot.corpus.report import FACTS, PAGE, write_report
from anekdot.corpus.report.drawing import percent
from anekdot.corpus.report.facts import Facts, Stripped
from anekdot.corpus.splitting import SPLITS
from anekdot.tokenizer.tokenizer import Tokenizer

MEMORY = 256 << 20
TOKENS = {"train": 4000, "validation": 500, "test": 300}
HELD = {"validation": 0.2, "test": 0.2}


def collection_of(documents: list[Document], work: Path, *, cut: int = 2, notices=(), **rules):
    """Processes and deduplicates documents that come in so many pieces."""
    rules = Rules(**{**HELD, **rules})
    size = -(-len(documents) // cut)
    tasks = [[Piece(path="a.txt", name="a.txt", layout=Layout(format="txt"))]] * cut
    for number in range(cut):
        part = documents[number * size : (number + 1) * size]
        process_documents(part, number, folder=work / PROCESSED, rules=rules, memory=MEMORY)
    selection = deduplicate(
        work / PROCESSED,
        work,
        memory=MEMORY,
        memory_per_process=MEMORY,
        run=lambda find, count: [find(number) for number in range(count)],
    )
    plan = Plan(rules=rules, tasks=tasks, states={}, notices=[*notices], unread={})
    return Collection(work=work, plan=plan, selection=selection, memory=MEMORY)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(["кот и кит", "кот и пёс"], vocab_size=270)


def make_documents() -> list[Document]:
    """Texts from seven sources with everything that can become of them."""
    chance = random.Random(3)
    words = ["кот", "пёс", "лес", "чай", "снег", "врач", "окно", "сыр", "Köln", "ψυχή", "🦔", "ёж"]
    documents = []
    for number in range(160):
        text = " ".join(chance.choices(words, k=chance.randint(5, 40))) + " — вот и всё."
        place = (f"файл {number % 7}.txt", number)
        documents.append(Document(text, *place, obscene=number % 9 == 0))
        if number % 4 == 0:
            documents.append(Document(text.upper() + "!", "копии.txt", number))
        if number % 5 == 0:
            documents.append(Document(f"{text} А потом всё сначала.", "копии.txt", number))
        if number % 11 == 0:
            documents.append(Document("Кот!", *place))
        if number % 31 == 0:
            documents.append(Document("[1", *place, fault="not JSON"))
    chance.shuffle(documents)
    return documents


def judged(collection: Collection) -> list[dict]:
    """Returns what became of every document, joined by hand."""
    with database(collection.work / "spill") as connection:
        chosen = connection.execute(f"FROM {parquet(collection.work, 'selection.parquet')}")
        decided = {row[0]: row[1:] for row in chosen.fetchall()}
        read = connection.execute(f"FROM {parquet(collection.processed, '*/documents.parquet')}")
        names = [column[0] for column in read.description]
        rows = [dict(zip(names, row, strict=True)) for row in read.fetchall()]
    for row in rows:
        if row["document"] in decided:
            row["split"], row["reason"], row["cluster"] = decided[row["document"]]
    return sorted(rows, key=lambda row: row["document"])


@pytest.fixture(scope="module")
def made(tmp_path_factory, tokenizer) -> tuple[Facts, list[dict], Path]:
    """Facts, what they should be about, and the folder of the report."""
    work = tmp_path_factory.mktemp("work")
    collection = collection_of(make_documents(), work, notices=["файл 1.txt is read as UTF-8."])
    (work / "out").mkdir()
    facts = write_report(collection, tokenizer, TOKENS, work / "out")
    return facts, judged(collection), work / "out"


def test_every_text_is_kept_or_dropped_for_a_reason(made):
    facts, rows, _ = made
    reasons = Counter(row["reason"] for row in rows)
    assert facts.texts_in == len(rows) == len(make_documents())
    assert facts.kept == reasons.pop("")
    assert facts.dropped == dict(reasons)
    assert [*facts.dropped.values()] == sorted(facts.dropped.values(), reverse=True)
    assert {EXACT_DUPLICATE, NEAR_DUPLICATE, LEAK, "too short", "not JSON"} <= {*facts.dropped}
    assert facts.obscene == sum(row["obscene"] for row in rows if not row["reason"]) > 0
    assert facts.obscene_share == facts.obscene / facts.kept
    assert facts.guessed == ["файл 1.txt is read as UTF-8."]


def test_splits_and_bytes_equal_a_count_by_hand(made, tokenizer):
    facts, rows, _ = made
    for number, split in enumerate(SPLITS):
        texts = [row["text"] for row in rows if row["split"] == number and not row["reason"]]
        assert facts.documents[split] == len(texts) > 0
        assert facts.bytes[split] == sum(len(text.encode()) for text in texts)
    assert facts.tokens == TOKENS
    in_texts = sum(TOKENS.values()) - 2 * facts.kept
    assert facts.bytes_per_token == pytest.approx(sum(facts.bytes.values()) / in_texts)
    assert facts.vocab_size == tokenizer.vocab_size


def test_lengths_equal_a_count_by_hand(made):
    facts, rows, _ = made
    lengths = sorted(len(row["text"]) for row in rows if not row["reason"])
    for label, length in facts.quantiles.items():
        percent = int(label.removesuffix(" %"))
        assert length in lengths
        assert sum(n <= length for n in lengths) * 100 >= percent * len(lengths)
        assert sum(n < length for n in lengths) * 100 <= percent * len(lengths)
    assert [facts.quantiles["0 %"], facts.quantiles["100 %"]] == [lengths[0], lengths[-1]]
    for bar in facts.histogram:
        assert bar.texts == sum(bar.start <= n < bar.stop for n in lengths)
    assert sum(bar.texts for bar in facts.histogram) == len(lengths)
    stops = [bar.stop for bar in facts.histogram]
    assert [bar.start for bar in facts.histogram[1:]] == stops[:-1]


def test_letters_and_characters_equal_a_count_by_hand(made):
    facts, rows, _ = made
    characters = Counter("".join(row["text"] for row in rows if not row["reason"]))
    scripts = Counter()
    for character, count in characters.items():
        for script in ("CYRILLIC", "LATIN", "GREEK"):
            if unicodedata.name(character).startswith(script + " "):
                scripts[script.lower()] += count
    assert facts.letters == dict(scripts)
    assert next(iter(facts.letters)) == "cyrillic"
    assert facts.characters == dict(characters)
    assert "🦔" in facts.characters
    assert facts.n_characters == characters.total()
    assert facts.alphabet_size == len(characters)


def test_sources_equal_a_count_by_hand(made):
    facts, rows, _ = made
    assert facts.n_sources == len(facts.sources) == 8
    for each in facts.sources:
        reasons = [row["reason"] for row in rows if row["source"] == each.source]
        assert each.texts_in == len(reasons)
        assert each.kept == reasons.count("")
        assert each.exact_duplicates == reasons.count(EXACT_DUPLICATE)
        assert each.near_duplicates == reasons.count(NEAR_DUPLICATE) + reasons.count(LEAK)
    sizes = [(-each.texts_in, each.source) for each in facts.sources]
    assert sizes == sorted(sizes)


def test_examples_stand_with_the_text_that_stays(made):
    facts, rows, _ = made
    by_place = {(row["source"], row["line"], row["text"][:300]): row for row in rows}
    by_number = {row["document"]: row for row in rows}
    assert [*facts.examples] == [*facts.dropped]
    for reason, examples in facts.examples.items():
        assert len(examples) == min(3, facts.dropped[reason])
        for example in examples:
            row = by_place[example.dropped.source, example.dropped.line, example.dropped.text]
            assert row["reason"] == reason
            kept = by_number.get(row.get("cluster"))
            assert (example.stays is None) == (kept is None)
            if kept is not None:
                assert not kept["reason"]
                assert example.stays.text == kept["text"][:300]
                assert (example.stays.source, example.stays.line) == (kept["source"], kept["line"])


def test_examples_come_from_different_sources(tmp_path, tokenizer):
    names = ["a.txt"] * 5 + ["b.txt"] * 2 + ["c.txt"]
    documents = [Document("Кот!", name, line) for line, name in enumerate(names)]
    documents.append(Document("Один ёж — не стадо.", "a.txt", 9))
    facts = write_report(collection_of(documents, tmp_path, cut=1), tokenizer, TOKENS, tmp_path)
    places = [(e.dropped.source, e.dropped.line) for e in facts.examples["too short"]]
    assert places == [("a.txt", 0), ("b.txt", 5), ("c.txt", 7)]


def test_repairs_are_added_up(tmp_path, tokenizer):
    documents = [
        Document(f"Кот  номер {n} пьёт чай.\r\nИ\tмолчит.  ", "a.txt", n) for n in range(9)
    ]
    collection = collection_of(documents, tmp_path, cut=3)
    expected = Counter()
    for path in collection.processed.glob("*/counts.json"):
        expected.update(json.loads(path.read_text("utf-8"))["repaired"])
    assert expected
    facts = write_report(collection, tokenizer, TOKENS, tmp_path)
    assert facts.repaired == dict(expected)


def test_a_text_that_was_lost_is_noticed(tmp_path, tokenizer):
    collection = collection_of(make_documents(), tmp_path)
    path = collection.processed / "000000" / "counts.json"
    counts = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**counts, "texts": counts["texts"] + 1}), "utf-8")
    with pytest.raises(AssertionError, match="lost"):
        write_report(collection, tokenizer, TOKENS, tmp_path)


def test_the_same_corpus_gives_the_same_bytes(made, tmp_path, tokenizer):
    _, _, folder = made
    collection = collection_of(make_documents(), tmp_path, notices=["файл 1.txt is read as UTF-8."])
    write_report(collection, tokenizer, TOKENS, tmp_path)
    for name in ("report.json", "report.html"):
        content = (tmp_path / name).read_bytes()
        assert content == (folder / name).read_bytes()
        assert str(tmp_path).encode() not in content
        assert b"\r" not in content


def test_the_json_says_what_is_returned(made):
    facts, _, folder = made
    assert json.loads((folder / "report.json").read_text("utf-8")) == asdict(facts)


HOSTILE = [
    "<script>alert(1)</script> кот пришёл домой",
    "</blockquote></body><img src=x onerror=alert(2)> пёс ушёл",
    "\"' onmouseover='alert(3)' style=\"display:none\" ёж остался",
    "&lt;script&gt; снова &amp;#60; кот и пёс",
    "--><!-- ]]> <svg/onload=alert(4)> чай остыл",
]
BIDI = "\u202eтекст\u2066 наоборот\u200f"
TAGS = (
    "html head meta title style body header h1 p svg rect line text dl div dt dd section h2 h3 "
    "table thead tbody tr th td bdi figure figcaption details summary ul li b span blockquote "
    "cite mark"
)


class Page(HTMLParser):
    """Tags, attributes and texts of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.texts = set(), [], []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def handle_comment(self, data):
        raise AssertionError(data)


@pytest.fixture
def hostile(tmp_path, tokenizer) -> str:
    documents = [Document(f"Добрый текст номер {n} о коте и чае.", "a.txt", n) for n in range(30)]
    for line, text in enumerate([*HOSTILE, BIDI]):
        documents.append(Document(text, f"{text}.txt", line, fault=f"{text} is wrong"))
        longer = f"{text} а дальше идут ещё слова о коте и о чае {line}"
        documents += [Document(longer, "a.txt", line), Document(longer + "!", text, line)]
    collection = collection_of(documents, tmp_path, cut=1, notices=[*HOSTILE, BIDI, "\udcff"])
    write_report(collection, tokenizer, TOKENS, tmp_path)
    return (tmp_path / "report.html").read_text("utf-8")


def test_hostile_texts_are_shown_as_texts(hostile):
    parsed = Page(hostile)
    assert parsed.open == []
    assert parsed.tags == {*TAGS.split()}
    names = {name for name, _ in parsed.attributes}
    assert not [name for name in names if name.startswith("on") or name in ("style", "src", "href")]
    texts = "\x00".join(parsed.texts)
    for text in HOSTILE:
        assert text in texts
        assert f"{text}.txt" in texts
        assert f"{text} is wrong" in texts


def test_marks_of_direction_have_no_effect(hostile):
    assert not re.search("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", hostile)
    assert "⟨U+202E⟩текст⟨U+2066⟩ наоборот⟨U+200F⟩" in hostile
    assert "⟨U+DCFF⟩" in hostile


def test_the_page_may_load_and_run_nothing_but_its_own_style(hostile):
    policy = dict(re.findall(r"([a-z-]+) ('[^;\"]+')", hostile.split('content="')[1].split('"')[0]))
    style = hostile.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "url(" not in style
    assert "@import" not in style


def test_the_page_begins_with_what_matters(made):
    facts, _, folder = made
    html = (folder / "report.html").read_text("utf-8")
    assert f"<h1>{facts.texts_in:,} texts in, {facts.kept:,} kept</h1>" in html
    for reason, count in facts.dropped.items():
        assert f"{count:,}\u00a0{reason}" in html


def test_a_single_text_and_nothing_dropped(tmp_path, tokenizer):
    collection = collection_of([Document("Один ёж — не стадо.", "a.txt", 1)], tmp_path, cut=1)
    facts = write_report(collection, tokenizer, TOKENS, tmp_path)
    assert (facts.texts_in, facts.kept, facts.dropped, facts.examples) == (1, 1, {}, {})
    assert {*facts.quantiles.values()} == {len("Один ёж — не стадо.")}
    html = (tmp_path / "report.html").read_text("utf-8")
    assert "Nothing was dropped." in html
    assert "Dropped, and why" not in html
    assert Page(html).open == []


def test_only_the_largest_of_many_sources_are_shown(tmp_path, tokenizer):
    documents = [
        Document(f"Ёж номер {n} пришёл с яблоком.", f"{n % 57:02}.txt", n) for n in range(60)
    ]
    facts = write_report(collection_of(documents, tmp_path), tokenizer, TOKENS, tmp_path)
    assert facts.n_sources == 57
    shown = [each.source for each in facts.sources]
    assert shown == [f"{n:02}.txt" for n in range(50)]
    assert "And 7 more." in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 5, "0 %"), (5, 5, "100 %"), (1, 3, "33.3 %"), (1, 500, "0.20 %"),
        (1, 10**6, "&lt; 0.01 %"), (10**6 - 1, 10**6, "&gt; 99.99 %"), (0, 0, "0 %"),
    ],
)  # fmt: skip
def test_shares_never_pretend_to_be_nothing_or_all(part, whole, expected):
    assert percent(part, whole) == expected


def test_what_was_left_out_around_texts_is_counted_with_the_first_example(tmp_path, tokenizer):
    documents = [
        Document(f"Кот номер {n} пьёт чай и молчит.", "a.txt", n, stripped=(*stripped.items(),))
        for n, stripped in enumerate(
            [{}, {"line": "-- <b>Автор</b>"}, {"line": "-- другой", "prefix": "2."}] * 3
        )
    ]
    facts = write_report(collection_of(documents, tmp_path, cut=2), tokenizer, TOKENS, tmp_path)
    assert facts.stripped == [
        Stripped(kind="line", example="-- <b>Автор</b>", texts=6),
        Stripped(kind="prefix", example="2.", texts=3),
    ]
    saved = json.loads((tmp_path / FACTS).read_text("utf-8"))
    assert saved["stripped"][0] == {"kind": "line", "example": "-- <b>Автор</b>", "texts": 6}
    page = (tmp_path / PAGE).read_text("utf-8")
    assert "-- &lt;b&gt;Автор&lt;/b&gt;" in page
    assert "Left out around texts" in page
