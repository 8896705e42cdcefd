"""Texts among named fields: «ID: 1», «Текст: …», «Дата: …» again and again."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from anekdot.corpus.reading.columns import PAIRS, TEXT_NAMES

_FIELD = re.compile(r"([^\W\d_][\w .№-]{0,24}?): ?")
_DIALOGUES = [pair for pair in PAIRS if pair[0] not in ("title", "заголовок", "название")]
_MIN_RECORDS = 3


def field_names(lines: Sequence[str]) -> tuple[list[str], str] | None:
    """Returns the names of the fields of records, in order, and those of the text, with | between.

    Args:
        lines: The first lines of a file, without the blanks around them.
    """
    begun = [match[1] for line in lines if (match := _FIELD.match(line))]
    counts = Counter(begun)
    most = max((count for name, count in counts.items() if name.lower() in TEXT_NAMES), default=0)
    if most < _MIN_RECORDS:
        return None
    names = [name for name, count in counts.items() if 0.9 * most <= count <= 1.1 * most]
    order = [names.index(name) for name in begun if name in names]
    rounds = sum((a + 1) % len(names) == b for a, b in pairwise(order))
    texts = [name for name in names if name.lower() in TEXT_NAMES]
    if len(names) < 2 or not texts or rounds < 0.95 * (len(order) - 1):
        return None
    text = min(texts, key=lambda name: TEXT_NAMES.index(name.lower()))
    pair = [name for name in names if (name.lower(), text.lower()) in _DIALOGUES]
    return names, "|".join([*pair, text])


def field_text(text: str, names: str, wanted: str) -> str:
    """Returns the value of a field of a record, which may have several lines.

    Args:
        text: The record.
        names: A regular expression of the names of its fields.
        wanted: The names of the fields that make a text, with | between.
    """
    parts = re.split(rf"^[ \t]*({names}):[ \t]?", text, flags=re.MULTILINE)
    values = dict(zip(parts[1::2], parts[2::2], strict=True))
    return "\n".join(filter(None, (values.get(name, "").strip() for name in wanted.split("|"))))
