"""Signals as requests that long work answers when it is ready.

SIGINT (Ctrl-C), SIGTERM and SIGHUP (a terminal that was closed, a lost connection) ask it to
save and stop, SIGUSR1 to save and go on. A signal that is ignored stays so: nohup asks for it.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

from anekdot.errors import Terminated

STOPPING = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)  # Windows has no SIGHUP
)
SAVING: signal.Signals | None = getattr(signal, "SIGUSR1", None)  # not on Windows

PATIENCE = 1.0  # seconds after which a second Ctrl-C means: at once


def handle_termination() -> None:
    """Lets SIGTERM and SIGHUP end a command as cleanly as Ctrl-C does, and SIGUSR1 do nothing.

    ``deferred_signals`` takes them over while a model is trained.
    """

    def terminate(number: int, frame: FrameType | None) -> None:
        raise Terminated(number)

    for number in STOPPING:
        if number != signal.SIGINT and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, terminate)
    if SAVING:
        signal.signal(SAVING, signal.SIG_IGN)


@dataclass
class SignalRequests:
    """What signals have asked for.

    Attributes:
        stop: The signal that asked to save and stop, if one did.
        save: Whether one asked to save.
    """

    stop: signal.Signals | None = None
    save: bool = False
    _interrupted_at: float | None = None

    def is_impatient(self, number: int) -> bool:
        """Whether a signal is a second SIGINT, no sooner than PATIENCE after the first."""
        now = time.monotonic()
        if number == signal.SIGINT and self._interrupted_at is None:
            self._interrupted_at = now
        first = now if self._interrupted_at is None else self._interrupted_at
        return number == signal.SIGINT and now - first >= PATIENCE

    def raise_if_stopped(self) -> None:
        """Raises what the signal would have raised, if one asked to stop."""
        if self.stop is not None:
            raise KeyboardInterrupt if self.stop == signal.SIGINT else Terminated(self.stop)


def ignore_stopping() -> None:
    """Ignores all further signals to stop: the first one is being obeyed."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def deferred_signals(on_stop: Callable[[], None] = lambda: None) -> Iterator[SignalRequests]:
    """Turns signals into requests while the block runs.

    However many signals ask to stop, it is asked once. Only a person may become impatient: a
    second SIGINT, no sooner than PATIENCE after the first, acts at once.

    Python delivers signals to the main thread only; elsewhere no request ever comes.

    Args:
        on_stop: Called when the first one to stop comes.
    """
    requests = SignalRequests()
    if threading.current_thread() is not threading.main_thread():
        yield requests
        return
    before = _handlers()

    def stop(number: int, frame: FrameType | None) -> None:
        if requests.is_impatient(number):
            restore()
            signal.raise_signal(number)
        elif requests.stop is None:
            requests.stop = signal.Signals(number)
            with suppress(OSError, RuntimeError):  # nobody listens, or it came amid a print
                on_stop()

    def save(number: int, frame: FrameType | None) -> None:
        requests.save = True

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)

    for number in before:
        signal.signal(number, save if number == SAVING else stop)
    try:
        yield requests
    finally:
        restore()


def _handlers() -> dict[signal.Signals, Any]:
    """Returns the handlers that are to be replaced; a signal that is ignored stays so."""
    handlers = {number: signal.getsignal(number) for number in (*STOPPING, SAVING) if number}
    ignored = [n for n in STOPPING if handlers[n] in (signal.SIG_IGN, None)]
    return {number: handler for number, handler in handlers.items() if number not in ignored}


@contextmanager
def immediate_signals() -> Iterator[None]:
    """Lets a signal to stop end the block, whatever a library makes of it.

    DuckDB turns whatever a signal raises amid a query into an error of its own.
    """
    raised: list[KeyboardInterrupt] = []
    before: dict[signal.Signals, Callable[[int, FrameType | None], object]] = {}
    if threading.current_thread() is threading.main_thread():
        for number in STOPPING:
            handler = signal.getsignal(number)
            if callable(handler):
                before[number] = handler

    def stop(number: int, frame: FrameType | None) -> None:
        try:
            before[signal.Signals(number)](number, frame)
        except KeyboardInterrupt as interrupt:
            raised.append(interrupt)
            raise

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    except Exception:
        if not raised:
            raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if raised:
        raise raised[0]
