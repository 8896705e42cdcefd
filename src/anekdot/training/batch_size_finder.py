"""How many rows to compute together: as many as are fastest and fit into memory.

Letters: ``B`` rows, ``T`` positions.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from anekdot.training.compilation import free_memory, peak_memory

WORTH = 0.97  # of the time a row that a larger one must stay below
SPARE = 0.8  # of the free memory that a larger one may be expected to take


def find_micro_batch(
    loss_of: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    ids_BT: Tensor,
    targets_BT: Tensor,
    *,
    precision: Callable[[], AbstractContextManager[object]],
    poll: Callable[[], object] = lambda: None,
) -> int:
    """Tries more and more rows, twice as many each time, up to the batch or the free memory.

    What is measured is not compiled: for each number of rows that would take half a minute.

    Args:
        loss_of: Ids and targets to the mean loss.
        optimizer: Over the model's parameters; both are left as they are.
        ids_BT: A whole batch.
        targets_BT: What follows.
        precision: Returns the context of a forward pass.
        poll: Called before each measurement, and may raise.
    """
    n_rows, device = len(ids_BT), ids_BT.device
    best, least, rows = 1, float("inf"), 1
    while True:
        held, seconds = peak_memory(device), float("inf")
        try:
            for _ in range(3):
                poll()
                taken = _seconds(loss_of, ids_BT[:rows], targets_BT[:rows], precision)
                seconds = min(seconds, taken)
        except (torch.OutOfMemoryError, MemoryError):
            break
        finally:
            optimizer.zero_grad()
        if seconds / rows < WORTH * least:
            best, least = rows, seconds / rows
        more = peak_memory(device) - held  # taken by the additional half
        if rows == n_rows or 2 * more > SPARE * free_memory(device):
            break
        rows = min(2 * rows, n_rows)
    return best


def _seconds(
    loss_of: Callable[[Tensor, Tensor], Tensor],
    ids_BT: Tensor,
    targets_BT: Tensor,
    precision: Callable[[], AbstractContextManager[object]],
) -> float:
    started = time.perf_counter()
    with precision():
        loss = loss_of(ids_BT, targets_BT)
    loss.backward()  # type: ignore[no-untyped-call]
    loss.item()  # waits for the device
    return time.perf_counter() - started
