"""torch.compile: where it pays, and what happens where it fails."""

import math
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from anekdot.training.config import TrainingConfig
from anekdot.training.setup import Setup

MIN_OPERATIONS = {"cpu": 1e14, "cuda": 1e16}
"""Floating-point operations of a run that win back the half minute of compiling, by device."""


def should_compile(setup: Setup, config: TrainingConfig) -> bool:
    """Whether a run is long enough to pay for torch.compile, and it can work here."""
    shape = setup.model.config
    n_tokens = config.steps * config.batch_size * shape.context_length
    is_long = 6 * n_tokens * shape.n_parameters > MIN_OPERATIONS.get(setup.device.type, math.inf)
    return is_long and can_compile()


def can_compile() -> bool:
    """Whether torch.compile can work here: on Linux, with a compiler, and a safe folder."""
    from anekdot.numba_jit import cache_folder  # noqa: PLC0415 (slow)

    headers = Path(sysconfig.get_path("include"), "Python.h")
    compiler = shutil.which(os.environ.get("CXX", "g++")) is not None and headers.exists()
    return compiler and sys.platform == "linux" and cache_folder() is not None


class CompilableLoss:
    """A loss function that can be compiled together with its model, and does without if it must.

    Args:
        function: Ids and targets to the mean loss; does the work itself until compiled.
        on_failure: Called when compiling fails, before the function takes over; may raise.
    """

    def __init__(
        self, function: Callable[..., Tensor], on_failure: Callable[[Exception], object]
    ) -> None:
        self.function, self.on_failure = function, on_failure
        self.compiled: Callable[..., Tensor] | None = None

    def compile(self) -> None:
        """Has the function compiled from now on, anew for each shape that it meets.

        Loops compiled for open shapes are several times slower. The machine code is kept in a
        folder that only the user may write to; PyTorch's own choice would be one that others
        can guess.
        """
        from anekdot.numba_jit import cache_folder  # noqa: PLC0415 (slow)

        folder = cache_folder()
        assert folder is not None, "should_compile has seen it"
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "torch")
        torch._dynamo.reset()  # or the ninth in a process is not compiled
        self.compiled = torch.compile(self.function, dynamic=False)

    @property
    def is_compiled(self) -> bool:
        """Whether the machine code is used."""
        return self.compiled is not None

    def __call__(self, *arguments: Tensor) -> Tensor:
        """Returns the loss, in nats per token."""
        if self.compiled is not None:
            from torch._dynamo.exc import TorchDynamoException  # noqa: PLC0415 (slow)

            try:
                return self.compiled(*arguments)
            except TorchDynamoException as error:
                self.on_failure(error)
                self.compiled = None
        return self.function(*arguments)
