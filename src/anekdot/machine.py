"""The machine: its cores and memory, and two settings that make training faster on a CPU."""

import ctypes
import os
import re
import sys
from pathlib import Path

from anekdot.errors import ConfigurationError

_UNITS = {"": 1, "b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY_UNITS = {"ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40}


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


def parse_size(name: str, text: str, smallest: int) -> int:
    """Returns an amount of memory or data in bytes.

    Raises:
        ConfigurationError: It is no number with a unit, or too little; the message has the name.

    >>> parse_size("memory", "1GiB", 0), parse_size("memory", "1.5 GB", 0)
    (1073741824, 1500000000)
    """
    match = re.fullmatch(r"([0-9.]+)\s*([kmgt]?i?)b?", text.strip().lower())
    try:
        size = int(float(match[1]) * {**_UNITS, **_BINARY_UNITS}[match[2]]) if match else -1
    except (ValueError, KeyError, OverflowError):
        size = -1
    if size < smallest:
        least = f" of at least {smallest >> 20} MiB" if smallest >> 20 else ""
        raise ConfigurationError(
            f"{name} is {text!r}.",
            f"Give an amount{least}, such as 1GiB.",
        )
    return size


def refuse_too_large(n_bytes: int, what: str, remedy: str) -> None:
    """Raises a ConfigurationError if something needs more memory than this machine has.

    Args:
        n_bytes: What it needs.
        what: It, as the beginning of a sentence.
        remedy: What to do instead.
    """
    if n_bytes > (memory := physical_memory()):
        raise ConfigurationError(
            f"{what} needs {n_bytes / (1 << 30):,.1f} GiB of memory, and this machine has "
            f"{memory / (1 << 30):,.1f} GiB.",
            remedy,
        )


def available_memory() -> int:
    """Returns the bytes of memory that are still available, or a guess where nothing says."""
    facts = Path("/proc/meminfo")
    if facts.exists():
        return int(facts.read_text().split("MemAvailable:")[1].split()[0]) * 1024
    return 1 << 30


def peak_process_memory() -> int:
    """Returns the most bytes of memory that this process has held; 0 on Windows."""
    try:
        import resource  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return 0
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def limit_spinning() -> None:
    """Keeps PyTorch's threads from waiting busily for one that another program displaced.

    libgomp reads the variable once, when torch is loaded; see docs/log.md for the figures.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def retain_freed_memory() -> None:
    """Asks glibc to keep freed memory, instead of giving it back and asking again.

    A training step frees and allocates the same large blocks each time, and page faults
    cost a CPU step a fifth of its time. Elsewhere than on glibc nothing happens.

    Source: mallopt(3): M_MMAP_MAX (-4), M_TRIM_THRESHOLD (-1), M_TOP_PAD (-2). Before glibc 2.35
    a large M_MMAP_THRESHOLD is refused, and so blocks are never mapped at all.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for parameter, value in ((-4, 0), (-1, (1 << 31) - 1), (-2, 1 << 26)):
            mallopt(parameter, value)
