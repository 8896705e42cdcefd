import numpy as np
import pytest

from anekdot.corpus.shards import Shard
from anekdot.errors import CorpusError
from anekdot.model.transformer import IGNORE_INDEX
from anekdot.training.batches import Batches
from tests.support.shards import write_shard

BEGIN, END = 1, 2
DOCUMENTS = [[BEGIN, *range(10 * i + 3, 10 * i + 4 + i % 7), END] for i in range(23)]


@pytest.fixture
def shard(tmp_path):
    write_shard(tmp_path, "train", DOCUMENTS, 300)
    return Shard.open(tmp_path, "train")


SETTINGS = {
    "context_length": 5, "batch_size": 4, "seed": 0, "pad_id": 0, "begin_id": BEGIN,
    "begin_targets": False,
}  # fmt: skip


def batches(shard, rows, **changes):
    return Batches(shard, rows=rows, **(SETTINGS | changes))


def row_pairs(ids_BT, targets_BT):
    for ids, targets in zip(ids_BT, targets_BT, strict=True):
        yield ids[targets != IGNORE_INDEX].tolist(), targets[targets != IGNORE_INDEX].tolist()


def test_only_rows_of_several_documents_are_taken_apart(shard):
    assert batches(shard, "packed").begin_id == BEGIN
    assert batches(shard, "documents").begin_id is None


@pytest.mark.parametrize("rows", ["packed", "documents"])
def test_a_batch_is_a_function_of_seed_and_step_alone(shard, rows):
    forward = [batches(shard, rows).batch(step) for step in range(30)]
    one = batches(shard, rows)
    for step in reversed(range(30)):
        for ours, theirs in zip(one.batch(step), forward[step], strict=True):
            np.testing.assert_array_equal(ours, theirs)
    other = [batches(shard, rows, seed=1).batch(step) for step in range(5)]
    assert any((a[0] != b[0]).any() for a, b in zip(forward, other, strict=False))


def test_document_rows_cover_each_document_once_an_epoch(shard):
    made = batches(shard, "documents", batch_size=1)
    orders = []
    for epoch in range(2):
        seen = []
        for step in range(epoch * 23, epoch * 23 + 23):
            [(ids, targets)] = row_pairs(*made.batch(step))
            assert ids[1:] == targets[:-1]
            seen.append([*ids, targets[-1]])
        orders.append(seen)
        assert sorted(seen) == sorted(document[:6] for document in DOCUMENTS)
    assert orders[0] != orders[1]


@pytest.mark.parametrize("context_length", [1, 2, 3, 5, 7, 11, 300])
@pytest.mark.parametrize("begin_targets", [False, True])
def test_packed_rows_predict_every_token_of_an_epoch_once(shard, context_length, begin_targets):
    made = batches(
        shard, "packed", batch_size=1, context_length=context_length, begin_targets=begin_targets
    )
    targets_seen = []
    for step in range(made.rows_per_epoch):
        (ids_T,), (targets_T,) = made.batch(step)
        real_T = targets_T != IGNORE_INDEX
        assert real_T.any()  # a row without a target has no loss
        followed_T = real_T[:-1] & (ids_T[1:] != 0)
        assert (ids_T[1:] == targets_T[:-1])[followed_T].all()
        targets_seen += targets_T[real_T].tolist()
    everything = sorted(token for document in DOCUMENTS for token in document)
    everything.remove(BEGIN)  # the very first token of the stream has nothing before it
    if not begin_targets and context_length > 1:
        everything = [token for token in everything if token != BEGIN]
    assert sorted(targets_seen) == everything


def test_a_last_token_that_fills_no_row_makes_none(tmp_path):
    """Eleven ids are ten targets: two rows of five, and no third one without any target."""
    write_shard(tmp_path, "train", [[BEGIN, *range(3, 12), END]], 300)
    made = batches(Shard.open(tmp_path, "train"), "packed", batch_size=1)
    assert made.rows_per_epoch == 2
    for step in range(5):
        assert (made.batch(step)[1] != IGNORE_INDEX).all()


@pytest.mark.parametrize("rows", ["packed", "documents"])
def test_the_documents_of_a_step_are_those_that_its_ids_come_from(tmp_path, rows):
    documents = [[BEGIN, *[3 + i] * (1 + i * 7 % 11), END] for i in range(40)]  # each its own ids
    write_shard(tmp_path, "train", documents, 300)
    made = batches(Shard.open(tmp_path, "train"), rows, batch_size=2, context_length=4)
    for step in range(2 * made.rows_per_epoch // 2 + 1):
        seen = {int(token) - 3 for batch in made.batch(step) for token in batch.flat if token > END}
        assert seen <= {*made.documents(step)}
        begun = made.documents(step)
        assert len(begun) == len({*begun})
        assert len(begun) <= len(seen) + 4  # besides: of a begin or an end token alone


def test_padding_is_ignored_by_the_loss(shard):
    ids_BT, targets_BT = batches(shard, "documents", context_length=20).batch(0)
    assert ids_BT.shape == targets_BT.shape == (4, 20)
    for ids, targets in zip(ids_BT, targets_BT, strict=True):
        length = int((targets != IGNORE_INDEX).sum())
        assert (targets[length:] == IGNORE_INDEX).all()
        assert not ids[length:].any()
        assert targets[length - 1] == END


def test_no_documents_is_an_error(tmp_path):
    write_shard(tmp_path, "train", [], 300)
    with pytest.raises(CorpusError):
        batches(Shard.open(tmp_path, "train"), "packed")
