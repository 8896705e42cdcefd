"""Numbers that go wrong, gradients that add up, the end that comes early, the time left."""

import json
import math
import time
from functools import partial

import numpy as np
import pytest
import torch

import anekdot
from anekdot.bundle import Bundle
from anekdot.device import autocast
from anekdot.errors import ConfigurationError
from anekdot.evaluation.likelihood import Likelihood
from anekdot.model import transformer
from anekdot.model.transformer import IGNORE_INDEX
from anekdot.training import trainer
from anekdot.training.batches import Batches
from anekdot.training.compilation import CompilableLoss
from anekdot.training.config import TrainingConfig
from anekdot.training.monitoring.eta import Eta
from anekdot.training.optimizer import build_optimizer
from anekdot.training.schedule import learning_rate
from anekdot.training.state import SPIKE_WINDOW
from anekdot.training.train_step import train_step
from tests.support.models import random_ids, tiny_model
from tests.support.runs import TINY_RUN, metrics, weights_hash

pytestmark = pytest.mark.slow  # dozens of runs

OWN = {name: value for name, value in TINY_RUN.items() if name not in ("validation", "test")}
OWN |= {"evaluate_every": 20, "dropout": 0.1}
NAN = math.nan


@pytest.fixture
def distort(monkeypatch):
    """Multiplies the loss of every step with what a function of its number and rate says."""
    now = {}
    real_batch, real_step, real_loss = (
        Batches.batch,
        trainer.train_step,
        transformer.next_token_loss,
    )

    def batch(batches, number):
        now["number"] = number + 1
        return real_batch(batches, number)

    def train_step(*arguments, learning_rate, **others):
        now["rate"] = learning_rate
        return real_step(*arguments, learning_rate=learning_rate, **others)

    def start(factor):
        def loss(logits, targets):
            return real_loss(logits, targets) * factor(now["number"], now["rate"])

        monkeypatch.setattr(Batches, "batch", batch)
        monkeypatch.setattr(trainer, "train_step", train_step)
        monkeypatch.setattr(transformer, "next_token_loss", loss)

    return start


def told(out):
    """What metrics.jsonl says, without times."""
    lines = map(json.loads, (out / "run" / "metrics.jsonl").read_text("utf-8").splitlines())
    timed = {"seconds", "seconds_left", "tokens_per_second", "memory"}
    return [{name: r[name] for name in r.keys() - timed} for r in lines]


def train_with_a_stop(data, out, when, **fields):
    """Stops a run at the first record that `when` accepts, and goes on."""

    def stop(record):
        if when(record):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        anekdot.train(data, out=out, observe=stop, **fields)
    assert not (out / "run" / "finished.json").exists()
    anekdot.train(data, out=out, **fields)


def state(model, optimizer):
    """All weights and moments, copied."""
    entries = optimizer.state_dict()["state"].values()
    moments = [tensor.clone() for entry in entries for tensor in entry.values()]
    return [*(p.detach().clone() for p in model.parameters()), *moments]


def test_a_loss_that_is_no_number_changes_no_bit(data, tmp_path, distort, monkeypatch):
    distort(lambda number, rate: {3: NAN, 17: math.inf, 18: -math.inf}.get(number, 1.0))
    real, same = trainer.train_step, []

    def watched(loss_of, optimizer, *arguments, **others):
        before = state(loss_of.function.func.__self__, optimizer)
        result = real(loss_of, optimizer, *arguments, **others)
        after = state(loss_of.function.func.__self__, optimizer)
        same.append(len(before) == len(after) and all(map(torch.equal, before, after)))
        return result

    monkeypatch.setattr(trainer, "train_step", watched)
    anekdot.train(data, out=tmp_path / "m", **OWN)
    assert [number for number, kept in enumerate(same, 1) if kept] == [3, 17, 18]
    skips = [record["steps"] for record in metrics(tmp_path / "m", "skip")]
    assert skips == [[3], [17, 18]]
    assert not metrics(tmp_path / "m", "return")
    assert all(math.isfinite(record["loss"]) for record in metrics(tmp_path / "m", "step"))


def test_a_first_step_that_is_skipped_leaves_no_trace(monkeypatch):
    once, after_a_bad_one = (Stepper() for _ in range(2))
    real = transformer.next_token_loss
    monkeypatch.setattr(transformer, "next_token_loss", lambda *given: real(*given) * NAN)
    assert after_a_bad_one().skipped.item() == 1
    monkeypatch.setattr(transformer, "next_token_loss", real)
    for take in (once, after_a_bad_one):
        assert take().skipped.item() == 0
    assert all(map(torch.equal, once.state(), after_a_bad_one.state()))


class Stepper:
    """A tiny model and its optimizer, that take steps on one batch."""

    def __init__(self, micro_batch=8, clip=1.0):
        self.model = tiny_model().train()
        self.optimizer = build_optimizer(self.model, TrainingConfig(
            steps=10, batch_size=8, rows="packed", learning_rate=0.01, warmup_steps=0, beta1=0.9,
            beta2=0.99, epsilon=1e-8, weight_decay=0.1, gradient_clip=clip,
        ))  # fmt: skip
        self.how = {
            "micro_batch": micro_batch, "learning_rate": 0.01, "weight_decay": 0.1,
            "gradient_clip": clip, "precision": partial(autocast, torch.device("cpu"), "fp32"),
        }  # fmt: skip
        ids = random_ids(8, 33)
        self.ids, self.targets = ids[:, :-1], ids[:, 1:].clone()
        for row, length in enumerate([32, 1, 1, 1, 20, 32, 2, 9]):
            self.targets[row, length:] = IGNORE_INDEX

    def __call__(self):
        return train_step(self.model.loss, self.optimizer, self.ids, self.targets, **self.how)

    def state(self):
        return state(self.model, self.optimizer)


@pytest.mark.parametrize("clip", [0.0, 0.1])
@pytest.mark.parametrize("micro_batch", [1, 3, 5])
def test_gradients_of_rows_add_up_to_that_of_the_batch(micro_batch, clip):
    whole, parts = Stepper(8, clip), Stepper(micro_batch, clip)
    for _ in range(3):
        torch.testing.assert_close(parts().loss, whole().loss, rtol=1e-5, atol=0.0)
    for one, other in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        torch.testing.assert_close(other, one, rtol=1e-5, atol=1e-5)


def test_three_in_a_row_bring_the_run_back_at_half_the_rate(data, tmp_path, distort):
    limit, usual, half = usual_rates(0.75), usual_rates(1.0), usual_rates(0.5)
    distort(lambda number, rate: NAN if 28 <= number <= 30 and rate > limit[number] else 1.0)
    out = tmp_path / "m"
    anekdot.train(data, out=out, **OWN)
    (back,) = metrics(out, "return")
    assert back == {"kind": "return", "step": 20, "rate_scale": 0.5, "after": 30}
    recorded = {record["step"]: record["learning_rate"] for record in metrics(out, "step")}
    assert recorded == pytest.approx({10: usual[10], 20: usual[20], 30: half[30], 40: half[40]})
    for place, kind in enumerate(("return", "step")):
        again = tmp_path / str(place)
        train_with_a_stop(data, again, lambda r, k=kind: r["kind"] == k and r["step"] >= 20, **OWN)
        assert weights_hash(again) == weights_hash(out)


def usual_rates(share):
    """The rates of the schedule by step, times a share."""
    return {
        number: share * learning_rate(number - 1, highest=1e-3, warmup_steps=3, steps=OWN["steps"])
        for number in range(1, OWN["steps"] + 1)
    }


def test_a_run_that_never_has_a_number_says_which_texts_it_saw(data, jokes, tmp_path, distort):
    distort(lambda number, rate: NAN)
    out = tmp_path / "m"
    with pytest.raises(ConfigurationError, match="infinite") as refused:
        anekdot.train(data, out=out, **OWN)
    places = refused.value.cause.partition("the last batch had ")[2].rstrip(".").split(", ")
    assert len(places) >= OWN["batch_size"] // 2
    lines = jokes.read_text("utf-8").splitlines()
    for place in places:
        path, _, line = place.rpartition(":")
        assert path == str(jokes)
        assert " номер " in lines[int(line) - 1]  # where a text begins
    assert 1 <= len(metrics(out, "return")) <= 3
    assert all(np.isfinite(w).all() for w in Bundle.load(out).weights.values())
    assert not (out / "run" / "finished.json").exists()


@pytest.mark.parametrize("step", [20, 33, 40])  # before a checkpoint, between two, at the end
@pytest.mark.parametrize("what", ["weights", "moments"])
def test_a_state_that_goes_wrong_is_never_saved(data, tmp_path, monkeypatch, what, step):
    real, damaged = trainer.Trainer._train_step, []

    def take(self, batch):
        real(self, batch)
        if self.state.step == step and not damaged:
            weights = self.optimizer.param_groups[0]["params"][0]
            damaged.append({"weights": weights.data, **self.optimizer.state[weights]})
            damaged[0]["weights" if what == "weights" else "exp_avg"].view(-1)[5] = NAN

    monkeypatch.setattr(trainer.Trainer, "_train_step", take)
    out = tmp_path / "m"
    anekdot.train(data, out=out, **(OWN | {"checkpoint_every": 10}))
    assert [record["rate_scale"] for record in metrics(out, "return")] == [0.5]
    assert all(np.isfinite(w).all() for w in Bundle.load(out).weights.values())


SPIKE = SPIKE_WINDOW + 7
LONG = OWN | {"steps": SPIKE_WINDOW + 22, "evaluate_every": 50, "sample_every": 200}


@pytest.mark.parametrize("skip", [False, True])
def test_a_spike_is_recorded_and_skipped_if_asked_for(data, tmp_path, distort, skip):
    distort(lambda number, rate: 20.0 if number == SPIKE else 1.0)
    fields = LONG | {"skip_spikes": skip}
    out = tmp_path / "m"
    anekdot.train(data, out=out, **fields)
    (spike,) = metrics(out, "spike")
    assert spike["at"] == SPIKE
    assert spike["loss"] > 10 * spike["usual"]
    assert [record["steps"] for record in metrics(out, "skip")] == ([[SPIKE]] if skip else [])
    for name, when in {
        "before": lambda record: record["kind"] == "step" and record["step"] == 130,
        "after": lambda record: record["kind"] == "spike",
    }.items():
        train_with_a_stop(data, tmp_path / name, when, **fields)
        assert weights_hash(tmp_path / name) == weights_hash(out)
        assert told(tmp_path / name) == told(out)


def test_skipped_steps_and_those_without_a_record_go_on_to_the_bit(data, tmp_path, distort):
    distort(lambda number, rate: NAN if number in (23, 24) else 1.0)
    fields = OWN | {"checkpoint_every": 13}  # 26: four steps, two of them bad, have no record
    anekdot.train(data, out=tmp_path / "m", **fields)
    train_with_a_stop(data, tmp_path / "n", lambda record: record["kind"] == "skip", **fields)
    assert weights_hash(tmp_path / "n") == weights_hash(tmp_path / "m")
    assert told(tmp_path / "n") == told(tmp_path / "m")


def test_a_measured_micro_batch_is_kept(data, tmp_path):
    said = []
    fields = OWN | {"batch": "auto"}
    out = tmp_path / "m"

    def stop(record):
        if record["step"] == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        anekdot.train(data, out=out, observe=stop, notice=said.append, **fields)
    (first,) = [sentence for sentence in said if "computed together" in sentence]
    rows = int(first.split()[0])
    assert 1 <= rows <= OWN["batch_size"]
    assert json.loads((newest(out) / "state.json").read_text())["micro_batch"] == rows
    anekdot.train(data, out=out, notice=said.append, **fields)
    assert [sentence for sentence in said if "together" in sentence] == [first]  # measured once


def test_any_micro_batch_goes_on_to_the_bit(data, tmp_path, monkeypatch):
    monkeypatch.setattr("anekdot.training.trainer.find_micro_batch", lambda *_, **__: 3)
    fields = OWN | {"batch": "auto"}
    anekdot.train(data, out=tmp_path / "m", **fields)
    monkeypatch.setattr(trainer, "train_step", in_threes(trainer.train_step))
    train_with_a_stop(data, tmp_path / "n", lambda record: record["step"] == 30, **fields)
    assert weights_hash(tmp_path / "n") == weights_hash(tmp_path / "m")


def in_threes(real):
    def watched(*arguments, micro_batch, **others):
        assert micro_batch == 3
        return real(*arguments, micro_batch=micro_batch, **others)

    return watched


def test_patience_ends_a_run_and_keeps_the_best(data, tmp_path, monkeypatch):
    fields = OWN | {"evaluate_every": 8, "patience": 2, "steps": 400}
    weights = script(monkeypatch, [5.0, 3.0, 4.0, 3.5])
    out = tmp_path / "m"
    anekdot.train(data, out=out, **fields)
    assert [record["step"] for record in metrics(out, "evaluation")] == [8, 16, 24, 32]
    assert metrics(out, "step")[-1]["step"] == 32
    finished = json.loads((out / "run" / "finished.json").read_text())
    assert (finished["step"], finished["best_step"], finished["evaluations_since_best"]) == (
        32,
        16,
        2,
    )
    final = Bundle.load(out).weights
    assert all((final[name] == weights[1][name].numpy()).all() for name in final)


@pytest.mark.parametrize("kind", ["evaluation", "step", "end"])
def test_an_early_end_comes_again_after_a_stop(data, tmp_path, monkeypatch, kind):
    fields = OWN | {"evaluate_every": 8, "patience": 2, "steps": 400}
    script(monkeypatch, [5.0, 3.0, 4.0, 3.5])
    anekdot.train(data, out=tmp_path / "m", **fields)
    other = tmp_path / "n"
    script(monkeypatch, [5.0, 3.0, 4.0, 3.5])
    if kind == "end":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("anekdot.training.validation.Validation.final", interrupt)
            with pytest.raises(KeyboardInterrupt):
                anekdot.train(data, out=other, **fields)
    else:
        with pytest.raises(KeyboardInterrupt):
            anekdot.train(
                data,
                out=other,
                observe=lambda r: interrupt() if (r["kind"], r["step"]) == (kind, 32) else None,
                **fields,
            )
    since_best = json.loads((newest(other) / "state.json").read_text())["evaluations_since_best"]
    script(monkeypatch, [] if since_best == 2 else [4.0, 3.5])
    anekdot.train(data, out=other, **fields)
    assert weights_hash(other) == weights_hash(tmp_path / "m")
    assert told(other) == told(tmp_path / "m")


def interrupt(*_):
    raise KeyboardInterrupt


def newest(out):
    return max((out / "run" / "checkpoints").iterdir())


def script(monkeypatch, nats):
    """Lets evaluations have these results; returns the weights that each saw."""
    results, weights = iter([*nats, 1.0]), []

    def scripted(model, documents, lengths, **_):
        weights.append({name: p.detach().clone() for name, p in model.named_parameters()})
        return Likelihood(next(results), 10, 10, 1)

    monkeypatch.setattr("anekdot.training.validation.likelihood", scripted)
    return weights


def test_a_clock_that_jumps_changes_nothing(data, tmp_path, monkeypatch):
    anekdot.train(data, out=tmp_path / "m", **OWN)
    real, jumps = time.time, iter(np.random.default_rng(0).integers(-(10**9), 10**9, 10**5))
    monkeypatch.setattr(time, "time", lambda: real() + int(next(jumps)))
    train_with_a_stop(data, tmp_path / "n", lambda record: record["step"] == 30, **OWN)
    assert weights_hash(tmp_path / "n") == weights_hash(tmp_path / "m")
    assert told(tmp_path / "n") == told(tmp_path / "m")
    assert all(record["seconds_left"] >= 0 for record in metrics(tmp_path / "n", "step"))


def stopped_after_four_steps(data, out, said):
    def stop(record):
        if record["step"] == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        anekdot.train(data, out=out, observe=stop, notice=said.append, **FEW)
    assert not any("goes on with" in sentence for sentence in said)


FEW = OWN | {"steps": 6, "evaluate_every": 4, "sample_every": 6}


def test_other_threads_than_before_are_said(data, tmp_path):
    said, threads = [], torch.get_num_threads()
    stopped_after_four_steps(data, tmp_path / "m", said)
    torch.set_num_threads(threads + 1)
    try:
        anekdot.train(data, out=tmp_path / "m", notice=said.append, **FEW)
    finally:
        torch.set_num_threads(threads)
    (sentence,) = [sentence for sentence in said if "goes on with" in sentence]
    assert f"threads {threads} and goes on with {threads + 1}" in sentence


def test_a_lost_compiler_is_said(data, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("anekdot.training.trainer.should_compile", lambda *_: True)
    monkeypatch.setattr(
        CompilableLoss, "compile", lambda loss: setattr(loss, "compiled", loss.function)
    )
    stopped_after_four_steps(data, tmp_path / "m", said)
    monkeypatch.setattr("anekdot.training.trainer.should_compile", lambda *_: False)
    anekdot.train(data, out=tmp_path / "m", notice=said.append, **FEW)
    (sentence,) = [sentence for sentence in said if "goes on with" in sentence]
    assert "device cpu, compiled and goes on with cpu" in sentence


A_STEP, AN_EVALUATION, A_SAMPLE = 0.25, 3.0, 2.0


def work(steps, evaluate_every, sample_every, at_the_end):
    """What a run does, in order: (step, kind, seconds); the last entry is the last evaluation."""
    for number in range(1, steps + 1):
        yield number, "step", A_STEP
        if number % evaluate_every == 0 or number == steps:
            yield number, "evaluation", AN_EVALUATION
        if number % sample_every == 0 or number == steps:
            yield number, "sample", A_SAMPLE
    yield steps, "end", AN_EVALUATION * at_the_end


@pytest.mark.parametrize(
    ("evaluate_every", "sample_every"), [(10, 10), (7, 13), (20, 1), (1, 20), (39, 39)]
)
def test_with_constant_durations_the_time_left_is_exact(evaluate_every, sample_every):
    config = TrainingConfig(
        steps=40, batch_size=8, rows="packed", learning_rate=0.01, warmup_steps=0, beta1=0.9,
        beta2=0.99, epsilon=1e-8, weight_decay=0.1, gradient_clip=1.0,
        evaluate_every=evaluate_every, sample_every=sample_every,
    )  # fmt: skip
    clock = Eta(config, validation_tokens=5000, interim_tokens=1000, tokens_per_step=256)
    plan = list(work(40, evaluate_every, sample_every, at_the_end=5.0))
    clock.add("step", 9.0)  # the first of the process, which does not count
    known = set()
    for place, (number, kind, seconds) in enumerate(plan[:-1]):
        clock.add(kind, seconds)
        known.add(kind)
        if kind == "step" and {"evaluation", "sample"} <= known:  # where it is asked for
            left = sum(later for _, _, later in plan[place + 1 :])
            assert clock.seconds_left(number) == pytest.approx(left)


def test_the_time_left_follows_a_machine_that_gets_faster():
    config = TrainingConfig(
        steps=2000, batch_size=8, rows="packed", learning_rate=0.01, warmup_steps=0, beta1=0.9,
        beta2=0.99, epsilon=1e-8, weight_decay=0.1, gradient_clip=1.0, evaluate_every=2000,
        sample_every=2000,
    )  # fmt: skip
    clock = Eta(config, validation_tokens=0, interim_tokens=1000, tokens_per_step=256)
    for number in range(1500):
        clock.add("step", 1.0 if number < 1000 else 0.5)
    assert clock.seconds_left(1500) == pytest.approx(500 * 0.5, rel=0.02)


def test_before_anything_is_known_the_time_left_is_a_guess_from_the_first_step():
    config = TrainingConfig(
        steps=40, batch_size=8, rows="packed", learning_rate=0.01, warmup_steps=0, beta1=0.9,
        beta2=0.99, epsilon=1e-8, weight_decay=0.1, gradient_clip=1.0, evaluate_every=20,
    )  # fmt: skip
    clock = Eta(config, validation_tokens=5000, interim_tokens=1000, tokens_per_step=300)
    clock.add("step", 9.0)  # may compile
    evaluation = 9.0 * 1000 / 300 / 3
    assert clock.seconds_left(1) == pytest.approx(39 * 9.0 + (2 + 5) * evaluation)
    clock.add("step", 0.5)
    evaluation = 0.5 * 1000 / 300 / 3
    assert clock.seconds_left(2) == pytest.approx(38 * 0.5 + (2 + 5) * evaluation)
