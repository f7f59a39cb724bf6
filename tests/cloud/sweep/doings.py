"""Which use cases move money, read from the code itself, so that a new one cannot be forgotten.

A function moves money when it names a function that posts journals, directly or through others. A use case is such a
function of a domain that the outer layer names: endpoints, pages, jobs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_POSTING = frozenset({"cloud.ledger.service.post", "cloud.ledger.service.post_many"})
_BOOKS = frozenset({"cloud.ledger.periods.close_period", "cloud.ledger.closing.seal_through"})
_OUTER = ("cloud.web.", "cloud.flow.", "cloud.api.")
_OUTER_MODULES = ("tasks", "endpoints")


def money_use_cases() -> set[str]:
    """Return the full names of the use cases that move money or close its books."""
    calls = set(_calls())
    movers = _movers(calls)
    return {told for teller, told in calls if told in movers and _is_outer(teller) and not _is_outer(told)}


def _movers(calls: set[tuple[str, str]]) -> set[str]:
    movers = set(_POSTING | _BOOKS)
    while more := {teller for teller, told in calls if told in movers} - movers:
        movers |= more
    return movers


def _is_outer(function: str) -> bool:
    module = function.rsplit(".", 2)[-2]
    return function.startswith(_OUTER) or module.endswith(_OUTER_MODULES)


def _calls() -> Iterator[tuple[str, str]]:
    for path in sorted((_ROOT / "cloud").rglob("*.py")):
        parts = path.relative_to(_ROOT).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield from _calls_of(module, ast.parse(path.read_text(encoding="utf-8")))


def _calls_of(module: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield who names whom among functions, by full name."""
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    known = {name: f"{module}.{name}" for name in functions}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for name, function in functions.items():
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id in known:
                yield f"{module}.{name}", known[node.id]
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.value.id in known:
                    yield f"{module}.{name}", f"{known[node.value.id]}.{node.attr}"
                elif node.value.id == "self":
                    yield f"{module}.{name}", f"{module}.{node.attr}"
