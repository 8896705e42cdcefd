"""Changes the source in small ways and asks whether a test notices: python tools/mutate.py.

One change at a time is made in a copy of the working tree, and the tests that run the changed
line are started, the cheapest first. A change that they do not notice survives: a hole in the
tests, or a change of nothing that matters (docs/mutations.md). Which test runs which line is
recorded once; functions that Numba compiles are traced by nobody, so they get the tests of their
folder as well. Slow tests are left out. The same command again goes on where it was stopped:
results hold until their file changes, and what was not killed is tried again when a test has
changed.

Needs coverage (pip install coverage) and a system with fork.
"""

import argparse
import hashlib
import importlib
import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from line_tests import Recorder, tests_of
from source_changes import Change, chosen

MODULES = [
    "model", "generation", "tokenizer", "training", "evaluation", "bundle.py", "quantization.py",
    "atomic_files.py", "corpus/splitting.py", "corpus/deduplication",
]  # fmt: skip
OUTCOMES = ("killed", "timed out", "survived", "untested")
MAX_SECONDS = 120  # of CPU time for one change, and five times that by the clock
MAX_HOURS = 6
MAX_BYTES = 16 << 30  # of address space, so that a change cannot bring the machine down


def run_tests(
    folder: Path, arguments: list[str], plugins: list[object], change: Change | None = None
) -> int:
    """Makes a change in the copy and runs pytest there; to be called in a process of its own."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    if change:
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    tree = folder / "tree"
    os.chdir(tree)
    sys.path[:0] = [str(tree / "src"), str(tree)]
    sys.dont_write_bytecode = True  # a change may keep the file's size and second
    output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    source = (tree / change.path).read_bytes() if change else b""
    compiled = change is not None and (not change.in_function or b"numba_jit" in source)
    os.environ |= {
        "PYTHONPATH": str(tree / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "XDG_CACHE_HOME": str(folder / ("temporary_cache" if compiled else "cache")),
    }
    if not compiled:  # machine code lies in a folder named after all sources: as they are now
        importlib.import_module("anekdot.numba_jit")._folder()
    if change:
        (tree / change.path).write_bytes(change.apply(source))
    settings = ["-p", "no:cacheprovider", f"--basetemp={folder / 'temporary'}"]
    return pytest.main([*settings, "--hypothesis-seed=0", *arguments], plugins)


def in_a_process(limit: float, function: Callable[..., int], *arguments: object) -> int | None:
    """Returns what a function returns in a child process, or None if it takes too long."""
    child = multiprocessing.get_context("fork").Process(
        target=lambda: os._exit(function(*arguments))
    )
    child.start()
    try:
        child.join(limit)
        return child.exitcode
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid or 0, signal.SIGKILL)
        child.join()


def record(folder: Path, tests: list[str], key: list[str]) -> int:
    """Writes which tests run which lines; to be called in a process of its own."""
    recorder = Recorder(folder / "tree")
    code = run_tests(folder, ["-m", "not slow and not gpu", *tests], [recorder])
    recorded = {"key": key, **recorder.result()}
    (folder / "record.json").write_text(json.dumps(recorded), "utf-8")
    return code


def attempt(folder: Path, change: Change, names: list[str]) -> str:
    """Returns what becomes of a change: one of OUTCOMES."""
    path = folder / "tree" / change.path
    source, status = path.read_bytes(), path.stat()
    try:
        code = in_a_process(5 * MAX_SECONDS, run_tests, folder, ["-x", *names], [], change)
    finally:
        path.write_bytes(source)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        shutil.rmtree(folder / "temporary_cache", ignore_errors=True)
    if code in (None, -signal.SIGXCPU, -signal.SIGKILL):
        return "timed out"
    return "killed" if code else "survived"


def copy_tree(tree: Path) -> dict[str, str]:
    """Copies the working tree; returns a hash of the tests, and one of tests and source."""
    shutil.rmtree(tree, ignore_errors=True)
    command = ["git", "ls-files", "-coz", "--exclude-standard"]
    names = sorted(filter(None, subprocess.check_output(command, text=True).split("\0")))
    tests, everything = hashlib.sha256(), hashlib.sha256()
    for name in filter(os.path.isfile, names):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(name, tree / name)
        content = name.encode() + Path(name).read_bytes()
        if name.startswith("tests/"):
            tests.update(content)
        if name.startswith(("tests/", "src/")):
            everything.update(content)
    return {"tests": tests.hexdigest()[:16], "everything": everything.hexdigest()[:16]}


def read_results(folder: Path) -> dict[Change, dict[str, Any]]:
    """Returns the last result of each change."""
    path = folder / "results.jsonl"
    rows = map(json.loads, path.read_text("utf-8").splitlines() if path.exists() else [])
    return {
        Change(**{**row["change"], "lines": tuple(row["change"]["lines"])}): row for row in rows
    }


def run_all(folder: Path, changes: list[Change], tests: list[str], digests: dict[str, str]) -> None:
    """Tries all changes whose result is missing or out of date, for some hours at most."""
    results, record_path = read_results(folder), folder / "record.json"
    key = [digests["everything"], *tests]
    if not record_path.exists() or json.loads(record_path.read_text("utf-8"))["key"] != key:
        print("Recording which test runs which line...", flush=True)
        in_a_process(MAX_HOURS * 3600, record, folder, tests, key)
    recorded = json.loads(record_path.read_text("utf-8"))
    end = time.monotonic() + MAX_HOURS * 3600
    for number, change in enumerate(changes, start=1):
        before = results.get(change, {"outcome": "", "tests": ""})
        if before["outcome"] == "killed" or before["tests"] == digests["tests"]:
            continue
        if time.monotonic() > end:
            break
        start, names = time.monotonic(), tests_of(change, recorded)
        outcome = attempt(folder, change, names) if names else "untested"
        seconds = round(time.monotonic() - start, 1)
        row = {"change": asdict(change), "outcome": outcome, "tests": digests["tests"]}
        with (folder / "results.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({**row, "seconds": seconds}, ensure_ascii=False) + "\n")
        place = f"{change.path}:{change.lines[0]}"
        print(f"{number:4}/{len(changes)} {outcome:9} {seconds:6.1f} s  {place}", flush=True)


def main() -> None:
    """Runs the command line."""
    summary, _, details = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(description=summary, epilog=details)
    parser.add_argument("modules", nargs="*", default=MODULES, help="files or folders of anekdot")
    parser.add_argument("--number", type=int, default=300, help="changes in all")
    parser.add_argument("--seed", type=int, default=0, help="chooses the changes")
    parser.add_argument("--tests", nargs="+", default=["tests"], help="files or folders of tests")
    parser.add_argument("--folder", type=Path, default=Path(".mutation_cache"), help="for results")
    parser.add_argument("--list", action="store_true", help="show the survivors, try nothing")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped: the same command goes on."))
    folder, root = options.folder.absolute(), Path(__file__).parent.parent
    os.chdir(root)
    digests = {} if options.list else copy_tree(folder / "tree")
    root = root if options.list else folder / "tree"
    changes = chosen(root, options.modules, options.number, options.seed)
    if not options.list:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        with suppress(ImportError):
            importlib.import_module("torch")  # once for all child processes
        run_all(folder, changes, options.tests, digests)
    results = read_results(folder)
    for change in changes:
        if options.list and results.get(change, {}).get("outcome") in ("survived", "untested"):
            print(change.diff((root / change.path).read_bytes()))
    done = Counter(results[change]["outcome"] for change in changes if change in results)
    print(", ".join(f"{done[name]} {name}" for name in OUTCOMES), f"of {len(changes)} changes")


if __name__ == "__main__":
    main()
