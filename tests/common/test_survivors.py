"""The list of mutants that may stand names code that is there, so it cannot go stale unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.common.survivors import LIST, Change, functions, listed

ROOT = Path(__file__).parents[2]
REASONS = listed((ROOT / LIST).read_text(encoding="utf-8"))
SOURCE = """
def twice(value):
    return (
        value * 2
    )


class Box:
    def open(self):
        return 1
"""


def faults_of(change: Change, functions_of: dict[str, str]) -> list[str]:
    """Return what a line of the list names that is not there."""
    if change.function not in functions_of:
        return [f"{change.module} has no function {change.function}"]
    if change.old not in functions_of[change.function]:
        return [f"{change.module} {change.function} does not say {change.old}"]
    return []


def test_every_survivor_names_code_that_is_there() -> None:
    sources = {
        module: functions((ROOT / module).read_text(encoding="utf-8")) for module in {one.module for one in REASONS}
    }
    assert [fault for change in REASONS for fault in faults_of(change, sources[change.module])] == []


def test_every_survivor_has_a_reason_of_its_own_words() -> None:
    assert REASONS
    assert [change for change, why in REASONS.items() if len(why.split()) < 4] == []
    assert [change for change in REASONS if change.old == change.new] == []


def test_a_line_that_names_code_that_is_gone_is_found() -> None:
    there = functions(SOURCE)
    assert set(there) == {"twice", "Box.open"}
    good = Change(module="m", function="twice", old="return ( value * 2 )", new="return 2")
    assert faults_of(good, there) == []
    assert faults_of(Change(module="m", function="twice", old="value * 3", new=""), there)
    assert faults_of(Change(module="m", function="Box.close", old="return 1", new=""), there)


def test_a_list_is_read_line_by_line() -> None:
    head = "words before\n\n## common/money/split.py\n\n### f\n\n"
    first = Change(module="common/money/split.py", function="f", old="a > 0", new="a >= 0")
    assert listed(f"{head}{first}: zero is zero") == {first: "zero is zero"}
    assert listed(f"{head}- `x` → nothing: it is never asked") == {
        Change(module="common/money/split.py", function="f", old="x", new=""): "it is never asked"
    }


@pytest.mark.parametrize(
    "text",
    [
        "## common/money/split.py\n- `a` → `b`: no function",
        "## common/money/split.py\n### f\n- `a` → `b`",
        "## common/money/split.py\n### f\nwords between",
        "## common/money/split.py\n### f\n- `a` → `b`: why\n- `a` → `b`: again",
    ],
)
def test_a_list_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"no change of a function|stands twice"):
        listed(text)
