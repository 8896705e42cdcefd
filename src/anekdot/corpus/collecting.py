"""Sources into the texts of three sides: read, clean, deduplicate, split."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from anekdot.corpus.cleaning import clean, is_obscene, reason_to_drop
from anekdot.corpus.deduplication import NearDuplicates, fullest_versions
from anekdot.corpus.reading import Document, read
from anekdot.corpus.splitting import SIDES, Side, check_shares, side
from anekdot.errors import CorpusError

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Collection:
    """What became of the texts that came in; ``texts_in`` is kept plus dropped.

    Attributes:
        sides: The texts of each side, in the order in which they came.
        texts_in: Texts read.
        dropped: Texts left out, by reason.
    """

    sides: dict[Side, list[str]]
    texts_in: int
    dropped: dict[str, int]

    @property
    def kept(self) -> int:
        """Texts on all sides."""
        return sum(map(len, self.sides.values()))


def collect(
    sources: Sequence[Path | str],
    *,
    validation: float = 0.0,
    test: float = 0.0,
    no_obscene: bool = False,
    progress: Progress | None = None,
) -> Collection:
    """Reads all sources into three sides that share no text.

    Args:
        sources: Files, folders, or "-" for standard input.
        validation: Share of the validation side.
        test: Share of the test side.
        no_obscene: Whether texts with hard profanity are left out.
        progress: Called with (texts so far, 0, "texts read") and then with
            (texts done, all texts, "texts held against the others").

    Raises:
        CorpusError: A source cannot be read, or no text is left.
        ConfigurationError: The shares cannot be.
    """
    check_shares(validation, test)
    dropped: Counter[str] = Counter()
    texts: list[str] = []
    texts_in = 0
    for source in sources:
        for document in read(source):
            texts_in += 1
            text = clean(document.text)
            reason = _reason_to_drop(document, text, no_obscene)
            if reason is None:
                texts.append(text)
            else:
                dropped[reason] += 1
            if progress is not None and texts_in % 1000 == 0:
                progress(texts_in, 0, "texts read")
    kept = fullest_versions(texts)
    dropped["duplicate"] = len(texts) - len(kept)
    sides: dict[Side, list[str]] = {name: [] for name in SIDES}
    for place in kept:
        sides[side(texts[place], validation=validation, test=test)].append(texts[place])
    _part(sides, dropped, progress)
    if not sides["train"]:
        raise CorpusError(
            f"Of {texts_in} texts none is left to learn from"
            + "".join(f", {count} {reason}" for reason, count in dropped.items() if count)
            + ".",
            "Give more texts.",
        )
    return Collection(sides, texts_in, {name: count for name, count in dropped.items() if count})


def _reason_to_drop(document: Document, text: str, no_obscene: bool) -> str | None:
    if no_obscene and (document.obscene or is_obscene(text)):
        return "obscene"
    return reason_to_drop(text)


def _part(
    sides: dict[Side, list[str]], dropped: Counter[str], progress: Progress | None
) -> None:
    """Drops validation texts near a test one, and training texts near either."""
    unit = "texts held against the others"
    total = len(sides["validation"]) + len(sides["train"])
    done = 0
    held_out = list(sides["test"])
    for name in ("validation", "train"):
        known = NearDuplicates(held_out)
        apart = []
        for text in sides[name]:
            if text not in known:
                apart.append(text)
            done += 1
            if progress is not None and (done % 1000 == 0 or done == total):
                progress(done, total, unit)
        dropped["near-duplicate of a held-out text"] += len(sides[name]) - len(apart)
        sides[name] = apart
        held_out += apart
