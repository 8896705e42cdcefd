"""Prints how long each room under src/ is, and what is too long: python tools/sizes.py.

--against REVISION shows beside each room how many lines it has gained or lost since.
Docstrings and decorators count. The exit status is 1 if a file or function is too long.
"""

import argparse
import ast
import io
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path, PurePath

MAX_FILE, MAX_FUNCTION = 300, 40  # lines
DEFENDED = {  # may be longer; docs/log.md says why
    f"src/anekdot/{place}"
    for place in (
        "cli/train.py:train",
        "config.py:resolve",
        "corpus/preparation.py:write_result",
        "corpus/reading/__init__.py:pieces",
        "corpus/report/gather.py:gather",
        "pipeline.py:prepare",
        "pipeline.py:train",
        "tokenizer/fast/encoding.py:encode_documents",
        "tokenizer/tokenizer.py:train",
        "training/monitoring/curves.py:draw_curves",
        "training/train_step.py:train_step",
        "training/trainer.py:__init__",
    )
}


def sources_of(revision: str) -> dict[str, str]:
    """Returns the Python files under src/ of a commit, by their paths."""
    archive = subprocess.check_output(["git", "archive", revision, "src"])
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {name: tar.extractfile(name) for name in tar.getnames() if name.endswith(".py")}
        return {name: file.read().decode() for name, file in files.items() if file}


def room_sizes(sources: dict[str, str]) -> Counter[str]:
    """Returns the number of lines in each folder, without its subfolders, and in all."""
    sizes: Counter[str] = Counter()
    for path, text in sources.items():
        sizes += Counter(
            dict.fromkeys([PurePath(path).parent.as_posix(), "total"], text.count("\n"))
        )
    return sizes


def too_long(path: str, text: str) -> dict[str, int]:
    """Returns the lines of a file and of its functions where they exceed the limits."""
    lines = {path: text.count("\n")} if text.count("\n") > MAX_FILE else {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min(part.lineno for part in [node, *node.decorator_list])
            if (length := (node.end_lineno or first) - first + 1) > MAX_FUNCTION:
                lines[f"{path}:{node.name}"] = length
    return lines


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--against", metavar="REVISION", help="a commit to compare with")
against = parser.parse_args().against
sources = {path.as_posix(): path.read_text("utf-8") for path in sorted(Path("src").rglob("*.py"))}
sizes, before = room_sizes(sources), room_sizes(sources_of(against)) if against else Counter()
for room in sorted(sizes | before):
    change = f"{sizes[room] - before[room]:+8,}" if against else ""
    print(f"{sizes[room]:7,}{change}  {room}")
long = {name: n for path, text in sources.items() for name, n in too_long(path, text).items()}
for name, length in long.items():
    print(f"{length:7,}  {name}{'  (defended)' if name in DEFENDED else ''}")
sys.exit(not DEFENDED.issuperset(long))
