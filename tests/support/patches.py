"""Changes that a page describes, applied to a copy of the code."""

import re
from pathlib import Path

BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
NEW_FILE = re.compile(r"# (src/\S+)\n")


def changes(page: str) -> dict[str, str]:
    """Returns what a page describes, by file: diffs, and the Python blocks of new files."""
    found: dict[str, str] = {}
    for kind, content in BLOCK.findall(page):
        new = NEW_FILE.match(content) if kind == "python" else None
        if new:
            found[new[1]] = content[new.end() :]
        elif kind == "diff":
            head, _, hunks = content.partition("\n")
            found[head.removeprefix("--- ")] = hunks
    return found


def apply(change: str, path: Path) -> None:
    """Writes a new file, or replaces the old lines of each hunk by its new ones.

    Hunks begin with @@ and carry no line numbers; their old lines must stand in the file once.
    """
    if not path.exists():
        path.write_text(change, "utf-8")
        return
    text = path.read_text("utf-8")
    for hunk in re.split(r"(?m)^@@.*\n", change)[1:]:
        lines = hunk.splitlines()
        old = "\n".join(line[1:] for line in lines if line[:1] != "+")
        new = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
        places = [match.span() for match in re.finditer(rf"(?m)^{re.escape(old)}\n", text)]
        assert len(places) == 1, f"{path} has this {len(places)} times:\n{old}"
        ((start, end),) = places
        text = text[:start] + new + text[end:]
    path.write_text(text, "utf-8")
