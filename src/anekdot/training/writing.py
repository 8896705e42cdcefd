"""Writing to disk while training goes on: one thread, in order."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

MOST_WAITING = 2  # each holds a copy of the model


class Writer:
    """Calls functions one after another in a thread of its own, while a ``with`` block runs.

    What one of them raises comes out of the next call of any method.
    """

    def __enter__(self) -> "Writer":
        self._thread = ThreadPoolExecutor(1, "writer")
        self._waiting: deque[Future[None]] = deque()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.shutdown(cancel_futures=True)  # what has begun is finished

    def submit(self, write: Callable[[], None]) -> None:
        """Has a function called; waits only if too many are waiting already."""
        while len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(write))

    def check(self) -> None:
        """Raises what has gone wrong so far."""
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft().result()

    def wait(self) -> None:
        """Waits until all is done."""
        while self._waiting:
            self._waiting.popleft().result()
