import gzip
import json
import random
import sys
import tempfile
import zipfile
from dataclasses import dataclass, fields
from hashlib import sha256
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anekdot.corpus.config import PreparationConfig
from anekdot.corpus.database import database, parquet
from anekdot.corpus.deduplication.select import LEAK, NEAR_DUPLICATE
from anekdot.corpus.preparation import collect, work_folder
from anekdot.corpus.splitting import SPLITS, split_of
from anekdot.errors import ConfigurationError, CorpusError
from anekdot.pipeline import prepare
from anekdot.tokenizer import Tokenizer
from tests.support.outcomes import zipped

MEMORY = 1 << 30
VOCABULARY = ["кот", "пёс", "дом", "мост", "лес", "река", "врач", "повар", "снег", "чай", "окно"]
sentences = st.lists(st.sampled_from(VOCABULARY[:5]), max_size=9).map(" ".join)


@dataclass
class Collected:
    """What is left of some records."""

    splits: dict[str, list[str]]
    texts_in: int
    dropped: dict[str, int]

    @property
    def kept(self) -> int:
        return sum(map(len, self.splits.values()))


def gathered(sources, work: Path, **options) -> Collected:
    """Collects sources, and reads everything back."""
    work.mkdir(exist_ok=True)
    names = {*options} & {field.name for field in fields(PreparationConfig)}
    own = {"validation": 0.0, "test": 0.0} | {name: options.pop(name) for name in names}
    collection = collect(sources, work, PreparationConfig(**own), memory=MEMORY, **options)
    splits: dict[str, list[str]] = {name: [] for name in SPLITS}
    for numbers, texts in collection.kept():
        for number, text in zip(numbers, texts, strict=True):
            splits[SPLITS[number]].append(text)
    assert {name: collection.count(name) for name in SPLITS} == {
        n: len(t) for n, t in splits.items()
    }
    assert [*collection.training_texts()] == splits["train"]
    collection.write_index(work / "index.parquet")
    with database(work / "spill") as connection:
        index = connection.execute(f"FROM {parquet(work, 'index.parquet')}").fetchall()
    for name in SPLITS:
        places = [row[4] for row in index if row[3] == name and row[5] == ""]
        assert places == [*range(len(splits[name]))]
    assert all(row[4] is None for row in index if row[5])
    return Collected(splits, len(index), collection.dropped())


def write(path: Path, records: list[str | dict]) -> Path:
    dicts = [r if isinstance(r, dict) else {"text": r} for r in records]
    path.write_text("\n".join(json.dumps(r) for r in dicts), encoding="utf-8")
    return path


def collected(records: list[str | dict], validation=0.3, test=0.3, **options) -> Collected:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "a.jsonl", records)
        work = Path(folder) / "work"
        return gathered([path], work, validation=validation, test=test, **options)


def splits(collection: Collected) -> dict[str, str]:
    return {text: name for name, texts in collection.splits.items() for text in texts}


def grams(text: str) -> set[str]:
    """Word 4-grams by a definition of their own, which shares no code with what is tested."""
    w = "".join(c if c.isalnum() else " " for c in text.lower()).split()
    return {" ".join(w[i : i + 4]) for i in range(len(w) - 3)}


def near(a: set[str], b: set[str]) -> bool:
    return len(a & b) >= 3 and 2 * len(a & b) >= min(len(a), len(b))


def random_texts(seed: int, count: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(VOCABULARY, k=12)) for _ in range(count)]


def on(wanted: str) -> str:
    """A text of twelve words that falls into a split by its own hash, at a share of 0.3 each."""
    return next(t for t in random_texts(1, 100) if split_of(t, 0.3, 0.3) == wanted)


def variant(text: str, wanted: str) -> str:
    """The same twelve words and a thirteenth, in the wanted split."""
    variants = (f"{text} и {i}" for i in range(100))
    return next(v for v in variants if split_of(v, 0.3, 0.3) == wanted)


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
    assert collection.splits["train"] == ["Два кота и мышь.", "Один кот — и мышь!"]
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
    assert splits(collection) == {text: kept}
    assert collection.dropped == {LEAK: 1}


@pytest.mark.parametrize("name", SPLITS)
def test_of_near_duplicates_within_a_split_the_fullest_stays(name):
    text = on(name)
    fuller = variant(text, name)
    for records in ([text, fuller], [fuller, text]):
        collection = collected(records)
        assert splits(collection) == {fuller: name}
        assert collection.dropped == {NEAR_DUPLICATE: 1}


def test_a_dropped_validation_text_drops_nothing_itself():
    test_text, tail = on("test"), " один два три четыре пять шесть семь восемь"
    bridges = (f"{test_text}{tail} {i}" for i in range(99))
    bridge = next(t for t in bridges if split_of(t, 0.3, 0.3) == "validation")
    far = next(t for t in (f"{tail} {i}" for i in range(99)) if split_of(t, 0.3, 0.3) == "train")
    assert splits(collected([bridge, far])) == {bridge: "validation"}
    assert splits(collected([bridge, far, test_text])) == {test_text: "test", far.strip(): "train"}


def test_no_obscene():
    records = [
        {"text": "Невинная шутка", "obscene": True},
        "Ну и хуйня вышла",
        "Просто шутка, и всё",
    ]
    assert collected(records).kept == 3
    collection = collected(records, no_obscene=True)
    assert list(splits(collection)) == ["Просто шутка, и всё"]
    assert collection.dropped == {"obscene": 2}


@settings(max_examples=25)
@given(st.lists(sentences, min_size=1, max_size=25))
def test_nothing_is_lost_and_the_splits_are_apart(texts):
    try:
        collection = collected(texts)
    except CorpusError:
        assert all(len(text) < 10 for text in texts)
        return
    assert collection.texts_in == len(texts) == collection.kept + sum(collection.dropped.values())
    ranked = [
        collection.splits["test"],
        collection.splits["validation"],
        collection.splits["train"],
    ]
    for i, held_out in enumerate(ranked):
        for lower in ranked[i + 1 :]:
            assert not any(near(grams(a), grams(b)) for a in held_out for b in lower)


@settings(max_examples=12)
@given(st.lists(sentences, min_size=1, max_size=12), st.lists(sentences, max_size=12), st.randoms())
def test_other_documents_never_change_a_split(texts, others, draw):
    texts = ["Опорный текст корпуса", *texts]
    mixed = [*texts, *others]
    draw.shuffle(mixed)
    alone, among = splits(collected(texts)), splits(collected(mixed))
    assert all(alone[text] == among[text] for text in alone.keys() & among.keys())


@pytest.mark.parametrize("order", ["ab", "ba", "a", "cab", "bac"])
def test_other_files_never_change_a_split(tmp_path, order):
    texts = random_texts(8, 120)
    files = {
        name: write(tmp_path / f"{name}.jsonl", texts[first : first + 60])
        for name, first in (("a", 0), ("b", 40), ("c", 60))
    }
    shares = {"validation": 0.3, "test": 0.3}
    found = splits(gathered([files[name] for name in order], tmp_path / "work", **shares))
    assert {*found.values()} == {*SPLITS}
    assert found == {text: split_of(text, 0.3, 0.3) for text in found}


def test_several_sources_and_standard_input(tmp_path, monkeypatch):
    path = write(tmp_path / "a.jsonl", ["Первая шутка из файла"])
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO("Вторая шутка из трубы\n".encode())))
    calls: list[tuple[int, int, str]] = []
    notices: list[str] = []
    collection = gathered(
        [path, "-"],
        tmp_path / "work",
        progress=lambda *call: calls.append(call),
        notice=notices.append,
    )
    assert collection.splits["train"] == ["Первая шутка из файла", "Вторая шутка из трубы"]
    assert calls == [(1, 1, "pieces read"), (1, 1, "parts compared")]
    assert [notice.split(":")[0] for notice in notices] == [str(path), "standard input"]


def everything(folder: Path) -> dict[str, bytes]:
    names = ("selection.parquet", "index.parquet")
    return {name: (folder / name).read_bytes() for name in names}


def test_what_was_done_is_not_done_again(tmp_path, monkeypatch):
    path = write(tmp_path / "a.jsonl", random_texts(3, 50))
    first = gathered([path], tmp_path / "work")
    before = everything(tmp_path / "work")
    for room in ("read_piece", "process_documents"):
        monkeypatch.setattr(f"anekdot.corpus.preparation.{room}", None)
    again = gathered([path], tmp_path / "work")
    assert again == first
    assert everything(tmp_path / "work") == before


@pytest.mark.parametrize("change", ["text", "rule", "source"])
def test_other_texts_or_rules_start_over(tmp_path, change):
    path = write(tmp_path / "a.jsonl", random_texts(3, 50))
    gathered([path], tmp_path / "work")
    sources, options = [path], {}
    if change == "text":
        write(path, random_texts(4, 51))
    elif change == "rule":
        options = {"test": 0.3}
    else:
        sources = [write(tmp_path / "b.jsonl", random_texts(5, 20))]
    found = gathered(sources, tmp_path / "work", **options)
    assert found == gathered(sources, tmp_path / "fresh", **options)


def test_pieces_processes_and_memory_change_nothing(tmp_path, monkeypatch):
    draw = random.Random(2)
    texts = [" ".join(draw.choices(VOCABULARY, k=draw.randint(3, 30))) for _ in range(3000)]
    path = write(tmp_path / "a.jsonl", [*texts, *(f"{text} и конец" for text in texts[:50])])
    whole = gathered([path], tmp_path / "whole", validation=0.1, test=0.1)
    monkeypatch.setattr("anekdot.corpus.plan.TASK_BYTES", 1 << 16)
    monkeypatch.setattr("anekdot.corpus.deduplication.select.BYTES_PER_SHINGLE", 1 << 14)
    cut = gathered([path], tmp_path / "cut", validation=0.1, test=0.1)
    plan = json.loads((tmp_path / "cut" / "plan.json").read_text("utf-8"))
    assert len(plan["tasks"]) > 5
    assert len(list((tmp_path / "cut").glob("shared-*/*.parquet"))) > 1
    assert cut == whole
    assert whole.dropped["near-duplicate"] > 10


def test_what_is_wrong_is_reported_by_another_process_too(tmp_path, monkeypatch):
    write(tmp_path / "a.jsonl", random_texts(3, 50))
    packed = gzip.compress("\n".join(random_texts(4, 20_000)).encode())
    (tmp_path / "b.txt.gz").write_bytes(packed[:-9])
    monkeypatch.setattr("anekdot.corpus.plan.TASK_BYTES", 1 << 10)
    with pytest.raises(CorpusError) as caught:
        gathered([tmp_path], tmp_path / "work")
    assert caught.value.cause.startswith(f"{tmp_path}/b.txt.gz cannot be read")
    assert caught.value.remedy == "Check the file and its permissions."


@pytest.mark.cluster
def test_a_ray_cluster_gives_the_same_to_the_byte(tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="make test-cluster installs Ray")
    path = write(tmp_path / "a.jsonl", random_texts(7, 3000))
    monkeypatch.setattr("anekdot.corpus.plan.TASK_BYTES", 1 << 16)
    monkeypatch.setattr("anekdot.corpus.deduplication.select.BYTES_PER_SHINGLE", 1 << 14)
    here = gathered([path], tmp_path / "here", validation=0.1, test=0.1)
    there = gathered([path], tmp_path / "there", validation=0.1, test=0.1, ray="local")
    assert there == here
    assert everything(tmp_path / "there") == everything(tmp_path / "here")


def test_small_files_are_processed_together_and_reported_together(tmp_path, monkeypatch):
    texts = random_texts(3, 40)
    for number, text in enumerate(texts[:20]):
        (tmp_path / f"{number:02d}.txt").write_text(text, "utf-8")
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        for number, text in enumerate(texts[20:]):
            archive.writestr(f"{number:02d}.csv", f"id,text\n1,{text}\n")
    monkeypatch.setattr("anekdot.corpus.plan.TASK_BYTES", 1000)
    monkeypatch.setattr("anekdot.corpus.preparation.available_cores", lambda: 1)
    notices: list[str] = []
    found = gathered([tmp_path], tmp_path / "work", notice=notices.append)
    assert found.texts_in == 40
    tasks = json.loads((tmp_path / "work" / "plan.json").read_text("utf-8"))["tasks"]
    assert sum(map(len, tasks)) == 40
    assert 3 < len(tasks) < 15
    assert notices == [
        f"{tmp_path}/00.txt and 19 more: one text a line.",
        f"{tmp_path}/more.zip/00.csv and 19 more: text column «text», separated by «,».",
    ]


def test_a_folder_name_with_odd_characters(tmp_path):
    folder = tmp_path / "мои [шутки] *?'\""
    folder.mkdir()
    path = write(folder / "a 'b' [c].jsonl", ["Первая шутка из файла"])
    assert gathered([path], folder / "work").kept == 1


NAMES = ["анна", "пётр", "ли", "я", "александра", "вера", "ян", "семён", "глеб", "инга", "рая"]


def test_where_most_texts_are_short_the_limit_falls_and_is_said(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("\n".join(NAMES), "utf-8")
    notices: list[str] = []
    found = gathered([path], tmp_path / "work", notice=notices.append)
    assert (found.kept, found.dropped) == (11, {})
    assert notices[-1] == (
        "Half of the texts have at most 4 characters, so the shortest text that is kept "
        "has 1, not 10."
    )
    longer = "".join(f"{name} пришла и ушла в магазин\n" for name in NAMES)
    path.write_text(longer + "\n".join(NAMES[:10]), "utf-8")
    assert gathered([path], tmp_path / "work").dropped == {"too short": 9}


def test_a_few_short_texts_do_not_lower_the_limit():
    assert collected([*NAMES[:8], "Один кот и мышь."]).dropped == {"too short": 7}


def test_scripts_without_blanks_do_not_leak(tmp_path):
    text = "小明问老师：为什么天空是{}号蓝色的？老师说：因为它忧郁。"
    found = collected([text.format(number) for number in range(100, 140)])
    assert found.kept == 1
    assert sum(map(bool, found.splits.values())) == 1


def test_texts_that_differ_by_vowel_signs_or_signs_stay(tmp_path):
    texts = [
        "लड़का बाज़ार में आम खा रहा था।",
        "लड़की बाज़ार में आम खा रही थी।",
        "Я учу C++ ночами",
        "Я учу C# ночами",
        "И вот 2 + 2 = 4",
        "И вот 2 - 2 = 4",
    ]
    assert collected([*texts, "— Я учу C++ ночами!"]).dropped == {"exact duplicate": 1}


@pytest.mark.parametrize(("side", "pattern"), [("train", "qwen35"), ("test", "qwen2")])
def test_the_training_side_alone_chooses_how_the_tokenizer_splits(tmp_path, side, pattern):
    candidates = (f"लड़की ने {number} आम खाए और घर गई।" for number in range(100, 200))
    hindi = next(text for text in candidates if split_of(text, 0.3, 0.3) == side)
    path = write(tmp_path / "a.jsonl", [hindi, *random_texts(5, 10)])
    prepare(path, out=tmp_path / "p", validation=0.3, test=0.3, vocab_size=300)
    assert Tokenizer.load(tmp_path / "p" / "tokenizer.json").pattern == pattern


def test_the_alphabet_is_repaired_and_moves_nothing_to_another_split():
    texts = [text.replace("о", "o") for text in random_texts(4, 60)]
    before = {text: split_of(text, 0.3, 0.3) for text in texts}
    found = splits(collected(texts))
    assert found == {text.replace("o", "о"): split for text, split in before.items()}
    both = collected([texts[0], texts[0].replace("o", "о")])
    assert both.dropped == {"exact duplicate": 1}
    assert splits(collected(texts, without="alphabet")) == before


def test_nothing_left(tmp_path):
    with pytest.raises(CorpusError, match=r"No text is left of 2 \(empty: 1, too short: 1\)"):
        collected(["кот", "..."])


def test_shares_are_checked_before_files_are_read(tmp_path):
    with pytest.raises(ConfigurationError):
        gathered([tmp_path / "missing.txt"], tmp_path / "work", validation=0.6, test=0.6)


@pytest.mark.slow
def test_real_corpus(corpus_path, tmp_path):
    with gzip.open(corpus_path, "rb") as file:
        texts = [json.loads(line)["text"] for line in file]
    documents = len(texts)
    collection = gathered([corpus_path], tmp_path / "work", validation=0.03, test=0.03)
    assert collection.texts_in == documents == 104_790
    assert collection.texts_in == collection.kept + sum(collection.dropped.values())
    assert sum(collection.dropped.values()) <= 100
    with database(tmp_path / "spill") as connection:
        pairs = connection.execute(
            f"""
            SELECT a.line, b.line FROM {parquet(tmp_path / "work", "index.parquet")} AS a
            JOIN {parquet(tmp_path / "work", "index.parquet")} AS b ON b.document = a.cluster
            WHERE a.document <> b.document
            """
        ).fetchall()
    dropped = collection.dropped
    assert len(pairs) == dropped[NEAR_DUPLICATE] + dropped[LEAK]
    assert all(near(grams(texts[a - 1]), grams(texts[b - 1])) for a, b in pairs)
    for held_out in (collection.splits["validation"], collection.splits["test"]):
        assert len(held_out) == pytest.approx(0.03 * documents, rel=0.1)
    assert digest_of_splits(tmp_path) == (  # of every document that was ever given one
        "5cb48093f25362df4e3eafe162a681e144ad765d3eef2f8715d4db4d094fccc7"
    )
    held_out = collection.splits["validation"] + collection.splits["test"]
    sample = random.Random(0).sample(held_out, 2000)
    assert leaks(sample, collection.splits["train"]) == []
    planted = [f"{text}\nИ больше он так не делал." for text in sample[:50]]
    assert len(leaks(sample, planted)) >= 45  # a few have too few words to be near-duplicates


def digest_of_splits(folder: Path) -> str:
    with database(folder / "spill") as connection:
        rows = connection.execute(
            f"SELECT document, side FROM {parquet(folder / 'work', 'index.parquet')} ORDER BY 1"
        ).fetchall()
    lines = "\n".join(f"{document} {split}" for document, split in rows)
    return sha256(lines.encode()).hexdigest()


def leaks(held_out: list[str], others: list[str]) -> list[tuple[str, str]]:
    """Compares all with all, but for those that share no three grams with all together."""
    all_grams = [grams(text) for text in held_out]
    together = set().union(*all_grams)
    found = []
    for text in others:
        of_text = grams(text)
        if len(of_text & together) >= 3:
            found += [(text, held_out[n]) for n, g in enumerate(all_grams) if near(of_text, g)]
    return found


def test_a_second_preparation_is_refused_and_removes_nothing(tmp_path):
    with work_folder(tmp_path / "out") as work:
        (work / "started").write_text("precious")
        with pytest.raises(ConfigurationError, match="Another process is preparing"):
            work_folder(tmp_path / "out").__enter__()
        assert (work / "started").read_text() == "precious"


def test_members_of_one_name_are_all_counted(tmp_path):
    texts = [
        f"Номер {n} говорит: {' '.join(random.Random(n).sample(VOCABULARY, 6))}." for n in range(30)
    ]
    path = tmp_path / "a.zip"
    path.write_bytes(
        zipped([("a.txt", "\n".join(texts[n : n + 10]).encode()) for n in (0, 10, 20)])
    )
    result = gathered([path], tmp_path / "work")
    assert result.texts_in == 30 == result.kept + sum(result.dropped.values())


def test_standard_input_cannot_be_named_twice(tmp_path):
    with pytest.raises(CorpusError, match="twice"):
        gathered(["-", "-"], tmp_path / "work")
