"""The check that a tensor's name says its shape."""

import re

SUFFIX = re.compile(r"_([A-Z]+)$")


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
