"""Signals: what was done is kept, the answer comes soon, and nothing changes in the result."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import anekdot
from anekdot import signals
from anekdot.bundle import Bundle
from anekdot.corpus.collection import PROCESSED
from anekdot.corpus.database import database
from anekdot.errors import Terminated
from anekdot.training import batch_size_finder, trainer, validation
from anekdot.training.checkpoint import manager
from anekdot.training.checkpoint.format import checkpoints, is_whole, save_checkpoint

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals"),
]

FIELDS = {
    "n_layer": 2, "n_head": 4, "n_kv_head": 2, "hidden_dim": 32, "intermediate_dim": 64,
    "context_length": 64, "batch_size": 8, "warmup_steps": 5, "dropout": 0.1,
    "checkpoint_every": 1_000, "evaluate_every": 50, "sample_every": 100,
}  # fmt: skip
LONG = FIELDS | {"steps": 120}
SHORT = FIELDS | {"steps": 12, "evaluate_every": 4, "sample_every": 6}
STOPPING = {signal.SIGINT: 130, signal.SIGTERM: 143}
if sys.platform != "win32":
    STOPPING[signal.SIGHUP] = 129


@pytest.fixture(autouse=True)
def not_ignored():
    """Under nohup, signals would be ignored, here and in what is started from here."""
    before = [signal.signal(signal.SIGINT, signal.default_int_handler)]
    before.append(signal.signal(signal.SIGHUP, signal.SIG_DFL))
    yield
    for number, handler in zip((signal.SIGINT, signal.SIGHUP), before, strict=True):
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def data(tmp_path_factory, jokes):
    """A prepared folder with a validation split as large as the training split."""
    folder = tmp_path_factory.mktemp("data") / "data"
    anekdot.prepare(jokes, out=folder, vocab_size=300, validation=0.5, test=0.05)
    return folder


@pytest.fixture(scope="module")
def unbroken(data, tmp_path_factory):
    """The folders of a long and a short run that nothing stopped."""
    folder = tmp_path_factory.mktemp("unbroken")
    for fields in (LONG, SHORT):
        anekdot.train(data, out=folder / str(fields["steps"]), **fields)
    return folder


def start(source: Path, out: Path, fields: dict) -> subprocess.Popen:
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in fields.items()]
    return subprocess.Popen(
        [sys.executable, "-m", "anekdot", "train", str(source), "--out", str(out), *flags],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def wait_until(happens, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 900
    while not happens():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.002)


def steps_told(out: Path) -> int:
    metrics = out / "run/metrics.jsonl"
    return metrics.read_text("utf-8").count('"kind": "step"') if metrics.exists() else 0


def newest(out: Path) -> Path:
    """The newest checkpoint, which must be whole, beside a bundle that can be loaded."""
    found = checkpoints(out / "run/checkpoints")
    assert is_whole(found[-1])
    Bundle.load(out)
    return found[-1]


def told(out: Path) -> list[tuple]:
    """What is in metrics.jsonl of evaluations, samples and steps, but for times."""
    lines = map(json.loads, (out / "run/metrics.jsonl").read_text("utf-8").splitlines())
    return [
        (record["kind"], record["step"], round(record.get("loss", 0), 4), record.get("text"))
        for record in lines
        if record["kind"] in ("evaluation", "sample", "step")
    ]


def assert_same(out: Path, unbroken: Path) -> None:
    assert (out / "run/finished.json").exists()
    weights = [(folder / "model.safetensors").read_bytes() for folder in (out, unbroken)]
    assert weights[0] == weights[1]
    assert told(out) == told(unbroken)


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_to_stop_saves_first_and_says_so_by_the_status(data, tmp_path, unbroken, number):
    out = tmp_path / "m"
    process = start(data, out, LONG)
    wait_until(lambda: steps_told(out) >= 3, process)
    process.send_signal(number)
    for _ in range(5):  # as some supervisors do, and as a key that is held down does
        time.sleep(0.01)
        process.send_signal(number)
    _, errors = process.communicate(timeout=900)
    assert process.returncode == STOPPING[number]
    assert "Traceback" not in errors
    assert "Stopped." in errors
    assert "the same command goes on" in errors
    assert newest(out).name > "step-00000000"
    assert not [*out.rglob("*.staged")]
    anekdot.train(data, out=out, **LONG)
    assert_same(out, unbroken / "120")


def test_nohup_is_obeyed(data, tmp_path, unbroken):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    process = start(data, tmp_path / "m", LONG)
    wait_until(lambda: steps_told(tmp_path / "m") >= 1, process)
    process.send_signal(signal.SIGHUP)
    _, errors = process.communicate(timeout=900)
    assert process.returncode == 0, errors
    assert_same(tmp_path / "m", unbroken / "120")


@pytest.mark.parametrize("later", [signal.SIGINT, signal.SIGTERM])
def test_only_a_second_ctrl_c_after_a_second_acts_at_once(monkeypatch, later):
    now = [100.0]
    monkeypatch.setattr(signals.time, "monotonic", lambda: now[0])
    seen, asked = [], []
    with signals.deferred_signals(on_stop=lambda: asked.append(1)) as requests:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGINT):
            signal.raise_signal(number)
        seen.append("still here")
        now[0] += signals.PATIENCE
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(later)
            seen.append("still here")
        assert requests.stop == signal.SIGTERM
        with pytest.raises(Terminated):
            requests.raise_if_stopped()
    assert asked == [1]
    assert len(seen) == (1 if later == signal.SIGINT else 2)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("names", [("SIGINT", "SIGTERM"), ("SIGINT", "SIGTERM", "SIGHUP")])
def test_a_system_without_sighup_does_without(names):
    code = (
        "import signal, sys\n"
        f"for name in {{'SIGHUP', 'SIGUSR1'}} - {{*{names!r}}}: delattr(signal, name)\n"
        "from anekdot import signals\n"
        "signals.handle_termination()\n"
        "with signals.deferred_signals(), signals.immediate_signals(): pass\n"
        "print(*[signal.Signals(number).name for number in signals.STOPPING])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [*names]


def test_sigusr1_saves_at_once_and_training_goes_on(data, tmp_path, unbroken):
    out = tmp_path / "m"
    process = start(data, out, LONG)
    wait_until(lambda: steps_told(out) >= 2, process)
    assert newest(out).name == "step-00000000"
    process.send_signal(signal.SIGUSR1)
    told = steps_told(out)
    wait_until(lambda: len(checkpoints(out / "run/checkpoints")) > 1, process)
    assert int(newest(out).name.removeprefix("step-")) <= 10 * (told + 2)  # two records later
    _, errors = process.communicate(timeout=900)
    assert process.returncode == 0, errors
    assert_same(out, unbroken / "120")


def test_a_preparation_that_was_stopped_goes_on(jokes, tmp_path, unbroken):
    out, fields = tmp_path / "m", SHORT | {"vocab_size": 300, "validation": 0.5, "test": 0.05}
    process = start(jokes, out, fields)
    wait_until((out / "run/data/work" / PROCESSED).exists, process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=900)
    assert process.returncode == 143
    assert "Traceback" not in errors
    assert "the same command goes on" in errors
    anekdot.train(jokes, out=out, **fields)
    assert_same(out, unbroken / "12")


def test_a_query_that_is_interrupted_is_no_error(jokes, tmp_path, monkeypatch):
    """DuckDB makes a RuntimeError of what a signal raises."""

    def slow(*_) -> None:
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
        with pytest.raises(RuntimeError) as raised, database(tmp_path / "spill") as connection:
            connection.execute("SELECT sum(a.range * b.range) FROM range(10000000) a, range(99) b")
        raise raised.value

    monkeypatch.setattr("anekdot.corpus.preparation.write_report", slow)
    with pytest.raises(KeyboardInterrupt):
        anekdot.train(jokes, out=tmp_path / "m", **(SHORT | {"vocab_size": 300}))
    monkeypatch.undo()
    anekdot.train(jokes, out=tmp_path / "m", **(SHORT | {"vocab_size": 300}))


def test_the_measuring_of_a_micro_batch_answers(data, tmp_path, monkeypatch):
    measured, seconds = [], batch_size_finder._seconds

    def measure(*arguments):
        measured.append(1)
        if len(measured) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return seconds(*arguments)

    monkeypatch.setattr(batch_size_finder, "_seconds", measure)
    out, fields = tmp_path / "m", SHORT | {"batch": "auto"}
    with pytest.raises(KeyboardInterrupt):
        anekdot.train(data, out=out, **fields)
    assert len(measured) == 4
    assert newest(out).name == "step-00000000"
    anekdot.train(data, out=out, **fields)
    assert (out / "run/finished.json").exists()


@pytest.mark.parametrize("left", ["run/data", "run/data/work"])
def test_a_preparation_killed_before_it_had_a_lock_goes_on(jokes, tmp_path, left):
    out = tmp_path / "m"
    (out / left).mkdir(parents=True)
    (out / "run/lock").touch()
    anekdot.train(jokes, out=out, **(SHORT | {"steps": 2, "warmup_steps": 0, "vocab_size": 300}))
    assert (out / "run/finished.json").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
@pytest.mark.parametrize("during", ["evaluation", "last evaluation", "sample"])
def test_evaluation_and_sampling_answer(  # noqa: PLR0917
    data, tmp_path, unbroken, monkeypatch, number, during
):
    out, calls = tmp_path / "m", []
    place = {"evaluation": (2, 1), "last evaluation": (4, 2), "sample": (1, 5)}[during]
    rounds = []

    def count() -> None:
        """Sends the signal in the middle, and notes every part that is done after it."""
        if len(rounds) == place[0]:
            calls.append(len(calls) + 1)
            if len(calls) == place[1]:
                os.kill(os.getpid(), number)

    def measured(model, documents, lengths, *, progress, **how):
        rounds.append(during)

        def counted(*position) -> None:
            count()
            progress(*position)

        short = {"tokens_per_batch": 512}
        return likelihood(model, documents, lengths, progress=counted, **short, **how)

    def describe(*arguments):
        rounds.append(during)
        return describe_sample(*arguments)

    likelihood, describe_sample = validation.likelihood, trainer.describe_sample
    if during == "sample":
        engine = trainer.TorchEngine
        monkeypatch.setattr(trainer, "describe_sample", describe)

        def polled(model, poll):
            return engine(model, poll=lambda: (count(), poll()))

        monkeypatch.setattr(trainer, "TorchEngine", polled)
    else:
        monkeypatch.setattr(validation, "likelihood", measured)
    if number == signal.SIGUSR1:
        anekdot.train(data, out=out, **SHORT)
        assert len(calls) > place[1]
    else:
        with pytest.raises(KeyboardInterrupt) as raised:
            anekdot.train(data, out=out, **SHORT)
        assert isinstance(raised.value, Terminated) == (number == signal.SIGTERM)
        assert len(calls) == place[1]
        state = json.loads((newest(out) / "state.json").read_text("utf-8"))
        assert state["step"] == {"evaluation": 8, "last evaluation": 12, "sample": 12}[during]
        if during != "last evaluation":
            assert state["last_sample" if during == "sample" else "last_evaluation"] < state["step"]
        rounds[:] = [""] * 9
        anekdot.train(data, out=out, **SHORT)
    assert_same(out, unbroken / "12")


def test_a_second_signal_does_not_wait_for_the_disk(data, tmp_path, unbroken, monkeypatch):
    out, released, waited = tmp_path / "m", threading.Event(), []

    def slow(folder, snapshot, **kept) -> None:
        """Hangs where the first signal has a checkpoint written, and sends the second one."""
        if snapshot.state["step"]:
            time.sleep(signals.PATIENCE + 0.3)  # until the main thread waits, and is impatient
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            released.wait(900)
            waited.append(True)
        save_checkpoint(folder, snapshot, **kept)

    def observe(record) -> None:
        if record["kind"] == "step":
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(manager, "save_checkpoint", slow)
    with pytest.raises(KeyboardInterrupt):
        anekdot.train(data, out=out, observe=observe, **SHORT)
    assert not waited
    assert newest(out).name == "step-00000000"
    released.set()
    monkeypatch.undo()
    anekdot.train(data, out=out, **SHORT)
    assert_same(out, unbroken / "12")
