"""The device that computes, its number format, and its memory."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

from anekdot.machine import available_memory, peak_process_memory


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


def pick_precision(device: torch.device, precision: str, *, auto_fp16: bool) -> str:
    """Returns a number format: "bf16", "fp16" or "fp32".

    Args:
        device: Where the model is.
        precision: One of the three, or "auto" for the fastest on this device.
        auto_fp16: Whether that is "fp16" on CUDA devices without bfloat16 (before Ampere).
    """
    if precision != "auto":
        return precision
    if has_bf16(device):
        return "bf16"
    return "fp16" if auto_fp16 and device.type == "cuda" else "fp32"


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Returns the context that the forward pass runs in.

    In bf16 and fp16 the matrix products read and write 16 bits, while weights, norms, softmax
    statistics and the loss stay float32.

    Args:
        device: Where the model is.
        precision: "bf16", "fp16" or "fp32".
    """
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, {"bf16": torch.bfloat16, "fp16": torch.float16}[precision])


def peak_memory(device: torch.device) -> int:
    """Returns the most bytes that this process has held: on the GPU, or else in memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return peak_process_memory()


def free_memory(device: torch.device) -> int:
    """Returns the bytes that are still available, on the GPU or else in memory."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return available_memory()
