"""Batch size finder: how many rows to compute together, by speed and by memory.

Letters: ``B`` rows, ``T`` positions.
"""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from anekdot.callbacks import Notice
from anekdot.device import autocast, free_memory, peak_memory
from anekdot.training.setup import Setup

MAX_TIME_RATIO = 0.97  # a larger one must take less than this of the time per row
MAX_MEMORY_SHARE = 0.8  # of the free memory that a larger one may be expected to take


def find_micro_batch(
    setup: Setup,
    notice: Notice = lambda sentence: None,
    poll: Callable[[], object] = lambda: None,
) -> int:
    """Tries more and more rows, twice as many each time, up to the batch or the free memory.

    What is measured is not compiled: for each number of rows that would take half a minute.

    Args:
        setup: Its model and optimizer are left as they are.
        notice: Receives the result in a sentence.
        poll: Called before each measurement, and may raise.
    """
    device = setup.device
    ids_BT, targets_BT = (torch.from_numpy(ids).to(device) for ids in setup.batches.batch(0))
    n_rows = len(ids_BT)
    best, least, rows = 1, float("inf"), 1
    while True:
        before, seconds = peak_memory(device), float("inf")
        try:
            for _ in range(3):
                poll()
                duration = _seconds(setup, ids_BT[:rows], targets_BT[:rows])
                seconds = min(seconds, duration)
        except (torch.OutOfMemoryError, MemoryError):
            break
        finally:
            setup.optimizer.zero_grad()
        if seconds / rows < MAX_TIME_RATIO * least:
            best, least = rows, seconds / rows
        more = peak_memory(device) - before  # duration by the additional half
        if rows == n_rows or 2 * more > MAX_MEMORY_SHARE * free_memory(device):
            break
        rows = min(2 * rows, n_rows)
    notice(f"{best} of {n_rows} rows are computed together, which is the fastest here.")
    return best


def _seconds(setup: Setup, ids_BT: Tensor, targets_BT: Tensor) -> float:
    started = time.perf_counter()
    with autocast(setup.device, setup.precision):
        loss = setup.loss_of(ids_BT, targets_BT)
    loss.backward()  # type: ignore[no-untyped-call]
    loss.item()  # waits for the device
    return time.perf_counter() - started
