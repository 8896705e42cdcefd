import gzip
import json
import random
import sys
import tempfile
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anekdot.corpus.collecting import NEAR_DUPLICATE, Collection, collect
from anekdot.corpus.splitting import side, words
from anekdot.errors import ConfigurationError, CorpusError

VOCABULARY = ["кот", "пёс", "дом", "мост", "лес", "река", "врач", "повар", "снег", "чай", "окно"]
sentences = st.lists(st.sampled_from(VOCABULARY[:5]), max_size=9).map(" ".join)


def write(path: Path, records: list[str | dict]) -> Path:
    dicts = [r if isinstance(r, dict) else {"text": r} for r in records]
    path.write_text("\n".join(json.dumps(r) for r in dicts), encoding="utf-8")
    return path


def collected(records: list[str | dict], validation=0.3, test=0.3, **options) -> Collection:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "a.jsonl", records)
        return collect([path], validation=validation, test=test, **options)


def sides(collection: Collection) -> dict[str, str]:
    return {text: name for name, texts in collection.sides.items() for text in texts}


def grams(text: str) -> set[str]:
    w = words(text)
    return {" ".join(w[i : i + 4]) for i in range(len(w) - 3)}


def near(a: set[str], b: set[str]) -> bool:
    return len(a & b) >= 3 and 2 * len(a & b) >= min(len(a), len(b))


def random_texts(seed: int, count: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(VOCABULARY, k=12)) for _ in range(count)]


def on(wanted: str) -> str:
    """A text of twelve words that falls on a side by its own hash, at a share of 0.3 each."""
    return next(t for t in random_texts(1, 100) if side(t, 0.3, 0.3) == wanted)


def variant(text: str, wanted: str) -> str:
    """The same twelve words and a thirteenth, on the wanted side."""
    variants = (f"{text} и {i}" for i in range(100))
    return next(v for v in variants if side(v, 0.3, 0.3) == wanted)


def test_order_counts_and_cleaning():
    texts = [
        "Один кот и мышь.",
        "  Два\tкота и мышь. ",
        "",
        "кот",
        "Один кот — и мышь!",
        "я" * 30_000,
    ]
    collection = collected(texts, validation=0, test=0)
    assert collection.sides["train"] == ["Один кот — и мышь!", "Два кота и мышь."]
    assert collection.texts_in == 6
    assert collection.dropped == {"empty": 1, "too short": 1, "too long": 1, "exact duplicate": 1}


@pytest.mark.parametrize(
    ("kept", "lost"), [("test", "train"), ("validation", "train"), ("test", "validation")]
)
@pytest.mark.parametrize("kept_first", [True, False])
def test_planted_near_duplicates(kept, lost, kept_first):
    text = on(kept)
    other = variant(text, lost)
    collection = collected([text, other] if kept_first else [other, text])
    assert sides(collection) == {text: kept}
    assert collection.dropped == {NEAR_DUPLICATE: 1}


def test_near_duplicates_within_a_side_stay():
    text = on("train")
    assert collected([text, variant(text, "train")]).kept == 2


def test_a_dropped_validation_text_drops_nothing_itself():
    test_text, tail = on("test"), " один два три четыре пять шесть семь восемь"
    bridges = (f"{test_text}{tail} {i}" for i in range(99))
    bridge = next(t for t in bridges if side(t, 0.3, 0.3) == "validation")
    far = next(t for t in (f"{tail} {i}" for i in range(99)) if side(t, 0.3, 0.3) == "train")
    assert sides(collected([bridge, far])) == {bridge: "validation"}
    assert sides(collected([bridge, far, test_text])) == {test_text: "test", far.strip(): "train"}


def test_no_obscene():
    records = [
        {"text": "Невинная шутка", "obscene": True},
        "Ну и хуйня вышла",
        "Просто шутка, и всё",
    ]
    assert collected(records).kept == 3
    collection = collected(records, no_obscene=True)
    assert list(sides(collection)) == ["Просто шутка, и всё"]
    assert collection.dropped == {"obscene": 2}


@settings(max_examples=50)
@given(st.lists(sentences, min_size=1, max_size=25))
def test_nothing_is_lost_and_the_sides_are_apart(texts):
    try:
        collection = collected(texts)
    except CorpusError:
        assert all(len(text) < 10 for text in texts)
        return
    assert collection.texts_in == len(texts) == collection.kept + sum(collection.dropped.values())
    ranked = [collection.sides["test"], collection.sides["validation"], collection.sides["train"]]
    for i, held_out in enumerate(ranked):
        for lower in ranked[i + 1 :]:
            assert not any(near(grams(a), grams(b)) for a in held_out for b in lower)


@settings(max_examples=25)
@given(st.lists(sentences, min_size=1, max_size=12), st.lists(sentences, max_size=12), st.randoms())
def test_other_documents_never_change_a_side(texts, others, draw):
    texts = ["Опорный текст корпуса", *texts]
    mixed = [*texts, *others]
    draw.shuffle(mixed)
    alone, among = sides(collected(texts)), sides(collected(mixed))
    assert all(alone[text] == among[text] for text in alone.keys() & among.keys())


def test_several_sources_and_standard_input(tmp_path, monkeypatch):
    path = write(tmp_path / "a.jsonl", ["Первая шутка из файла"])
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO("Вторая шутка из трубы\n".encode())))
    calls: list[tuple[int, int, str]] = []
    notices: list[str] = []
    collection = collect(
        [path, "-"],
        validation=0,
        test=0,
        progress=lambda *call: calls.append(call),
        notice=notices.append,
    )
    assert collection.sides["train"] == ["Первая шутка из файла", "Вторая шутка из трубы"]
    assert calls == [(1, 2, "files"), (2, 2, "files"), (2, 2, "texts")]
    assert notices == ["standard input: read as one document a line."]


def test_nothing_left(tmp_path):
    with pytest.raises(CorpusError, match=r"No text is left of 2 \(too short: 1, empty: 1\)"):
        collected(["кот", "..."])


def test_shares_are_checked_before_files_are_read(tmp_path):
    with pytest.raises(ConfigurationError):
        collect([tmp_path / "missing.txt"], validation=0.6, test=0.6)


@pytest.mark.slow
def test_real_corpus(corpus_path):
    with gzip.open(corpus_path, "rb") as file:
        documents = sum(1 for _ in file)
    collection = collect([corpus_path], validation=0.03, test=0.03)
    assert collection.texts_in == documents == 104_790
    assert collection.texts_in == collection.kept + sum(collection.dropped.values())
    assert sum(collection.dropped.values()) <= 100
    for held_out in (collection.sides["validation"], collection.sides["test"]):
        assert len(held_out) == pytest.approx(0.03 * documents, rel=0.1)
    sample = random.Random(0).sample(collection.sides["validation"] + collection.sides["test"], 200)
    held_out_grams = [grams(text) for text in sample]
    together = set().union(*held_out_grams)
    for text in collection.sides["train"]:
        of_text = grams(text)
        if len(of_text & together) >= 3:
            assert not any(near(of_text, held_out) for held_out in held_out_grams)
