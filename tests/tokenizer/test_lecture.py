"""The examples in docs/tokenizer.md print what the page says."""

import doctest
import re

from tests.support.paths import ROOT


def test_the_examples_of_the_lecture_run() -> None:
    page = (ROOT / "docs" / "tokenizer.md").read_text("utf-8")
    examples = re.sub("(?m)^```.*$", "", page)
    test = doctest.DocTestParser().get_doctest(examples, {}, "tokenizer.md", None, 0)
    report: list[str] = []
    result = doctest.DocTestRunner().run(test, out=report.append)
    assert not result.failed, "".join(report)
    assert result.attempted == page.count("\n>>> ") > 20
