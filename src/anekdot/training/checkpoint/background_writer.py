"""Writing to disk while training goes on: one thread, in order."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from types import TracebackType

Orders = SimpleQueue[tuple[Future[None], Callable[[], None]] | None]

MAX_QUEUED = 2  # each holds a copy of the model
MAX_WAIT = 1.0  # seconds that an interruption waits for what is being written


class BackgroundWriter:
    """Calls functions one after another in a thread of its own, while a ``with`` block runs.

    What one of them raises comes out of the next call of any method, and none is called after
    it: a checkpoint must not speak of a best model that could not be written. The end of the
    block waits for what has begun; a KeyboardInterrupt does not wait for a slow disk.
    """

    def __init__(self) -> None:
        self._queued: deque[Future[None]] = deque()
        self._orders: Orders = SimpleQueue()

    def __enter__(self) -> "BackgroundWriter":
        # an earlier block that was interrupted may still be writing: it has a queue of its own
        self._queued, self._orders = deque(), SimpleQueue()
        # a daemon: the process may end without one that an interruption did not wait for
        self._thread = Thread(target=self._work, args=(self._orders,), name="writer", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for future in self._queued:
            future.cancel()
        self._orders.put(None)
        self._thread.join(MAX_WAIT if isinstance(error, KeyboardInterrupt) else None)

    def _work(self, orders: Orders) -> None:
        failure: BaseException | None = None
        while order := orders.get():
            future, write = order
            if not future.set_running_or_notify_cancel():
                continue
            try:
                if failure is not None:
                    raise failure
                write()
            except BaseException as error:
                failure = error
            del order, write  # and the copy of the model with them
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(failure)

    def submit(self, write: Callable[[], None]) -> None:
        """Queues a function; waits only if too many are queued already."""
        while len(self._queued) >= MAX_QUEUED:
            self._queued.popleft().result()
        self._queued.append(Future())
        self._orders.put((self._queued[-1], write))

    def check(self) -> None:
        """Raises what has gone wrong so far."""
        while self._queued and self._queued[0].done():
            self._queued.popleft().result()

    def wait(self) -> None:
        """Waits until all is written."""
        while self._queued:
            self._queued.popleft().result()
