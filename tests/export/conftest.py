"""Bundles to export."""

from pathlib import Path

import pytest

from anekdot.bundle import Bundle
from tests.support.bundles import random_bundle
from tests.support.shapes import shapes_match_names  # noqa: F401 (a fixture)


@pytest.fixture
def bundle() -> Bundle:
    return random_bundle()


@pytest.fixture
def folder(bundle: Bundle, tmp_path: Path) -> Path:
    """The bundle on disk."""
    bundle.save(tmp_path / "model")
    return tmp_path / "model"
