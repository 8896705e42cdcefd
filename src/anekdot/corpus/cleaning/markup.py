"""HTML to plain text: entities, comments and known tags; everything else in angle brackets stays.

Not a parser: jokes hold «a < b», «<3» and «<вздох>», which a browser would swallow.
"""

import re
from html import unescape
from html.entities import html5


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


_BREAKS = _names("br hr")
_BLOCKS = _names(
    "address article aside blockquote body caption center dd details dialog dir div dl dt "
    "fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head header html legend li main "
    "menu nav noscript ol optgroup option p pre section select summary table tbody textarea "
    "tfoot thead title tr ul"
)
_CELLS = _names("td th")
_INLINE = _names(
    "a abbr acronym applet area audio b base basefont bdi bdo big button canvas cite code col "
    "colgroup data datalist del dfn em embed font frame frameset i iframe img input ins kbd label "
    "link map mark marquee meta meter nobr o:p object output param picture progress q rp rt ruby "
    "s samp script small source span strike strong style sub sup svg template time track tt u "
    "var video wbr"
)
_FLAGS = _names(
    "allowfullscreen async autofocus autoplay checked compact controls default defer disabled "
    "formnovalidate hidden inert ismap loop multiple muted nohref noresize noshade novalidate "
    "nowrap open readonly required reversed selected"
)  # attributes that stand without a value

# No "<" inside, so that a search stops at the next tag.
_TAG = re.compile(
    r"""<(/?)([a-z][a-z0-9]*(?::[a-z]+)?)(\s(?:[^<>"']|"[^"<]*"|'[^'<]*'|["'])*+)?/?>""",
    re.IGNORECASE,
)
_AMPERSANDS = re.compile("&(?:amp;)+")
_ENTITY = re.compile(
    "&(?:#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|([A-Za-z][A-Za-z0-9]{1,31};)"
    r"|(?:nbsp|quot|laquo|raquo|mdash|ndash|lt|gt)(?![\w=;]))"
)
_HIDDEN = (
    (re.compile("<!--"), re.compile("-->")),
    (re.compile(r"<script(?=[\s>])", re.IGNORECASE), re.compile(r"</script\s*>", re.IGNORECASE)),
    (re.compile(r"<style(?=[\s>])", re.IGNORECASE), re.compile(r"</style\s*>", re.IGNORECASE)),
)
_ROUNDS = 16


def strip_markup(text: str) -> str:
    r"""Replaces entities by their characters and tags by line ends, spaces or nothing.

    What that uncovers is replaced too, so nothing is left to do in the result. A text with
    more than sixteen layers is an attack: it loses every ampersand and angle bracket.

    >>> strip_markup("<p>&laquo;Раз&raquo;<br/>два</p>, a < b, <вздох> &amp;amp;c")
    '«Раз»\nдва\n, a < b, <вздох> &c'
    """
    for _ in range(_ROUNDS):
        if "<" not in text and "&" not in text:
            return text
        before = text
        for opening, closing in _HIDDEN:
            text = _cut(text, opening, closing)
        text = _strip_tags(text)
        text = _ENTITY.sub(_character, _AMPERSANDS.sub("&", text))
        if text == before:
            return text
    return re.sub("[&<]", "", text)


def _cut(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """Removes everything from each opening to the closing after it."""
    pieces, at = [], 0
    while start := opening.search(text, at):
        end = closing.search(text, start.end())
        if end is None:
            break
        pieces.append(text[at : start.start()])
        at = end.end()
    return "".join([*pieces, text[at:]]) if at else text


def _strip_tags(text: str) -> str:
    pieces: list[str] = []
    at = 0
    for match in _TAG.finditer(text):
        mark = _mark(match)
        if mark is None:
            continue
        if match.start() > at:
            pieces.append(text[at : match.start()])
        at = match.end()
        is_at_line_start = not pieces or pieces[-1].endswith("\n")
        if mark and not (is_at_line_start and match[2].lower() in _BLOCKS):
            pieces.append(mark)
    return "".join([*pieces, text[at:]]) if at else text


def _mark(match: re.Match[str]) -> str | None:
    """Returns what stands for a tag, or None where it is none."""
    name, attributes = match[2].lower(), match[3] or ""
    if "=" not in attributes and not _FLAGS.issuperset(attributes.lower().rstrip("/").split()):
        return None
    if name in _BREAKS or name in _BLOCKS:
        return "\n"
    if name in _CELLS:
        return " "
    return "" if name in _INLINE else None


def _character(match: re.Match[str]) -> str:
    if match[1] and match[1] not in html5:
        return match[0]
    return unescape(match[0]).replace("\ufffd", "")
