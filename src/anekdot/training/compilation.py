"""What the machine can do: device, precision, memory, compilation."""

import ctypes
import math
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import Tensor

from anekdot.training.config import Precision


def pick_device() -> torch.device:
    """Returns CUDA where there is one, else Apple's GPU, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def has_bf16(device: torch.device) -> bool:
    """Whether bfloat16 multiplies in hardware: there it is several times faster."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    cpu_flags = Path("/proc/cpuinfo")
    if device.type == "cpu" and cpu_flags.exists():
        flags = cpu_flags.read_text().split()
        return "amx_bf16" in flags or "avx512_bf16" in flags
    return False


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Returns the context that the forward pass runs in.

    In bf16 the matrix products read and write bfloat16, while weights, norms, softmax
    statistics and the loss stay float32.
    """
    if precision == "bf16" or (precision == "auto" and has_bf16(device)):
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


def should_compile(device: torch.device, operations: float) -> bool:
    """Whether torch.compile can work here and will win back the half minute that it takes.

    Args:
        device: Where the model trains.
        operations: Floating-point operations of the whole run.
    """
    from anekdot.numba_jit import cache_folder  # noqa: PLC0415 (slow)

    least = {"cpu": 1e14, "cuda": 1e16}.get(device.type, math.inf)
    headers = Path(sysconfig.get_path("include"), "Python.h")
    compiler = shutil.which(os.environ.get("CXX", "g++")) is not None and headers.exists()
    return (
        operations > least and compiler and sys.platform == "linux" and cache_folder() is not None
    )


def compiled(
    function: Callable[..., Tensor], failed: Callable[[Exception], object]
) -> Callable[..., Tensor]:
    """Returns a function's compiled twin, made anew for each shape that it meets.

    For shapes left open the loops come out several times slower. What is compiled is kept in
    a folder that only the user may write, where PyTorch would take one that others know.

    Args:
        function: Also does the work itself, from then on, where compiling fails.
        failed: Called when it does, and may raise.
    """
    from torch._dynamo.exc import TorchDynamoException  # noqa: PLC0415 (slow)

    from anekdot.numba_jit import cache_folder  # noqa: PLC0415 (slow)

    folder = cache_folder()
    assert folder is not None, "should_compile has seen it"
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "torch")
    torch._dynamo.reset()  # or the ninth in a process is not compiled
    twin: Callable[..., Tensor] | None = torch.compile(function, dynamic=False)

    def call(*arguments: Tensor) -> Tensor:
        nonlocal twin
        if twin is not None:
            try:
                return twin(*arguments)
            except TorchDynamoException as error:
                failed(error)
                twin = None
        return function(*arguments)

    return call


def keep_pages() -> None:
    """Asks glibc to keep freed memory, instead of giving it back and asking again.

    A training step frees and allocates the same large blocks each time, and page faults
    cost a CPU step a fifth of its time. Elsewhere than on glibc nothing happens.

    Source: mallopt(3): M_MMAP_MAX (-4), M_TRIM_THRESHOLD (-1), M_TOP_PAD (-2). Before glibc 2.35
    a large M_MMAP_THRESHOLD is refused, and so blocks are never mapped at all.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for parameter, value in ((-4, 0), (-1, (1 << 31) - 1), (-2, 1 << 26)):
            mallopt(parameter, value)


def peak_memory(device: torch.device) -> int:
    """Returns the most bytes that this process has held: on the GPU, or else in memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return 0
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def free_memory(device: torch.device) -> int:
    """Returns the bytes that can still be had, on the GPU, or else in memory."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    facts = Path("/proc/meminfo")
    if facts.exists():
        return int(facts.read_text().split("MemAvailable:")[1].split()[0]) * 1024
    return 1 << 30  # a guess, where the system does not say
