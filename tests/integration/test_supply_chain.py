"""What anekdot depends on is pinned, named with its licence, and listed the same every time."""

import re
import sys
import tomllib
from importlib import metadata

import pytest
from packaging.utils import canonicalize_name

from tests.support.paths import ROOT
from tools import dependencies

PINS = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text("utf-8").split())
PINNED = {canonicalize_name(name): version for name, version in PINS.items()}


def test_constraints_are_names_and_versions():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9.a-z]*", line) for line in lines)
    assert len(PINNED) == len(lines)


def test_the_build_is_held_without_constraints_too():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["build-system"]["requires"] == [f"hatchling=={PINS['hatchling']}"]


@pytest.mark.skipif(sys.platform != "linux", reason="the table is of Linux")
def test_every_dependency_is_named_with_its_licence():
    text = dependencies.PAGE.read_text("utf-8")
    table = text.split(dependencies.MARKERS[0])[1].split(dependencies.MARKERS[1])[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    named = {canonicalize_name(name): licence for name, _, _, licence in rows}
    for name in dependencies.groups().keys() & PINNED.keys():
        assert named[name] == dependencies.licence(name)
    assert "not declared" not in named.values()
    for name, version, _, _ in rows:
        assert version == PINS[name], f"{name}: make audit writes the table again"


def test_the_bill_of_materials_lists_what_is_needed_and_no_more(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    bill = dependencies.sbom()
    assert bill == dependencies.sbom()
    assert bill["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    found = {part["name"]: part["version"] for part in bill["components"]}
    assert {"numpy", "torch", "duckdb", "numba", "pygments"} <= found.keys()
    assert not {"anekdot", "pytest", "ruff"} & found.keys()
    for name, version in found.items():
        assert version == metadata.version(name).partition("+")[0]
        assert name in PINNED or name.startswith(("nvidia", "cuda", "triton"))
