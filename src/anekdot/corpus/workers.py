"""The same function on many pieces: in this process, in others, or on a Ray cluster."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from types import ModuleType
from typing import Any

from anekdot.errors import CorpusError, require
from anekdot.signals import STOPPING

Call = Callable[[int], None]
"""A function of a number; another process must be able to import it."""


def run_all(
    function: Call,
    numbers: Iterable[int],
    *,
    workers: int,
    ray: bool = False,
    done: Callable[[int], None] = lambda count: None,
) -> None:
    """Calls a function with each of some numbers, in any order.

    Args:
        function: What to call.
        numbers: What to call it with.
        workers: Processes; with one, all happens in this process.
        ray: Whether to call it on the cluster that `cluster` has reached.
        done: Called with the number of calls that have returned.

    Raises:
        CorpusError: A process was killed.
    """
    waiting = [*numbers]
    if ray:
        _run_on_ray(function, waiting, done)
    elif min(workers, len(waiting)) <= 1:
        for count, number in enumerate(waiting, 1):
            function(number)
            done(count)
    else:
        _run_in_processes(function, waiting, min(workers, len(waiting)), done)


def _run_in_processes(
    function: Call, numbers: list[int], workers: int, done: Callable[[int], None]
) -> None:
    context = get_context("spawn")  # a fork would copy the locks of other threads
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_be_quiet) as pool:
        with _without_main():
            futures = [pool.submit(function, number) for number in numbers]
        try:
            for count, future in enumerate(as_completed(futures), 1):
                future.result()
                done(count)
        except BrokenProcessPool as error:
            raise CorpusError(
                "A process that was reading texts was killed, most likely because memory ran out.",
                "Give less with --memory, or close other programs, and run the command again.",
            ) from error
        except BaseException:
            _stop(pool, futures)
            raise


def _stop(pool: ProcessPoolExecutor, futures: list[Future[None]]) -> None:
    """Ends all work at once; unfinished results have not been published."""
    processes: dict[int, Any] = dict(getattr(pool, "_processes", None) or {})
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes.values():
        process.terminate()


def _be_quiet() -> None:
    """Leaves what a terminal sends to all to the parent, which then ends its workers."""
    for number in STOPPING:
        if number != signal.SIGTERM:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def _without_main() -> Iterator[None]:
    """Hides the user's script while processes start: they would import it, and so run it again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def cluster(address: str | None, workers: int) -> Iterator[None]:
    """Connects to a Ray cluster while the block runs.

    Args:
        address: Its address; "local" starts one here, and None does nothing.
        workers: Processes of a cluster that is started here.

    Raises:
        CorpusError: It cannot be reached.
        MissingExtra: Ray is not installed.
    """
    if address is None:
        yield
        return
    require("--ray", "cluster", "ray")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray  # noqa: PLC0415 (an extra)

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address == "local":
            ray.init(num_cpus=workers, include_dashboard=False, **quiet)
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise CorpusError(
            f"The Ray cluster {address} cannot be reached ({error}).",
            "Check its address, or leave --ray out.",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _run_on_ray(function: Call, numbers: list[int], done: Callable[[int], None]) -> None:
    import ray  # noqa: PLC0415 (an extra)

    task = ray.remote(_call)
    waiting = [task.remote(function, number) for number in numbers]
    for count in range(1, len(numbers) + 1):
        ready, waiting = ray.wait(waiting)
        try:
            ray.get(ready)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        done(count)


def _call(function: Call, number: int) -> None:
    function(number)
