"""What checkpoints cost a training run, and how well it tells its own end.

    .venv/bin/python bench/checkpoints.py PREPARED

PREPARED is a folder that anekdot prepare made. Two runs of each preset take turns, one with
checkpoints and one without; evaluations and samples are left out of both. "Held up" is the time
that the training thread spent on checkpoints; "slower" compares the seconds of the steps, which
the writing beside them may slow down.
"""

import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cyclopts import App

import anekdot
from anekdot.training.loop import Run

NEVER = 1_000_000
app = App(help="Measure what checkpoints cost.")


def measure(prepared: Path, preset: str, steps: int, every: int) -> tuple[float, float]:
    """Trains; returns the seconds of all steps, and those spent on checkpoints in between."""
    held_up = 0.0
    save = Run._save_checkpoint

    def timed(run: Run) -> None:
        nonlocal held_up
        started = time.perf_counter()
        save(run)
        if 0 < run.progress.step < steps:
            held_up += time.perf_counter() - started

    records: list[dict[str, Any]] = []
    Run._save_checkpoint = timed  # type: ignore[method-assign]
    try:
        with TemporaryDirectory() as folder:
            anekdot.train(
                prepared,
                out=Path(folder, "run"),
                preset=preset,
                steps=steps,
                evaluate_every=steps,
                sample_every=steps,
                checkpoint_every=every,
                checkpoint_minutes=1e6,
                observe=records.append,
            )
    finally:
        Run._save_checkpoint = save  # type: ignore[method-assign]
    return [r for r in records if r["kind"] == "step"][-1]["seconds"], held_up


@app.default
def main(prepared: Path, *, every: int = 100, rounds: int = 3) -> None:
    """Measure.

    Args:
        prepared: A folder that anekdot prepare made.
        every: Steps between checkpoints; by default a run has them five times as far apart.
        rounds: Runs of each kind.
    """
    print(f"| preset, a checkpoint every {every} steps | held up, % | slower, % |\n|---|---|---|")
    for preset, steps in (("nano", 1000), ("mini", 300)):
        held, slower = [], []
        for _ in range(rounds):
            plain, _ = measure(prepared, preset, steps, NEVER)
            seconds, held_up = measure(prepared, preset, steps, every)
            held.append(100 * held_up / seconds)
            slower.append(100 * (seconds + held_up) / plain - 100)
        cells = [f"{statistics.median(x):.2f} ({min(x):.2f}–{max(x):.2f})" for x in (held, slower)]
        print(f"| {preset} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    sys.exit(app())
