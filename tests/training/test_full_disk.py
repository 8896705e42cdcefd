"""A disk that fills up: the run stops with a message, and goes on when there is room again."""

import errno
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import anekdot
from anekdot.bundle import Bundle
from anekdot.cli import main
from anekdot.errors import AnekdotError, ConfigurationError, StorageError
from anekdot.training.checkpoint.format import checkpoints, is_whole
from tests.support.runs import TINY_RUN

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs Linux, to mount a tmpfs"),
]

SIZE = 2 << 20  # of the disk
FIELDS = {name: value for name, value in TINY_RUN.items() if name not in ("validation", "test")}
FIELDS |= {"steps": 24, "evaluate_every": 4, "sample_every": 12, "checkpoint_every": 3}
FULL = (errno.ENOSPC, errno.EDQUOT)


class Disk:
    """A small disk, and the file that takes the room on it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.filler = folder, folder / "filler"

    def leave(self, n_bytes: int) -> None:
        """Fills all but so many bytes, in whole pages."""
        with self.filler.open("ab") as file:
            taken = max(0, shutil.disk_usage(self.folder).free - n_bytes)
            file.write(bytes(taken))

    def empty(self) -> None:
        self.filler.unlink(missing_ok=True)

    def allow_no_writing(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", self.folder], check=True)


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder]
    if shutil.which("mount") is None or subprocess.run(command, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs, as root has it")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="module")
def unbroken(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("unbroken") / "m"
    anekdot.train(data, out=out, **FIELDS)
    return out


def check(out: Path) -> None:
    """What must hold whenever a run is stopped."""
    found = checkpoints(out / "run/checkpoints")
    if (out / "model.safetensors").exists() or found:
        Bundle.load(out)
    if found:
        assert is_whole(found[-1])
    assert not [*out.rglob(".*.staged")]


def told(out: Path) -> list[tuple]:
    lines = map(json.loads, (out / "run/metrics.jsonl").read_text("utf-8").splitlines())
    return [
        (record["kind"], record["step"], record.get("loss"), record.get("text")) for record in lines
    ]


def assert_goes_on(data: Path, out: Path, unbroken: Path) -> None:
    anekdot.train(data, out=out, **FIELDS)
    weights = [(folder / "model.safetensors").read_bytes() for folder in (out, unbroken)]
    assert weights[0] == weights[1]
    assert told(out) == told(unbroken)


def attempt(data: Path, out: Path, observe) -> str:
    """Trains, and returns what was said of a full disk, if it was one that ended it."""
    try:
        anekdot.train(data, out=out, observe=observe, **FIELDS)
    except (StorageError, ConfigurationError) as error:
        return str(error)
    except OSError as error:
        if error.errno not in FULL:
            raise
    finally:
        check(out)
    return ""


def tries() -> list[tuple[int, int]]:
    """Returns pairs of a record after which the disk fills up, and bytes that are left."""
    chance = random.Random(3)
    few = [(place, left) for place in (0, 1, 4) for left in (0, 1 << 12, 1 << 15)]
    return few + [(chance.randrange(10), chance.randrange(160_000)) for _ in range(8)]


def test_a_disk_that_fills_up_stops_a_run_and_no_more(data, unbroken, disk):
    out, said = disk.folder / "m", []
    for place, left in tries():
        records = []

        def observe(record, records=records, place=place, left=left) -> None:
            records.append(record)
            if len(records) == place + 1:
                disk.leave(left)

        said.append(attempt(data, out, observe))
        disk.leave(0)
        attempt(data, out, records.append)  # no room to go on
        disk.empty()
        if not (out / "run/finished.json").exists():
            assert_goes_on(data, out, unbroken)
        shutil.rmtree(out)
    said = [*filter(None, said)]
    assert len(said) >= 8
    for part in ("MB are needed", "MB are free", "run the same command again"):
        assert all(part in sentence for sentence in said)


@pytest.mark.parametrize("left", [0, 1 << 13, 60_000])
def test_a_disk_that_is_too_small_is_refused_before_training(data, unbroken, disk, left):
    out, records = disk.folder / "m", []
    disk.leave(left)
    with pytest.raises((StorageError, OSError)) as raised:
        anekdot.train(data, out=out, observe=records.append, **FIELDS)
    if left:
        assert "MB are needed" in str(raised.value)
        assert "MB are free" in str(raised.value)
    assert not records
    assert not (out / "model.safetensors").exists()
    disk.empty()
    assert_goes_on(data, out, unbroken)


def test_a_preparation_that_finds_the_disk_full_goes_on(jokes, unbroken, disk):
    out, fields = disk.folder / "m", FIELDS | {"validation": 0.1, "test": 0.1}
    for left in (0, 1 << 12, 1 << 14, 1 << 16):
        disk.leave(left)
        with pytest.raises((AnekdotError, OSError)):
            anekdot.train(jokes, out=out, **fields)
        disk.empty()
    anekdot.train(jokes, out=out, **fields)
    weights = [(folder / "model.safetensors").read_bytes() for folder in (out, unbroken)]
    assert weights[0] == weights[1]


def test_a_folder_that_cannot_be_written_to_is_said(data, disk, capsys, monkeypatch):
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in FIELDS.items()]
    command = ["anekdot", "train", str(data), "--out", str(disk.folder / "m"), *flags]
    monkeypatch.setattr(sys, "argv", command)
    disk.allow_no_writing()
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert str(disk.folder / "m") in said
    assert "Read-only file system" in said
    assert "Traceback" not in said
