"""Ctrl-C as a flag that the loop can look at."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruption(tell: Callable[[], None] = lambda: None) -> Iterator[threading.Event]:
    """Turns the first Ctrl-C into a flag that the loop looks at after each step.

    A second one stops at once. Python delivers signals to the main thread only; elsewhere
    the flag stays down.

    Args:
        tell: Called when the first Ctrl-C comes.
    """
    event = threading.Event()
    previous = signal.getsignal(signal.SIGINT)
    elsewhere = threading.current_thread() is not threading.main_thread()
    if elsewhere or previous in (signal.SIG_IGN, None):  # a shell's background job ignores it
        yield event
        return

    def raise_flag(number: int, frame: FrameType | None) -> None:
        event.set()
        signal.signal(signal.SIGINT, previous)
        tell()

    signal.signal(signal.SIGINT, raise_flag)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, previous)
