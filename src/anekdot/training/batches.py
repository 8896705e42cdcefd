"""Shards to batches: a pure function of (seed, step), so a resumed run sees the same.

Letters: ``B`` rows a batch, ``T`` tokens a row.
"""

import numpy as np
from numpy.typing import NDArray

from anekdot.corpus.shards import Shard
from anekdot.errors import CorpusError
from anekdot.model.transformer import IGNORE_INDEX
from anekdot.training.config import Rows

Ids = NDArray[np.int64]
Batch = tuple[Ids, Ids]
"""Token ids, and the tokens that follow."""


class Batches:
    """All batches of a run, by step.

    Every epoch is a fresh permutation of the documents. Rows are numbered through the
    epochs: step s has the rows ``s * batch_size ...``.

    A row that ends early is padded on the right, where causality hides the padding from
    every real token and the loss ignores it: no padding mask is needed.

    Args:
        shard: The training split.
        rows: See ``TrainingConfig.rows``.
        context_length: T.
        batch_size: B.
        seed: Of the permutations.
        pad_id: Fills rows up.
        begin_id: What documents begin with.
        begin_targets: See ``TrainingConfig.begin_targets``.

    Attributes:
        begin_id: The same where rows hold several documents, else None; see
            ``Transformer.loss``.

    Raises:
        CorpusError: There is not a single row.
    """

    def __init__(
        self,
        shard: Shard,
        *,
        rows: Rows,
        context_length: int,
        batch_size: int,
        seed: int,
        pad_id: int,
        begin_id: int,
        begin_targets: bool,
    ) -> None:
        self.shard = shard
        self.rows = rows
        self.context_length = context_length
        self.batch_size = batch_size
        self.seed = seed
        self.pad_id = pad_id
        self.begin_id = begin_id if rows == "packed" else None
        # a row of one token keeps its only target: without any there is no loss
        self.hides_begin = rows == "packed" and not begin_targets and context_length > 1
        n_ids = len(shard.ids)
        self.rows_per_epoch = (
            len(shard) if rows == "documents" else -(-(n_ids - 1) // context_length)
        )
        if self.rows_per_epoch < 1:
            raise CorpusError("The training split has no documents.", "Give more texts.")
        self._epoch = -1
        self._order: Ids = np.empty(0, np.int64)
        self._starts: Ids = np.empty(0, np.int64)

    def batch(self, step: int) -> Batch:
        """Returns ids_BT and targets_BT of one step; IGNORE_INDEX where there is no target."""
        first = step * self.batch_size
        rows = [self._row(number) for number in range(first, first + self.batch_size)]
        # always T wide, so that a compiled model meets one shape only
        ids_BT = np.full((self.batch_size, self.context_length), self.pad_id, np.int64)
        targets_BT = np.full((self.batch_size, self.context_length), IGNORE_INDEX, np.int64)
        for number, row in enumerate(rows):
            ids_BT[number, : len(row) - 1] = row[:-1]
            targets_BT[number, : len(row) - 1] = row[1:]
        if self.hides_begin:
            targets_BT[targets_BT == self.begin_id] = IGNORE_INDEX
        return ids_BT, targets_BT

    def documents(self, step: int) -> list[int]:
        """Returns the numbers of the documents in the batch of a step, ascending."""
        found: set[int] = set()
        for number in range(step * self.batch_size, (step + 1) * self.batch_size):
            epoch, place = divmod(number, self.rows_per_epoch)
            self._enter(epoch)
            if self.rows == "packed":
                first = place * self.context_length
                ends = [first, first + self.context_length]
                begin, end = np.searchsorted(self._starts, ends, side="right").tolist()
                found.update(self._order[begin - 1 : end].tolist())
            else:
                found.add(int(self._order[place]))
        return sorted(found)

    def _row(self, number: int) -> NDArray[np.integer]:
        """Returns the ids of a row and of the target after its last position."""
        epoch, place = divmod(number, self.rows_per_epoch)
        self._enter(epoch)
        if self.rows == "documents":
            return self.shard.document(int(self._order[place]))[: self.context_length + 1]
        return self._stretch(place * self.context_length, self.context_length + 1)

    def _stretch(self, start: int, length: int) -> NDArray[np.integer]:
        """Returns ids of the documents laid end to end in this epoch's order."""
        place = int(np.searchsorted(self._starts, start, side="right")) - 1
        pieces, skip = [], start - int(self._starts[place])
        while length > 0 and place < len(self._order):
            piece = self.shard.document(int(self._order[place]))[skip : skip + length]
            pieces.append(piece)
            length -= len(piece)
            place, skip = place + 1, 0
        return np.concatenate(pieces)

    def _enter(self, epoch: int) -> None:
        if epoch == self._epoch:
            return
        self._epoch = epoch
        self._order = np.random.default_rng([self.seed, epoch]).permutation(len(self.shard))
        lengths = np.diff(self.shard.offsets)[self._order]
        self._starts = np.concatenate([[0], lengths.cumsum()[:-1]])
