"""The check that a tensor's name says its shape."""

import re
import sys

import pytest

SUFFIX = re.compile(r"_([A-Z]+)$")
CHECKED = ("/anekdot/model/", "/anekdot/generation/", "/anekdot/evaluation/", "/anekdot/training/")


@pytest.fixture(autouse=True)
def shapes_match_names(request: pytest.FixtureRequest):
    """Checks that x_BTD has three dimensions and that equal letters mean equal sizes.

    Looks at the local variables of every function of the model when it returns. Folders whose
    tests hold tensors import this fixture into their conftest.py.
    """
    if request.node.get_closest_marker("slow"):
        yield
        return
    faults: list[str] = []

    def on_event(frame, event, _):
        if event == "return" and any(part in frame.f_code.co_filename for part in CHECKED):
            faults.extend(shape_faults(frame.f_code.co_name, frame.f_locals))

    previous = sys.getprofile()
    sys.setprofile(on_event)
    yield
    sys.setprofile(previous)
    assert not faults, "\n".join(dict.fromkeys(faults))


def shape_faults(function: str, variables: dict) -> list[str]:
    faults, sizes = [], {}
    for name, value in variables.items():
        match, shape = SUFFIX.search(name), getattr(value, "shape", None)
        if not match or shape is None:
            continue
        if len(match[1]) != len(shape):
            faults.append(f"{function}: {name} has shape {tuple(shape)}")
            continue
        for letter, size in zip(match[1], shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                faults.append(f"{function}: {letter} is {sizes[letter]} and, in {name}, {size}")
    return faults
