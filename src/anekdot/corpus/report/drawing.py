"""The elements of a page: escaped texts, shares, tables, and bars as inline SVG.

All widths are percentages, so that letters stay the same size on a phone.
"""

import re
from collections.abc import Iterable, Mapping
from html import escape

from anekdot.corpus.report.facts import Bar

HEIGHT = 170  # pixels of the highest bar of the histogram
BOTTOM = HEIGHT + 24  # pixels from the top of the picture to its axis

# Control characters other than \n, marks that turn the direction of what follows, and halves of
# surrogate pairs.
_HARMFUL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff]"
)


def shown(text: str) -> str:
    """Returns a text as HTML that shows it and does nothing else.

    >>> shown("<b>\u202eтекст")
    '&lt;b&gt;⟨U+202E⟩текст'
    """
    return escape(_HARMFUL.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text))


def strip(part: int, whole: int) -> str:
    """Draws a line that is divided into the part that was kept and the part that was dropped."""
    share = 100 * part / max(1, whole)
    return (
        f'<svg height="10" role="img" aria-label="{percent(part, whole)} kept">'
        f'<rect class="dropped" width="100%" height="10"/>'
        f'<rect class="kept" width="{share:.2f}%" height="10"/></svg>'
    )


def histogram(bars: list[Bar], median: int) -> str:
    """Draws how many texts there are of each length.

    Args:
        bars: At least one.
        median: Half of the texts have no more characters.
    """
    width, most = 100 / len(bars), max(bar.texts for bar in bars)
    marks = []
    for number, bar in enumerate(bars):
        left, height = number * width, HEIGHT * bar.texts / most
        marks.append(
            f'<rect class="kept" x="{left:.2f}%" y="{BOTTOM - height:.1f}" '
            f'width="{0.9 * width:.2f}%" height="{height:.1f}"><title>{bar.start:,} to '
            f"{bar.stop - 1:,} characters: {bar.texts:,} texts</title></rect>"
        )
        if re.fullmatch("[125]0*", str(bar.start)):
            label = f"{bar.start // 1000}k" if bar.start >= 1000 else bar.start
            marks.append(f'<text x="{left:.2f}%" y="{BOTTOM + 17}">{label}</text>')
        if bar.start <= median < bar.stop:
            place = left + width * (median - bar.start) / (bar.stop - bar.start)
            marks.append(_median(place, median))
    axis = f'<line class="axis" x1="0" x2="100%" y1="{BOTTOM}" y2="{BOTTOM}"/>'
    return (
        f'<svg height="{BOTTOM + 24}" role="img" aria-label="Histogram of lengths in characters">'
        f"{axis}{''.join(marks)}</svg>"
    )


def _median(place: float, median: int) -> str:
    """Draws a line at a share of the width, in percent, with its name on the side with room."""
    anchor = "start" if place < 50 else "end"
    return (
        f'<line class="median" x1="{place:.2f}%" x2="{place:.2f}%" y1="18" y2="{BOTTOM}"/>'
        f'<text x="{place:.2f}%" y="12" text-anchor="{anchor}">median {median:,} characters</text>'
    )


def bars(counts: Mapping[str, int], total: int, kind: str) -> str:
    """Draws counts as bars, the longest of which fills the width.

    Args:
        counts: At least one, by label.
        total: What the shares refer to.
        kind: "kept" or "dropped".
    """
    most = max(counts.values())
    rows = "".join(
        f'<tr><th><bdi>{shown(label)}</bdi></th><td><svg height="14" aria-hidden="true">'
        f'<rect class="{kind}" width="{100 * count / most:.2f}%" height="14"/></svg></td>'
        f'<td class="number">{count:,}</td>'
        f'<td class="number note">{percent(count, total)}</td></tr>'
        for label, count in counts.items()
    )
    return f'<table class="bars"><tbody>{rows}</tbody></table>'


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Returns a table whose first column has names and whose others have numbers, all in HTML."""

    def cells(tag: str, first: str, rest: list[str]) -> str:
        numbers = "".join(f'<{tag} class="number">{cell}</{tag}>' for cell in rest)
        return f"<tr><th><bdi>{first}</bdi></th>{numbers}</tr>"

    first, *rest = header
    body = "".join(cells("td", label, numbers) for label, *numbers in rows)
    return (
        f'<div class="wide"><table class="rows"><thead>{cells("th", first, rest)}</thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def percent(part: int, whole: int) -> str:
    """Returns a share in percent as HTML; only none is shown as 0 %, and only all as 100 %."""
    share = 100 * part / max(1, whole)
    if share in (0, 100):
        return f"{share:.0f} %"
    if 0.01 <= share <= 99.99:
        return f"{share:.1f} %" if 1 <= share <= 99 else f"{share:.2f} %"
    return "&lt; 0.01 %" if share < 1 else "&gt; 99.99 %"
