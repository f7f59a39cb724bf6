"""The table of traps: each names tests that are really there."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
import yaml

TESTS = Path(__file__).parents[1]
TABLE: dict[str, dict[str, list[str]]] = yaml.safe_load(
    Path(__file__).with_name("traps.yaml").read_text(encoding="utf-8")
)
TRAPS = [(f"{protocol}: {trap}", tests) for protocol, traps in TABLE.items() for trap, tests in traps.items()]


@cache
def names_in(path: str) -> frozenset[str]:
    """Return the names of the tests of a file."""
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def missing(named: list[str]) -> list[str]:
    """Return the named tests that are not there."""
    return [one for one in named if one.partition("::")[2] not in names_in(one.partition("::")[0])]


@pytest.mark.parametrize(("trap", "tests"), TRAPS, ids=[trap for trap, _ in TRAPS])
def test_a_trap_is_held_by_a_test_that_is_there(trap: str, tests: list[str]) -> None:
    assert tests, trap
    assert missing(tests) == []


def test_a_test_that_is_gone_is_seen() -> None:
    assert missing(["conformance/test_traps.py::test_that_was_never_written"]) != []
    assert missing(["conformance/test_traps.py::test_a_test_that_is_gone_is_seen"]) == []
