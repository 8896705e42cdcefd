"""What stands in a run's folder is replaced by nothing worse, whatever else of it is gone."""

import hashlib
import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load, save

import anekdot
from anekdot.bundle import Bundle
from anekdot.errors import BundleError, ConfigurationError
from anekdot.run_folder import RunFolder
from anekdot.training.checkpoint.format import HASHES, OPTIMIZER, STATE, checkpoints
from anekdot.training.checkpoint.manager import CheckpointManager
from anekdot.training.monitoring.metrics import append
from anekdot.training.monitoring.samples import write_samples
from tests.support.runs import TINY_RUN, metrics, weights_hash

OWN = {name: value for name, value in TINY_RUN.items() if name not in ("validation", "test")}
OWN |= {"steps": 24, "checkpoint_every": 4, "dropout": 0.1}
STOPPED = 18


def train(data, out, fields=OWN, *, until=None):
    """Trains, to the end or until a step is recorded, and returns what was said."""
    said = []

    def stop(record):
        if until is not None and record["step"] >= until:
            raise KeyboardInterrupt

    try:
        anekdot.train(data, out=out, notice=said.append, observe=stop, **fields)
    except KeyboardInterrupt:
        assert until is not None
    return " ".join(said)


@pytest.fixture(scope="module")
def unbroken(data, tmp_path_factory):
    """A run that nothing happened to."""
    out = tmp_path_factory.mktemp("unbroken") / "m"
    train(data, out)
    return weights_hash(out)


@pytest.fixture(scope="module")
def stopped(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("stopped") / "m"
    train(data, out, until=STOPPED)
    return out


@pytest.fixture
def out(stopped, tmp_path):
    """A copy of a run that was stopped between two checkpoints, with two of them."""
    return shutil.copytree(stopped, tmp_path / "m")


def contents(out):
    return {
        path: path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != "lock"
    }


def forge(out, change, *, newest_only=False):
    """Changes the states of checkpoints and corrects their hashes."""
    for path in checkpoints(RunFolder(out).checkpoints)[-1 if newest_only else None :]:
        state = change(json.loads((path / STATE).read_text("utf-8")))
        (path / STATE).write_text(json.dumps(state), "utf-8")
        correct(path)


def correct(path):
    hashes = {
        name: hashlib.sha256((path / name).read_bytes()).hexdigest()
        for name in json.loads((path / HASHES).read_text("utf-8"))
    }
    (path / HASHES).write_text(json.dumps(hashes), "utf-8")


@pytest.mark.parametrize(
    "also_gone",
    [(), ("metrics.jsonl",), ("config.json",), ("config.json", "metrics.jsonl", "samples.md")],
)
def test_a_trained_model_without_checkpoints_is_not_begun_anew(data, out, also_gone):
    run = RunFolder(out)
    shutil.rmtree(run.checkpoints)
    for name in also_gone:
        (run.run / name).unlink(missing_ok=True)
    before = contents(out)
    with pytest.raises(ConfigurationError) as refused:
        train(data, out)
    assert contents(out) == before
    assert f"--from {out}" in refused.value.remedy
    assert "--out" in refused.value.remedy


def test_records_alone_are_not_begun_anew_either(data, out):
    shutil.rmtree(RunFolder(out).checkpoints)
    (out / "model.safetensors").unlink()
    before = contents(out)
    with pytest.raises(ConfigurationError, match="no checkpoint"):
        train(data, out)
    assert contents(out) == before


def test_a_bundle_that_is_damaged_as_well_is_kept_for_whoever_can_mend_it(data, out):
    shutil.rmtree(RunFolder(out).checkpoints)
    RunFolder(out).metrics.unlink()
    (out / "tokenizer.json").unlink()
    before = contents(out)
    with pytest.raises(ConfigurationError, match="no checkpoint"):
        train(data, out)
    assert contents(out) == before


def test_a_run_killed_before_its_first_checkpoint_begins_anew(
    data, tmp_path, unbroken, monkeypatch
):
    def kill(*_):
        raise KeyboardInterrupt

    out = tmp_path / "m"
    monkeypatch.setattr(CheckpointManager, "save", kill)
    train(data, out, until=0)
    monkeypatch.undo()
    assert Bundle.load(out)
    assert not RunFolder(out).checkpoints.exists()
    train(data, out)
    assert weights_hash(out) == unbroken


def test_a_lost_record_of_the_settings_is_said_and_got_over(data, out, unbroken):
    RunFolder(out).config.unlink()
    with pytest.raises(ConfigurationError, match="learning_rate"):
        train(data, out, OWN | {"learning_rate": 0.5})
    assert not RunFolder(out).config.exists()
    assert "config.json is gone" in train(data, out)
    assert weights_hash(out) == unbroken
    assert RunFolder(out).prepared_folder().resolve() == data.resolve()


def test_a_state_of_null_gives_way_to_the_checkpoint_before(data, out, unbroken):
    forge(out, lambda state: None, newest_only=True)
    assert "damaged: going on from" in train(data, out)
    assert weights_hash(out) == unbroken


@pytest.mark.parametrize(
    "change", [{"tokens": "many"}, {"seconds": -1.0}, {"unrecorded": 5}], ids=str
)
def test_a_forged_state_is_one_sentence_and_changes_nothing(data, out, change):
    forge(out, lambda state: state | change)
    before = contents(out)
    with pytest.raises(BundleError, match="checkpoint"):
        train(data, out)
    assert contents(out) == before


@pytest.mark.parametrize("state", [None, [], 5, "step", {}])
def test_a_state_that_is_none_in_all_checkpoints_is_no_new_run(data, out, state):
    forge(out, lambda _: state)
    before = contents(out)
    with pytest.raises(BundleError, match="Every checkpoint"):
        train(data, out)
    assert contents(out) == before


@pytest.mark.parametrize("names", [{}, {"0.exp_avg": "x.exp_avg"}, {"0.step": "99.step"}])
def test_moments_of_other_parameters_are_one_sentence(data, out, names):
    for path in checkpoints(RunFolder(out).checkpoints):
        moments = load((path / OPTIMIZER).read_bytes())
        if not names:
            moments["0.exp_avg"] = np.zeros(3, np.float32)
        moments = {names.get(name, name): array for name, array in moments.items()}
        (path / OPTIMIZER).write_bytes(save(moments))
        correct(path)
    with pytest.raises(BundleError, match="other parameters"):
        train(data, out)


def test_forged_records_do_not_stop_a_run(data, out, unbroken):
    path = RunFolder(out).metrics
    odd = [
        '{"kind": "step", "step": 1, "loss": true, "bits_per_byte": 1, "learning_rate": 1}',
        '{"kind": "sample", "step": 1, "text": "\\ud800", "copied": ""}',
        '{"kind": "sample", "step": 1, "text": "half a record',
        f'{{"kind": "evaluation", "step": {10**400}, "loss": 1, "perplexity": 1}}',
        '{"kind": "evaluation", "step": 17, "loss": 1, "perplexity": 1, "bits_per_byte": NaN, '
        '"best": true}',
        '{"kind": "step", "step": 9, "loss": 1e999, "bits_per_byte": -1, "learning_rate": 1, '
        '"epoch": 1}',
        '{"kind": "display", "step": 3}', '{"kind": "spike", "step": 3}', '{"kind": "", "step": 0}',
    ]  # fmt: skip
    with path.open("a", encoding="utf-8") as file:
        file.write("\n".join(odd))
    train(data, out)
    assert weights_hash(out) == unbroken


@pytest.mark.parametrize("has_validation", [True, False])
def test_a_model_that_later_steps_left_is_kept_until_it_is_overtaken(
    data, jokes, tmp_path, has_validation
):
    """Killed at step 18 with one checkpoint at step 0, then again at 6, then at 12."""
    out, fields = tmp_path / "m", OWN | {"checkpoint_every": 100, "evaluate_every": 3}
    if not has_validation:
        data = tmp_path / "data"
        anekdot.prepare(jokes, out=data, vocab_size=300, validation=0, test=0)
    train(data, tmp_path / "unbroken", fields)
    train(data, out, fields, until=STOPPED)
    standing = weights_hash(out)
    assert standing != weights_hash(tmp_path / "unbroken")
    for until in (0, 6, 12):
        train(data, out, fields, until=until)
        assert weights_hash(out) == standing
        Bundle.load(out)
    train(data, out, fields)
    assert weights_hash(out) == weights_hash(tmp_path / "unbroken")
    assert [record["step"] for record in metrics(out, "step")] == [10, 20, 24]


def test_what_a_model_tells_is_shown_and_not_obeyed_by_markdown(tmp_path):
    text = "# Title\n```\n<script>alert(1)</script>\n````\n![x](http://example.org)\x1b[31m\ud800"
    record = {"kind": "sample", "step": 4, "text": text, "copied": "<b>``` ` *x*\n\n# y"}
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps(record) + "\n")
    append(path, {"kind": "sample", "step": 8, "text": "кот", "copied": ""})
    write_samples(path, tmp_path / "samples.md")
    lines = (tmp_path / "samples.md").read_text("utf-8").split("\n")
    assert lines[2] == lines[8] + "text" == "`````text"
    assert "\x1b" not in "".join(lines)
    assert lines[lines.index("# y") + 1] == "````"
    assert "кот" in lines
