"""anekdot tokenizer: train, encode, decode, show."""

import sys
from pathlib import Path

from cyclopts import App
from rich.console import Console
from rich.text import Text

from anekdot.bundle import PRETRAINED, TOKENIZER
from anekdot.errors import ConfigurationError
from anekdot.settings import PreparationConfig
from anekdot.tokenizer.tokenizer import Tokenizer

app = App(name="tokenizer", help="Train a tokenizer, or look at what one does.")

COLOURS = ("black on cyan", "black on yellow", "black on green", "black on magenta")


@app.command
def train(*sources: str, out: Path, vocab_size: int = PreparationConfig.vocab_size) -> None:
    """Train a tokenizer on texts.

    Args:
        sources: .txt, .jsonl, .csv files (also .gz), folders of them, or - for standard input.
        out: The tokenizer.json to write.
        vocab_size: Tokens, the three special ones and the 256 bytes included.
    """
    from anekdot.cli.progress import bars
    from anekdot.corpus.collecting import collect

    if out.exists():
        raise ConfigurationError(f"{out} exists already.", "Name a file that does not.")
    with bars() as progress:
        texts = collect(sources, progress=progress).sides["train"]
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
def show(text: str | None = None, /, *, tokenizer: Path | None = None) -> None:
    """Show a tokenizer: its size, its longest tokens, and how a text splits.

    Args:
        text: A text to colour by tokens.
        tokenizer: A tokenizer.json or a bundle; without it, the pretrained model's.
    """
    loaded = _load(tokenizer)
    console = Console(highlight=False, file=sys.stdout)
    pieces = [loaded.token_bytes(i).decode("utf-8", "replace") for i in range(loaded.vocab_size)]
    longest = sorted(set(pieces), key=len, reverse=True)[:20]
    console.print(f"{loaded.vocab_size:,} tokens, {len(loaded.merges):,} merges")
    console.print(Text("longest: " + " ".join(f"«{piece}»" for piece in longest)))
    if text is None:
        return
    ids = loaded.encode(text)
    split = Text()
    for place, token in enumerate(ids):
        split.append(pieces[token], COLOURS[place % len(COLOURS)])
    console.print(split)
    bytes_per_token = len(text.encode()) / max(1, len(ids))
    console.print(f"{len(ids)} tokens, {bytes_per_token:.2f} bytes a token")


def _load(path: Path | None) -> Tokenizer:
    path = path or PRETRAINED
    return Tokenizer.load(path / TOKENIZER if path.is_dir() else path)
