"""Tensors are named by their shapes here, and that is checked."""

from tests.support.shapes import shapes_match_names  # noqa: F401 (a fixture)
