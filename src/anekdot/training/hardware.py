"""What the machine can do: device and precision."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

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
        return torch.cuda.is_bf16_supported()
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
