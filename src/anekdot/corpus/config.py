"""How texts become shards: what a user may set, and the rules that follow for each document."""

from dataclasses import dataclass

from anekdot.corpus.cleaning import MIN_LENGTH, check_rules
from anekdot.corpus.cleaning.filters import is_in_script
from anekdot.corpus.reading.foreign_encodings import check_encoding
from anekdot.corpus.splitting import check_fractions
from anekdot.field_checks import check_boolean, check_integer, check_number, check_text
from anekdot.model.config import MAX_FIELD_VALUES
from anekdot.tokenizer.vocabulary import FIRST_MERGE

MIN_VOCAB_SIZE = FIRST_MERGE


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What is done with each document, whatever the others are.

    Attributes:
        without: Names of the cleaning rules that are switched off.
        no_obscene: Whether documents with hard profanity are dropped.
        script: The script that documents must be in, if any.
        min_length: The shortest text to keep, in characters; lower where most texts are short.
        validation: The expected share of validation documents.
        test: The expected share of test documents.
    """

    without: tuple[str, ...] = ()
    no_obscene: bool = False
    script: str | None = None
    min_length: int = MIN_LENGTH
    validation: float = 0.0
    test: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PreparationConfig:
    """How texts become shards.

    Attributes:
        vocab_size: Tokens of the tokenizer, special ones included.
        validation: Share of the documents by which the best model is chosen.
        test: Share of the documents that are kept for the final measurement.
        no_obscene: Whether documents with hard profanity are left out.
        without: Names of the cleaning rules that are switched off, separated by commas.
        script: The script that documents must be in, such as "cyrillic"; any unless given.
        separator: What stands between the texts of a text file ("line", "blank line", or the
            separator itself); guessed unless given.
        column: The column or key that holds the text; guessed unless given.
        encoding: The encoding of all files, such as "cp1250" or "gb18030"; guessed unless given.
        strip: A line that is left out of every text, such as a signature; or its beginning and
            "*", where the rest of the line varies.

    Raises:
        ConfigurationError: A field has the wrong type or an impossible value.
    """

    vocab_size: int = 2048
    validation: float = 0.03
    test: float = 0.03
    no_obscene: bool = False
    without: str = ""
    script: str | None = None
    separator: str | None = None
    column: str | None = None
    encoding: str | None = None
    strip: str | None = None

    def __post_init__(self) -> None:
        check_integer("vocab_size", self.vocab_size, MIN_VOCAB_SIZE, MAX_FIELD_VALUES["vocab_size"])
        check_number("validation", self.validation, 0.0, 1.0)
        check_number("test", self.test, 0.0, 1.0)
        check_fractions(self.validation, self.test)
        check_boolean("no_obscene", self.no_obscene)
        check_rules(self.rules.without)
        if self.encoding is not None:
            check_encoding(self.encoding)
        if self.strip is not None:
            check_text("strip", self.strip)
        if self.script is not None:
            is_in_script("", self.script)

    @property
    def rules(self) -> Rules:
        """What is done with each document."""
        names = (name.strip() for name in self.without.split(","))
        return Rules(
            without=tuple(sorted({*filter(None, names)})),
            no_obscene=self.no_obscene,
            script=self.script,
            validation=self.validation,
            test=self.test,
        )
