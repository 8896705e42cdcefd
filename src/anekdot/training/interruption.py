"""Ctrl-C as a flag that the loop can look at."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruption() -> Iterator[threading.Event]:
    """Turns the first Ctrl-C into a flag that the loop looks at after each step.

    A second one stops at once. Python delivers signals to the main thread only; elsewhere
    the flag stays down.
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    previous = signal.getsignal(signal.SIGINT)

    def raise_flag(number: int, frame: FrameType | None) -> None:
        event.set()
        signal.signal(signal.SIGINT, previous)

    signal.signal(signal.SIGINT, raise_flag)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, previous)
