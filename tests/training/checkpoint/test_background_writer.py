"""The thread that writes: in order, nothing after a failure, never in an interruption's way."""

import threading
import time

import pytest

from anekdot.training.checkpoint.background_writer import BackgroundWriter


def work(*orders, wait=0.1, end=None):
    """Has functions called by a writer, and ends after a while, by an exception if one is given."""
    with BackgroundWriter() as writer:
        for order in orders:
            writer.submit(order)
        time.sleep(wait)
        if end is not None:
            raise end
        writer.wait()


def test_after_a_failure_nothing_more_is_written():
    written, failing = [], threading.Event()

    def fail() -> None:
        failing.wait(0.05)  # until the second is there too
        raise OSError("the best model cannot be written")

    with pytest.raises(OSError, match="best model"):
        work(fail, lambda: written.append("a checkpoint that speaks of it"))
    assert not written


def test_what_has_begun_is_finished_unless_an_interruption_comes():
    written, released = [], threading.Event()
    with pytest.raises(KeyboardInterrupt):
        work(lambda: (released.wait(900), written.append(1)), end=KeyboardInterrupt())
    assert not written
    released.set()
    with pytest.raises(ValueError, match="another"):
        work(lambda: (time.sleep(0.3), written.append(2)), end=ValueError("another"))
    assert written[-1] == 2
