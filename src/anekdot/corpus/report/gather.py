"""Counts what became of the texts.

Texts are looked at a batch at a time, and everything else is counted by the database, so that the
corpus may be larger than memory.
"""

import json
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import accumulate, dropwhile, pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

from anekdot.corpus.collection import COUNTS, DOCUMENTS, Collection
from anekdot.corpus.database import database, fetch_integer, parquet
from anekdot.corpus.deduplication.select import EXACT_DUPLICATE, LEAK, NEAR_DUPLICATE
from anekdot.corpus.processing import EXCERPT_CHARACTERS
from anekdot.corpus.report.facts import Bar, Example, Excerpt, Facts, SourceFacts, Stripped
from anekdot.corpus.report.warnings import find_warnings
from anekdot.corpus.splitting import SPLITS, Split
from anekdot.tokenizer.statistics import script_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAX_EXAMPLES = 3  # texts shown for each reason why texts are dropped
MAX_SHOWN = 60  # characters of the text that was there most often
MAX_SOURCES = 50  # shown, those with the most texts
MAX_CHARACTERS = 100  # shown, the most frequent
QUANTILES = (0, 5, 25, 50, 75, 95, 100)  # percent
BARS_PER_DECADE = 10  # of the histogram, between a length and ten times that length


def gather(collection: Collection, vocab_size: int, tokens: dict[Split, int]) -> Facts:
    """Returns the facts about a collection.

    Args:
        collection: The texts, and which of them stay.
        vocab_size: Tokens of the tokenizer.
        tokens: Ids of each split, begin and end tokens included.
    """
    texts_in, repaired, stripped = _counts(collection.processed)
    documents: dict[Split, int] = {split: collection.count(split) for split in SPLITS}
    counts = np.stack([collection.characters[split] for split in SPLITS])
    kept, dropped = sum(documents.values()), collection.dropped()
    assert texts_in == kept + sum(dropped.values()), "a text was lost or counted twice"
    bytes_ = dict(zip(SPLITS, (counts @ _widths(counts.shape[1])).tolist(), strict=True))
    characters = _frequent({chr(n): int(counts[:, n].sum()) for n in np.flatnonzero(counts.any(0))})
    with database(collection.work / ".spill", memory=collection.memory) as connection:
        _judge(connection, collection)
        lengths = _lengths(connection)
        n_sources, sources = _sources(connection)
        obscene = fetch_integer(
            connection, "SELECT count(*) FROM judged WHERE reason = '' AND obscene"
        )
        examples = _examples(connection)
        repeated = _most_repeated(connection)
    return Facts(
        texts_in=texts_in,
        kept=kept,
        dropped=dropped,
        examples={reason: examples[reason] for reason in dropped},
        repaired=repaired,
        stripped=stripped,
        n_sources=n_sources,
        sources=sources,
        guessed=collection.plan.notices,
        unread=collection.plan.unread,
        warnings=find_warnings(texts_in, kept, dropped, repeated),
        documents=documents,
        tokens={split: tokens[split] for split in SPLITS},
        bytes=bytes_,
        bytes_per_token=sum(bytes_.values()) / max(1, sum(tokens.values()) - 2 * kept),
        vocab_size=vocab_size,
        quantiles=_quantiles(lengths),
        histogram=_histogram(lengths),
        letters=_letters(characters),
        characters=dict([*characters.items()][:MAX_CHARACTERS]),
        n_characters=sum(characters.values()),
        alphabet_size=len(characters),
        obscene=obscene,
        obscene_share=obscene / max(1, kept),
    )


def _counts(processed: Path) -> tuple[int, dict[str, int], list[Stripped]]:
    """Returns how many texts were read, what each rule repaired, and what was stripped."""
    texts, repaired, stripped = 0, Counter[str](), Counter[str]()
    examples: dict[str, str] = {}
    for path in sorted(processed.glob(f"*/{COUNTS}")):
        counts = json.loads(path.read_text("utf-8"))
        texts += counts["texts"]
        repaired.update(counts["repaired"])
        for kind, (count, example) in counts["stripped"].items():
            stripped[kind] += count
            examples.setdefault(kind, example)
    listed = [
        Stripped(kind=kind, example=examples[kind], texts=count)
        for kind, count in _frequent(stripped).items()
    ]
    return texts, _frequent(repaired), listed


def _frequent(counts: Mapping[str, int]) -> dict[str, int]:
    """Sorts counts, the largest first."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _widths(size: int) -> NDArray[np.int64]:
    """Returns how many bytes UTF-8 takes for each of the first characters."""
    widths = np.ones(size, np.int64)
    for first in (0x80, 0x800, 0x10000):
        widths[first:] += 1
    return widths


def _letters(characters: dict[str, int]) -> dict[str, int]:
    """Counts letters by script."""
    scripts: Counter[str] = Counter()
    for character, count in characters.items():
        if category(character).startswith("L"):
            scripts[script_of(character)] += count
    return _frequent(scripts)


def _judge(connection: "DuckDBPyConnection", collection: Collection) -> None:
    """Makes a view of all documents with what became of each."""
    connection.execute(
        f"""
        CREATE VIEW documents AS FROM {parquet(collection.processed, f"*/{DOCUMENTS}")};
        CREATE VIEW judged AS
        SELECT document, source, n_chars, obscene, cluster,
            coalesce(chosen.reason, documents.reason) AS reason
        FROM documents LEFT JOIN (
            SELECT document, reason, cluster
            FROM {parquet(collection.work, collection.selection.name)}
        ) AS chosen USING (document)
        """
    )


def _lengths(connection: "DuckDBPyConnection") -> dict[int, int]:
    """Returns how many kept texts there are of each length in characters, ascending."""
    return dict(
        connection.execute(
            """
            SELECT n_chars, count(*) FROM judged
            WHERE reason = '' GROUP BY n_chars ORDER BY n_chars
            """
        ).fetchall()
    )


def _quantiles(lengths: dict[int, int]) -> dict[str, int]:
    """Returns the lengths that given percentages of the texts do not exceed."""
    sizes, ends = [*lengths], [*accumulate(lengths.values())]
    if not sizes:
        return {}
    return {
        f"{percent} %": sizes[bisect_left(ends, max(1, -(-percent * ends[-1] // 100)))]
        for percent in QUANTILES
    }


def _histogram(lengths: dict[int, int]) -> list[Bar]:
    """Counts texts by length; each length is about a quarter more than the one before."""
    longest = max(lengths, default=0)
    bounds, power = [0], 0
    while bounds[-1] <= longest:
        power += 1
        bounds = sorted({*bounds, int(float(f"{10 ** (power / BARS_PER_DECADE):.2g}"))})
    texts = [0] * (len(bounds) - 1)
    for length, count in lengths.items():
        texts[bisect_right(bounds, length) - 1] += count
    bars = [
        Bar(start=start, stop=stop, texts=count)
        for (start, stop), count in zip(pairwise(bounds), texts, strict=True)
    ]
    return [*dropwhile(lambda bar: not bar.texts, bars)]


def _sources(connection: "DuckDBPyConnection") -> tuple[int, list[SourceFacts]]:
    """Returns how many sources there are, and what became of the texts of the largest."""
    rows = connection.execute(
        f"""
        SELECT source, count(*) AS texts_in,
            count(*) FILTER (reason = ''),
            count(*) FILTER (reason = '{EXACT_DUPLICATE}'),
            count(*) FILTER (reason IN ('{NEAR_DUPLICATE}', '{LEAK}'))
        FROM judged GROUP BY source ORDER BY texts_in DESC, source LIMIT {MAX_SOURCES}
        """
    ).fetchall()
    names = ("source", "texts_in", "kept", "exact_duplicates", "near_duplicates")
    facts = [SourceFacts(**dict(zip(names, row, strict=True))) for row in rows]
    return fetch_integer(connection, "SELECT count(DISTINCT source) FROM documents"), facts


def _most_repeated(connection: "DuckDBPyConnection") -> tuple[str, int]:
    """Returns how the text begins that was there most often, and how often."""
    rows = connection.execute(
        f"""
        SELECT cluster, count(*) AS times FROM judged WHERE reason = '{EXACT_DUPLICATE}'
        GROUP BY cluster ORDER BY times DESC, cluster LIMIT 1
        """
    ).fetchall()
    if not rows:
        return "", 0
    cluster, times = rows[0]
    text = " ".join(_excerpts(connection, {cluster})[cluster].text.split())
    return text[:MAX_SHOWN] + ("…" if len(text) > MAX_SHOWN else ""), times + 1


def _examples(connection: "DuckDBPyConnection") -> dict[str, list[Example]]:
    """Returns the first dropped texts by reason, from different sources where there are some."""
    rows = connection.execute(
        f"""
        WITH firsts AS (
            SELECT reason, min(document, {MAX_EXAMPLES}) AS found
            FROM judged WHERE reason <> '' GROUP BY reason, source
        ), ranked AS (
            SELECT document, row_number() OVER (PARTITION BY reason ORDER BY nth, document) AS place
            FROM (
                SELECT reason, unnest(found) AS document, generate_subscripts(found, 1) AS nth
                FROM firsts
            )
        )
        SELECT reason, document, coalesce(cluster, document) FROM judged
        SEMI JOIN (FROM ranked WHERE place <= {MAX_EXAMPLES}) AS chosen USING (document)
        ORDER BY document
        """
    ).fetchall()
    excerpts = _excerpts(connection, {number for _, *pair in rows for number in pair})
    examples: dict[str, list[Example]] = defaultdict(list)
    for reason, document, cluster in rows:
        stays = excerpts[cluster] if cluster != document else None
        examples[reason].append(Example(dropped=excerpts[document], stays=stays))
    return examples


def _excerpts(connection: "DuckDBPyConnection", documents: set[int]) -> dict[int, Excerpt]:
    """Fetches some texts by number."""
    numbers = ", ".join(map(str, sorted(documents))) or "NULL"
    rows = connection.execute(
        f"SELECT document, left(text, {EXCERPT_CHARACTERS}), source, line FROM documents "
        f"WHERE document IN ({numbers})"
    ).fetchall()
    return {row[0]: Excerpt(text=row[1], source=row[2], line=row[3]) for row in rows}
