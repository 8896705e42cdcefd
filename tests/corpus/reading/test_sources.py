import os
import socket
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from anekdot.corpus.reading import find_files, pieces, read, read_piece
from anekdot.errors import CorpusError
from tests.support.outcomes import good

JOKE = "Кот пришёл к врачу и попросил рецепт от понедельников."
OTHER = "Программист второй день чинит чайник, а чайник чинит программиста."
LINES = f"{JOKE}\n{OTHER}\n".encode()
NOBODY = 65534  # a user without rights


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(CorpusError, match="not a regular file"):
        read(tmp_path / "a.txt")
    with pytest.raises(CorpusError, match="no file in a known format"):
        read(tmp_path)
    (tmp_path / "b.txt").write_bytes(LINES)
    assert good(list(read(tmp_path))) == [JOKE, OTHER]


def test_a_device_and_a_socket_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as ear:
        ear.bind("a.txt")
        for path in (Path("a.txt"), Path("/dev/zero")):
            with pytest.raises(CorpusError, match="not a regular file"):
                read(path)


def test_a_link_that_leaves_the_folder_is_not_read_but_named(tmp_path):
    folder = tmp_path / "pile"
    folder.mkdir()
    for path in (tmp_path / "b.txt", tmp_path / "nameless", folder / "a.txt"):
        path.write_text("Кот уснул.", "utf-8")
    (folder / "b.txt").symlink_to(tmp_path / "b.txt")
    (folder / "nameless").symlink_to(tmp_path / "nameless")
    (folder / "again.txt").symlink_to("a.txt")
    unread = {}
    inside = [folder / "a.txt", folder / "again.txt"]
    assert find_files(folder, unread.__setitem__) == inside
    assert find_files(str(folder / "*"), unread.__setitem__) == inside
    assert unread == {
        str(folder / name): "leads out of the folder" for name in ("b.txt", "nameless")
    }
    assert find_files(folder / "b.txt") == [folder / "b.txt"]  # named, it is read


def test_links_that_go_in_circles(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    (tmp_path / "self.txt").symlink_to(tmp_path / "self.txt")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    (tmp_path / "sub" / "a.txt").write_bytes(LINES)
    (tmp_path / "link.txt").symlink_to(tmp_path / "sub" / "a.txt")
    assert find_files(tmp_path) == [tmp_path / "link.txt", tmp_path / "sub" / "a.txt"]
    for name in ("self.txt", "gone.txt"):
        with pytest.raises(CorpusError, match=name):
            read(tmp_path / name)


@pytest.fixture
def place_of_nobody():
    """A folder of a user who is not root, whom nothing could be forbidden, while it is tested."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as name:
        if os.geteuid() != 0:
            yield Path(name)
            return
        os.chown(name, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        try:
            yield Path(name)
        finally:
            os.seteuid(0)


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX permissions")
@pytest.mark.parametrize("name", ["a.txt", "folder"])
def test_what_may_not_be_read_is_named(place_of_nobody, name):
    place = place_of_nobody
    (place / "folder").mkdir()
    for path in (place / "a.txt", place / "folder" / "b.txt"):
        path.write_bytes(LINES)
    (place / name).chmod(0)
    for source in (place / name, place):
        with pytest.raises(CorpusError, match=f"{name} cannot be read: Permission denied"):
            list(read(source))
    (place / name).chmod(0o700)


@pytest.mark.parametrize(
    "name", ["a" * 300, "a\0b.txt", "no/such.txt", "\udcff.txt", "[", "b*", "", " ", "a.txt/b.txt"]
)
def test_impossible_names(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_bytes(LINES)
    with pytest.raises(CorpusError):
        list(read(name))


def test_a_name_that_is_not_text_is_shown_as_well_as_it_can_be(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    try:
        path.write_bytes(LINES)
    except OSError:
        pytest.skip("needs a file system that allows names that are not UTF-8")
    (first, _) = read(path)
    assert first.source == f"{tmp_path}/caf�.txt"


def test_a_file_that_vanishes(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(LINES)
    (piece,) = pieces([path])
    listed = read(tmp_path)
    path.unlink()
    with pytest.raises(CorpusError, match=r"a\.txt does not exist"):
        list(read_piece(piece))
    with pytest.raises(CorpusError, match=r"a\.txt does not exist"):
        list(listed)
