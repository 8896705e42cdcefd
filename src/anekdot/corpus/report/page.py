"""The facts about a corpus as one page: HTML, its style and its pictures, and no script.

The page shows texts of unknown origin. Each goes through ``shown`` on its way, and the page
forbids itself to run scripts or to load anything.
"""

import base64
import hashlib
import re
from difflib import SequenceMatcher
from pathlib import Path
from unicodedata import category, name

from anekdot.corpus.processing import EXCERPT_CHARACTERS
from anekdot.corpus.report.drawing import bars, histogram, percent, shown, strip, table
from anekdot.corpus.report.facts import Example, Excerpt, Facts

MAX_UNREAD = 200  # files that were not read, listed one by one
STYLE = Path(__file__).with_name("page.css")


def page(facts: Facts) -> str:
    """Returns a page in HTML that needs nothing but itself."""
    style = STYLE.read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    sections = (
        _headline(facts),
        _warnings(facts),
        _dropped(facts),
        _lengths(facts),
        _alphabets(facts),
        _splits(facts),
        _repaired(facts),
        _stripped(facts),
        _examples(facts),
        _sources(facts),
        _guessed(facts),
        _unread(facts),
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{facts.texts_in:,} texts in, {facts.kept:,} kept</title>
<style>{style}</style>
</head>
<body>
{"".join(sections)}</body>
</html>
"""


def _headline(facts: Facts) -> str:
    dropped = facts.texts_in - facts.kept
    reasons = ", ".join(
        f"{count:,}\u00a0{shown(reason)}" for reason, count in facts.dropped.items()
    )
    lead = f"{dropped:,} dropped ({percent(dropped, facts.texts_in)}): {reasons}."
    figures = {
        "training tokens": f"{facts.tokens['train']:,}",
        "vocabulary size": f"{facts.vocab_size:,}",
        "bytes per token": f"{facts.bytes_per_token:.2f}",
        "median length, characters": f"{facts.quantiles.get('50 %', 0):,}",
        "texts with profanity": percent(facts.obscene, facts.kept),
    }
    tiles = "".join(
        f"<div><dt>{what}</dt><dd>{value}</dd></div>" for what, value in figures.items()
    )
    return f"""<header>
<h1>{facts.texts_in:,} texts in, {facts.kept:,} kept</h1>
<p class="lead">{lead if dropped else "Nothing was dropped."}</p>
{strip(facts.kept, facts.texts_in)}
<dl class="figures">{tiles}</dl>
</header>
"""


def _warnings(facts: Facts) -> str:
    items = "".join(f"<li><bdi>{shown(sentence)}</bdi></li>" for sentence in facts.warnings)
    return _section("What looks wrong", f"<ul>{items}</ul>") if items else ""


def _dropped(facts: Facts) -> str:
    if not facts.dropped:
        return ""
    return _section("Dropped, and why", bars(facts.dropped, facts.texts_in, "dropped"))


def _lengths(facts: Facts) -> str:
    at = facts.quantiles
    if not at:
        return ""
    most = max(bar.texts for bar in facts.histogram)
    caption = (
        f"Half of the texts have {at['25 %']:,} to {at['75 %']:,} characters; the shortest has "
        f"{at['0 %']:,}, the longest {at['100 %']:,}. Each bar covers a range a quarter wider than "
        f"the one before it; the highest stands for {most:,} texts."
    )
    picture = histogram(facts.histogram, at["50 %"])
    return _section("Lengths", f"<figure>{picture}<figcaption>{caption}</figcaption></figure>")


def _alphabets(facts: Facts) -> str:
    total = sum(facts.letters.values())
    if not total:
        return ""
    scripts = {
        script.upper() if script == "cjk" else script.capitalize(): count
        for script, count in facts.letters.items()
    }
    everything = facts.n_characters
    cells = "".join(_character(c, count, everything) for c, count in facts.characters.items())
    return _section(
        "Alphabets",
        f'<p class="note">Letters of the kept texts by script.</p>{bars(scripts, total, "kept")}'
        f"<details><summary>The most frequent of {facts.alphabet_size:,} different characters"
        f'</summary><ul class="characters">{cells}</ul></details>',
    )


def _character(character: str, count: int, total: int) -> str:
    """Returns a character in a cell, by its name where there is nothing to see."""
    known = {" ": "space", "\n": "line end"}
    label = known.get(character) or shown(character)
    if category(character)[0] in "MCZ" and character not in known:
        label = f"U+{ord(character):04X}"
    kind = "" if label == shown(character) else ' class="name"'
    title = shown(name(character, f"U+{ord(character):04X}").lower())
    return f'<li title="{title}"><b{kind}>{label}</b><span>{percent(count, total)}</span></li>'


def _splits(facts: Facts) -> str:
    rows = [
        (split, f"{count:,}", f"{facts.tokens[split]:,}", f"{facts.bytes[split]:,}")
        for split, count in facts.documents.items()
    ]
    what = "Train is what the model learns from; validation chooses the best one; test measures it."
    splits = table(("split", "texts", "tokens", "bytes"), rows)
    return _section("Splits", f'<p class="note">{what}</p>{splits}')


def _repaired(facts: Facts) -> str:
    if not facts.repaired:
        return ""
    what = "Texts that were changed, by cleaning rule."
    drawn = bars(facts.repaired, facts.texts_in, "kept")
    return _section("Repaired", f'<p class="note">{what}</p>{drawn}')


def _stripped(facts: Facts) -> str:
    if not facts.stripped:
        return ""
    rows = [(each.kind, shown(each.example), f"{each.texts:,}") for each in facts.stripped]
    return _section("Left out around texts", table(("what", "such as", "texts"), rows))


def _examples(facts: Facts) -> str:
    parts = [
        f'<h3>{shown(reason)} <span class="note">{facts.dropped[reason]:,}</span></h3>'
        + "".join(map(_example, examples))
        for reason, examples in facts.examples.items()
    ]
    return _section("Examples of what was dropped", "".join(parts)) if parts else ""


def _example(example: Example) -> str:
    dropped, stays = example.dropped, example.stays
    if stays is None:
        return f'<div class="single">{_quote(shown(dropped.text), dropped, "dropped")}</div>'
    left, right = _differences(dropped.text, stays.text)
    return (
        f'<div class="pair">{_quote(left, dropped, "dropped")}{_quote(right, stays, "stays")}</div>'
    )


def _quote(text: str, excerpt: Excerpt, what: str) -> str:
    """Returns an excerpt, whose text is HTML already, with its place."""
    more = " …" if len(excerpt.text) >= EXCERPT_CHARACTERS else ""
    place = f"{shown(excerpt.source)}, line {excerpt.line:,}"
    return (
        f'<blockquote class="{what}"><p dir="auto">{text or "(nothing)"}{more}</p>'
        f"<cite>{what}: <bdi>{place}</bdi></cite></blockquote>"
    )


def _differences(a: str, b: str) -> tuple[str, str]:
    """Returns two texts as HTML in which the words are marked that the other one lacks."""
    left, right = (re.findall(r"\w+|\s+|[^\w\s]", text) for text in (a, b))
    a_words, b_words = ([*map(str.lower, pieces)] for pieces in (left, right))
    matcher = SequenceMatcher(None, a_words, b_words, autojunk=False)
    marked: tuple[list[str], list[str]] = ([], [])
    for kind, *span in matcher.get_opcodes():
        pieces = ("".join(left[span[0] : span[1]]), "".join(right[span[2] : span[3]]))
        for html, piece in zip(marked, map(shown, pieces), strict=True):
            html.append(piece if kind == "equal" or not piece else f"<mark>{piece}</mark>")
    return "".join(marked[0]), "".join(marked[1])


def _sources(facts: Facts) -> str:
    rows = []
    for each in facts.sources:
        counts = (each.texts_in, each.kept, each.exact_duplicates, each.near_duplicates)
        rows.append((shown(each.source), *(f"{count:,}" for count in counts)))
    header = ("source", "texts in", "kept", "exact duplicates", "near-duplicates")
    more = facts.n_sources - len(rows)
    note = f'<p class="note">And {more:,} more.</p>' if more else ""
    return _section("Sources", table(header, rows) + note)


def _guessed(facts: Facts) -> str:
    items = "".join(f"<li><bdi>{shown(sentence)}</bdi></li>" for sentence in facts.guessed)
    return _section("What was guessed", f"<ul>{items}</ul>") if items else ""


def _unread(facts: Facts) -> str:
    if not facts.unread:
        return ""
    listed = [*facts.unread.items()][:MAX_UNREAD]
    rows = [(shown(name), shown(reason)) for name, reason in listed]
    more = len(facts.unread) - len(rows)
    note = f'<p class="note">And {more:,} more.</p>' if more else ""
    return _section("Files that were not read", table(("file", "why"), rows) + note)


def _section(title: str, content: str) -> str:
    return f"<section>\n<h2>{title}</h2>\n{content}\n</section>\n"
