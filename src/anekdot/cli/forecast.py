"""anekdot forecast."""

from pathlib import Path


def forecast(folder: Path, *, seconds: float = 10.0) -> None:
    """Show what training each preset on a prepared folder would take, and which one fits.

    Args:
        folder: A folder that anekdot prepare made.
        seconds: How long to measure this machine.
    """
    from rich.table import Table

    from anekdot.cli.console import HarmlessConsole, say
    from anekdot.forecast import advice
    from anekdot.forecast import forecast as predict
    from anekdot.text_output import duration

    rows = predict(folder, seconds, notice=say)
    output = HarmlessConsole()
    if not output.is_terminal:
        output = HarmlessConsole(width=200)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("preset")
    for heading in ("parameters", "tokens", "tokens per parameter", "steps", "epochs"):
        table.add_column(heading, justify="right")
    table.add_column("risk of memorising")
    table.add_column("time here", justify="right")
    for row in rows:
        table.add_row(
            row.preset,
            f"{row.parameters:,}",
            f"{row.tokens:,}",
            f"{row.tokens_per_parameter:.2g}",
            f"{row.steps:,}",
            f"{row.epochs:.1f}",
            f"{row.risk}: {row.reason}",
            duration(row.seconds),
        )
    output.print(table)
    print(f"\n{advice(rows)}")
