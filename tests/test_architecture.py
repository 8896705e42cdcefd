"""What docs/architecture.md names exists, and it names every module."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.support.paths import ROOT

PAGE = (ROOT / "docs/architecture.md").read_text("utf-8")
SOURCE = ROOT / "src/anekdot"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def tree() -> Iterator[str]:
    """Yields the paths of the tree, relative to the repository."""
    blocks = [content for _, content in BLOCK.findall(PAGE)]
    (drawn,) = [content for content in blocks if content.startswith("src/anekdot/")]
    folders: list[str] = []
    for line in drawn.splitlines():
        name = line.split()[0]
        folders = [*folders[: (len(line) - len(line.lstrip())) // 2], name]
        yield "".join(folders)


def test_every_path_exists():
    inline = re.findall(r"`([\w./]+\.(?:py|md|toml))`", BLOCK.sub("", PAGE))
    links = [f"docs/{link}" for link in re.findall(r"\]\(([^)#:]+)\)", PAGE)]
    made_by_users = {"README.md"}
    named = {*tree(), *links, *inline} - made_by_users
    assert len(named) > 150
    assert [path for path in named if not exists(path)] == []


def exists(path: str) -> bool:
    return (ROOT / path).exists() or (SOURCE / path).exists()


def test_every_module_stands_in_the_tree():
    drawn = set(tree())
    modules = {path.relative_to(ROOT).as_posix() for path in SOURCE.rglob("*.py")}
    folders = {f"{PurePosixPath(m).parent}/" for m in modules if m.endswith("__init__.py")}
    files = {module for module in modules if not module.endswith("__init__.py")}
    assert (files | folders) - drawn == set()


def test_the_layers_are_those_that_are_checked():
    (written,) = [content for kind, content in BLOCK.findall(PAGE) if kind == "layers"]
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    (contract,) = [c for c in tools["importlinter"]["contracts"] if c["type"] == "layers"]
    assert written.splitlines() == [layer.replace("anekdot.", "") for layer in contract["layers"]]
