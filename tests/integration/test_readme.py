"""What the READMEs and the guides tell people to type works when it is typed, in order."""

import ast
import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.support.paths import ROOT
from tests.support.texts import make_texts

READMES = ["README.md", "README.ru.md"]
GUIDES = ["docs/guide.md", "docs/guide.ru.md"]
PAGES = [READMES[0], GUIDES[0]]
MAX_LINES = 150  # of a README
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)\)")


@pytest.mark.parametrize("names", [READMES, GUIDES], ids=["readme", "guide"])
def test_both_languages_show_the_same_commands(names):
    english, russian = ((ROOT / name).read_text("utf-8") for name in names)
    assert commands(english) == commands(russian)
    assert programs(english) == programs(russian) != []


def commands(readme: str) -> list[str]:
    """Returns the command lines of a README, comments left out."""
    shells = [content for kind, content in BLOCK.findall(readme) if kind in ("sh", "console")]
    lines = [line.split("  #")[0].strip() for line in "\n".join(shells).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def programs(readme: str) -> list[str]:
    """Returns the Python programs of a README, comments left out."""
    found = [content for kind, content in BLOCK.findall(readme) if kind == "python"]
    return [ast.dump(ast.parse(content)) for content in found]


@pytest.mark.parametrize("name", READMES)
def test_every_link_leads_somewhere(name):
    links = LINK.findall((ROOT / name).read_text("utf-8"))
    assert len(links) > 15
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("name", GUIDES)
def test_every_link_of_a_guide_leads_somewhere(name):
    links = LINK.findall((ROOT / name).read_text("utf-8"))
    assert [link for link in links if not (ROOT / name).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("name", READMES)
def test_a_readme_is_short(name):
    assert len((ROOT / name).read_text("utf-8").splitlines()) <= MAX_LINES


@pytest.mark.slow
def test_every_command_works(tmp_path):
    """The README's first, then the guide's, in one folder; what both show runs once."""
    (tmp_path / "jokes.txt").write_text("\n\n".join(make_texts(200)), "utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    tried: list[list[str]] = []
    for kind, content in BLOCK.findall("".join((ROOT / n).read_text("utf-8") for n in PAGES)):
        if kind == "python":
            lines = [[sys.executable, "-c", content]]
        elif kind == "sh":
            lines = [shlex.split(line, comments=True) for line in content.splitlines()]
        else:
            continue
        for line in lines:
            if not line or line in tried:
                continue
            typed = [sys.executable, "-m", *line] if line[0] == "anekdot" else line
            result = subprocess.run(
                typed,
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                encoding="utf-8",
                check=False,
                timeout=900,
            )
            assert result.returncode == 0, f"{line}\n{result.stderr}"
            tried.append(line)
    assert len(tried) > 18
