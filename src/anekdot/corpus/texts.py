"""Sources to clean texts, for what needs neither sides nor shards: measuring, a tokenizer alone."""

from collections.abc import Iterator

from anekdot.callbacks import Notice
from anekdot.corpus.cleaning import clean, reason_to_drop
from anekdot.corpus.reading import Source, read


def clean_texts(*sources: Source, notice: Notice | None = None) -> Iterator[str]:
    """Yields the texts of some sources, cleaned, those of no use for training left out.

    Args:
        sources: Files, folders, patterns, or "-" for standard input.
        notice: Told what was guessed about a file.

    Raises:
        CorpusError: A source cannot be read.
    """
    for source in sources:
        for document in read(source, notice):
            text = clean(document.text)
            if document.fault is None and reason_to_drop(text) is None:
                yield text
