"""Documents as ids on disk, and back as memory maps.

A shard is two NumPy files: ``<side>.ids.npy`` holds the ids of all documents end to end
(uint16, or uint32 for a vocabulary above 65,536), ``<side>.offsets.npy`` where each begins,
and the end of the last (int64).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from anekdot.errors import CorpusError

LARGEST_UINT16 = 1 << 16


def write_shard(
    folder: Path, side: str, documents: Iterable[list[int]], vocab_size: int
) -> tuple[int, int]:
    """Writes documents one after another; only their offsets stay in memory.

    Args:
        folder: An existing folder.
        side: The name of the shard.
        documents: Ids of each, special tokens included.
        vocab_size: Decides how wide an id is.

    Returns:
        Documents and ids written.
    """
    dtype = np.dtype(np.uint16 if vocab_size <= LARGEST_UINT16 else np.uint32)
    offsets = [0]
    raw = folder / f"{side}.raw"
    with raw.open("wb") as file:
        for ids in documents:
            file.write(np.array(ids, dtype).tobytes())
            offsets.append(offsets[-1] + len(ids))
    shape = (offsets[-1],)
    if offsets[-1]:
        out = open_memmap(folder / f"{side}.ids.npy", mode="w+", dtype=dtype, shape=shape)
        out[:] = np.memmap(raw, dtype, mode="r")
        out.flush()
    else:
        np.save(folder / f"{side}.ids.npy", np.empty(0, dtype))
    np.save(folder / f"{side}.offsets.npy", np.array(offsets, np.int64))
    raw.unlink()
    return len(offsets) - 1, offsets[-1]


@dataclass(frozen=True)
class Shard:
    """Documents as ids, read from the disk as they are needed.

    Attributes:
        ids: All ids, end to end.
        offsets: Document i is ``ids[offsets[i] : offsets[i + 1]]``.
    """

    ids: NDArray[np.integer]
    offsets: NDArray[np.int64]

    @classmethod
    def open(cls, folder: Path, side: str) -> "Shard":
        """Maps a shard into memory.

        Raises:
            CorpusError: A file is missing or damaged.
        """
        ids = _map(folder / f"{side}.ids.npy")
        offsets = _map(folder / f"{side}.offsets.npy")
        ordered = (
            ids.ndim == offsets.ndim == 1
            and ids.dtype in (np.uint16, np.uint32)
            and offsets.dtype == np.int64
            and len(offsets) > 0
            and offsets[0] == 0
            and offsets[-1] == len(ids)
            and bool(np.all(np.diff(offsets) > 0))
        )
        if not ordered:
            raise CorpusError(
                f"The {side} shard in {folder} is damaged.", "Prepare the texts again."
            )
        return cls(ids, offsets)

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self.offsets) - 1

    def document(self, number: int) -> NDArray[np.integer]:
        """Returns the ids of one document."""
        return self.ids[self.offsets[number] : self.offsets[number + 1]]


def _map(path: Path) -> NDArray[np.integer]:
    try:
        array: NDArray[np.integer] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise CorpusError(
            f"{path} cannot be read ({error}).", "Prepare the texts again."
        ) from None
    return array
