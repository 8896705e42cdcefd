"""All small changes of Python files that tools/mutate.py may make."""

import ast
import copy
import difflib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    a: b
    for pair in [
        (ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Eq, ast.NotEq), (ast.Is, ast.IsNot),
        (ast.In, ast.NotIn), (ast.And, ast.Or), (ast.Add, ast.Sub), (ast.Mult, ast.Div),
        (ast.Mod, ast.FloorDiv), (ast.LShift, ast.RShift), (ast.BitAnd, ast.BitOr),
        (ast.Break, ast.Continue),
    ]
    for a, b in [pair, pair[::-1]]
}  # fmt: skip
NEVER_RUN = {"annotation", "returns", "decorator_list", "pattern"}  # fields of syntax trees


@dataclass(frozen=True)
class Change:
    """One change of a file: the bytes from ``start`` to ``end`` become ``new``.

    Attributes:
        path: From the root of the repository.
        digest: Of the file as it was.
        start: The first byte that is replaced.
        end: The byte after the last.
        new: What stands there instead.
        lines: The first and the last line of the statement, or of the head of a block.
        in_function: Whether calls run it, and not the import.
    """

    path: str
    digest: str
    start: int
    end: int
    new: str
    lines: tuple[int, int]
    in_function: bool

    def apply(self, source: bytes) -> bytes:
        """Returns the changed file."""
        return source[: self.start] + self.new.encode() + source[self.end :]

    def diff(self, source: bytes) -> str:
        """Returns the change as people read it."""
        old, new = (text.decode().splitlines() for text in (source, self.apply(source)))
        hunks = difflib.unified_diff(old, new, self.path, self.path, n=1, lineterm="")
        return "\n".join([*hunks, ""])


def chosen(root: Path, modules: list[str], number: int, seed: int) -> list[Change]:
    """Returns changes in an order that depends on the seed, one of each file in turn.

    Args:
        root: Of the repository.
        modules: Files and folders of the package.
        number: How many, unless there are fewer.
        seed: Another seed, other changes.
    """
    paths = [root / "src/anekdot" / module for module in modules]
    files = {file for path in paths for file in [path, *path.rglob("*")] if file.suffix == ".py"}
    columns = [
        sorted(
            _changes(file, file.relative_to(root).as_posix()),
            key=lambda c: hashlib.sha256(f"{seed} {c.path} {c.start} {c.new}".encode()).digest(),
        )
        for file in sorted(files)
    ]
    return [change for row in zip_longest(*columns) for change in row if change][:number]


def _changes(path: Path, name: str) -> list[Change]:
    source = path.read_bytes()
    digest = hashlib.sha256(source).hexdigest()[:16]
    line_starts = [0, *(at + 1 for at, byte in enumerate(source) if byte == ord("\n"))]
    found: list[Change] = []

    def visit(node: ast.AST, lines: tuple[int, int], in_function: bool) -> None:
        if isinstance(node, ast.JoinedStr):
            return  # before Python 3.12 nobody knows where its parts stand
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno or 0
            lines = node.lineno, max(node.lineno, last)
        for old, new in [*_replacements(node), *_deletions(node)]:
            text = ast.unparse(ast.fix_missing_locations(new))
            text = f"({text})" if isinstance(new, ast.expr) else text
            start = line_starts[old.lineno - 1] + old.col_offset
            end = line_starts[old.end_lineno - 1] + old.end_col_offset
            found.append(Change(name, digest, start, end, text, lines, in_function))
        for field, value in ast.iter_fields(node):
            inner = in_function or (isinstance(node, ast.FunctionDef) and field == "body")
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and field not in NEVER_RUN:
                    visit(child, lines, inner)

    visit(ast.parse(source), (1, 1), False)
    return found


def _replacements(node: Any) -> Iterator[tuple[Any, ast.AST]]:
    """Yields what may be replaced in a node, and by what."""
    changed = copy.copy(node)
    match node:
        case ast.Compare(ops=[op, *rest]):
            changed.ops = [SWAPPED[type(op)](), *rest]
            yield node, changed
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op) if type(op) in SWAPPED:
            changed.op = SWAPPED[type(op)]()
            yield node, changed
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield node, operand
        case ast.Constant(value=bool(value)):
            yield node, ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield node, ast.Constant(value + 1)
            yield node, ast.Constant(value - 1)
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield test, ast.UnaryOp(ast.Not(), test)
        case ast.Call(args=[first, second, *rest]) if not isinstance(first, ast.Starred):
            changed.args = [second, first, *rest]
            yield node, changed
        case ast.Return(value=ast.expr()):
            yield node, ast.Return(ast.Constant(None))
        case ast.Break() | ast.Continue():
            yield node, SWAPPED[type(node)]()


def _deletions(node: Any) -> Iterator[tuple[Any, ast.AST]]:
    """Yields a statement whose absence leaves every name defined."""
    match node:
        case ast.AugAssign() | ast.Raise() | ast.Assert() | ast.Expr(value=ast.Call()):
            yield node, ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield node, ast.Pass()
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            if any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(value)):
                yield node, ast.Pass()
