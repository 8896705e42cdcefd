"""Checks files before they are committed: python tools/check_files.py FILE...

Refuses large files, trailing white space and a missing or doubled end of the last line.
"""

import sys
from pathlib import Path

MAX_SIZE = 250_000  # bytes
PRETRAINED = Path("src/anekdot/pretrained")
VERBATIM = (PRETRAINED, Path("tests/data"))  # whose exact bytes matter


def faults(path: Path) -> list[str]:
    """Returns what is wrong with a file, each fault as FILE[:LINE]: sentence."""
    content = path.read_bytes()
    picture = path.parent == Path("assets") and path.suffix == ".png"
    found = []
    if len(content) > MAX_SIZE and not picture and PRETRAINED not in path.parents:
        found.append(f"{path}: {len(content):,} bytes; at most {MAX_SIZE:,} are allowed")
    if b"\0" in content or any(folder in path.parents for folder in VERBATIM):
        return found
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line != line.rstrip():
            found.append(f"{path}:{number}: trailing white space")
    if content and (not content.endswith(b"\n") or content.endswith(b"\n\n")):
        found.append(f"{path}: must end with one line break")
    return found


found = [fault for name in sys.argv[1:] for fault in faults(Path(name))]
print("\n".join(found))
sys.exit(bool(found))
