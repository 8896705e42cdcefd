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
    text = f"\n{path.read_text('utf-8')}"
    for hunk in re.split(r"(?m)^@@.*\n", change)[1:]:
        lines = hunk.splitlines()
        old = "".join(f"\n{line[1:]}" for line in lines if line[:1] != "+") + "\n"
        new = "".join(f"\n{line[1:]}" for line in lines if line[:1] != "-") + "\n"
        assert text.count(old) == 1, f"{path} has this {text.count(old)} times:{old}"
        text = text.replace(old, new)
    path.write_text(text[1:], "utf-8")
