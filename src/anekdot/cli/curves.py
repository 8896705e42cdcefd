"""anekdot curves."""

from pathlib import Path


def curves(*bundles: Path, out: Path = Path("curves.png")) -> None:
    """Draw loss, perplexity, bits per byte and learning rate of training runs.

    Args:
        bundles: Folders that anekdot train wrote or is writing.
        out: The picture: .png, .svg or .pdf.
    """
    from anekdot.errors import ConfigurationError, require

    require("anekdot curves", "train", "matplotlib")
    from anekdot.training.monitoring.curves import draw_curves

    if not bundles:
        raise ConfigurationError("No run was named.", "Name one or more bundles.")
    print(draw_curves(bundles, out))
