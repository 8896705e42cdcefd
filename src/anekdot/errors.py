"""What went wrong for the user, and what to do next.

A mistake in what the user brought (a file, a flag, a bundle) raises an
``AnekdotError``; the command prints it without a traceback and exits with 2.
A broken invariant of our own is an ``assert``.
"""

import copyreg
import importlib.util
import signal
from pathlib import Path
from typing import Any


class AnekdotError(Exception):
    """A user's mistake.

    Args:
        cause: One sentence: the offending value and its place (file, line, record).
        remedy: One sentence: the next step.
    """

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause = cause
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        """Lets an error come from another process, which does not build it by its arguments."""
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class CorpusError(AnekdotError):
    """The texts that were given cannot be used as they are."""


class TokenizerError(AnekdotError):
    """A tokenizer file, an id or a text that cannot be encoded."""


class BundleError(AnekdotError):
    """A bundle that is missing, damaged or made of parts of different models."""


class ConfigurationError(AnekdotError):
    """A field or flag with a value that cannot work."""


class StorageError(AnekdotError):
    """A disk that is full."""


class MissingExtra(AnekdotError):
    """A verb needs an optional dependency that is not installed."""

    def __init__(self, verb: str, extra: str) -> None:
        super().__init__(
            f"{verb} needs packages that are not installed.",
            f'Install them with: pip install "anekdot[{extra}]"',
        )


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP came: not a mistake, but an order to stop, as Ctrl-C is.

    Args:
        number: The signal.
    """

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__()
        self.number = number


def refuse_difference(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raises a ConfigurationError that lists every setting that has changed."""
    changed = [
        f"{name} {before.get(name)} → {now.get(name)}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]
    if changed:
        raise ConfigurationError(
            f"{folder} was made with other settings: {'; '.join(changed)}.",
            "Give the same settings to go on with it, or name another folder.",
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory was not enough; PyTorch raises a RuntimeError for that."""
    words = ("out of memory", "allocate memory", "not enough memory", "size calculation overflowed")
    said = isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    return said or isinstance(error, MemoryError)


def require(verb: str, extra: str, *modules: str) -> None:
    """Raises MissingExtra unless all modules can be imported; imports none of them.

    A folder without code that happens to have a module's name is none.
    """
    specs = map(importlib.util.find_spec, modules)
    if any(spec is None or spec.origin is None for spec in specs):
        raise MissingExtra(verb, extra)
