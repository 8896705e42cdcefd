"""What long work tells its caller, who alone decides what to draw."""

from collections.abc import Callable
from typing import Any

Progress = Callable[[int, int, str], None]
"""Receives (done, total, unit)."""

Notice = Callable[[str], None]
"""Receives one sentence that a person may want to know: what was guessed, what will not apply."""

Observer = Callable[[dict[str, Any]], None]
"""Receives every record of a training run, see ``training/monitoring/metrics.py``."""


def tell(observers: list[Observer], record: dict[str, Any]) -> list[OSError]:
    """Calls all observers with a record, and drops those that can no longer write anywhere.

    A view that fails must not end the work. Whatever else an observer raises, it means.

    Returns:
        Why some were dropped.
    """
    errors = []
    for observe in [*observers]:
        try:
            observe(record)
        except OSError as error:
            observers.remove(observe)
            errors.append(error)
    return errors
