"""How people let texts stand in a plain text file: each function writes one shape."""

import textwrap
from collections.abc import Callable, Iterable, Sequence


def lines(texts: Iterable[str], end: str = "\n") -> str:
    """Each text and a line end."""
    return "".join(text + end for text in texts)


def blocks(texts: Iterable[str], gap: str = "\n\n") -> str:
    """Blocks with blank lines, or something else, between them."""
    return gap.join(texts) + "\n"


def ruled(texts: Iterable[str], rule: str) -> str:
    """A line between every two texts."""
    return blocks(texts, f"\n{rule}\n")


def ruled_with_blanks(texts: Iterable[str], rule: str) -> str:
    """The same, with a blank line above and below."""
    return blocks(texts, f"\n\n{rule}\n\n")


def headed(texts: Sequence[str], form: str, gap: str = "\n") -> str:
    """A line above each text, with its number where the form says {}."""
    return "".join(f"{form.format(n)}\n{text}\n{gap}" for n, text in enumerate(texts, 1))


def numbered(texts: Sequence[str], form: str, gap: str = "") -> str:
    """A number before the first word of each text."""
    return "".join(f"{form.format(n)}{text}\n{gap}" for n, text in enumerate(texts, 1))


def spread(text: str) -> str:
    """A blank line after every line of a text."""
    return text.replace("\n", "\n\n")


def wrapped(text: str, width: int = 70) -> str:
    """A paragraph as an old mail program wraps it."""
    return "\n".join(textwrap.wrap(text, width))


def framed(texts: Iterable[str], start: str, end: str) -> str:
    """Marks before and after each text."""
    return "".join(f"{start}{text}{end}\n" for text in texts)


def poems(
    verses: dict[str, list[str]], gap: str = "\n\n\n", title: Callable[[str], str] = "{}\n\n".format
) -> str:
    """Poems of stanzas between blank lines, with more than one blank line between poems."""
    return gap.join(title(name) + "\n\n".join(stanzas) for name, stanzas in verses.items()) + "\n"
