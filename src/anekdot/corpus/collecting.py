"""From sources to the three sides: read, clean, deduplicate, split, keep the sides apart."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from anekdot.callbacks import Notice, Progress
from anekdot.corpus.cleaning import clean, is_obscene, reason_to_drop
from anekdot.corpus.deduplication import Distinct, NearDuplicates
from anekdot.corpus.reading import Document, Source, files, read_file
from anekdot.corpus.splitting import Side, check_fractions, side
from anekdot.errors import CorpusError

NEAR_DUPLICATE = "near-duplicate of a held-out text"


@dataclass(frozen=True, kw_only=True)
class Collection:
    """The texts of a corpus by side, in the order of first appearance, and what was dropped.

    Attributes:
        sides: The texts of each side.
        texts_in: Documents read; equals ``kept`` plus everything dropped.
        dropped: Documents dropped, by reason.
    """

    sides: dict[Side, list[str]]
    texts_in: int
    dropped: dict[str, int]

    @property
    def kept(self) -> int:
        """The number of texts on all sides."""
        return sum(map(len, self.sides.values()))


def collect(
    sources: Iterable[Source],
    *,
    validation: float = 0.0,
    test: float = 0.0,
    no_obscene: bool = False,
    progress: Progress | None = None,
    notice: Notice | None = None,
) -> Collection:
    """Reads, cleans, deduplicates and splits all documents of some sources.

    Args:
        sources: Files, folders, or "-" for standard input.
        validation: The expected share of validation documents.
        test: The expected share of test documents.
        no_obscene: Drops documents marked as obscene, and those that are by `is_obscene`.
        progress: Called as files are read and as texts are compared to the held-out ones.
        notice: Told what was guessed about a file.

    Raises:
        ConfigurationError: The shares cannot work.
        CorpusError: A source cannot be read, or no text is left.
    """
    check_fractions(validation, test)
    dropped: Counter[str] = Counter()
    distinct = Distinct()
    for document in _documents(sources, progress, notice):
        text = clean(document.text)
        reason = reason_to_drop(text)
        if no_obscene and reason is None and (document.obscene or is_obscene(text)):
            reason = "obscene"
        if reason is None and not distinct.add(text):
            reason = "exact duplicate"
        if reason is not None:
            dropped[reason] += 1
    texts_in = len(distinct.texts) + dropped.total()
    if not distinct.texts:
        raise CorpusError(
            f"No text is left of {texts_in} ({_listed(dropped)}).",
            "Bring texts of at least a sentence.",
        )
    sides: dict[Side, list[str]] = {"test": [], "validation": [], "train": []}
    for text in distinct.texts:
        sides[side(text, validation, test)].append(text)
    dropped[NEAR_DUPLICATE] = _keep_apart(sides, progress)
    return Collection(sides=sides, texts_in=texts_in, dropped=dict(+dropped))


def _documents(
    sources: Iterable[Source], progress: Progress | None, notice: Notice | None
) -> Iterator[Document]:
    """Yields the documents of all sources, which are found before the first is read."""
    paths = [path for source in sources for path in files(source)]
    if not paths:
        raise CorpusError("No texts were named.", "Name a file, a folder, or - .")
    for done, path in enumerate(paths, 1):
        yield from read_file(path, notice)
        if progress:
            progress(done, len(paths), "files")


def _keep_apart(sides: dict[Side, list[str]], progress: Progress | None) -> int:
    """Drops near-duplicates across sides in place: test wins over validation, both over train.

    Returns:
        The number of texts dropped.
    """
    index = NearDuplicates()
    total = sum(map(len, sides.values()))
    done = removed = 0
    for texts in sides.values():
        apart = []
        for text in texts:
            done += 1
            if not index.match(text):
                apart.append(text)
            if progress and (done % 1000 == 0 or done == total):
                progress(done, total, "texts")
        removed += len(texts) - len(apart)
        texts[:] = apart
        if texts is not sides["train"]:
            for text in apart:
                index.add(text)
    return removed


def _listed(dropped: Counter[str]) -> str:
    return ", ".join(f"{reason}: {count}" for reason, count in dropped.items()) or "nothing read"
