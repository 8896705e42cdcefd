"""What a record says of its steps, computed again from their batches and losses."""

import json
import math

import numpy as np
import pytest
import torch

import anekdot
from anekdot.bundle import Bundle
from anekdot.corpus.shards import Shard
from anekdot.model.transformer import IGNORE_INDEX
from anekdot.training import trainer
from anekdot.training.batches import Batches
from anekdot.training.config import TrainingConfig
from anekdot.training.monitoring.eta import Eta
from anekdot.training.monitoring.step_recorder import StepRecorder
from anekdot.training.state import StepResult, TrainingState
from tests.support.runs import TINY_RUN, metrics

FIELDS = {name: value for name, value in TINY_RUN.items() if name not in ("validation", "test")}
FIELDS |= {"evaluate_every": 40, "steps": 40, "dropout": 0.3}


@pytest.fixture
def steps(monkeypatch):
    """What every step was given and has found: (ids_BT, targets_BT, outcome)."""
    taken, real = [], trainer.train_step

    def watched(loss_of, optimizer, ids_BT, targets_BT, **others):
        outcome = real(loss_of, optimizer, ids_BT, targets_BT, **others)
        taken.append((ids_BT.numpy(), targets_BT.numpy(), outcome))
        return outcome

    monkeypatch.setattr(trainer, "train_step", watched)
    return taken


@pytest.mark.parametrize("rows", ["packed", "documents"])
def test_records_say_what_the_steps_were(data, tmp_path, steps, rows):
    out = tmp_path / "m"
    anekdot.train(data, out=out, rows=rows, **FIELDS, gradient_clip=0.6)
    token_lengths = Bundle.load(out).tokenizer.token_lengths
    shard, tokens, seconds = Shard.open(data, "train"), 0, 0.0
    epoch = len(shard) if rows == "documents" else math.ceil((len(shard.ids) - 1) / 32)
    records = metrics(out, "step")
    tens = [steps[first : first + 10] for first in range(0, 40, 10)]
    for record, taken in zip(records, tens, strict=True):
        real = [targets[targets != IGNORE_INDEX] for _, targets, _ in taken]
        losses, norms = (
            [getattr(outcome, name).item() for *_, outcome in taken] for name in ("loss", "norm")
        )
        nats = sum(len(r) * loss for r, loss in zip(real, losses, strict=True))
        n_bytes = sum(int(token_lengths[r].sum()) for r in real)
        assert record["loss"] == pytest.approx(np.mean(losses))
        assert record["bits_per_byte"] == pytest.approx(nats / math.log(2) / n_bytes)
        assert record["epoch"] == pytest.approx(8 * record["step"] / epoch)
        assert record["gradient_norm"] == pytest.approx(np.mean(norms))
        assert record["clipped"] == pytest.approx(np.mean([norm > 0.6 for norm in norms]))
        n_targets = sum(map(len, real))
        assert record["tokens_per_second"] * (record["seconds"] - seconds) == pytest.approx(
            n_targets
        )
        tokens, seconds = tokens + n_targets, record["seconds"]
    assert json.loads((out / "run/finished.json").read_text())["tokens"] == tokens
    assert 0 < np.mean([record["clipped"] for record in records]) < 1


def test_the_seed_decides_the_order_of_the_documents(data, tmp_path, steps):
    first = []
    for seed in (0, 1, 1):
        steps.clear()
        anekdot.train(data, out=tmp_path / str(len(first)), **FIELDS | {"steps": 4, "seed": seed})
        first.append(steps[0][0].copy())
    assert (first[1] == first[2]).all()
    assert (first[0] != first[1]).any()


def test_every_step_drops_other_activations_and_a_run_the_same_again(
    data, tmp_path, steps, monkeypatch
):
    """One batch again and again, and weights that never change: only the masks do."""
    batch = Batches.batch
    monkeypatch.setattr(Batches, "batch", lambda self, _: batch(self, 0))
    losses = []
    for name in ("a", "b"):
        steps.clear()
        anekdot.train(data, out=tmp_path / name, **FIELDS | {"steps": 6}, learning_rate=0.0)
        losses.append([outcome.loss.item() for *_, outcome in steps])
    assert len({*losses[0]}) == 6
    assert losses[0] == losses[1]


def records_of(results, gradient_clip):
    config = TrainingConfig(
        steps=40, batch_size=8, rows="packed", learning_rate=0.01, warmup_steps=0, beta1=0.9,
        beta2=0.99, epsilon=1e-8, weight_decay=0.1, gradient_clip=gradient_clip,
    )  # fmt: skip
    eta = Eta(config, validation_tokens=0, interim_tokens=1000, tokens_per_step=256)
    state = TrainingState(step=len(results), unrecorded=results)
    return [*StepRecorder(config, 100, eta, torch.device("cpu")).records(state)]


def test_steps_that_were_skipped_have_no_part_in_the_norm():
    results = [
        StepResult(2.0, skipped, 10, 30, 0.1, norm)
        for skipped, norm in ((0.0, 0.5), (1.0, math.inf), (0.0, 2.0), (0.0, 1.1), (0.0, 0.4))
    ]
    skip, step = records_of(results, gradient_clip=1.0)
    assert skip["steps"] == [2]
    assert (step["gradient_norm"], step["clipped"]) == (1.0, 0.5)
    assert records_of(results, gradient_clip=0.0)[1]["clipped"] == 0.0


def test_steps_of_an_old_checkpoint_have_no_norm():
    (step,) = records_of([StepResult(2.0, 0.0, 10, 30, 0.1)], gradient_clip=1.0)
    assert step["loss"] == 2.0
    assert "gradient_norm" not in step
