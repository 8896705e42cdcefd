import os
import pickle
import shutil
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from anekdot import numba_jit

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs the owners and modes of POSIX")
ROOT = pytest.mark.skipif(
    os.name != "posix" or os.getuid() != 0, reason="needs root, to give files to another user"
)
STRANGER = 12001  # a user's id
HITS_AND_MISSES = """
from anekdot import numba_jit
from anekdot.tokenizer.fast.scanner import is_other
print(numba_jit.cache_folder(), is_other(1), is_other(2))
print(sum(is_other.stats.cache_hits.values()), sum(is_other.stats.cache_misses.values()))
"""


@pytest.fixture
def user_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    return tmp_path


def in_a_new_process(user_cache: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", HITS_AND_MISSES],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "XDG_CACHE_HOME": str(user_cache), "LOCALAPPDATA": str(user_cache)},
    )
    return done.stdout.split()


def test_the_folder_is_made_inside_the_users_cache_and_found_again(user_cache: Path) -> None:
    folder = numba_jit.cache_folder()
    assert folder is not None
    assert folder.is_dir()
    assert user_cache in folder.parents
    assert numba_jit.cache_folder() == folder


@POSIX
def test_nobody_else_may_look_into_the_folder(user_cache: Path) -> None:
    before = os.umask(0)
    try:
        folder = numba_jit.cache_folder()
    finally:
        os.umask(before)
    assert folder is not None
    assert folder.stat().st_mode & 0o077 == 0


@POSIX
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o720, 0o702, 0o777])
def test_a_folder_that_others_may_write_into_is_refused(user_cache: Path, mode: int) -> None:
    folder = numba_jit.cache_folder()
    assert folder is not None
    folder.chmod(mode)
    assert numba_jit.cache_folder() is None
    folder.chmod(0o755)
    assert numba_jit.cache_folder() == folder


@POSIX
@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_folder_that_others_may_replace_is_refused(user_cache: Path, mode: int) -> None:
    folder = numba_jit.cache_folder()
    assert folder is not None
    folder.parent.chmod(mode)
    assert numba_jit.cache_folder() is None


@POSIX
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o722, 0o777])
@pytest.mark.parametrize("place", ["", "home", "home/.cache"])
def test_a_folder_below_one_where_others_may_rename_is_refused(
    user_cache: Path, monkeypatch: pytest.MonkeyPatch, mode: int, place: str
) -> None:
    cache = user_cache / "home" / ".cache"
    cache.mkdir(parents=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    assert numba_jit.cache_folder() is not None
    (user_cache / place).chmod(mode)
    assert numba_jit.cache_folder() is None
    (user_cache / place).chmod(mode | stat.S_ISVTX)  # as /tmp: nobody renames what is not theirs
    assert numba_jit.cache_folder() is not None


@POSIX
def test_nothing_is_made_below_a_folder_where_others_may_rename(
    user_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(user_cache / "home" / ".cache"))
    user_cache.chmod(0o777)
    assert numba_jit.cache_folder() is None
    assert not any(user_cache.iterdir())


@POSIX
def test_what_is_made_on_the_way_is_the_users_alone_whatever_the_umask(
    user_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(user_cache / "home" / ".cache"))
    before = os.umask(0)
    try:
        assert numba_jit.cache_folder() is not None
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in user_cache.rglob("*")} == {0o700}


@ROOT
@pytest.mark.parametrize("mode", [0o755, 0o1777])
@pytest.mark.parametrize("place", ["", "home", "home/.cache", "home/.cache/anekdot"])
def test_a_folder_below_one_of_another_user_is_refused(
    user_cache: Path, monkeypatch: pytest.MonkeyPatch, place: str, mode: int
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(user_cache / "home" / ".cache"))
    folder = numba_jit.cache_folder()
    assert folder is not None
    os.chown(user_cache / place, STRANGER, STRANGER)
    (user_cache / place).chmod(mode)
    assert numba_jit.cache_folder() is None
    os.chown(user_cache / place, 0, 0)
    assert numba_jit.cache_folder() == folder


@POSIX
@pytest.mark.parametrize("place", ["home", "home/.cache", "home/.cache/anekdot"])
def test_links_are_not_followed(
    user_cache: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(user_cache / "home" / ".cache"))
    folder = numba_jit.cache_folder()
    assert folder is not None
    for link in (user_cache / place, folder):
        link.rename(user_cache / "elsewhere")
        link.symlink_to(user_cache / "elsewhere")
        assert numba_jit.cache_folder() is None
        link.unlink()
        (user_cache / "elsewhere").rename(link)
    assert numba_jit.cache_folder() == folder
    (user_cache / "dangling").symlink_to(user_cache / "nowhere")
    monkeypatch.setenv("XDG_CACHE_HOME", str(user_cache / "dangling" / ".cache"))
    assert numba_jit.cache_folder() is None
    assert not (user_cache / "nowhere").exists()


class Touch:
    """A pickle that makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@ROOT
def test_machine_code_that_another_user_could_have_put_there_is_not_run(tmp_path: Path) -> None:
    cache, proof = tmp_path / "home" / ".cache", tmp_path / "proof"
    folder = Path(in_a_new_process(cache)[0])
    for pickled in folder.rglob("*.nbi"):
        pickled.write_bytes(pickle.dumps(Touch(proof)))
    with suppress(subprocess.CalledProcessError):
        in_a_new_process(cache)
    assert proof.exists(), "Numba reads these files, so that the rest proves something"
    proof.unlink()
    os.chown(cache, STRANGER, STRANGER)
    assert in_a_new_process(cache)[:3] == ["None", "True", "False"]
    assert not proof.exists()


@POSIX
def test_a_folder_of_another_user_is_refused(
    user_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert numba_jit.cache_folder() is not None
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    assert numba_jit.cache_folder() is None


@POSIX
def test_a_read_only_folder_is_refused(user_cache: Path) -> None:
    folder = numba_jit.cache_folder()
    assert folder is not None
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("needs a user other than root")
    assert numba_jit.cache_folder() is None
    folder.rmdir()
    folder.parent.chmod(0o500)
    assert numba_jit.cache_folder() is None
    folder.parent.chmod(0o700)


@pytest.mark.parametrize("place", ["", "anekdot"])
def test_a_file_in_its_place_is_no_folder(
    place: str, user_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    file = tmp_path / "cache" / place
    file.parent.mkdir(exist_ok=True)
    file.write_text("in the way")
    assert numba_jit.cache_folder() is None


def test_a_user_without_a_home_has_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert numba_jit.cache_folder() is None


def test_other_sources_another_numba_and_another_python_have_other_folders(
    user_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, package = tmp_path / "anekdot", Path(numba_jit.__file__).parent
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__", "pretrained"))
    folders = [numba_jit.cache_folder()]
    monkeypatch.setattr(numba_jit, "__file__", str(copy / "numba_jit.py"))
    assert numba_jit.cache_folder() == folders[0]
    for source in ("tokenizer/fast/pairs.py", "corpus/deduplication/fingerprints.py"):
        with (copy / source).open("a") as file:
            file.write("# another\n")
        folders.append(numba_jit.cache_folder())
    monkeypatch.setattr(numba_jit.numba, "__version__", "0.0")
    folders.append(numba_jit.cache_folder())
    monkeypatch.setattr(sys, "version", "4.0")
    folders.append(numba_jit.cache_folder())
    assert None not in folders
    assert len({*folders}) == 5


def test_a_second_process_finds_the_machine_code(tmp_path: Path) -> None:
    folder, *found = in_a_new_process(tmp_path)
    assert found == ["True", "False", "0", "1"]
    assert any(Path(folder).rglob("scanner.is_other*.nbi"))
    assert in_a_new_process(tmp_path) == [folder, "True", "False", "1", "0"]


def test_importing_makes_no_folder_until_the_first_function_is_decorated(tmp_path: Path) -> None:
    script = "from pathlib import Path; from anekdot import numba_jit"
    script += (
        f"\nassert not any(Path({str(tmp_path)!r}).iterdir())\nimport anekdot.tokenizer.fast.keys"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)},
    )
    assert [path.name for path in tmp_path.iterdir()] == ["anekdot"]


def test_without_a_folder_the_functions_run_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    folder, *found = in_a_new_process(file)
    assert folder == "None"
    assert found[:2] == ["True", "False"]
    assert [*tmp_path.rglob("*")] == [file]


@pytest.mark.slow
def test_no_array_is_read_or_written_outside_its_bounds(tmp_path: Path) -> None:
    chosen = "every_length or tiny_corpora or chunks or deep_merges or small_tables or smaller"
    chosen += " or training_left or every_number or sixteen or finds_every_token_among or its_end"
    chosen += " or shingles or brute_force"
    here = Path(__file__).parent
    places = [here / "tokenizer" / "fast", here / "corpus"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *map(str, places), "-x", "-k", chosen],
        env={
            **os.environ,
            "XDG_CACHE_HOME": str(tmp_path),
            "LOCALAPPDATA": str(tmp_path),
            "NUMBA_BOUNDSCHECK": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_place_of_other_peoples_machine_code_is_not_changed() -> None:
    script = "import numba; before = numba.config.CACHE_DIR\nimport anekdot.tokenizer.fast.keys"
    script += "\nassert numba.config.CACHE_DIR == before, numba.config.CACHE_DIR"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_machine_code_that_was_long_unused_is_deleted(user_cache: Path) -> None:
    folder = numba_jit.cache_folder()
    assert folder is not None
    old, recent, other = (folder.parent / name for name in ("0" * 16, "1" * 16, "models"))
    for each in (old, recent, other):
        each.mkdir()
        (each / "file").touch()
    for each in (old, other):
        os.utime(each, (0, 0))
    assert numba_jit.cache_folder() == folder
    assert sorted(folder.parent.iterdir()) == sorted([folder, recent, other])
