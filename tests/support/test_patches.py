"""What applies the changes of a page must itself be able to fail."""

import pytest

from tests.support.patches import apply, changes

PAGE = """
```python
# src/new.py
NEW = 1
```

```python
print("an example, and no file")
```

```diff
--- src/old.py
@@ first
-A = 1
+A = 2
@@ last
 C = 3
+D = 4
```
"""


def test_blocks_are_applied(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/old.py").write_text("A = 1\nB = 2\nC = 3\n", "utf-8")
    for name, change in changes(PAGE).items():
        apply(change, tmp_path / name)
    assert (tmp_path / "src/new.py").read_text("utf-8") == "NEW = 1\n"
    assert (tmp_path / "src/old.py").read_text("utf-8") == "A = 2\nB = 2\nC = 3\nD = 4\n"


@pytest.mark.parametrize("text", ["A = 3\nC = 3\n", "A = 1\nA = 1\nC = 3\n", "A = 10\nC = 3\n"])
def test_a_hunk_that_does_not_fit_once_is_refused(tmp_path, text):
    path = tmp_path / "old.py"
    path.write_text(text, "utf-8")
    with pytest.raises(AssertionError):
        apply(changes(PAGE)["src/old.py"], path)
