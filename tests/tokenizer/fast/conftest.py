import pytest


@pytest.fixture(autouse=True)
def shapes_match_names() -> None:
    """Nothing here has shapes in its names, and watching every call slows the plain versions."""
