import json

import pytest

from anekdot.corpus.manifest import Manifest, hash_files
from anekdot.errors import CorpusError

COUNTS = {"train": 5, "validation": 1, "test": 0}
NAMES = [
    "tokenizer.json",
    *(f"{split}.{part}.npy" for split in COUNTS for part in ("ids", "offsets")),
]


@pytest.fixture
def folder(tmp_path):
    for name in NAMES:
        (tmp_path / name).write_bytes(b"ids")
    Manifest(
        sources=["шутки.txt", "-"],
        settings={"validation": 0.05, "no_obscene": False, "vocab_size": 400},
        texts_in=9,
        dropped={"too short": 3},
        documents=COUNTS,
        tokens=COUNTS,
        vocab_size=300,
        files=hash_files(tmp_path),
    ).save(tmp_path)
    return tmp_path


def test_round_trip(folder):
    manifest = Manifest.load(folder)
    assert manifest.sources == ["шутки.txt", "-"]
    assert manifest.tokens == COUNTS
    assert manifest.files.keys() == {*NAMES}
    before = (folder / "manifest.json").read_bytes()
    manifest.save(folder)
    assert (folder / "manifest.json").read_bytes() == before


def test_another_folder(tmp_path):
    with pytest.raises(CorpusError, match="no prepared corpus"):
        Manifest.load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "anekdot-corpus-2"},
        {"more": 1},
        {"sources": "a.txt"},
        {"sources": [1]},
        {"tokens": {"train": 1}},
        {"documents": {"train": 1, "validation": 1, "test": True}},
        {"settings": None},
        {"settings": {}},
        {"settings": {"vocab_size": "x"}},
        {"files": {}},
        {"files": {"train.ids.npy": "ab"}},
        {"texts_in": -1},
        {"dropped": {"empty": -1}},
        {"dropped": []},
        {"vocab_size": "300"},
        {"files": {"train.ids.npy": 7}},
    ],
)
def test_strict(folder, change):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(CorpusError, match="is damaged"):
        Manifest.load(folder)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/hostname", "a/../x", "..", "", ".", "a\\b", "a/b", "./x", "x/"]
)
def test_files_are_those_of_the_folder(folder, name):
    path = folder / "manifest.json"
    record = json.loads(path.read_text("utf-8"))
    record["files"][name] = "0" * 64
    path.write_text(json.dumps(record), "utf-8")
    with pytest.raises(CorpusError, match="is damaged"):
        Manifest.load(folder)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"null", b"[" * 100_000])
def test_not_a_manifest(folder, content):
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(CorpusError, match="is damaged"):
        Manifest.load(folder)


def test_a_file_of_someone_else_does_no_harm(folder):
    (folder / ".DS_Store").write_bytes(b"other")
    assert Manifest.load(folder)


@pytest.mark.parametrize("damage", ["change", "remove"])
def test_verify(folder, damage):
    path = folder / "train.ids.npy"
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(b"other")
    with pytest.raises(CorpusError, match=path.name):
        Manifest.load(folder)
