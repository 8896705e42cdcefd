"""Attacks anekdot, and counts what it survives: python -m tools.attack (from the repository).

Survived is: exit status 0 with the right result, or one sentence and exit status 2; never a
traceback, a hang, memory without a bound, a lost text or a lost model. Where a run was hurt,
the same command must then end equal to the bit with an unbroken one. Some attacks need Linux
and root, and are skipped with a word where they are refused.

A loss is repeated by its name: --only ATTACK --case CASE --seed SEED. The exit status is 1 if
anything was lost.
"""

import argparse
import gc
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tools.attack import (
    archives,
    bundles,
    checkpoints,
    lies,
    limits,
    names,
    runs,
    signals,
    terminals,
    trespass,
    web,
)  # fmt: skip
from tools.attack.arena import Arena, Case, Refused

ATTACKS = {
    f"{module.__name__.rpartition('.')[2]}: {name}": attack
    for module in (
        bundles, lies, checkpoints, runs, signals, limits, archives, web, names, terminals,
        trespass,
    )
    for name, attack in module.ATTACKS.items()
}  # fmt: skip


def outcome(case: str, try_it: object) -> str | None:
    """Tries a case; an attack that itself fails has proved nothing, and counts as lost."""
    try:
        return try_it()  # type: ignore[operator]
    except Refused:
        raise
    except Exception as error:
        return f"the attack broke: {type(error).__name__}: {error}"


def fight(arena: Arena, attack: object, only: str | None) -> tuple[int, list[tuple[str, str]], str]:
    """Returns how many cases were tried, what was lost in which, and why no more were tried."""
    tried, losses = 0, []
    cases: Iterator[Case] = attack(arena)  # type: ignore[operator]
    try:
        for case, try_it in cases:
            if only is not None and case != only:
                continue
            tried += 1
            if loss := outcome(case, try_it):
                losses.append((case, loss))
                print(f"    LOST {case!a}: {loss!a}", flush=True)
    except Refused as refusal:
        return tried, losses, str(refusal)
    except Exception as error:
        losses.append(("preparing the next case", f"{type(error).__name__}: {error}"))
        print(f"    LOST {losses[-1]!a}", flush=True)
        tried += 1
    return tried, losses, ""


def main() -> int:
    """Runs the attacks that were asked for, and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.attack", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", action="append", default=[], help="attacks with this in the name")
    parser.add_argument("--case", help="one case, as a loss was printed")
    parser.add_argument("--times", type=int, help="random cases of each attack")
    parser.add_argument("--seed", type=int, default=1, help="of all random choices [1]")
    parser.add_argument("--list", action="store_true", help="print the names of the attacks")
    asked = parser.parse_args()
    chosen = {
        name: attack
        for name, attack in ATTACKS.items()
        if not asked.only or any(part in name for part in asked.only)
    }
    if asked.list:
        print(*chosen, sep="\n")
        return 0
    folder = Path(tempfile.mkdtemp(prefix="attack-"))
    rows, lost = [], 0
    try:
        arena = Arena(folder, asked.seed, asked.times)
        for name, attack in chosen.items():
            print(f"{name} (seed {asked.seed})", flush=True)
            began = time.monotonic()
            tried, losses, refusal = fight(arena, attack, asked.case)
            seconds = time.monotonic() - began
            lost += len(losses)
            rows.append((name, tried, tried - len(losses), len(losses), seconds, refusal))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{'attack':<44}{'tried':>8}{'survived':>10}{'lost':>6}{'seconds':>9}")
    for name, tried, survived, losses, seconds, refusal in rows:
        note = f"  skipped: {refusal}" if refusal else ""
        print(f"{name:<44}{tried:>8,}{survived:>10,}{losses:>6,}{seconds:>9.0f}{note}")
    gc.unfreeze()  # see Arena
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
