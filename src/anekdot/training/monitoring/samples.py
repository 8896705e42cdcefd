"""Live samples: the text, how much of it was copied, and all of them as Markdown."""

import re
from pathlib import Path

from anekdot.atomic_files import staged
from anekdot.corpus.shards import Shard
from anekdot.evaluation.originality import longest_shared_span
from anekdot.text_output import harmless
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.monitoring.metrics import read


def describe_sample(text: str, tokenizer: Tokenizer, train_shard: Shard) -> dict[str, str]:
    """Returns a sample's ``text``, and ``copied``: its longest span from a training text.

    Spans are of whole tokens; characters cut in two at an end are left out.
    """
    ids = tokenizer.encode(text)
    start, length = longest_shared_span(ids, train_shard.ids)
    return {"text": text, "copied": tokenizer.decode(ids[start : start + length])}


def write_samples(metrics: Path, samples: Path) -> None:
    """Writes all samples of a run as Markdown, for people."""
    texts = [
        f"## Step {record['step']}\n\n{_verbatim(record['text'])}\n"
        f"Longest span from the training texts, {len(record['copied'])} characters of "
        f"{len(record['text'])}:\n\n{_verbatim(record['copied'])}\n"
        for record in read(metrics)
        if record["kind"] == "sample"
    ]
    with staged(samples) as draft:
        draft.write_text("".join(texts), "utf-8", errors="replace")


def _verbatim(text: str) -> str:
    """Returns a text as a block of Markdown in which nothing is obeyed: no mark, tag or control."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}text\n{harmless(text)}\n{fence}\n"
