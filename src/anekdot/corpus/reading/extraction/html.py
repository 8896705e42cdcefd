"""The main text of a page: without scripts, menus, forms and feet.

A leaf, such as ``<p>`` or ``<li>``, is a paragraph; a blank line stands after what holds several.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from anekdot.corpus.reading.extraction.plain import text_of


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


_BLOCKS = _names(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup html li main menu nav ol p pre "
    "section summary table tbody td tfoot th thead tr ul"
)
_HEADINGS = _names("h2 h3 h4 h5 h6")
_VOID = _names("area base br col embed hr img input link meta param source track wbr")
_EMBEDDED = _names("img video audio iframe object svg canvas")
_HIDDEN = _names(
    "script style head title nav header footer aside menu select option button textarea noscript "
    "template iframe object svg math audio video canvas dialog h1 rt rp"
)
_HIDDEN_ROLES = _names("navigation banner contentinfo search complementary menu menubar dialog")
_HIDDEN_CLASSES = _names(
    "nav navbar navigation menu sidebar footer header breadcrumb breadcrumbs pagination pager "
    "share social cookie cookies banner ads advert"
)
_TELEGRAM = _names(
    "page_header service userpic_wrap pull_right from_name reply_to details media_wrap signature "
    "reactions bot_buttons_table forwarded_from pagination"
)
"""What its pages of messages put around them."""

_VK = _names(
    "message__header kludges attachment__description attachment__link ui_crumb "
    "page_block_header_inner"
)
"""What its archive puts around messages."""

_NEVER_HIDDEN = _names("html body main article")
_SAME_END = {"li": "ul ol menu dir", "dt": "dl", "dd": "dl", "tr": "table", "td": "tr", "th": "tr"}
_MAX_PENDING = 1 << 20  # characters of a tag or comment that does not end
_MAX_LAST = 1 << 12  # characters of one that the end of the page cuts off
_MAX_DEPTH = 1 << 12
_SEEN_DEPTH = 64  # elements among which the one that ends is looked for
_MAX_MENU_ITEM = 40  # characters of a paragraph that is nothing but a link
_MAX_HELD = 1 << 16  # characters of a paragraph
_SPACE = re.compile(r"[ \t\r\n\f]+")
_SPACED_BREAK = re.compile(r" *\v *")
_GAP = re.compile(r"\v{2,}")


def fragments(file: Path, _: str | None = None) -> Iterator[str]:
    """Yields the paragraphs of a page."""
    return paragraphs(text_of(file))


def paragraphs(texts: Iterable[str]) -> Iterator[str]:
    """Yields the paragraphs of a page, each with its line end, and blank lines between groups.

    Args:
        texts: The page, in blocks.
    """
    reader, is_lost = _Reader(), False
    for text in texts:
        for at in range(0, len(text), _MAX_HELD):
            part = text[at : at + _MAX_HELD]
            if is_lost:
                _, end, part = part.partition(">")
                is_lost = not end
            reader.feed(part)
            if len(reader.rawdata) > _MAX_PENDING:
                reader.rawdata, is_lost = "", True
            yield from reader.take()
    if len(reader.rawdata) > _MAX_LAST:
        reader.rawdata = ""
    reader.close()
    reader.end_paragraph()
    yield from reader.take()


@dataclass(slots=True)
class _Element:
    name: str
    is_hidden: bool
    is_group: bool = False  # it holds blocks
    n_before: int = 0  # what the page had shown before it


class _Reader(HTMLParser):
    """Collects the paragraphs of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[_Element] = []
        self._n_hidden = self._n_links = self._n_pre = 0
        self._held: list[str] = []
        self._held_size = self._free_letters = self._n_linked = self._n_shown = 0
        self._is_after_blank = True
        self._done: list[str] = []
        self._hidden_classes = _HIDDEN_CLASSES | _VK

    def take(self) -> list[str]:
        """Returns the paragraphs that are complete, once."""
        done, self._done = self._done, []
        return done

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Skips what is in ``<![``, which Word writes and html.parser may stumble over."""
        return self.parse_bogus_comment(i, report)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._n_shown += tag in _EMBEDDED
        if tag == "br":
            self._hold("\v")
        elif tag == "hr":
            self._end_group()
        if tag in _VOID:
            return
        if tag in _BLOCKS:
            self._close_implied(tag)
            self.end_paragraph()
            if tag in _HEADINGS:
                self._end_group()
            for element in reversed(self._open[-_SEEN_DEPTH:]):
                if element.name in _BLOCKS:
                    element.is_group = True
                    break
        self._push(tag, self._hides(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        names = [element.name for element in self._open[-_SEEN_DEPTH:]]
        if tag not in names:
            if tag in _BLOCKS:
                self.end_paragraph()
            return
        for _ in range(names[::-1].index(tag) + 1):
            self._pop()

    def handle_data(self, data: str) -> None:
        if not self._n_hidden:
            self._hold(data.replace("\r\n", "\v").replace("\n", "\v") if self._n_pre
                       else _SPACE.sub(" ", data.replace("\v", " ")))  # fmt: skip

    def end_paragraph(self) -> None:
        """Ends the paragraph that is held, unless it is empty or an item of a menu."""
        text = _SPACED_BREAK.sub("\v", _SPACE.sub(" ", "".join(self._held))).strip(" ")
        is_link = self._n_linked and not self._free_letters
        is_menu = is_link and len(text.strip()) <= _MAX_MENU_ITEM
        had_break = "\v" in text
        self._held, self._held_size = [], 0
        self._free_letters = self._n_linked = 0
        text = text.strip("\v \xa0\u200b")
        self._n_shown += bool(text)
        if text and not is_menu:
            is_paragraph = any(element.name == "p" for element in self._open[-3:])
            lines = [text] if is_paragraph else _GAP.split(text)
            for line in lines:
                self._done.append(line + "\n")
                if len(lines) > 1:
                    self._done.append("\n")
            self._is_after_blank = len(lines) > 1
        elif had_break:
            self._end_group()

    def _end_group(self) -> None:
        self.end_paragraph()
        if not self._is_after_blank:
            self._done.append("\n")
            self._is_after_blank = True

    def _hold(self, text: str) -> None:
        if self._n_hidden:
            return
        self._held.append(text)
        self._held_size += len(text)
        if self._n_links:
            self._n_linked += 1
        else:
            self._free_letters += any(map(str.isalnum, text))
        if self._held_size > _MAX_HELD:  # it is too long for a text
            self._done.append("".join(self._held))
            self._held, self._held_size = [], 0

    def _hides(self, tag: str, attributes: dict[str, str | None]) -> bool:
        if tag in _NEVER_HIDDEN:
            return False
        classes = {*(attributes.get("class") or "").lower().split()}
        if "history" in classes:
            self._hidden_classes |= _TELEGRAM
        style = (attributes.get("style") or "").replace(" ", "").lower()
        return (
            tag in _HIDDEN
            or "hidden" in attributes
            or attributes.get("role") in _HIDDEN_ROLES
            or "display:none" in style
            or not self._hidden_classes.isdisjoint(classes)
        )

    def _close_implied(self, tag: str) -> None:
        """Closes what a start tag ends without saying so: a paragraph, an item, a cell."""
        if self._open and self._open[-1].name == "p":
            self._pop()
        while tag == "body" and any(element.name == "head" for element in self._open):
            self._pop()
        if tag in _SAME_END:
            for depth, element in enumerate(reversed(self._open[-_SEEN_DEPTH:]), 1):
                if element.name == tag:
                    for _ in range(depth):
                        self._pop()
                    return
                if element.name in _SAME_END[tag].split():
                    return

    def _push(self, tag: str, is_hidden: bool) -> None:
        if len(self._open) < _MAX_DEPTH:
            self._open.append(_Element(tag, is_hidden, n_before=self._n_shown))
            self._n_hidden += is_hidden
            self._n_links += tag == "a"
            self._n_pre += tag == "pre"

    def _pop(self) -> None:
        element = self._open[-1]
        if element.name in _BLOCKS:
            self.end_paragraph()
        is_empty = element.name == "p" and element.n_before == self._n_shown
        ends_group = is_empty or (element.is_group and element.name != "tr")
        if ends_group and not self._n_hidden:
            self._end_group()
        self._open.pop()
        self._n_hidden -= element.is_hidden
        self._n_links -= element.name == "a"
        self._n_pre -= element.name == "pre"
