"""What holds for every target: mistakes are one sentence, and nothing is half-written."""

import errno
import shutil

import pytest

from anekdot import export as room
from anekdot.errors import AnekdotError, MissingExtra, StorageError
from anekdot.export import TARGETS, export


@pytest.mark.parametrize(
    ("target", "said"),
    [("ggfu", "Did you mean gguf"), ("GGUF", "Did you mean gguf"), ("pdf", "Choose one of gguf")],
)
def test_an_unknown_target(folder, tmp_path, target, said):
    with pytest.raises(AnekdotError, match=said):
        export(folder, target, tmp_path / "x")


def test_an_unknown_dtype(folder, tmp_path):
    with pytest.raises(AnekdotError, match="Did you mean f16"):
        export(folder, "bundle", tmp_path / "x", dtype="fp16")


@pytest.mark.parametrize("target", [name for name in TARGETS if TARGETS[name].packages])
def test_a_missing_extra_says_what_to_install(folder, tmp_path, target, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'--to \w+ needs.*pip install "anekdot\[export\]"'):
        export(folder, target, tmp_path / "x")


def test_a_folder_of_a_package_s_name_is_no_package(folder, tmp_path, monkeypatch):
    (tmp_path / "anekdot_packages" / "there_is_none").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "anekdot_packages")
    monkeypatch.setitem(
        TARGETS, "bundle", room.Target("bundle_zip", {"f32": 4}, ("there_is_none",))
    )
    with pytest.raises(MissingExtra):
        export(folder, "bundle", tmp_path / "x")


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_there_already_is_kept(folder, tmp_path, kind):
    out = tmp_path / "out"
    if kind == "file":
        out.write_text("mine", "utf-8")
    elif kind == "folder":
        out.mkdir()
    else:
        out.symlink_to(tmp_path / "nowhere")
    with pytest.raises(AnekdotError, match="exists already"):
        export(folder, "bundle", out)
    assert out.is_symlink() if kind == "link" else out.exists()


@pytest.mark.parametrize("value", [0, -1, 1 << 21])
def test_a_usable_context_that_cannot_be(folder, tmp_path, value):
    with pytest.raises(AnekdotError, match="usable_context"):
        export(folder, "transformers", tmp_path / "x", usable_context=value)


def test_a_usable_context_that_would_do_nothing(folder, tmp_path):
    with pytest.raises(AnekdotError, match="does not limit"):
        export(folder, "bundle", tmp_path / "x", usable_context=2048)


def test_free_space_is_checked_before(folder, tmp_path, monkeypatch):
    few = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("shutil.disk_usage", lambda path: few)
    monkeypatch.setattr("anekdot.export.bundle_zip.write", lambda *_: pytest.fail("written"))
    with pytest.raises(StorageError, match=r"are free\. Free some space, or name a place"):
        export(folder, "bundle", tmp_path / "new" / "x")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, "full"), RuntimeError("bug"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("function", ["write", "check"])
def test_nothing_is_left_half_written(folder, tmp_path, monkeypatch, failure, function):
    def fail(bundle, path, *_):
        path.write_bytes(b"half")
        raise failure

    monkeypatch.setattr(f"anekdot.export.bundle_zip.{function}", fail)
    with pytest.raises(StorageError if isinstance(failure, OSError) else type(failure)):
        export(folder, "bundle", tmp_path / "x.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_pretrained_names_the_model_that_comes_along(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(
        "anekdot.export.bundle_zip.write",
        lambda bundle, path, *_: written.append(bundle) or path.touch(),
    )
    monkeypatch.setattr("anekdot.export.bundle_zip.check", lambda *_: "")
    export("pretrained", "bundle", tmp_path / "x.zip")
    assert written[0].config.n_parameters == 11_309_952


@pytest.mark.parametrize(("trained", "usable"), [(32, 1024), (512, 1024), (2000, 4000)])
def test_the_usable_context(trained, usable, tmp_path, monkeypatch):
    from tests.support.bundles import random_bundle

    random_bundle(context_length=trained).save(tmp_path / "model")
    seen = []
    monkeypatch.setattr(
        "anekdot.export.bundle_zip.write",
        lambda bundle, path, dtype, usable: seen.append(usable) or path.touch(),
    )
    monkeypatch.setattr("anekdot.export.bundle_zip.check", lambda *_: "")
    export(tmp_path / "model", "bundle", tmp_path / "x.zip")
    assert seen == [usable]
