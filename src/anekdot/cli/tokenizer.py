"""anekdot tokenizer: train, encode, decode, show."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App
from rich.text import Text

from anekdot.bundle import PRETRAINED, TOKENIZER
from anekdot.corpus.config import PreparationConfig
from anekdot.errors import ConfigurationError
from anekdot.machine import parse_size
from anekdot.text_output import one_line
from anekdot.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from anekdot.cli.console import HarmlessConsole

app = App(name="tokenizer", help="Train a tokenizer, or look at what one does.")

COLOURS = ("black on cyan", "black on yellow", "black on green", "black on magenta")


@app.command
def train(
    *sources: str,
    out: Path,
    vocab_size: int = PreparationConfig.vocab_size,
    max_download: str = "1GiB",
) -> None:
    """Train a tokenizer on texts.

    Args:
        sources: Text, JSON, CSV or Parquet files, folders of them, or - for standard input.
        out: The tokenizer.json to write.
        vocab_size: Tokens, the three special ones and the 256 bytes included.
        max_download: The largest file to download from a web address.
    """
    from anekdot.cli.console import say
    from anekdot.cli.progress import bars
    from anekdot.corpus.reading import clean_texts

    if out.exists():
        raise ConfigurationError(f"{out} exists already.", "Name a file that does not.")
    most = parse_size("max-download", max_download, 1)
    if not out.parent.exists():
        raise ConfigurationError(
            f"There is no folder {out.parent} for the tokenizer.", "Make it, or name another place."
        )
    with bars() as progress:
        texts = clean_texts(*sources, notice=say, max_download=most)
        tokenizer = Tokenizer.train(texts, vocab_size, progress=progress)
    tokenizer.save(out)
    print(f"{out}: {tokenizer.vocab_size:,} tokens")


@app.command
def encode(text: str, /, *, tokenizer: Path | None = None) -> None:
    """Print the ids of a text.

    Args:
        text: Any text.
        tokenizer: A tokenizer.json or a bundle; without it, the pretrained model's.
    """
    print(*_load(tokenizer).encode(text))


@app.command
def decode(*ids: int, tokenizer: Path | None = None) -> None:
    """Print the text of ids.

    Args:
        ids: Token ids.
        tokenizer: A tokenizer.json or a bundle; without it, the pretrained model's.
    """
    print(_load(tokenizer).decode(ids))


@app.command
def show(
    text: str | None = None, /, *, texts: Path | None = None, tokenizer: Path | None = None
) -> None:
    """Show the vocabulary of a tokenizer, and how it splits a text.

    Args:
        text: A text to colour by tokens.
        texts: Texts to measure the compression on.
        tokenizer: A tokenizer.json or a bundle; without it, the pretrained model's.
    """
    from anekdot.cli.console import HarmlessConsole
    from anekdot.tokenizer.statistics import vocabulary_statistics

    loaded = _load(tokenizer)
    console = HarmlessConsole()
    seen = vocabulary_statistics(loaded)
    merges = f"{len(loaded.merges):,} merges"
    console.print(f"{loaded.vocab_size:,} tokens, {merges}, split pattern {loaded.pattern}")
    _show_counts(console, "tokens by script", seen.scripts)
    by_length = {str(length): count for length, count in seen.lengths.items() if length}
    _show_counts(console, "tokens by length in characters", by_length)
    longest = " ".join(f"«{token}»" for token in seen.longest)
    console.print(f"\n{one_line(f'longest: {longest}')}")
    if texts is not None:
        from anekdot.corpus.reading import read

        documents = [document.text for document in read(texts)]
        n_ids, n_bytes = len(loaded.encode_batch(documents)[0]), sum(map(_size, documents))
        _show_compression(console, f"{texts}: {len(documents):,} texts", n_bytes, n_ids)
    if text is not None:
        ids = loaded.encode(text)
        split = Text("\n")
        for place, id in enumerate(ids):
            piece = loaded.token_bytes(id).decode("utf-8", "replace")
            split.append(piece, COLOURS[place % len(COLOURS)])
        console.print(split)
        _show_compression(console, "the text", _size(text), len(ids))


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _show_compression(console: "HarmlessConsole", what: str, n_bytes: int, n_ids: int) -> None:
    console.print(f"{what}: {n_ids:,} tokens, {n_bytes / max(1, n_ids):.2f} bytes per token")


def _show_counts(console: "HarmlessConsole", title: str, counts: Mapping[str, int]) -> None:
    """Prints counts as bars."""
    console.print(f"\n{title}")
    widest, most = max(map(len, counts)), max(counts.values())
    for name, count in counts.items():
        console.print(f"  {name:>{widest}} {count:>7,} {'█' * round(40 * count / most)}")


def _load(path: Path | None) -> Tokenizer:
    path = path or PRETRAINED
    return Tokenizer.load(path / TOKENIZER if path.is_dir() else path)
