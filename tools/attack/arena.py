"""Where attacks take place: commands in forked children, a tiny run, and who has survived.

A child finds everything imported already, so that a whole command costs tenths of a second.
"""

import gc
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

from tools.attack.child import SECONDS, Child, Ended

ROOT = Path(__file__).parents[2]
ADDRESS_SPACE = 24 << 30  # bytes: a guard for the machine, not a bound to keep

TINY = [
    *("--n-layer=1", "--n-head=2", "--n-kv-head=1", "--hidden-dim=16", "--intermediate-dim=32"),
    *("--vocab-size=300", "--context-length=32", "--batch-size=8", "--warmup-steps=3"),
    *("--validation=0.1", "--test=0.1", "--precision=fp32", "--dropout=0.1"),
]
SHORT = [*TINY, "--steps=16", "--evaluate-every=4", "--sample-every=16", "--checkpoint-every=4"]
BASH = shutil.which("bash") or "/bin/bash"
LONG = [*TINY, "--steps=200", "--evaluate-every=100", "--sample-every=200"]
LONG += ["--checkpoint-every=1000"]

Case = tuple[str, Callable[[], str | None]]
"""The name of a case, and what tries it: returns what was lost, or None."""


class Refused(Exception):
    """This machine does not allow an attack; the message says why."""


class Arena:
    """A folder for attacks, and the things that are attacked.

    Args:
        folder: Holds everything; the caller removes it.
        seed: Of all random choices.
        times: How many random cases are tried, instead of each attack's own number.
    """

    def __init__(self, folder: Path, seed: int, times: int | None) -> None:
        self.folder, self.seed, self.times = folder, seed, times
        self._count = 0
        began, busy = time.monotonic(), time.process_time()
        sys.path.insert(0, str(ROOT / "src"))
        os.environ |= {"OMP_NUM_THREADS": "1", "COLUMNS": "200", "PYTHONPATH": str(ROOT / "src")}
        os.environ |= {"PYTHONIOENCODING": "utf-8"}
        import duckdb  # noqa: F401, PLC0415
        import matplotlib.pyplot  # noqa: F401, PLC0415
        import torch._dynamo  # noqa: F401, PLC0415 (half of the time of a tiny run)

        import anekdot.cli.train  # noqa: PLC0415
        import anekdot.corpus.preparation  # noqa: PLC0415
        import anekdot.training.trainer  # noqa: F401, PLC0415

        waited = (time.monotonic() - began) / (time.process_time() - busy)
        self.patience = max(1.0, 2 * waited)  # others may be at work on this machine
        gc.freeze()  # or each child would copy what it never touches

    def chance(self, name: str) -> random.Random:
        """Returns random numbers that depend on the seed and the name of a case alone."""
        return random.Random(f"{self.seed} {name}")

    def numbered(self, own: int) -> Iterator[int]:
        """Yields the numbers of random cases."""
        return iter(range(own if self.times is None else self.times))

    def room(self, name: str = "room") -> Path:
        """Returns a new empty folder."""
        self._count += 1
        path = self.folder / f"{self._count}-{name}"
        path.mkdir()
        return path

    def start(
        self, *words: object, setup: Callable[[], object] | None = None, stdin: bytes = b""
    ) -> Child:
        """Starts a command; ``setup`` runs in the child before it."""

        def work() -> None:
            from anekdot.cli import main  # noqa: PLC0415

            sys.argv = [
                "anekdot",
                *(os.fsdecode(w) if isinstance(w, bytes) else str(w) for w in words),
            ]
            if setup:
                setup()
            main()

        return Child(work, self.room("std"), stdin, self.patience)

    def run(
        self,
        *words: object,
        setup: Callable[[], object] | None = None,
        stdin: bytes = b"",
        seconds: float = SECONDS,
    ) -> Ended:
        """Runs a command to its end."""
        return self.start(*words, setup=setup, stdin=stdin).end(seconds)

    def shell(self, line: str, *, cwd: Path, seconds: float = SECONDS, **env: str | None) -> Ended:
        """Runs a line of shell, where A is the command and a new interpreter runs it."""
        words = {**os.environ, "A": f"{sys.executable} -m anekdot", **env}
        process = subprocess.Popen(
            [BASH, "-c", line],
            cwd=cwd,
            env={name: value for name, value in words.items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=seconds * self.patience)
            return Ended(process.returncode, out, err)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            return Ended(None, out, err)

    @cached_property
    def texts(self) -> Path:
        """Three hundred texts, one a line."""
        path = self.folder / "jokes.txt"
        path.write_text("\n".join(texts(300)) + "\n", "utf-8")
        return path

    @cached_property
    def data(self) -> Path:
        """A prepared folder."""
        path = self.folder / "prepared"
        flags = [flag for flag in TINY if flag.startswith(("--vocab", "--valid", "--test"))]
        self._must(self.run("prepare", self.texts, "--out", path, *flags))
        return path

    @cached_property
    def unbroken(self) -> Path:
        """A short run from raw texts that nothing hurt."""
        path = self.folder / "unbroken"
        self._must(self.run("train", self.texts, "--out", path, *SHORT))
        return path

    @cached_property
    def unbroken_long(self) -> Path:
        """A long run on the prepared folder that nothing hurt."""
        path = self.folder / "unbroken-long"
        self._must(self.run("train", self.data, "--out", path, *LONG))
        return path

    @cached_property
    def bundle(self) -> Path:
        """A bundle without its run."""
        path = self.folder / "bundle"
        shutil.copytree(self.unbroken, path, ignore=lambda folder, names: ["run"])
        return path

    @cached_property
    def stopped(self) -> Path:
        """A short run that was killed when its best model of step 12 stood."""
        path = self.folder / "stopped"
        self.run(
            "train",
            self.texts,
            "--out",
            path,
            *SHORT,
            setup=lambda: die_after(path, "step-00000012"),
        )
        assert (path / "run/checkpoints/step-00000012").exists()
        return path

    @cached_property
    def untrained(self) -> str:
        """The hash of the short run's first weights."""
        path = self.room()
        self.run(
            "train", self.texts, "--out", path / "m", *SHORT,
            setup=lambda: die_after(path / "m", "model.safetensors"),
        )  # fmt: skip
        return sha(path / "m/model.safetensors")

    def go_on(
        self,
        out: Path,
        unbroken: Path | None = None,
        flags: list[str] = SHORT,
        *,
        is_history_lost: bool = False,
    ) -> str | None:
        """Gives the unhurt command again, and returns how its end differs from the unbroken run.

        Where the record of the first steps was destroyed, that of the others must be the same.
        """
        source = self.texts if flags is SHORT else self.data
        ended = self.run("train", source, "--out", out, *flags)
        if lost := ended.lost():
            return f"afterwards: {lost}"
        if ended.status and b"is finished" not in ended.err:
            return f"afterwards refused: {ended.err.decode('utf-8', 'replace').strip()[:200]}"
        other = unbroken or (self.unbroken if flags is SHORT else self.unbroken_long)
        return difference(out, other, is_history_lost=is_history_lost)

    @staticmethod
    def _must(ended: Ended) -> None:
        assert ended.status == 0, ended.err.decode("utf-8", "replace")


def die_after(out: Path, name: str) -> None:
    """Lets this process kill itself once a file or folder of that name is published in ``out``."""
    real = os.replace

    def replace(source: str, target: str, **more: object) -> None:
        real(source, target, **more)  # type: ignore[arg-type]
        place = Path(os.fspath(target))
        if place.name == name and out in place.parents and "staged" not in str(place):
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = replace  # type: ignore[assignment]


def texts(n: int) -> list[str]:
    """Returns n distinct small texts."""
    who = ("Студент", "Профессор", "Кот", "Программист", "Сосед", "Бабушка", "Врач", "Моряк")
    does = ("спрашивает", "отвечает", "вздыхает", "думает", "поёт", "молчит")
    what = ("про экзамен", "о погоде", "про обед", "о смысле жизни", "про зарплату", "о рыбалке")
    return [
        f"{who[i % 8]} номер {i} {does[i // 8 % 6]} {what[i // 48 % 6]}, {who[(i * 5 + 3) % 8]} "
        f"смеётся в {i % 24} часов." for i in range(n)
    ]  # fmt: skip


def sha(path: Path) -> str:
    """Returns the hash of a file, or of nothing where there is none."""
    return hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest()


def told(out: Path, *kinds: str) -> list[list[object]]:
    """Returns what metrics.jsonl says, without times."""
    lines = (out / "run/metrics.jsonl").read_text("utf-8").splitlines()
    names = ("kind", "step", "loss", "bits_per_byte", "text")
    records = [json.loads(line) for line in lines]
    return [[record.get(name) for name in names] for record in records if record["kind"] in kinds]


def difference(out: Path, unbroken: Path, *, is_history_lost: bool = False) -> str | None:
    """Returns what of a finished run is not equal to the bit with the unbroken one.

    How many samples there are depends on the time; those of one step are the same.
    """
    if not (out / "run/finished.json").exists():
        return "the run is not finished"
    if sha(out / "model.safetensors") != sha(unbroken / "model.safetensors"):
        return "other weights than the unbroken run"
    own, others = (told(place, "step", "evaluation") for place in (out, unbroken))
    if is_history_lost:
        others = [record for record in others if record in own or record == others[-1]]
    if own != others:
        return "other metrics than the unbroken run"
    mine, theirs = (
        {record[1]: record for record in told(place, "sample")} for place in (out, unbroken)
    )
    if any(mine[step] != theirs[step] for step in mine.keys() & theirs.keys()):
        return "other samples than the unbroken run"
    return None
