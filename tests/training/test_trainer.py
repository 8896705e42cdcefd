"""The loop: schedule, precision, the best model, loss that goes wrong, one run a folder."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

import anekdot
from anekdot.bundle import Bundle
from anekdot.config import resolve
from anekdot.device import autocast
from anekdot.errors import BundleError, ConfigurationError
from anekdot.evaluation.likelihood import Likelihood
from anekdot.model import transformer
from anekdot.model.transformer import next_token_loss
from anekdot.run_folder import RunFolder
from anekdot.signals import deferred_signals
from anekdot.training.monitoring.metrics import append, read
from anekdot.training.schedule import learning_rate
from tests.support.models import random_ids, tiny_model
from tests.support.runs import TINY_RUN, metrics


def test_every_step_has_the_rate_of_the_schedule(jokes, tmp_path):
    anekdot.train(jokes, out=tmp_path / "m", **TINY_RUN, learning_rate=0.01)
    for record in metrics(tmp_path / "m", "step"):
        expected = learning_rate(record["step"] - 1, highest=0.01, warmup_steps=3, steps=40)
        assert record["learning_rate"] == pytest.approx(expected)


@pytest.mark.parametrize("rows", ["packed", "documents"])
def test_documents_that_share_a_row_are_read_apart(jokes, tmp_path, monkeypatch, rows):
    real, apart = transformer.attention_bias, []

    def watched(*arguments, documents_BT=None, **others):
        if torch.is_grad_enabled():
            apart.append(documents_BT is not None and int(documents_BT.max()) > 1)
        return real(*arguments, documents_BT=documents_BT, **others)

    monkeypatch.setattr(transformer, "attention_bias", watched)
    settings = TINY_RUN | {"steps": 3, "warmup_steps": 0, "context_length": 256}
    anekdot.train(jokes, out=tmp_path / "m", rows=rows, **settings)
    assert apart == [rows == "packed"] * 3


def test_a_first_step_that_takes_long_has_a_sample_before_it(jokes, tmp_path, monkeypatch):
    steps = []

    def compiled(loss_of, **_):
        return lambda *batch: (steps.append(len(samples())), loss_of(*batch))[1]

    def samples():
        return metrics(tmp_path / "m", "sample")

    monkeypatch.setattr("anekdot.training.trainer.should_compile", lambda *_: True)
    monkeypatch.setattr(torch, "compile", compiled)
    anekdot.train(jokes, out=tmp_path / "m", **(TINY_RUN | {"steps": 4}))
    assert steps[0] == 1
    assert [record["step"] for record in samples()] == [0, 4]
    assert "## Step 0\n" in (tmp_path / "m/run/samples.md").read_text("utf-8")


@pytest.fixture
def listening():
    """Ctrl-C is heard, also where the tests are a job in the background, which ignores it."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.fixture
def broken_compiler(tmp_path, monkeypatch):
    """A g++ that always fails, and is asked, for nothing is in the cache."""
    compiler = tmp_path / "g++"
    compiler.write_text("#!/bin/sh\necho no such header >&2\nexit 1\n")
    compiler.chmod(0o700)
    (tmp_path / "cache").mkdir(0o700)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCHINDUCTOR_FORCE_DISABLE_CACHES", "1")
    monkeypatch.setattr("anekdot.training.trainer.should_compile", lambda *_: True)
    with torch._inductor.config.patch({"cpp.cxx": (str(compiler),)}):
        yield compiler


@pytest.mark.skipif(
    sys.platform != "linux", reason="needs Linux and a C++ compiler with the headers of Python"
)
def test_a_compiler_that_fails_costs_speed_only(jokes, tmp_path, broken_compiler):
    said = []
    settings = TINY_RUN | {"steps": 4}
    anekdot.train(jokes, out=tmp_path / "m", notice=said.append, **settings)
    (sentence,) = [s for s in said if "torch.compile" in s]
    assert sentence.startswith("Training goes on without torch.compile, more slowly: ")
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"].startswith(str(tmp_path / "cache"))
    state = json.loads((tmp_path / "m/run/checkpoints/step-00000004/state.json").read_text())
    assert state["device"] == "cpu"


@pytest.mark.skipif(
    sys.platform != "linux", reason="needs Linux and a C++ compiler with the headers of Python"
)
@pytest.mark.usefixtures("listening")
def test_a_compiler_that_a_signal_ended_too_is_asked_again(jokes, tmp_path, broken_compiler):
    """Ctrl-C reaches all programs of a terminal: no step is taken by other means."""
    broken_compiler.write_text(f"#!/bin/sh\nkill -INT {os.getpid()}\nexit 1\n")
    with pytest.raises(KeyboardInterrupt):
        anekdot.train(jokes, out=tmp_path / "m", **(TINY_RUN | {"steps": 4}))
    assert [path.name for path in (tmp_path / "m/run/checkpoints").iterdir()] == ["step-00000000"]


def test_the_bundle_is_the_best_measured_model_not_the_last(jokes, tmp_path, monkeypatch):
    nats = iter([5.0, 3.0, 4.0, 6.0, 1.0])  # four measurements, then the final one
    weights = []

    def scripted(model, documents, lengths, **_):
        weights.append({name: p.detach().clone() for name, p in model.named_parameters()})
        return Likelihood(next(nats), 10, 10, 1)

    monkeypatch.setattr("anekdot.training.validation.likelihood", scripted)
    anekdot.train(jokes, out=tmp_path / "m", **(TINY_RUN | {"evaluate_every": 10}))
    final = Bundle.load(tmp_path / "m").weights
    assert all((final[name] == weights[1][name].numpy()).all() for name in final)
    assert all(torch.equal(weights[4][name], weights[1][name]) for name in final)
    assert any((weights[3][name] != weights[1][name]).any() for name in final)
    best = [record["best"] for record in metrics(tmp_path / "m", "evaluation")]
    assert best == [True, True, False, False]


def test_bf16_computes_in_bfloat16_over_float32_weights():
    model, ids = tiny_model(), random_ids(2, 9)
    plain = next_token_loss(model(ids[:, :-1]), ids[:, 1:])
    with autocast(torch.device("cpu"), "bf16"):
        logits = model(ids[:, :-1])
        loss = next_token_loss(logits, ids[:, 1:])
    assert logits.dtype == torch.bfloat16
    assert loss.dtype == torch.float32
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert loss.item() == pytest.approx(plain.item(), rel=0.05)
    with autocast(torch.device("cpu"), "fp32"):
        assert model(ids).dtype == torch.float32


def test_a_run_uses_the_precision_that_was_asked_for(jokes, tmp_path):
    losses = {}
    for precision in ("bf16", "fp32"):
        short = TINY_RUN | {"steps": 10, "precision": precision}
        anekdot.train(jokes, out=tmp_path / precision, **short, learning_rate=0.01)
        losses[precision] = metrics(tmp_path / precision, "step")[-1]["loss"]
    assert losses["bf16"] != losses["fp32"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.05)


def test_a_loss_that_is_no_number_is_answered_by_a_lower_rate(jokes, tmp_path):
    wild = {"learning_rate": 1.0, "weight_decay": 10.0, "gradient_clip": 0.0, "warmup_steps": 0}
    few = {"steps": 500, "evaluate_every": 100, "sample_every": 500}
    anekdot.train(jokes, out=tmp_path / "m", **(TINY_RUN | wild | few))
    assert metrics(tmp_path / "m", "return")
    assert all(np.isfinite(w).all() for w in Bundle.load(tmp_path / "m").weights.values())


def test_a_folder_with_something_else_is_refused_also_if_it_has_a_run_folder(jokes, tmp_path):
    (tmp_path / "project" / "run").mkdir(parents=True)
    (tmp_path / "project" / "README.md").write_text("precious")
    with pytest.raises(ConfigurationError, match="something else"):
        anekdot.train(jokes, out=tmp_path / "project", **TINY_RUN)
    assert (tmp_path / "project" / "README.md").read_text() == "precious"


def test_two_runs_do_not_share_a_folder(jokes, tmp_path):
    code = (
        "import sys, pathlib; from anekdot.run_folder import RunFolder\n"
        "with RunFolder(pathlib.Path(sys.argv[1])).locked():\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    out = tmp_path / "m"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout.readline().strip() == b"held"
    for _ in range(2):  # the one refused leaves the holder's lock alone
        with pytest.raises(ConfigurationError, match="Another process"):
            anekdot.train(jokes, out=out, **TINY_RUN)
    other.kill()
    other.communicate()
    assert anekdot.train(jokes, out=out, **(TINY_RUN | {"steps": 4})).bundle == out


def test_leftovers_of_a_killed_process_are_swept(jokes, tmp_path):
    leftover = tmp_path / "m" / "run" / ".data.12345.staged"
    leftover.mkdir(parents=True)
    anekdot.train(jokes, out=tmp_path / "m", **(TINY_RUN | {"steps": 4}))
    assert not leftover.exists()


def test_a_failed_start_leaves_no_folder(tmp_path):
    with pytest.raises(anekdot.AnekdotError):
        anekdot.train(tmp_path / "nothing.txt", out=tmp_path / "m", **TINY_RUN)
    assert list(tmp_path.iterdir()) == []


def test_what_somebody_puts_into_a_folder_meanwhile_stays(tmp_path):
    out = tmp_path / "m"
    with RunFolder(out).locked():
        (out / "notes.txt").write_text("precious")
    assert [path.name for path in out.iterdir()] == ["notes.txt"]


def test_divergence_without_a_validation_split_keeps_the_good_weights(jokes, tmp_path, monkeypatch):
    monkeypatch.setattr("anekdot.training.trainer.MAX_ROLLBACKS", 1)  # a few more may save it
    wild = {
        "learning_rate": 1.0, "gradient_clip": 0.0, "weight_decay": 10.0, "beta1": 0.0,
        "beta2": 0.0, "warmup_steps": 1, "steps": 300, "evaluate_every": 3,
        "checkpoint_every": 15, "validation": 0.0, "test": 0.0,
    }  # fmt: skip
    with pytest.raises(ConfigurationError, match="learning-rate"):
        anekdot.train(jokes, out=tmp_path / "m", **(TINY_RUN | wild))
    assert all(np.isfinite(w).all() for w in Bundle.load(tmp_path / "m").weights.values())


def test_a_warmup_that_the_real_length_allows_is_allowed():
    assert resolve(fields={"warmup_steps": 400}).training.warmup_steps == 400


def test_records_keep_texts_with_odd_line_ends(tmp_path):
    record = {"kind": "sample", "step": 2, "text": "a\u0085b\u2028c", "copied": "a"}
    append(tmp_path / "metrics.jsonl", record)
    assert read(tmp_path / "metrics.jsonl") == [record]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_run_that_ignores_ctrl_c_goes_on_ignoring_it():
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with deferred_signals() as interrupted:
            os.kill(os.getpid(), signal.SIGINT)
        assert interrupted.stop is None
    finally:
        signal.signal(signal.SIGINT, previous)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.usefixtures("listening")
def test_a_signal_amid_a_print_is_handled():
    def reentrant() -> None:
        raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stderr>'>")

    with deferred_signals(reentrant) as interrupted:
        os.kill(os.getpid(), signal.SIGINT)
    assert interrupted.stop == signal.SIGINT


def test_data_may_move_and_the_way_may_lead_over_a_link(jokes, tmp_path):
    anekdot.prepare(jokes, out=tmp_path / "data", vocab_size=300, validation=0.1, test=0.1)
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")
    own = {name: value for name, value in TINY_RUN.items() if name not in ("validation", "test")}
    out = tmp_path / "link" / "m"
    anekdot.train(tmp_path / "data", out=out, **(own | {"steps": 4}))
    assert anekdot.evaluate(out).documents > 0
    (tmp_path / "data").rename(tmp_path / "moved")
    with pytest.raises(BundleError, match="--texts"):
        anekdot.evaluate(out)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_trains_goes_on_and_tells(jokes, tmp_path):
    def stop(record):
        if record["kind"] == "step" and record["step"] == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        anekdot.train(jokes, out=tmp_path / "m", observe=stop, **TINY_RUN)
    anekdot.train(jokes, out=tmp_path / "m", **TINY_RUN)
    assert [record["step"] for record in metrics(tmp_path / "m", "step")] == [10, 20, 30, 40]
    assert str(anekdot.load(tmp_path / "m").generate("Кот", seed=1)).startswith("Кот")
