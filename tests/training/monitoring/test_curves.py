import json
import re
from pathlib import Path

import pytest

from anekdot.errors import BundleError
from anekdot.training.monitoring.curves import _names, _smoothed, draw_curves


def test_smoothing_keeps_a_short_run_as_it_is_and_averages_a_long_one():
    short = [{"step": i, "loss": float(i)} for i in range(20)]
    assert _smoothed(short, "loss") == short
    long = [{"step": i, "loss": float(i % 2)} for i in range(1000)]
    smooth = _smoothed(long, "loss")
    assert len(smooth) == 100
    assert all(point["loss"] == 0.5 for point in smooth)


def make_run(folder):
    metrics = folder / "run" / "metrics.jsonl"
    metrics.parent.mkdir(parents=True)
    numbers = {"loss": 3.0, "bits_per_byte": 2.0, "learning_rate": 1e-3, "epoch": 0.1}
    record = {"kind": "step", "step": 10, **numbers}
    metrics.write_text(json.dumps(record) + '\n{"kind": "st', "utf-8")
    return folder


def test_a_run_in_progress_is_drawn_and_a_cut_line_is_left_out(tmp_path):
    picture = draw_curves([make_run(tmp_path)], tmp_path / "c.png")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_folder_without_a_run_is_an_error(tmp_path):
    with pytest.raises(BundleError, match=tmp_path.name):
        draw_curves([tmp_path], tmp_path / "c.png")


def test_runs_are_distinguished(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _names([Path("a/m"), Path("a/n")]) == ["m", "n"]
    assert _names([Path("a/m"), Path("b/m")]) == ["a/m", "b/m"]
    assert _names([Path()]) == [tmp_path.name]


@pytest.mark.parametrize("name", ["$x^{$", "a$b", "_a", "\x1b[31m", "м\udce9", "{}", "a\nb"])
def test_a_run_of_any_name_is_drawn_under_it(tmp_path, name):
    try:
        folder = make_run(tmp_path / name)
    except OSError:
        pytest.skip("this file system has no such names")
    picture = draw_curves([folder], tmp_path / "c.svg").read_text("utf-8")
    assert not {"\x1b", "\udce9"} & {*picture}
    for part in re.findall("[a-zа-я]+", name):
        assert re.search(f"<!-- .*{part}.*training", picture, re.DOTALL), name
