"""Words a strategy has no use for, found before it runs: an early, exact answer for people. The fence is the kernel's."""

from __future__ import annotations

import ast
import re

_NAMES = frozenset([
    "__import__", "__builtins__", "__loader__", "__spec__", "eval", "exec", "compile", "open", "input",
    "breakpoint", "globals", "locals", "vars", "exit", "quit", "help", "memoryview",
])  # fmt: skip
_ATTRIBUTES = re.compile(r"(f|tb|gi|cr|ag)_(back|builtins|code|frame|globals|lasti|lineno|locals|next|trace)")
_DUNDER = re.compile(r"__[A-Za-z]\w*__")
_FINE = frozenset([
    "__init__", "__post_init__", "__name__", "__doc__", "__eq__", "__lt__", "__le__", "__gt__", "__ge__",
    "__ne__", "__hash__", "__len__", "__iter__", "__next__", "__getitem__", "__contains__", "__call__",
    "__repr__", "__str__", "__bool__", "__add__", "__sub__", "__mul__", "__truediv__", "__slots__", "__enter__",
    "__exit__", "__annotations__", "__future__", "__main__",
])  # fmt: skip


def first_finding(tree: ast.AST) -> int | None:
    """Return the line of the first word that is refused, None when there is none."""
    lines = [getattr(node, "lineno", 1) for node in ast.walk(tree) if _refused(node)]
    return min(lines, default=None)


def _refused(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name):
            return name in _NAMES or _foreign(name)
        case ast.Attribute(attr=name):
            return _foreign(name) or _ATTRIBUTES.fullmatch(name) is not None
        case ast.Constant(value=str() as text):
            return any(found not in _FINE for found in _DUNDER.findall(text))
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return _foreign(name)
        case ast.keyword(arg=str() as name) | ast.arg(arg=name):
            return _foreign(name)
    return False


def _foreign(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in _FINE
