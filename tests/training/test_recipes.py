"""Schedules that can be prolonged, falling decay of the weights, and averaged weights."""

import json
import math

import pytest
import torch

import anekdot
from anekdot.bundle import Bundle
from anekdot.errors import ConfigurationError
from anekdot.run_folder import RunFolder
from anekdot.training.averaging import update_average
from anekdot.training.checkpoint.format import checkpoints
from anekdot.training.config import TrainingConfig
from anekdot.training.schedule import decay_start, scheduled_decay, scheduled_rate
from anekdot.training.trainer import Trainer
from tests.support.models import tiny_model
from tests.support.runs import TINY_RUN, metrics, weights_hash

WSD = {
    **TINY_RUN, "schedule": "wsd", "warmup_steps": 3, "decay_share": 0.5,
    "evaluate_every": 10, "sample_every": 1000, "checkpoint_every": 7, "dropout": 0.1,
}  # fmt: skip
OWN = {"steps", "seconds", "seconds_left", "tokens_per_second", "memory"}


def config(**fields):
    usual = {
        "steps": 100, "batch_size": 4, "rows": "packed", "learning_rate": 0.5,
        "warmup_steps": 10, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8,
        "weight_decay": 0.25, "gradient_clip": 1.0,
    }  # fmt: skip
    return TrainingConfig(**{**usual, **fields})


def records(bundle):
    lines = RunFolder(bundle).metrics.read_text("utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in OWN} for line in lines]


def stop_at(data, out, step, **run):
    """Trains until a record of a step, or the first after it, and stops."""

    def observe(record):
        if record["step"] >= step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        anekdot.train(data, out=out, observe=observe, **run)


def test_a_wsd_rate_is_constant_until_its_last_part():
    wsd = config(schedule="wsd", decay_share=0.2)
    assert decay_start(wsd) == 80
    rates = [scheduled_rate(wsd, step) for step in range(101)]
    assert rates[:10] == pytest.approx([0.05 * n for n in range(1, 11)])
    assert rates[10:81] == [0.5] * 71
    assert rates[80:] == pytest.approx([0.5 * n / 20 for n in range(20, -1, -1)])


def test_a_falling_decay_follows_the_rate_but_for_its_warm_up():
    falling = config(weight_decay_schedule="falling")
    assert [scheduled_decay(falling, s) for s in (0, 10, 55, 100)] == [0.25, 0.25, 0.125, 0.0]
    assert [scheduled_decay(config(), s) for s in (0, 100)] == [0.25, 0.25]


def test_every_step_has_the_decay_of_the_schedule(jokes, tmp_path, monkeypatch):
    seen, real = [], Trainer._train_step

    def watched(trainer, batch):
        real(trainer, batch)
        seen.append([group["weight_decay"] for group in trainer.optimizer.param_groups])

    monkeypatch.setattr(Trainer, "_train_step", watched)
    run = {**TINY_RUN, "weight_decay": 0.5, "weight_decay_schedule": "falling", "steps": 13}
    anekdot.train(jokes, out=tmp_path / "m", **{**run, "warmup_steps": 3})
    assert seen == [[pytest.approx(0.5 * min(1, (13 - s) / 10)), 0.0] for s in range(13)]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"schedule": "cosine"}, "schedule is 'cosine'"),
        ({"schedule": "wsd", "decay_share": 1.5}, "decay_share"),
        ({"schedule": "wsd", "decay_share": 0.95}, "warmup_steps is 10"),
        ({"ema_decay": 1.0}, "ema_decay"),
        ({"weight_decay_schedule": "rising"}, "weight_decay_schedule"),
    ],
)
def test_impossible_recipes_are_refused(fields, words):
    with pytest.raises(ConfigurationError, match=words):
        config(**fields)


def test_an_average_forgets_its_start_and_then_moves_by_its_decay():
    averaged, model = tiny_model(seed=1), tiny_model(seed=2)
    averaged.requires_grad_(False)
    before = [p.clone() for p in averaged.parameters()]
    update_average(averaged, model, 0.9, 1)
    for old, new, to in zip(before, averaged.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(new, old * (2 / 11) + to * (9 / 11))
    before = [p.clone() for p in averaged.parameters()]
    update_average(averaged, model, 0.9, 1000)
    for old, new, to in zip(before, averaged.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(new, old * 0.9 + to * 0.1)


def test_the_average_is_what_is_measured_kept_and_shown(data, tmp_path, monkeypatch):
    spelled, real = [], Trainer._train_step

    def watched(trainer, batch):
        if not spelled:
            spelled.extend(p.detach().clone() for p in trainer.model.parameters())
        real(trainer, batch)
        step = trainer.state.step
        share = 1 - min(0.9, (1 + step) / (10 + step))
        for average, weight in zip(spelled, trainer.model.parameters(), strict=True):
            average.lerp_(weight.detach(), share)
        for average, kept in zip(spelled, trainer.setup.averaged.parameters(), strict=True):
            assert torch.equal(average, kept)

    monkeypatch.setattr(Trainer, "_train_step", watched)
    run = {**TINY_RUN, "steps": 30, "learning_rate": 0.003, "evaluate_every": 15}
    anekdot.train(data, out=tmp_path / "m", ema_decay=0.9, **run)
    final = [*metrics(tmp_path / "m", "evaluation")][-1]
    assert (final["step"], final["best"]) == (30, True)
    weights = Bundle.load(tmp_path / "m").weights
    assert any((weights["final_norm.weight"] == p.numpy()).all() for p in spelled if p.ndim == 1)


def test_a_run_with_everything_is_equal_to_the_bit_after_a_stop(data, tmp_path):
    run = {**WSD, "steps": 40, "ema_decay": 0.9, "weight_decay_schedule": "falling"}
    anekdot.train(data, out=tmp_path / "whole", **run)
    stop_at(data, tmp_path / "stopped", 26, **run)
    anekdot.train(data, out=tmp_path / "stopped", **run)
    assert weights_hash(tmp_path / "whole") == weights_hash(tmp_path / "stopped")
    assert records(tmp_path / "whole") == [
        r for r in records(tmp_path / "stopped") if r["kind"] != "interruption"
    ]


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
def test_a_run_prolonged_twice_equals_one_that_was_planned_so(data, tmp_path, ema_decay):
    run = {**WSD, "ema_decay": ema_decay}
    anekdot.train(data, out=tmp_path / "planned", **{**run, "steps": 80})
    out = tmp_path / "prolonged"
    anekdot.train(data, out=out, **{**run, "steps": 20})  # finished
    stop_at(data, out, 33, **{**run, "steps": 40})  # stopped while its rate falls
    assert 20 in [int(path.name[5:13]) for path in checkpoints(RunFolder(out).checkpoints)]
    anekdot.train(data, out=out, **{**run, "steps": 80})
    last = [r for r in records(out) if r["kind"] == "step"][-1]
    assert last == [r for r in records(tmp_path / "planned") if r["kind"] == "step"][-1]
    assert weights_hash(out) == weights_hash(tmp_path / "planned")


def test_a_prolonged_run_keeps_the_model_it_had_until_it_has_a_better_one(data, tmp_path):
    out = tmp_path / "m"
    anekdot.train(data, out=out, **{**WSD, "steps": 40})
    best = weights_hash(out)
    stop_at(data, out, 27, **{**WSD, "steps": 400})
    assert weights_hash(out) == best


def test_only_a_longer_wsd_run_goes_on(data, tmp_path):
    out = tmp_path / "m"
    anekdot.train(data, out=out, **{**WSD, "steps": 20})
    with pytest.raises(ConfigurationError, match="Ask for more --steps"):
        anekdot.train(data, out=out, **{**WSD, "steps": 20})
    with pytest.raises(ConfigurationError, match="steps 20 → 10"):
        anekdot.train(data, out=out, **{**WSD, "steps": 10})
    assert RunFolder(out).finished.exists()
    linear = tmp_path / "linear"
    anekdot.train(data, out=linear, **TINY_RUN)
    longer = {**TINY_RUN, "steps": TINY_RUN["steps"] + 10}
    with pytest.raises(ConfigurationError, match="other settings: steps"):
        anekdot.train(data, out=linear, **longer)


def test_without_the_checkpoint_before_the_decay_nothing_is_lost(data, tmp_path):
    out = tmp_path / "m"
    anekdot.train(data, out=out, **{**WSD, "steps": 20})
    best = weights_hash(out)
    for path in checkpoints(RunFolder(out).checkpoints)[:-1]:
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    with pytest.raises(anekdot.AnekdotError, match="can be prolonged"):
        anekdot.train(data, out=out, **{**WSD, "steps": 40})
    assert weights_hash(out) == best


def test_rhythm_and_warm_up_of_a_wsd_run_do_not_depend_on_its_steps(data, tmp_path):
    rhythms = []
    for steps in (150, 170):
        out = tmp_path / str(steps)
        few = {k: v for k, v in TINY_RUN.items() if k not in ("warmup_steps", "evaluate_every")}
        few = {k: v for k, v in few.items() if k not in ("sample_every", "checkpoint_every")}
        anekdot.train(data, out=out, **{**few, "steps": steps}, schedule="wsd")
        training = json.loads((out / "run" / "config.json").read_text())["training"]
        rhythms.append({k: v for k, v in training.items() if k != "steps"})
    assert rhythms[0] == rhythms[1]
    assert rhythms[0]["warmup_steps"] == 100
    assert math.isclose(rhythms[0]["decay_share"], 0.3)
