import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anekdot.corpus.shards import Shard
from anekdot.errors import CorpusError
from tests.support.shards import write_shard


@given(st.sampled_from([256, 65_536, 65_537, 2**20]), st.data())
def test_round_trip(vocab_size, data):
    document = st.lists(st.integers(0, vocab_size - 1), max_size=9)
    documents = data.draw(st.lists(document, max_size=9))
    with tempfile.TemporaryDirectory() as folder:
        write_shard(Path(folder), "train", documents, vocab_size)
        shard = Shard.open(Path(folder), "train")
        assert [shard.document(i).tolist() for i in range(len(shard))] == documents
        assert shard.ids.tolist() == [i for document in documents for i in document]
        assert shard.ids.dtype == (np.uint16 if vocab_size <= 65_536 else np.uint32)
        assert shard.offsets.dtype == np.int64
        assert len(shard.offsets) == len(documents) + 1 == len(shard) + 1
        del shard  # Windows cannot remove a file that is mapped


def test_other_tools_read_the_files(tmp_path):
    write_shard(tmp_path, "test", [[1, 7, 2], [1, 2]], 300)
    assert np.load(tmp_path / "test.ids.npy").tolist() == [1, 7, 2, 1, 2]
    assert np.load(tmp_path / "test.offsets.npy").tolist() == [0, 3, 5]


def test_ids_are_mapped_and_read_only(tmp_path):
    write_shard(tmp_path, "train", [[1, 2]], 300)
    shard = Shard.open(tmp_path, "train")
    assert isinstance(shard.ids.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        shard.ids[0] = 3


def test_documents_stream_to_the_disk(tmp_path):
    sizes: list[int] = []

    def documents():
        for _ in range(20):
            sizes.append((tmp_path / "train.ids.npy").stat().st_size)
            yield [1] * 10_000

    write_shard(tmp_path, "train", documents(), 300)
    assert sizes[-1] > sizes[0] + 100_000


@pytest.mark.parametrize("bad", [[300], [-1]])
def test_an_id_outside_the_vocabulary_is_our_own_fault(tmp_path, bad):
    with pytest.raises(AssertionError):
        write_shard(tmp_path, "train", [bad], 300)


@pytest.mark.parametrize("i", [-1, 2])
def test_no_such_document(tmp_path, i):
    write_shard(tmp_path, "train", [[1, 2], [1, 2]], 300)
    with pytest.raises(IndexError):
        Shard.open(tmp_path, "train").document(i)


@pytest.mark.parametrize(
    ("max_tokens", "n_documents"), [(None, 3), (99, 3), (6, 3), (5, 2), (3, 1), (2, 1), (0, 1)]
)
def test_as_many_documents_as_fit(tmp_path, max_tokens, n_documents):
    documents = [[1, 7, 2], [1, 2], [2]]
    write_shard(tmp_path, "train", documents, 300)
    found = Shard.open(tmp_path, "train").documents(max_tokens)
    assert [document.tolist() for document in found] == documents[:n_documents]


def test_an_empty_split_has_no_documents(tmp_path):
    write_shard(tmp_path, "train", [], 300)
    assert Shard.open(tmp_path, "train").documents(10) == []


@pytest.mark.parametrize("name", ["train.ids.npy", "train.offsets.npy"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"PK\x03\x04 no zip"),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"'descr'", b"'d\xffscr'")),
        lambda path: path.write_bytes(path.read_bytes().replace(b"(", b"[")),
        lambda path: np.save(path, np.zeros((2, 2), np.int64)),
        lambda path: np.save(path, np.zeros(2, np.float32)),
        lambda path: np.save(path, np.array([None]), allow_pickle=True),
    ],
)
def test_damage(tmp_path, name, damage):
    write_shard(tmp_path, "train", [[1, 5, 2], [1, 2]], 300)
    damage(tmp_path / name)
    with pytest.raises(CorpusError, match=name):
        Shard.open(tmp_path, "train")


@pytest.mark.parametrize("offsets", [[], [0, 3], [1, 3, 5], [0, 3, 6], [0, 4, 3, 5], [-1, 5]])
def test_offsets_of_other_ids(tmp_path, offsets):
    write_shard(tmp_path, "train", [[1, 5, 2], [1, 2]], 300)
    np.save(tmp_path / "train.offsets.npy", np.array(offsets, np.int64))
    with pytest.raises(CorpusError, match="does not belong"):
        Shard.open(tmp_path, "train")


def shard_of(folder, lengths):
    write_shard(folder, "validation", [[number % 300] * n for number, n in enumerate(lengths)], 300)
    return Shard.open(folder, "validation")


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(1, 400))
def test_a_spread_has_at_most_so_many_tokens_and_all_where_they_fit(lengths, max_tokens):
    with tempfile.TemporaryDirectory() as folder:
        shard = shard_of(Path(folder), lengths)
        chosen = [ids.tolist() for ids in shard.spread(max_tokens)]
        everything = [ids.tolist() for ids in shard.documents()]
        assert chosen == [ids for ids in everything if ids in chosen]  # in order, each once
        if sum(lengths) <= max_tokens:
            assert chosen == everything
        else:
            assert sum(map(len, chosen)) <= max_tokens or len(chosen) == 1
            assert chosen
        assert chosen == [ids.tolist() for ids in shard.spread(max_tokens)]
        del shard


@pytest.mark.parametrize(
    "source_of",
    [
        lambda number: number >= 900,  # one file after the other
        lambda number: number >= 100,
        lambda number: number % 2,  # in turns, as every k-th document would not see
        lambda number: number % 10 == 3,
        lambda number: number // 50 % 2,
    ],
)
def test_a_spread_has_of_each_source_as_much_as_the_whole(tmp_path, source_of):
    sources = [int(source_of(number)) for number in range(1000)]
    write_shard(tmp_path, "validation", [[source + 5] * 20 for source in sources], 300)
    shard = Shard.open(tmp_path, "validation")
    for n_documents in (20, 100, 333):
        chosen = [ids[0] - 5 for ids in shard.spread(20 * n_documents)]
        assert len(chosen) == n_documents
        assert np.mean(chosen) == pytest.approx(np.mean(sources), abs=n_documents**-0.5)


def test_a_document_longer_than_the_spread_does_not_stand_for_the_rest(tmp_path):
    for place in range(9):
        lengths = [10] * 9
        lengths[place] = 1000
        assert [len(ids) for ids in shard_of(tmp_path, lengths).spread(50)] == [10] * 5
    assert [len(ids) for ids in shard_of(tmp_path, [1000, 2000]).spread(50)] == [1000]
    assert shard_of(tmp_path, []).spread(50) == []
