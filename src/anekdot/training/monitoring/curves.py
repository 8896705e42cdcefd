"""metrics.jsonl to pictures: loss, perplexity, bits per byte, learning rate, gradient norm."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from anekdot.atomic_files import staged
from anekdot.errors import BundleError, ConfigurationError
from anekdot.run_folder import RunFolder
from anekdot.text_output import harmless
from anekdot.training.monitoring.metrics import Record, read

FORMATS = (".png", ".svg", ".pdf")
TITLES = {
    "loss": "Loss, nats per token",
    "perplexity": "Perplexity",
    "bits": "Bits per byte",
    "rate": "Learning rate",
    "norm": "Gradient norm before clipping",
    "clipped": "Clipped steps, %",
}


def draw_curves(bundles: Sequence[Path], out: Path) -> Path:
    """Draws the curves of one or several runs, also while they run.

    Args:
        bundles: Folders with ``run/metrics.jsonl``.
        out: The picture; its ending chooses the format (png, svg, pdf).

    Returns:
        The picture's path.

    Raises:
        BundleError: A folder holds no record of a run.
        ConfigurationError: The picture's name has another ending, or its folder does not exist.
    """
    if out.suffix not in FORMATS:
        raise ConfigurationError(
            f"{out} is not a picture's name.", f"Choose a name that ends with {', '.join(FORMATS)}."
        )
    if not out.parent.is_dir():
        raise ConfigurationError(
            f"There is no folder {out.parent} for the picture.", "Make it, or name another place."
        )
    import matplotlib  # noqa: PLC0415 (0.2 s that only a picture is worth)

    matplotlib.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    figure, axes = pyplot.subplots(2, 3, figsize=(16, 7), layout="constrained")
    panels = dict(zip(TITLES, axes.flat, strict=True))
    _label(panels)
    for number, (bundle, name) in enumerate(zip(bundles, _names(bundles), strict=True)):
        records = read(RunFolder(bundle).metrics)
        if not any(record["kind"] == "step" for record in records):
            raise BundleError(
                f"{bundle} holds no record of a training run.",
                "Give a folder that anekdot train --out wrote.",
            )
        _draw_run(panels, records, name, color=f"C{number}")
    for axis in axes.flat:
        if axis.get_legend_handles_labels()[1]:
            axis.legend(frameon=False, fontsize=9)
    with staged(out) as draft:
        figure.savefig(draft, dpi=130)
    pyplot.close(figure)
    return out


def _label(panels: dict[str, Any]) -> None:
    """Gives each panel its title and axes; perplexity has a logarithmic one."""
    from matplotlib import ticker  # noqa: PLC0415

    for name, title in TITLES.items():
        panels[name].set_title(title, loc="left", fontsize=11)
        panels[name].set_xlabel("step")
        panels[name].grid(alpha=0.25)
        panels[name].spines[["top", "right"]].set_visible(False)
    axis = panels["perplexity"]
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter("{x:,g}")
    axis.yaxis.set_minor_formatter(ticker.NullFormatter())


def _names(bundles: Sequence[Path]) -> list[str]:
    """Returns what tells runs apart: the names of their folders, or else the ways to them."""
    names = [bundle.resolve().name for bundle in bundles]
    names = names if len({*names}) == len(names) else [*map(str, bundles)]
    # what stands between two $ would be drawn as a formula, and a first _ would hide the curve
    return [" " * name.startswith("_") + harmless(name).replace("$", r"\$") for name in names]


def _draw_run(panels: dict[str, Any], records: list[Record], name: str, color: str) -> None:
    steps = [record for record in records if record["kind"] == "step"]
    evaluations = [record for record in records if record["kind"] == "evaluation"]

    def draw(
        panel: str, points: list[Record], value: Callable[[Record], float], **style: Any
    ) -> None:
        xs = [point["step"] for point in points]
        panels[panel].plot(xs, [value(point) for point in points], color=color, **style)

    draw("loss", steps, lambda r: r["loss"], alpha=0.25, linewidth=0.8)
    draw("loss", _smoothed(steps, "loss"), lambda r: r["loss"], label=f"{name}, training")
    draw("rate", steps, lambda r: r["learning_rate"])
    clipped = [record for record in steps if "gradient_norm" in record]  # not up to 0.1.0
    draw("norm", clipped, lambda r: r["gradient_norm"], alpha=0.25, linewidth=0.8)
    draw("norm", _smoothed(clipped, "gradient_norm"), lambda r: r["gradient_norm"])
    draw("clipped", _smoothed(clipped, "clipped"), lambda r: 100 * r["clipped"])
    if evaluations:
        dots = {"marker": "o", "markersize": 3, "linestyle": "--"}
        draw("loss", evaluations, lambda r: r["loss"], label=f"{name}, validation", **dots)
        draw("perplexity", evaluations, lambda r: r["perplexity"], label=name, **dots)
        draw("bits", evaluations, lambda r: r["bits_per_byte"], label=name, **dots)


def _smoothed(steps: list[Record], name: str) -> list[Record]:
    """Averages a value of neighbouring records, a hundredth of the run at a time."""
    width = max(1, len(steps) // 100)
    chunks = [steps[start : start + width] for start in range(0, len(steps), width)]
    return [
        {key: sum(record[key] for record in chunk) / len(chunk) for key in ("step", name)}
        for chunk in chunks
    ]
