"""What these tests share: prepared jokes, and little pictures, for runs are many and tiny."""

import pytest

import anekdot
from tests.support.fault_injection import little_pictures, no_sample_by_the_clock
from tests.support.shapes import shapes_match_names  # noqa: F401 (a fixture)


@pytest.fixture(autouse=True, scope="session")
def _quickly_drawn():
    with little_pictures(), no_sample_by_the_clock():
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory, jokes):
    """A prepared folder of jokes."""
    folder = tmp_path_factory.mktemp("data") / "data"
    anekdot.prepare(jokes, out=folder, vocab_size=300, validation=0.1, test=0.1)
    return folder
