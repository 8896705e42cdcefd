"""A view that fails ends no work: readers that went away, full disks, closed streams, a hang-up."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

import anekdot
from anekdot.bundle import Bundle
from anekdot.run_folder import RunFolder
from tests.support.runs import TINY_RUN, metrics

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell"),
]
FIELDS = {name: value for name, value in TINY_RUN.items() if name not in ("validation", "test")}
FLAGS = " ".join(f"--{name.replace('_', '-')}={value}" for name, value in FIELDS.items())
COMMAND = f'"{sys.executable}" -m anekdot'
needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")


@pytest.fixture(scope="module")
def data(tmp_path_factory, jokes):
    folder = tmp_path_factory.mktemp("data") / "data"
    anekdot.prepare(jokes, out=folder, vocab_size=300, validation=0.1, test=0.1)
    return folder


def shell(line, cwd):
    return subprocess.run(
        ["bash", "-c", line], cwd=cwd, capture_output=True, text=True, timeout=900, check=False
    )


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("2>&1 | head -n 1", "Broken pipe"),
        pytest.param("2>/dev/full", "No space left on device", marks=needs_full),
        (">&- 2>&-", "it is closed"),
        pytest.param(">/dev/full", None, marks=needs_full),
        ("<&- >&-", None),
    ],
)
def test_a_run_ends_though_nobody_sees_it(data, tmp_path, way, reason):
    done = shell(f"set -o pipefail; {COMMAND} train '{data}' --out m {FLAGS} {way}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert RunFolder(tmp_path / "m").finished.exists()
    assert Bundle.load(tmp_path / "m")
    lost = metrics(tmp_path / "m", "display")
    assert [record["error"] for record in lost] == [reason] * (reason is not None)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("generate Кот --max-tokens 3 >&-", 0),
        ("generate Кот --max-tokens 3 --json >&-", 0),
        ("info >&- 2>&-", 0),
        ("tokenizer encode Кот >&-", 0),
        ("tokenizer show <&- >&- 2>&-", 0),
        pytest.param("generate Кот --max-tokens 3 >/dev/full", 2, marks=needs_full),
        pytest.param("info >/dev/full", 2, marks=needs_full),
        pytest.param("tokenizer encode Кот >/dev/full 2>/dev/full", 2, marks=needs_full),
        pytest.param("generate --model nowhere 2>/dev/full", 2, marks=needs_full),
        ("generate --model nowhere 2>&-", 2),
        ("tokenizer train - --out t.json <&-", 2),
    ],
)
def test_other_commands_say_one_sentence_or_nothing(tmp_path, line, status):
    done = shell(f"{COMMAND} {line}", tmp_path)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1


def test_a_closed_terminal_saves(data, tmp_path):
    """The terminal's other end is closed, which sends SIGHUP and makes every write fail."""
    import pty  # not on Windows

    flags = [f"--{name.replace('_', '-')}={value}" for name, value in FIELDS.items()]
    flags += ["--steps=4000", "--checkpoint-every=4000", "--evaluate-every=4000"]
    flags = [flag for flag in flags if flag not in ("--steps=40",)]
    unique = {flag.split("=")[0]: flag for flag in flags}
    child, terminal = pty.fork()
    if child == 0:
        command = [
            sys.executable,
            "-m",
            "anekdot",
            "train",
            str(data),
            "--out",
            str(tmp_path / "m"),
        ]
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may run under nohup
        os.execv(sys.executable, [*command, *unique.values()])
    path = RunFolder(tmp_path / "m").metrics
    deadline = time.monotonic() + 600
    os.set_blocking(terminal, False)
    while not path.exists() or path.read_text("utf-8").count('"kind": "step"') < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        with contextlib.suppress(BlockingIOError):
            os.read(terminal, 1 << 16)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 129
    saved = sorted(os.listdir(RunFolder(tmp_path / "m").checkpoints))
    assert saved[-1] > "step-00000020"


def test_an_observer_that_cannot_write_is_left_out(data, tmp_path):
    seen = []

    def observe(record):
        seen.append(record["kind"])
        raise BrokenPipeError(32, "Broken pipe")

    anekdot.train(data, out=tmp_path / "m", observe=observe, **FIELDS)
    assert len(seen) == 1
    assert metrics(tmp_path / "m", "display")[0]["error"] == "Broken pipe"


def test_an_observer_that_means_it_ends_the_run(data, tmp_path):
    def observe(record):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        anekdot.train(data, out=tmp_path / "m", observe=observe, **FIELDS)
    assert not RunFolder(tmp_path / "m").finished.exists()
    assert json.loads(RunFolder(tmp_path / "m").config.read_text())
