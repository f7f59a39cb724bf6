"""The list of mutants that may stand, each with its reason, as `make mutation` and the tests read it.

A line of `mutation-survivors.md` stands under its module and function and says what is changed into what:
"- `old` → `new`: reason", where `old` is the text of the code as it stands, lines joined by a space.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

LIST = Path("tests/common/mutation-survivors.md")
_MODULE = re.compile(r"## (common/\S+\.py)")
_FUNCTION = re.compile(r"### (\S+)")
_CHANGE = re.compile(r"- `(?P<old>[^`]+)` → (?:`(?P<new>[^`]+)`|nothing): (?P<why>.+)")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Change:
    """A change of one function; `old` and `new` are the lines that differ, joined by a space."""

    module: str
    function: str
    old: str
    new: str

    @override
    def __str__(self) -> str:
        """Return the change as the list writes it, without a reason."""
        return f"- `{self.old}` → " + (f"`{self.new}`" if self.new else "nothing")


def listed(text: str) -> dict[Change, str]:
    """Return the changes of the list with the reason of each.

    Raises:
        ValueError: a line is no change, stands twice, or stands under no module and function.
    """
    reasons: dict[Change, str] = {}
    module = function = ""
    for line in text.splitlines():
        if heading := _MODULE.fullmatch(line):
            module, function = heading[1], ""
        elif heading := _FUNCTION.fullmatch(line):
            function = heading[1]
        elif module and line:
            read = _CHANGE.fullmatch(line)
            if read is None or not function:
                raise ValueError(f"no change of a function: {line}")
            change = Change(module=module, function=function, old=read["old"], new=read["new"] or "")
            if change in reasons:
                raise ValueError(f"it stands twice: {line}")
            reasons[change] = read["why"]
    return reasons


def functions(source: str) -> dict[str, str]:
    """Return the text of the functions of a module by name, `Class.method` for methods, white space as one space."""
    return {name: one_line(ast.get_source_segment(source, node) or "") for name, node in _defined(ast.parse(source))}


def one_line(text: str) -> str:
    """Return a text with every stretch of white space as one space."""
    return " ".join(text.split())


def _defined(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{one.name}", one) for one in node.body if isinstance(one, ast.FunctionDef))
