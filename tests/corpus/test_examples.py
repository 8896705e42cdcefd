import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["cleaning", "splitting"])
def test_the_examples_in_docstrings_run(name):
    failed, tried = doctest.testmod(import_module(f"anekdot.corpus.{name}"))
    assert (failed, tried > 0) == (0, True)
