"""Every example in a docstring runs."""

import doctest
import importlib
import pkgutil

import pytest

import anekdot

MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(anekdot.__path__, "anekdot.")
    if not name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples():
    modules = [importlib.import_module(name) for name in MODULES]
    examples = [test for m in modules for test in doctest.DocTestFinder().find(m) if test.examples]
    assert len(examples) > 20
