"""The checker of shape suffixes must itself be able to fail."""

import numpy as np

from tests.support.shapes import shape_faults


def test_right_shapes_pass():
    assert not shape_faults("f", {"x_BT": np.zeros((2, 3)), "y_TD": np.zeros((3, 5)), "z": 1})


def test_wrong_number_of_dimensions_is_found():
    assert shape_faults("f", {"x_BTD": np.zeros((2, 3))})


def test_one_letter_with_two_sizes_is_found():
    assert shape_faults("f", {"x_BT": np.zeros((2, 3)), "y_BD": np.zeros((4, 3))})
