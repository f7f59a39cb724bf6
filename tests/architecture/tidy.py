"""What the tidy test measures: pure functions over source text, so that each can be shown to fail."""

from __future__ import annotations

import ast
import re
import sys

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
BANNED_WORDS = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X])\b")
MACHINE_TRACES = re.compile(r"/(wor[k]|roo[t]|far[m])/|pypi\.or[g]|pythonhosted\.or[g]|npmjs\.or[g]")
STANDARD_NAMES = frozenset(sys.stdlib_module_names)
_MONEY_FLOATS = frozenset({"float"})


def long_functions(tree: ast.Module) -> list[tuple[str, int]]:
    """Return name and length of each function over the limit."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                found.append((node.name, length))
    return found


def floats(tree: ast.Module) -> list[int]:
    """Return the lines where a float is written, named or made by true division."""
    lines = []
    for node in ast.walk(tree):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        named = isinstance(node, ast.Name) and node.id in _MONEY_FLOATS
        divided = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
        if isinstance(node, ast.expr) and (literal or named or divided):
            lines.append(node.lineno)
    return sorted(set(lines))


def shadows_standard_module(parts: tuple[str, ...]) -> bool:
    """Return whether a module's own name is also a top-level module of the standard library."""
    return parts[-1] in STANDARD_NAMES


def lacks_docstring(tree: ast.Module) -> bool:
    """Return whether the module opens without saying its job."""
    return ast.get_docstring(tree) is None
