"""float16: scaled gradients, overflows that cost a step and no more, and a scale that goes on."""

import json
import math
from functools import partial

import pytest
import torch

import anekdot
from anekdot.device import autocast, pick_precision
from anekdot.errors import ConfigurationError
from anekdot.model import transformer
from anekdot.training import loss_scaling, trainer
from anekdot.training.config import TrainingConfig
from anekdot.training.loss_scaling import INITIAL_LOSS_SCALE, MAX_LOSS_SCALE, next_loss_scale
from anekdot.training.optimizer import build_optimizer
from anekdot.training.train_step import train_step
from tests.support.models import random_ids, tiny_model
from tests.support.runs import TINY_RUN, metrics, weights_hash

FEW = TINY_RUN | {"evaluate_every": 20, "dropout": 0.1, "precision": "fp16"}
FEW = {name: value for name, value in FEW.items() if name not in ("validation", "test")}


@pytest.fixture
def overflow(monkeypatch):
    """Lets gradients be infinite, and the loss as it was, in the steps that a function names."""
    real_loss, real_step, now = transformer.next_token_loss, trainer.Trainer._train_step, {}

    def start(happens):
        def loss(logits, targets):
            if logits.requires_grad and happens(now["step"]):
                logits = logits * 1.0
                logits.register_hook(lambda gradient: gradient * math.inf)
            return real_loss(logits, targets)

        def take(self, batch):
            now["step"] = self.state.step + 1
            real_step(self, batch)

        monkeypatch.setattr(transformer, "next_token_loss", loss)
        monkeypatch.setattr(trainer.Trainer, "_train_step", take)

    return start


def state_of(out):
    return json.loads((max((out / "run/checkpoints").iterdir()) / "state.json").read_text())


def test_the_scale_is_halved_by_an_overflow_and_doubled_after_many_steps_without(monkeypatch):
    monkeypatch.setattr(loss_scaling, "GROWTH_INTERVAL", 3)
    scale, steps, seen = 8.0, 0.0, []
    for overflowed in (0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0):
        scale, steps = next_loss_scale(scale, steps, torch.tensor(float(overflowed)))
        seen.append(float(scale))
    assert seen == [8, 8, 4, 4, 4, 8, 4, 2, 2, 2, 4, 4, 4, 8]
    scale, _ = next_loss_scale(MAX_LOSS_SCALE, 2.0, torch.tensor(0.0))
    assert scale == MAX_LOSS_SCALE


def stepped(precision, loss_scale, shrink=1.0):
    """A model after a step, and what the step has found."""
    model, ids = tiny_model(), random_ids(4, 17)
    optimizer = build_optimizer(model, TrainingConfig(
        steps=10, batch_size=4, rows="packed", learning_rate=0.01, warmup_steps=0, beta1=0.9,
        beta2=0.99, epsilon=1e-12, weight_decay=0.1, gradient_clip=0.0,
    ))  # fmt: skip
    outcome = train_step(
        lambda *batch: model.loss(*batch) * shrink, optimizer, ids[:, :-1], ids[:, 1:],
        micro_batch=3, learning_rate=0.01, weight_decay=0.1, gradient_clip=0.0,
        loss_scale=loss_scale,
        precision=partial(autocast, torch.device("cpu"), precision),
    )  # fmt: skip
    return model, outcome


def test_a_scaled_step_is_that_of_float32():
    (exact, expected), (model, outcome) = stepped("fp32", None), stepped("fp16", 2.0**10)
    assert outcome.loss.item() == pytest.approx(expected.loss.item(), rel=0.01)
    assert outcome.norm.item() == pytest.approx(expected.norm.item(), rel=0.02)
    assert (outcome.skipped, outcome.overflowed) == (0.0, 0.0)
    moved = torch.cat([
        (new - old).sign().flatten() == (other - old).sign().flatten()
        for new, other, old in zip(
            model.parameters(), exact.parameters(), tiny_model().parameters(), strict=True
        )
    ])  # fmt: skip
    assert moved.double().mean() > 0.97


def test_scaling_keeps_gradients_that_float16_would_lose():
    *_, exact = stepped("fp32", None, shrink=1e-8)
    *_, lost = stepped("fp16", None, shrink=1e-8)
    *_, kept = stepped("fp16", 2.0**20, shrink=1e-8)
    assert kept.norm.item() == pytest.approx(exact.norm.item(), rel=0.05)
    assert lost.norm.item() < 0.5 * exact.norm.item()


def test_overflows_cost_their_step_and_are_no_bad_numbers(data, tmp_path, overflow):
    overflow(lambda step: step in (3, 4, 5, 6, 17))
    anekdot.train(data, out=tmp_path / "m", **FEW)
    found = [(r["step"], r["steps"], r["loss_scale"]) for r in metrics(tmp_path / "m", "overflow")]
    assert found == [(10, [3, 4, 5, 6], 2.0**12), (20, [17], 2.0**11)]
    assert not metrics(tmp_path / "m", "skip")
    assert not metrics(tmp_path / "m", "return")
    assert state_of(tmp_path / "m")["loss_scale"] == 2.0**11
    losses = [record["loss"] for record in metrics(tmp_path / "m", "step")]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("checkpoint_every", [13, 20])  # amid the steps of a record, or after
def test_scale_and_counter_go_on_to_the_bit(
    data, tmp_path, overflow, monkeypatch, checkpoint_every
):
    monkeypatch.setattr(loss_scaling, "GROWTH_INTERVAL", 6)
    overflow(lambda step: step in (2, 3, 9, 17, 30))
    fields = FEW | {"checkpoint_every": checkpoint_every}
    anekdot.train(data, out=tmp_path / "m", **fields)

    def stop(record):
        if record["step"] == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        anekdot.train(data, out=tmp_path / "n", observe=stop, **fields)
    half = state_of(tmp_path / "n")
    assert half["loss_scale"] != INITIAL_LOSS_SCALE
    assert half["scale_steps"] > 0
    anekdot.train(data, out=tmp_path / "n", **fields)
    assert weights_hash(tmp_path / "n") == weights_hash(tmp_path / "m")
    for kind in ("overflow", "evaluation"):
        assert metrics(tmp_path / "n", kind) == metrics(tmp_path / "m", kind)
    for name in ("loss_scale", "scale_steps"):
        assert state_of(tmp_path / "n")[name] == state_of(tmp_path / "m")[name]


def test_gradients_that_overflow_at_any_scale_end_the_run_with_a_sentence(data, tmp_path, overflow):
    overflow(lambda step: True)
    with pytest.raises(ConfigurationError, match="too large for float16") as refused:
        anekdot.train(data, out=tmp_path / "m", **FEW)
    assert "--precision fp32" in str(refused.value)
    assert metrics(tmp_path / "m", "overflow")[-1]["step"] == 20  # 2^16 takes 19 halvings
    assert not metrics(tmp_path / "m", "return")


def test_a_loss_that_is_no_number_is_bad_also_in_float16(data, tmp_path, monkeypatch):
    real = transformer.next_token_loss

    def loss(logits, targets):
        return real(logits, targets) * (math.nan if logits.requires_grad else 1.0)

    monkeypatch.setattr(transformer, "next_token_loss", loss)
    with pytest.raises(ConfigurationError, match="infinite"):
        anekdot.train(data, out=tmp_path / "m", **FEW)
    assert metrics(tmp_path / "m", "return")
    assert not metrics(tmp_path / "m", "overflow")


@pytest.mark.parametrize(
    ("device", "bf16", "auto_fp16", "expected"),
    [
        ("cuda", True, True, "bf16"),
        ("cuda", False, True, "fp16"),
        ("cuda", False, False, "fp32"),
        ("cpu", False, True, "fp32"),
        ("cpu", True, True, "bf16"),
        ("mps", False, True, "fp32"),
    ],
)
def test_auto_is_the_fastest_format_of_the_device(monkeypatch, device, bf16, auto_fp16, expected):
    monkeypatch.setattr("anekdot.device.has_bf16", lambda _: bf16)
    place = torch.device(device)
    assert pick_precision(place, "auto", auto_fp16=auto_fp16) == expected
    for named in ("fp32", "fp16", "bf16"):
        assert pick_precision(place, named, auto_fp16=auto_fp16) == named
