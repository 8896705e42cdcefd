"""What this machine has: cores and memory; nothing here imports more than the standard library."""

import os
import re

from anekdot.errors import ConfigurationError

_UNITS = {"": 1, "b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY_UNITS = {"ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40}
_MIN_MEMORY = 1 << 29


def available_cores() -> int:
    """Returns how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def physical_memory() -> int:
    """Returns the bytes of memory of this machine, or a guess where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows
        return 4 << 30


def parse_memory(text: str) -> int:
    """Returns an amount of memory in bytes.

    Raises:
        ConfigurationError: It is no number with a unit, or too little to work with.

    >>> parse_memory("1GiB"), parse_memory("1.5 GB")
    (1073741824, 1500000000)
    """
    match = re.fullmatch(r"([0-9.]+)\s*([kmgt]?i?)b?", text.strip().lower())
    try:
        size = int(float(match[1]) * {**_UNITS, **_BINARY_UNITS}[match[2]]) if match else 0
    except (ValueError, KeyError, OverflowError):
        size = 0
    if size < _MIN_MEMORY:
        raise ConfigurationError(
            f"memory is {text!r}.", "Give an amount of at least 512 MiB, such as 1GiB."
        )
    return size
