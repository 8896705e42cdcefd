"""Documents as ids on disk, and back as memory maps.

A shard is two NumPy files: ``<split>.ids.npy``, all ids of all documents in one row, uint16
where the vocabulary allows it and else uint32; and ``<split>.offsets.npy``, int64, where
document ``i`` is ``ids[offsets[i] : offsets[i + 1]]``. Both are little-endian.
"""

from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from anekdot.corpus.splitting import Split
from anekdot.errors import CorpusError

GOLDEN_RATIO = (1 + 5**0.5) / 2

Ids = NDArray[np.uint16] | NDArray[np.uint32]

Append = Callable[[NDArray[np.integer], NDArray[np.integer]], None]
"""Appends documents to a shard: their ids end to end, and how many ids each has."""


@contextmanager
def shard_writer(folder: Path, split: Split, vocab_size: int) -> Iterator[Append]:
    """Opens the shard of a split for writing; it is complete once the block ends.

    Args:
        folder: An existing folder; the two files are written straight into it.
        split: The name of the shard.
        vocab_size: The size of the vocabulary; every id is below it.

    Yields:
        A function that appends documents, their begin and end included.
    """
    dtype = np.dtype("<u2" if vocab_size <= 2**16 else "<u4")
    offsets = array("q", [0])
    with _ids_path(folder, split).open("w+b") as file:
        _write_header(file, dtype, 0)
        start = file.tell()

        def append(ids: NDArray[np.integer], lengths: NDArray[np.integer]) -> None:
            assert ids.size == lengths.sum()
            assert ids.size == 0 or (ids.min() >= 0 and ids.max() < vocab_size), "id out of range"
            file.write(ids.astype(dtype).tobytes())
            offsets.frombytes((offsets[-1] + np.cumsum(lengths, dtype=np.int64)).tobytes())

        yield append
        file.seek(0)
        _write_header(file, dtype, offsets[-1])
        assert file.tell() == start, "the header outgrew its padding"
    np.save(_offsets_path(folder, split), np.asarray(offsets, dtype="<i8"))


@dataclass(frozen=True, eq=False)
class Shard:
    """The documents of one split, memory-mapped: opening it reads no ids.

    Attributes:
        ids: All ids, (tokens,), uint16 or uint32.
        offsets: Where each document starts, and the end, (documents + 1,), int64.
    """

    ids: Ids
    offsets: NDArray[np.int64]

    @classmethod
    def open(cls, folder: Path, split: Split) -> "Shard":
        """Opens the shard of a split in a folder.

        Raises:
            CorpusError: A file is missing or damaged, or the two do not belong together.
        """
        ids = _load(_ids_path(folder, split), ("<u2", "<u4"))
        offsets = _load(_offsets_path(folder, split), ("<i8",))
        if not (
            offsets.size
            and offsets[0] == 0
            and offsets[-1] == ids.size
            and (offsets[1:] >= offsets[:-1]).all()
        ):
            cause = f"{_offsets_path(folder, split)} does not belong to the ids beside it."
            raise CorpusError(cause, "Prepare the corpus again.")
        return cls(ids, offsets)

    def __len__(self) -> int:
        return self.offsets.size - 1

    def document(self, i: int) -> Ids:
        """Returns the ids of document ``i``, (tokens,), still mapped.

        Raises:
            IndexError: There is no document ``i``.
        """
        if not 0 <= i < len(self):
            raise IndexError(f"document {i} of {len(self)}")
        return self.ids[self.offsets[i] : self.offsets[i + 1]]

    def spread(self, max_tokens: int) -> list[Ids]:
        """Returns documents spread evenly over the shard: all, or at most so many tokens of them.

        Document i has the place ``frac(i * GOLDEN_RATIO)``, and those with the lowest places are
        taken, as far as there is room, at least one. Any number of them lies evenly among all,
        and unlike every k-th of them, also where sources take turns. The choice follows from the
        lengths of the documents alone.

        Source: Weyl 1916, "Über die Gleichverteilung von Zahlen mod. Eins".
        """
        lengths = np.diff(self.offsets)
        places = np.argsort(np.arange(len(self)) * GOLDEN_RATIO % 1, kind="stable").tolist()
        chosen, room = [], max_tokens
        for number in places:
            if lengths[number] <= room:
                chosen.append(number)
                room -= int(lengths[number])
        return [self.document(number) for number in sorted(chosen or places[:1])]

    def documents(self, max_tokens: int | None = None) -> list[Ids]:
        """Returns all documents, or the first ones with at most so many tokens, at least one."""
        n_documents = len(self)
        if max_tokens is not None:
            fitting = int(np.searchsorted(self.offsets, max_tokens, "right")) - 1
            n_documents = min(n_documents, max(1, fitting))
        return [self.document(number) for number in range(n_documents)]


def _ids_path(folder: Path, split: Split) -> Path:
    return folder / f"{split}.ids.npy"


def _offsets_path(folder: Path, split: Split) -> Path:
    return folder / f"{split}.offsets.npy"


def _write_header(file: BinaryIO, dtype: np.dtype[Any], size: int) -> None:
    # NumPy pads a header so that the length of the array may grow in place.
    header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": (size,)}
    npy.write_array_header_1_0(file, header)


def _load(path: Path, dtypes: tuple[str, ...]) -> NDArray[Any]:
    """Maps a file that holds a one-dimensional array of one of some data types."""
    try:
        row = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise CorpusError(f"{path} is missing.", "Prepare the corpus again.") from error
    except Exception as error:  # a damaged header fails in more ways than can be listed
        raise CorpusError(f"{path} is damaged: {error}.", "Prepare the corpus again.") from error
    if not (isinstance(row, np.ndarray) and row.ndim == 1 and row.dtype in map(np.dtype, dtypes)):
        raise CorpusError(f"{path} is damaged: not a row of ids.", "Prepare the corpus again.")
    return row.view(np.ndarray)  # a memmap's own slices are an order of magnitude slower
