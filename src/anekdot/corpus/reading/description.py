"""What was guessed about a file, in words."""

from anekdot.corpus.documents import Layout
from anekdot.corpus.reading.json_layout import shown_places
from anekdot.corpus.reading.lines import blank_lines

_SEPARATOR_PHRASES = {
    "line": "one text a line",
    "blank line": "texts separated by blank lines",
    "file": "one text a file",
    "\t": "tab",
}


def described(layout: Layout, known: str | None) -> str:
    """Returns what was guessed about a file, as the rest of a sentence."""
    facts = []
    if layout.format != known:
        facts.append(f"read as {layout.format}")
    if layout.format == "txt":
        facts += _separation(layout)
    elif layout.format == "csv" or (layout.format == "parquet" and layout.separator == "[]"):
        columns = (layout.column or "").split(",")
        facts.append(
            "text column" + "s" * (len(columns) > 1) + " " + " and ".join(f"«{c}»" for c in columns)
        )
    elif layout.format == "chat":
        facts.append(f"messages of {layout.separator}")
    else:
        facts.append(shown_places(layout))
        facts += ["with the answers to them"] if layout.nested else []
    facts += ["below front matter, which is left out"] if layout.front else []
    if layout.format == "csv":
        facts += [] if layout.header else ["no header"]
        facts += [f"below {layout.skip} lines of something else"] if layout.skip else []
        facts += ["with delimiters inside it"] if layout.width else []
        facts.append(f"separated by «{_SEPARATOR_PHRASES.get(layout.separator, layout.separator)}»")
    if layout.encoding != "utf-8":
        facts.append(f"in {layout.encoding}")
    if layout.unread:
        facts.append("not used: " + ", ".join(f"«{each}»" for each in layout.unread[:9]))
    return f"{', '.join(facts)}."


def _separation(layout: Layout) -> list[str]:
    """Returns what separates the texts of a text file, in words."""
    if layout.fields:
        shown = (layout.column or "").replace("|", "» and «")
        return [f"fields, of which «{shown}» is the text"]
    if layout.listed:
        return ["the strings of a list"]
    if layout.pattern:
        said = f"texts that begin at lines such as «{layout.separator}»"
    elif blank_lines(layout.separator) > 1:
        said = f"texts separated by {layout.separator}"
    else:
        shown = layout.separator if layout.separator.isprintable() else repr(layout.separator)[1:-1]
        said = _SEPARATOR_PHRASES.get(layout.separator, f"texts separated by «{shown}»")
    said += f" (or is it --separator «{layout.instead}»?)" if layout.instead else ""
    return [said, "wrapped lines joined"] if layout.unwrap else [said]
