"""Documents into merges: by the compiled loops where they pay, else by the plain ones."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Literal, NamedTuple

from anekdot.callbacks import Progress
from anekdot.machine import available_cores
from anekdot.tokenizer import fast, trainer
from anekdot.tokenizer.vocabulary import FIRST_BYTE, FIRST_MERGE, Merge, byte_ids

if TYPE_CHECKING:
    from anekdot.tokenizer.fast.learning import Segmentation

Ties = Literal["huggingface", "bytes"]


class Learned(NamedTuple):
    """What a training gives.

    Attributes:
        merges: In the order of training.
        segmentation: Of all pretokens, where the compiled loops were at work.
    """

    merges: list[Merge]
    segmentation: "Segmentation | None"


def learn(
    documents: Iterable[str | bytes],
    vocab_size: int,
    *,
    ties: Ties,
    threads: int | None,
    memory_limit: int | None,
    progress: Progress | None,
) -> Learned:
    """Learns merges; see ``Tokenizer.train`` for the arguments."""
    numbering = byte_ids() if ties == "huggingface" else list(range(FIRST_BYTE, FIRST_MERGE))
    stream = iter(documents)
    ahead: list[str | bytes] = []
    size = 0
    for document in stream:
        ahead.append(document)
        size += len(document)
        if size >= fast.WORTH_COMPILING:
            break
    stream = chain(ahead, stream)
    segmentation = None
    if size >= fast.WORTH_COMPILING and fast.available():
        from anekdot.tokenizer.fast import counter, learning  # noqa: PLC0415 (slow)

        counts = counter.count_pretokens(stream, threads or available_cores(), memory_limit)
        merges, segmentation = learning.train_merges(counts, vocab_size, numbering, progress)
    else:
        merges = trainer.train_merges(
            trainer.count_pretokens(stream), vocab_size, numbering=numbering, progress=progress
        )
    ours = _renumbering(numbering, len(merges))
    return Learned(
        [(ours[left], ours[right]) for left, right in merges],
        segmentation and segmentation.renumbered(ours),
    )


def _renumbering(numbering: Sequence[int], n_merges: int) -> list[int]:
    """Returns our own id of each id of another numbering of the bytes."""
    ours = list(range(FIRST_MERGE + n_merges))
    for there, here in zip(numbering, byte_ids(), strict=True):
        ours[there] = here
    return ours
