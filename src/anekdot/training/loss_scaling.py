"""Dynamic loss scaling: gradients that float16 can hold.

The smallest gradients of a step are below what float16 holds, so the loss is multiplied by a
scale, and the gradients are divided by it. Where one has become infinite on the way, the step
changes nothing and the scale is halved; after many steps without that, it is doubled. Scales are
powers of two, so scaling and unscaling round nothing.

Source: Micikevicius et al. 2018, "Mixed Precision Training", section 3.2; the constants are those
of PyTorch's GradScaler. Nothing here imports torch.
"""

from typing import TYPE_CHECKING

from anekdot.errors import ConfigurationError

if TYPE_CHECKING:
    from torch import Tensor

INITIAL_LOSS_SCALE = 2.0**16
GROWTH_INTERVAL = 2000  # steps without an overflow, after which the scale is doubled
MAX_LOSS_SCALE = 2.0**24
MIN_LOSS_SCALE = 2.0**-3  # below 1 there is nothing to gain: three overflows there are enough


def next_loss_scale(
    scale: "Tensor | float", steps: "Tensor | float", overflowed: "Tensor"
) -> "tuple[Tensor, Tensor]":
    """Returns the loss scale of the next step, and the steps since it has changed.

    Args:
        scale: Of this step.
        steps: Since the scale has changed, this one not included.
        overflowed: 1 if a gradient of this step was infinite, else 0. It may be on a GPU, which
            is not waited for.
    """
    steps = (steps + 1) * (1 - overflowed)
    grown = (steps >= GROWTH_INTERVAL).float()
    scale = (scale * (1 - overflowed / 2) * (1 + grown)).clamp(max=MAX_LOSS_SCALE)
    return scale, steps * (1 - grown)


def check_loss_scale(scale: float, step: int) -> None:
    """Raises a ConfigurationError once gradients overflow again and again without being scaled."""
    if scale <= MIN_LOSS_SCALE:
        raise ConfigurationError(
            f"The gradients before step {step} are too large for float16, also unscaled (the loss "
            f"scale has fallen to {scale:g}).",
            "Train into another folder with --precision fp32, or with a lower --learning-rate.",
        )
