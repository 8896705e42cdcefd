import gzip
import json
import os
from pathlib import Path

import pytest

from anekdot.corpus.reading import files, read
from anekdot.errors import CorpusError
from tests.support.outcomes import PACK, good, outcome, zipped

JOKE = "Кот пришёл к врачу и попросил рецепт от понедельников."
OTHER = "Программист второй день чинит чайник, а чайник чинит программиста."
LINES = f"{JOKE}\n{OTHER}\n".encode()


def test_names_that_climb_are_labels_only(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"../../b\n\x1b[31m.txt": LINES, "..\\c.txt": LINES}))
    assert {document.source for document in read(path)} == {
        f"{path}/b��[31m.txt",
        f"{path}/c.txt",
    }
    assert list(tmp_path.rglob("*")) == [path]


def test_an_archive_in_an_archive_is_reported(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"a.txt": LINES, "b.zip": zipped({"c.txt": LINES})}))
    notices: list[str] = []
    list(read(path, notices.append))
    assert any("b.zip (an archive inside an archive)" in notice for notice in notices)


@pytest.fixture
def small_bombs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lowers the limit, so that a bomb is as small as a firecracker."""
    monkeypatch.setattr(files, "BOMB_SIZE", 1 << 21)
    monkeypatch.setattr(files, "BOMB_RATIO", 100)


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_a_bomb_is_stopped(tmp_path, small_bombs, ending):
    path = tmp_path / f"a.txt{ending}"
    path.write_bytes(PACK[ending](b" " * (3 << 20)))
    error = outcome(path)
    assert isinstance(error, CorpusError)
    assert "2 MiB, and 100 times its size" in error.cause


def test_a_bomb_of_many_members_is_stopped_by_their_sum(tmp_path, small_bombs):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({f"{number}.txt": bytes(1 << 19) for number in range(9)}))
    error = outcome(path)
    assert isinstance(error, CorpusError)
    assert "2 MiB, and 100 times its size" in error.cause


def test_a_bomb_inside_a_member_is_stopped(tmp_path, small_bombs):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"a.txt.gz": gzip.compress(b" " * (3 << 20))}))
    error = outcome(path)
    assert isinstance(error, CorpusError)
    assert "2 MiB, and 100 times its size" in error.cause


def test_a_layout_is_guessed_from_where_texts_begin(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\n" * (5 << 20) + LINES)
    assert files.head(path).strip() == LINES.strip()


def test_what_is_packed_well_but_small_is_read(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress((JOKE + "\n").encode() * 9999))
    assert good(outcome(path)) == [JOKE] * 9999


@pytest.mark.parametrize(
    "names",
    [
        ["a.txt", "a.txt"],
        ["a.txt", "b.txt", "a.txt", "a.txt"],
        ["a.txt", "A.TXT", "A.txt"],
        ["a.txt", "./a.txt", "/a.txt", "d/../a.txt"],
        ["a.txt", "a.txt\0.png"],
        ["a.jsonl", "a.jsonl"],
        ["a.txt", "a.txt (2).txt", "a.txt"],
        ["к.txt", "к.txt".encode("cp866").decode("cp437")],
    ],
)
def test_every_member_of_one_name_is_read(tmp_path, names):
    path = tmp_path / "a.zip"
    texts = [f"{JOKE} Номер {number}." for number in range(len(names))]
    path.write_bytes(
        zipped([
            (name, json.dumps({"text": text}).encode() if "json" in name else text.encode())
            for name, text in zip(names, texts, strict=True)
        ])
    )  # fmt: skip
    documents = list(read(path))
    assert sorted(good(documents)) == texts
    if len(set(names)) < len(names):
        assert f"{path}/{names[0]} (2)" in {document.source for document in documents}


def test_packed_members_of_one_name_are_unpacked(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped([("a.txt.gz", gzip.compress(text.encode())) for text in (JOKE, OTHER)]))
    assert good(outcome(path)) == [JOKE, OTHER]


def test_members_of_one_name_are_unpacked_together(tmp_path, small_bombs):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped([("a.txt", bytes(1 << 19))] * 9))
    error = outcome(path)
    assert isinstance(error, CorpusError)
    assert "2 MiB, and 100 times its size" in error.cause


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_what_becomes_a_pipe_does_not_block(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    os.mkfifo(path)
    monkeypatch.setattr(files, "refuse_irregular", lambda path: None)
    with pytest.raises(CorpusError, match=r"a\.txt"):
        files.head(path)


@pytest.mark.skipif(not os.access("/proc/kmsg", os.R_OK), reason="needs a file that blocks")
def test_a_file_that_blocks_ends(tmp_path):
    outcome(Path("/proc/kmsg"))
