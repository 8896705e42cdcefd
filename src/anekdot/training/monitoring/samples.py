"""What a live sample is told with: the text, and how much of it was copied."""

from anekdot.corpus.shards import Shard
from anekdot.evaluation.originality import longest_shared_span
from anekdot.tokenizer.tokenizer import Tokenizer


def describe_sample(text: str, tokenizer: Tokenizer, train_shard: Shard) -> dict[str, str]:
    """Returns a sample's ``text``, and ``copied``: its longest span from a training text.

    Spans are of whole tokens; characters cut in two at an end are left out.
    """
    ids = tokenizer.encode(text)
    start, length = longest_shared_span(ids, train_shard.ids)
    return {"text": text, "copied": tokenizer.decode(ids[start : start + length])}
