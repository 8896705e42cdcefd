import doctest
import importlib

import pytest

ROOM = "anekdot.tokenizer"


@pytest.mark.parametrize(
    "name",
    ["encoder", "formats", "pretokens", "reference", "tokenizer", "trainer", "vocabulary"],
)
def test_examples_run(name: str) -> None:
    results = doctest.testmod(importlib.import_module(f"{ROOM}.{name}"))
    assert results.attempted > 0
    assert results.failed == 0
