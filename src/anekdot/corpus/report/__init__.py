"""What became of the texts: the facts, as ``report.json`` and as a page to read.

The same corpus gives the same bytes.
"""

import json
from dataclasses import asdict
from pathlib import Path

from anekdot.corpus.collection import Collection
from anekdot.corpus.report.facts import Facts
from anekdot.corpus.report.gather import gather
from anekdot.corpus.report.page import page
from anekdot.corpus.splitting import Split
from anekdot.tokenizer.tokenizer import Tokenizer

FACTS = "report.json"
PAGE = "report.html"


def write_report(
    collection: Collection, tokenizer: Tokenizer, tokens: dict[Split, int], folder: Path
) -> Facts:
    """Writes what became of the texts into a folder, as ``report.json`` and ``report.html``.

    Args:
        collection: The texts, and which of them stay.
        tokenizer: The tokenizer that was trained on them.
        tokens: Ids of each split, begin and end tokens included.
        folder: An existing folder.

    Returns:
        The facts that are in the files.
    """
    facts = gather(collection, tokenizer.vocab_size, tokens)
    text = json.dumps(asdict(facts), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    (folder / FACTS).write_text(text, "utf-8", "backslashreplace", newline="\n")
    (folder / PAGE).write_text(page(facts), "utf-8", newline="\n")
    return facts
