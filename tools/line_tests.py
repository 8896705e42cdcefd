"""Which tests run which line, for tools/mutate.py: recorded by a pytest plugin, then looked up."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from source_changes import Change

try:
    import coverage
except ImportError:
    sys.exit("coverage is missing. Install it: pip install coverage")

MAX_SECONDS = 40  # of CPU time that the tests of one change took when they were recorded


class Recorder:
    """A pytest plugin that records which test, or fixture of several tests, runs which line."""

    def __init__(self, tree: Path) -> None:
        self.tree, self.context = tree, ""
        self.tests: dict[str, dict[str, Any]] = {}
        self.tracer = coverage.Coverage(
            data_file=None, config_file=False, include=[f"{tree}/src/*"]
        )
        self.tracer.start()

    def _within(self, context: str) -> Iterator[None]:
        before, self.context = self.context, context
        self.tracer.switch_context(context)
        try:
            return (yield)
        finally:
            self.context = before
            self.tracer.switch_context(before)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """A test, with all its parameters."""
        name, start = item.nodeid.split("[")[0], sum(os.times()[:4])
        fixtures = list(getattr(item, "fixturenames", ()))
        test = self.tests.setdefault(name, {"seconds": 0.0, "failed": False, "fixtures": fixtures})
        result = yield from self._within(name)
        test["seconds"] += sum(os.times()[:4]) - start
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
        """A fixture that several tests may share is a context of its own."""
        shared = f"{fixturedef.baseid} {fixturedef.argname}"
        context = self.context if fixturedef.scope == "function" else shared
        return (yield from self._within(context))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that fails without any change tells nothing."""
        self.tests[report.nodeid.split("[")[0]]["failed"] |= report.failed

    def result(self) -> dict[str, dict[str, Any]]:
        """Returns the tests that passed, and for each file and line what ran it."""
        self.tracer.stop()
        data = self.tracer.get_data()
        lines = {
            Path(file).relative_to(self.tree).as_posix(): data.contexts_by_lineno(file)
            for file in data.measured_files()
        }
        passed = {name: test for name, test in self.tests.items() if not test["failed"]}
        return {"tests": passed, "lines": lines}


def tests_of(change: Change, recorded: dict[str, Any]) -> list[str]:
    """Returns the tests that may notice a change, the cheapest files and tests first.

    A line that no test was seen to run is compiled, or tested by nothing: it gets the tests of its
    folder. What is run while a module is imported gets all that run anything of the file.
    """
    by_line, tests = recorded["lines"].get(change.path, {}), recorded["tests"]
    first, last = change.lines
    contexts = {c for n in range(first, last + 1) for c in by_line.get(str(n), ())}
    room = Path(change.path.replace("src/anekdot", "tests", 1)).parent.as_posix()
    names = {name for name in tests if not contexts and name.startswith(room + "/")}
    if not change.in_function or not contexts or "" in contexts:  # "": while it was imported
        contexts = set(chain(*by_line.values()))
    names |= contexts & tests.keys()
    for place, fixture in [context.split(" ") for context in contexts if " " in context]:
        names |= {n for n in tests if n.startswith(place) and fixture in tests[n]["fixtures"]}
    seconds = {name: tests[name]["seconds"] for name in names}
    file_seconds: Counter[str] = Counter()
    for name in names:
        file_seconds[name.split("::")[0]] += seconds[name]
    total, kept = 0.0, list[str]()
    for name in sorted(
        names, key=lambda n: (file_seconds[n.split("::")[0]], n.split("::")[0], seconds[n])
    ):
        if total + seconds[name] < MAX_SECONDS or not kept:
            total += seconds[name]
            kept.append(name)
    return kept
