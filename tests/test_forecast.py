"""The forecast: what follows from sizes, what is measured, and what is advised."""

import dataclasses
import time
from types import SimpleNamespace

import pytest

from anekdot import forecast as room
from anekdot.bundle import TOKENIZER
from anekdot.cli.forecast import forecast as command
from anekdot.config import resolve
from anekdot.corpus.manifest import Manifest, hash_files
from anekdot.corpus.shards import Shard
from anekdot.corpus.splitting import SPLITS
from anekdot.errors import CorpusError
from anekdot.forecast import Row, advice, forecast, risk_of_memorising
from anekdot.model.config import PRESETS, ModelConfig
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training import train_step as train_step_module
from anekdot.training.batches import Batches
from tests.support.shards import write_shard
from tests.support.texts import make_texts


def prepared(folder, n_texts: int):
    """Makes a prepared folder all of whose texts are for training."""
    folder.mkdir()
    texts = make_texts(n_texts)
    tokenizer = Tokenizer.train(make_texts(20), vocab_size=300)
    tokenizer.save(folder / TOKENIZER)
    documents = [[tokenizer.begin_id, *tokenizer.encode(text), tokenizer.end_id] for text in texts]
    for side in SPLITS:
        write_shard(folder, side, documents if side == "train" else [], tokenizer.vocab_size)
    counts = dict.fromkeys(SPLITS, 0)
    Manifest(
        sources=["jokes.txt"],
        settings={"vocab_size": 300},
        texts_in=n_texts,
        dropped={},
        documents={**counts, "train": n_texts},
        tokens={**counts, "train": sum(map(len, documents))},
        vocab_size=tokenizer.vocab_size,
        files=hash_files(folder),
    ).save(folder)
    return folder


@pytest.fixture
def only_nano(monkeypatch):
    monkeypatch.setattr(room, "PRESETS", {"nano": PRESETS["nano"]})


def test_rows_follow_from_presets_recipe_and_texts(tmp_path, monkeypatch):
    folder = prepared(tmp_path / "data", 1200)
    Machine(monkeypatch)
    rows = forecast(folder)
    assert [row.preset for row in rows] == ["nano", "mini", "small"]
    learned = Shard.open(folder, "train")
    for row in rows:
        resolved = resolve("default", row.preset).with_corpus_defaults(
            documents=1200, tokens=len(learned.ids), vocab_size=300
        )
        sizes = {**PRESETS[row.preset], "vocab_size": Manifest.load(folder).vocab_size}
        assert row.parameters == ModelConfig(context_length=256, **sizes).n_parameters
        assert row.tokens == len(learned.ids)
        assert row.tokens_per_parameter == row.tokens / row.parameters
        assert row.steps == resolved.training.steps
        assert row.risk == "high"
        assert row.seconds == row.seconds_per_step * row.steps
    assert advice(rows).startswith("nano fits best, but")


def test_epochs_are_those_of_the_batches(tmp_path, only_nano):
    folder = prepared(tmp_path / "data", 300)
    (row,) = forecast(folder, seconds=0.0)
    batches = Batches(
        Shard.open(folder, "train"),
        rows="packed", context_length=256, batch_size=16, seed=0, pad_id=0, begin_id=1,
        begin_targets=False,
    )  # fmt: skip
    batches.batch(row.steps - 1)
    last_row = row.steps * 16 - 1
    assert batches._epoch == last_row // batches.rows_per_epoch
    assert batches._epoch < row.epochs <= batches._epoch + 1


class Machine:
    """A machine on which a step takes half a second and a quarter more for each row."""

    def __init__(self, monkeypatch, first: float = 100.0) -> None:
        self.now = 0.0
        self.first = first
        self.rows: list[int] = []
        monkeypatch.setattr(room.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(room, "_stepper", lambda *_: self.step)

    def step(self, rows: int) -> float:
        seconds = 0.5 + 0.25 * rows if self.rows else self.first
        self.rows.append(rows)
        self.now += seconds
        return seconds


@pytest.mark.parametrize("seconds", [7.0, 12.0, 50.0, 500.0])
def test_a_step_is_extrapolated_from_steps_with_fewer_rows(
    tmp_path, only_nano, monkeypatch, seconds
):
    folder = prepared(tmp_path / "data", 300)
    machine = Machine(monkeypatch, first=1.0)
    (row,) = forecast(folder, seconds=seconds)
    assert row.seconds_per_step == pytest.approx(0.5 + 0.25 * 16)
    assert machine.now < seconds
    assert sorted(machine.rows) == machine.rows
    assert machine.rows[:4] == [1, 1, 2, 4]
    assert (machine.rows[-1] == 16) == (seconds >= 12)


def test_without_time_a_single_row_has_to_do(tmp_path, only_nano, monkeypatch):
    folder = prepared(tmp_path / "data", 300)
    machine = Machine(monkeypatch)
    (row,) = forecast(folder, seconds=1.0)
    assert machine.rows == [1, 1]
    assert row.seconds_per_step == 16 * 0.75


def test_measuring_trains_a_model_on_the_texts(tmp_path, only_nano, monkeypatch):
    losses, train_step = [], train_step_module.train_step

    def watched(*arguments, **settings):
        outcome = train_step(*arguments, **settings)
        losses.append(outcome.loss.item())
        return outcome

    monkeypatch.setattr(train_step_module, "train_step", watched)
    (row,) = forecast(prepared(tmp_path / "data", 300), seconds=2.0)
    assert len(losses) >= 4
    assert losses[-1] < losses[0]
    assert row.seconds_per_step > 0


@pytest.mark.parametrize(
    ("parameters", "tokens", "epochs", "risk"),
    [
        (10_000_000, 1_000, 4.0, "low"),
        (10_000_000, 1_000, 4.1, "high"),
        (1_000_000, 8_000_000, 100.0, "low"),
        (1_000_000, 7_900_000, 100.0, "middle"),
        (1_000_000, 1_000_000, 100.0, "middle"),
        (1_000_000, 990_000, 16.0, "middle"),
        (1_000_000, 990_000, 16.1, "high"),
        (1_000_000, 99_000, 5.0, "high"),
        (1_000_000, 100_000, 5.0, "middle"),
    ],
)
def test_the_risk_follows_the_rule(parameters, tokens, epochs, risk):
    assert risk_of_memorising(parameters, tokens, epochs)[0] == risk


ROW = Row(
    preset="nano", parameters=10, tokens=100, tokens_per_parameter=10.0, steps=300, epochs=5.0,
    risk="low", reason="too small to hold the texts", seconds_per_step=0.1, seconds=30.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("risks", "hours", "beginning"),
    [
        (("low", "middle", "high"), (1, 2, 3), "mini fits best: its risk"),
        (("low", "low", "low"), (1, 2, 30), "mini fits best: its risk"),
        (("low", "low", "low"), (1, 2, 20), "small fits best: its risk"),
        (("high", "high", "high"), (1, 2, 3), "nano fits best, but it too small"),
        (("low", "low", "low"), (30, 60, 90), "nano fits best, but takes more than a day"),
    ],
)
def test_advice_is_the_largest_that_neither_memorises_nor_takes_days(risks, hours, beginning):
    rows = [
        dataclasses.replace(ROW, preset=preset, risk=risk, seconds=3600.0 * time)
        for preset, risk, time in zip(PRESETS, risks, hours, strict=True)
    ]
    assert advice(rows).startswith(beginning)


def test_a_folder_that_is_not_prepared_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="no prepared corpus"):
        forecast(tmp_path)


def test_a_training_split_without_texts_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="no documents"):
        forecast(prepared(tmp_path / "data", 0))


def test_the_command_prints_a_plain_table(tmp_path, only_nano, capsys):
    command(prepared(tmp_path / "data", 300), seconds=0.0)
    printed = capsys.readouterr()
    heading, row, empty, sentence = printed.out.splitlines()
    columns = ["preset", "parameters", "tokens", "tokens per parameter", "steps", "epochs"]
    assert heading.split() == " ".join([*columns, "risk of memorising", "time here"]).split()
    assert row.startswith("nano")
    assert row.split()[-1] in ("s", "min", "h", "days")
    assert not empty
    assert sentence.startswith("nano fits best")
    assert "\x1b" not in printed.out


def test_a_slow_beginning_leaves_all_the_time_to_the_steps(monkeypatch):
    rows = []

    def slow(*_):
        time.sleep(0.3)  # longer than the measurement may take
        return lambda n: rows.append(n) or 0.0

    monkeypatch.setattr(room, "_stepper", slow)
    room._measure(None, SimpleNamespace(batch_size=8), 0.2)
    assert rows[-1] == 8
