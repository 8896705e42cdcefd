"""What is reported about the texts of a corpus: the fields of ``report.json``."""

from dataclasses import dataclass

from anekdot.corpus.splitting import Split


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """The beginning of a text, and where it stood.

    Attributes:
        text: At most 300 characters.
        source: The file, as the user knows it.
        line: Where it starts, counted from 1.
    """

    text: str
    source: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Example:
    """A text that was dropped.

    Attributes:
        dropped: The text.
        stays: The text that was kept in its place, if it was dropped as a duplicate.
    """

    dropped: Excerpt
    stays: Excerpt | None


@dataclass(frozen=True, kw_only=True)
class SourceFacts:
    """What became of the texts of a source.

    Attributes:
        source: Its name, as the user knows it.
        texts_in: Texts read.
        kept: Texts that stay.
        exact_duplicates: Texts dropped for being the same as another.
        near_duplicates: Texts dropped for being nearly the same as another.
    """

    source: str
    texts_in: int
    kept: int
    exact_duplicates: int
    near_duplicates: int


@dataclass(frozen=True, kw_only=True)
class Bar:
    """Texts of about the same length.

    Attributes:
        start: The smallest length, in characters.
        stop: The first length that is too large.
        texts: How many kept texts there are.
    """

    start: int
    stop: int
    texts: int


@dataclass(frozen=True, kw_only=True)
class Stripped:
    """What stood around texts and was left out.

    Attributes:
        kind: "prefix", "line" or "fields".
        example: The first one.
        texts: Texts that had it.
    """

    kind: str
    example: str
    texts: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What became of the texts of a corpus; all but the first fields are about what was kept.

    Attributes:
        texts_in: Texts read.
        kept: Texts that stay.
        dropped: Texts dropped, by reason, the most frequent first.
        examples: A few of these, by reason.
        repaired: Texts repaired, by cleaning rule, the most frequent first.
        stripped: What was left out around texts, the most frequent first.
        n_sources: The number of sources with texts.
        sources: The largest of them.
        guessed: What was guessed about the files, a sentence each.
        unread: Files that were not read, and why.
        warnings: What looks as if texts were read wrong, a sentence each.
        documents: Texts of each split.
        tokens: Ids of each split, begin and end tokens included.
        bytes: UTF-8 bytes of the texts of each split.
        bytes_per_token: UTF-8 bytes per token of text.
        vocab_size: Tokens of the tokenizer.
        quantiles: Lengths in characters that given percentages of the texts do not exceed.
        histogram: Lengths in characters.
        letters: Letters by script, the most frequent first.
        characters: The most frequent characters, with their counts.
        n_characters: All characters together.
        alphabet_size: Distinct characters.
        obscene: Texts with hard profanity.
        obscene_share: The same as a share of all.
    """

    texts_in: int
    kept: int
    dropped: dict[str, int]
    examples: dict[str, list[Example]]
    repaired: dict[str, int]
    stripped: list[Stripped]
    n_sources: int
    sources: list[SourceFacts]
    guessed: list[str]
    unread: dict[str, str]
    warnings: list[str]
    documents: dict[Split, int]
    tokens: dict[Split, int]
    bytes: dict[Split, int]
    bytes_per_token: float
    vocab_size: int
    quantiles: dict[str, int]
    histogram: list[Bar]
    letters: dict[str, int]
    characters: dict[str, int]
    n_characters: int
    alphabet_size: int
    obscene: int
    obscene_share: float
