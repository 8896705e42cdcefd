"""Runs here are many and tiny, and so are their pictures."""

import pytest

from tests.training.nursery import little_pictures


@pytest.fixture(autouse=True, scope="session")
def _quickly_drawn():
    with little_pictures():
        yield
