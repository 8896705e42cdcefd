"""What long work tells its caller, who alone decides what to draw."""

from collections.abc import Callable
from typing import Any

Progress = Callable[[int, int, str], None]
"""Receives (done, total, unit)."""

Notice = Callable[[str], None]
"""Receives one sentence that a person may want to know: what was guessed, what will not apply."""

Observer = Callable[[dict[str, Any]], None]
"""Receives every record of a training run, see ``training/monitoring/metrics.py``."""
