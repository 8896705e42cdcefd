"""Draws a training run as a moving picture: python tools/draw_training.py METRICS PICTURE.

METRICS is the metrics.jsonl of a run folder; --at chooses the steps whose samples are shown,
all of them otherwise. PICTURE is an SVG without scripts: samples follow one another while the
curve is uncovered. Where nothing may move, the last sample and the whole curve are shown.
The picture of the README comes from tools/training_run.jsonl, what a real run recorded:

    python tools/draw_training.py tools/training_run.jsonl assets/training.svg
"""

import argparse
import itertools
import json
import math
import textwrap
import unicodedata
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 800, 420
LEFT, RIGHT, TOP, BOTTOM = 56, 776, 234, 386  # of the plot
COLUMNS, ROWS = 70, 5  # of a sample
SECONDS, LAST_SECONDS, FADE = 1.6, 4.5, 0.15  # a sample stays, the last one stays, a change takes
FIRST_STEP = 10  # where the logarithmic axis begins
GRID = (1, 1.5, 2, 2.5)  # bits per byte

CAPTION = "anekdot train: 3.4 million parameters, ten minutes on one CPU core"
STYLE = """
svg { --back: #ffffff; --edge: #d0d7de; --text: #1f2328; --dim: #59636e; --grid: #e4e8ec;
  --curve: #0969da; --dot: #bc4c00; }
@media (prefers-color-scheme: dark) { svg { --back: #0d1117; --edge: #3d444d; --text: #f0f6fc;
  --dim: #9198a1; --grid: #262c36; --curve: #4493f8; --dot: #f0883e; } }
text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--dim); }
.sample { font: 17px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  fill: var(--text); white-space: pre; }
.step { font-size: 20px; font-weight: 600; fill: var(--text); }
.figure { font-size: 20px; fill: var(--curve); }
.card { fill: var(--back); stroke: var(--edge); }
.grid { stroke: var(--grid); }
.curve { fill: none; stroke: var(--curve); stroke-width: 2.5; stroke-linejoin: round; }
.taken { fill: var(--back); stroke: var(--curve); stroke-width: 2; }
.held { fill: var(--dot); }
.training { fill: var(--curve); }
.curtain rect { fill: var(--back); }
.curtain { transform: translateX(800px); }
.frame { opacity: 0; }
.frame:last-of-type { opacity: 1; }
"""
STILL = (
    "@media (prefers-reduced-motion: reduce) { .frame, .curtain { animation: none !important; } }"
)


def read_records(path: Path, kind: str) -> list[dict[str, Any]]:
    """Returns the records of one kind."""
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [record for record in records if record["kind"] == kind]


def read_curve(path: Path, kind: str) -> dict[int, float]:
    """Returns bits per byte by step, of training ("step") or of held-out texts ("evaluation")."""
    return {record["step"]: record["bits_per_byte"] for record in read_records(path, kind)}


def x_of(step: float, last: int) -> float:
    """Returns where a step stands on the logarithmic axis, in pixels."""
    share = math.log(max(step, FIRST_STEP) / FIRST_STEP) / math.log(last / FIRST_STEP)
    return round(LEFT + share * (RIGHT - LEFT), 1)


def y_of(bits: float) -> float:
    """Returns where bits per byte stand between the bottom and the top of the plot, in pixels."""
    return round(BOTTOM - (bits - GRID[0]) / (GRID[-1] - GRID[0]) * (BOTTOM - TOP), 1)


def wrapped(text: str) -> list[str]:
    """Returns a sample in lines that fit, without what XML or a terminal cannot show."""
    kinds = ("Cc", "Cf", "Co", "Cn", "Cs")
    lines = []
    for line in text.strip().splitlines():
        shown = "".join("\ufffd" if unicodedata.category(c) in kinds else c for c in line)
        hanging = "  " if shown.startswith(("- ", "— ")) else ""
        lines += textwrap.wrap(shown, COLUMNS, subsequent_indent=hanging, break_on_hyphens=False)
    return lines if len(lines) <= ROWS else [*lines[: ROWS - 1], lines[ROWS - 1][:-1] + "…"]


def frame(number: int, step: int, figure: str, text: str) -> str:
    """Draws a sample below the step that it was drawn at."""
    lines = "".join(
        f'<text class="sample" x="32" y="{96 + 23 * row}">{escape(line)}</text>'
        for row, line in enumerate(wrapped(text))
    )
    return (
        f'<g class="frame" id="f{number}"><text class="step" x="32" y="62">step {step:,}</text>'
        f'<text class="figure" x="768" y="62" text-anchor="end">{figure}</text>{lines}</g>'
    )


def animation(steps: list[int], last: int) -> str:
    """Returns the style rules that show the samples in turn and draw the curtain aside."""
    total = SECONDS * (len(steps) - 1) + LAST_SECONDS
    starts = [SECONDS * number / total * 100 for number in range(len(steps))] + [100.0]
    fade = FADE / total * 100
    timing = f"{total}s linear {FADE + SECONDS - total}s infinite"  # begins at the last sample
    rules = [f".curtain {{ animation: curtain {timing}; }}", "@keyframes curtain {"]
    rules += ["  0% { transform: translateX(0px); }"]
    for end, step in zip(starts[1:], [*steps[1:], last], strict=True):
        x = x_of(step, last) - LEFT + 6  # past the mark of the sample
        rules.append(f"  {end:.2f}% {{ transform: translateX({x:.1f}px); }}")
    rules.append("}")
    for number, (begin, end) in enumerate(itertools.pairwise(starts)):
        rules.append(f"#f{number} {{ animation: f{number} {timing}; }}")
        rules.append(
            f"@keyframes f{number} {{ 0%, {begin:.2f}% {{ opacity: 0; }} "
            f"{begin + fade:.2f}%, {end - fade:.2f}% {{ opacity: 1; }} "
            f"{end:.2f}%, 100% {{ opacity: 0; }} }}"
        )
    return "\n".join(rules)


def plot(curve: dict[int, float], held_out: dict[int, float], shown: list[int]) -> str:
    """Draws the curve of training, held-out measurements, where samples were taken, the curtain."""
    last = max(curve)
    points = " ".join(f"{x_of(step, last)},{y_of(bits)}" for step, bits in curve.items())
    marks = [
        f'<circle class="{kind}" cx="{x_of(step, last)}" cy="{y_of(values[step])}" r="{radius}"/>'
        for kind, values, steps, radius in (
            ("held", held_out, held_out, 3),
            ("taken", curve, shown, 4),
        )
        for step in steps
        if step in values
    ]
    grid = "".join(f'<path class="grid" d="M{LEFT} {y_of(bits)}h{WIDTH}"/>' for bits in GRID)
    x, y, width, height = LEFT - 6, TOP - 8, RIGHT - LEFT + 12, BOTTOM - TOP + 16
    return f"""<svg x="{x}" y="{y}" width="{width}" height="{height}"
  viewBox="{x} {y} {width} {height}">{grid}<polyline class="curve" points="{points}"/>
{"".join(marks)}
<g class="curtain"><rect x="{LEFT}" y="{y}" width="{WIDTH}" height="{height}"/>{grid}</g></svg>"""


def labels(last: int) -> str:
    """Draws what stands around the plot."""
    drawn = [
        f'<text x="{LEFT}" y="{TOP - 16}">bits per byte of <tspan class="training">training texts'
        '</tspan> and <tspan class="held">held-out texts</tspan></text>'
    ]
    for bits in GRID:
        drawn.append(f'<text x="{LEFT - 8}" y="{y_of(bits) + 4}" text-anchor="end">{bits}</text>')
    for step in (FIRST_STEP, 30, 100, 300, last):
        anchor = "end" if step == last else "middle"
        label = f'y="{BOTTOM + 20}" text-anchor="{anchor}">{step:,}{" steps" * (step == last)}'
        drawn.append(f'<text x="{x_of(step, last)}" {label}</text>')
    return "".join(drawn)


def draw(metrics: Path, at: list[int], caption: str) -> str:
    """Returns the picture as SVG."""
    samples = {record["step"]: record for record in read_records(metrics, "sample")}
    curve, held_out = read_curve(metrics, "step"), read_curve(metrics, "evaluation")
    shown = sorted(at or samples)
    last = max(curve)
    frames = []
    for number, step in enumerate(shown):
        text, copied = samples[step]["text"], samples[step]["copied"]
        assert len(copied) <= len(text) / 2, f"the sample of step {step} is copied"
        figure = f"{curve[step]:.2f} bits per byte" if step else "untrained"
        frames.append(frame(number, step, figure, text))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"
  width="{WIDTH}" height="{HEIGHT}" role="img">
<title>{escape(caption)}</title>
<style>{STYLE}{animation(shown, last)}
{STILL}</style>
<rect class="card" x=".5" y=".5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="8"/>
<text x="32" y="32">{escape(caption)}</text>
{plot(curve, held_out, shown)}
{labels(last)}
{"".join(frames)}
</svg>
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("metrics", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--at", type=int, nargs="+", default=[], help="steps of the samples")
    parser.add_argument("--caption", default=CAPTION, help="what stands above")
    arguments = parser.parse_args()
    arguments.picture.write_text(draw(arguments.metrics, arguments.at, arguments.caption), "utf-8")
