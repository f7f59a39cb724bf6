"""The house rules that no other tool checks; each measure is shown to be able to fail."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture import tidy
from tests.architecture.tracked import FILES, PRODUCT, PYTHON, ROOT

FLOAT_FREE = (
    "common/money",
    "common/measure",
    "common/tariff",
    "common/rating",
    "cloud/ledger",
    "cloud/billing",
    "cloud/payments",
)
TEXT = {".py", ".md", ".yaml", ".toml", ".sh", ".html", ".js", ".css", ".sql"}
TOP_LEVEL = {
    "common", "edge", "cloud", "firmware-config", "deploy", "tests",
    "pyproject.toml", "README.md", "Makefile", "LICENSE",
}  # fmt: skip


def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def test_the_top_level_holds_exactly_the_agreed_folders() -> None:
    top = {path.parts[0] for path in FILES if not path.parts[0].startswith(".")}
    assert top <= TOP_LEVEL, top - TOP_LEVEL


def test_no_file_is_longer_than_the_limit() -> None:
    lengths = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in PYTHON}
    assert {name: n for name, n in lengths.items() if n > tidy.FILE_LINES_MAX} == {}


def test_no_function_is_longer_than_the_limit() -> None:
    assert {str(path): found for path in PYTHON if (found := tidy.long_functions(parsed(path)))} == {}


def test_every_module_says_its_job() -> None:
    assert [str(path) for path in PYTHON if tidy.lacks_docstring(parsed(path))] == []


def test_no_float_comes_near_money() -> None:
    near_money = [path for path in PRODUCT if str(path).startswith(FLOAT_FREE)]
    assert near_money
    assert {str(path): found for path in near_money if (found := tidy.floats(parsed(path)))} == {}


def test_nothing_is_left_for_later_and_no_machine_is_named() -> None:
    found = {}
    for path in [path for path in FILES if path.suffix in TEXT]:
        text = (ROOT / path).read_text(encoding="utf-8")
        hits = tidy.BANNED_WORDS.findall(text) + tidy.MACHINE_TRACES.findall(text)
        if hits:
            found[str(path)] = hits
    assert found == {}


def test_no_module_takes_the_name_of_a_standard_one() -> None:
    names = [path for path in PRODUCT if tidy.shadows_standard_module(path.with_suffix("").parts)]
    assert [str(path) for path in names] == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [("price = 0.5", [1]), ("x = float('1')", [1]), ("half = a / b", [1]), ("half = a // b", []), ("n = 3", [])],
)
def test_the_float_ban_sees_literals_names_and_true_division(source: str, lines: list[int]) -> None:
    assert tidy.floats(ast.parse(source)) == lines


def test_the_length_measure_sees_a_long_function() -> None:
    body = "\n".join("    x = 1" for _ in range(tidy.FUNCTION_LINES_MAX))
    assert tidy.long_functions(ast.parse(f"def giant():\n{body}\n")) == [("giant", tidy.FUNCTION_LINES_MAX + 1)]
    assert tidy.long_functions(ast.parse("def small():\n    return 1\n")) == []


def test_the_word_ban_and_the_shadowing_rule_can_fail() -> None:
    assert tidy.BANNED_WORDS.search("# TO" + "DO later")
    assert tidy.shadows_standard_module(("edge", "calendar"))
    assert tidy.lacks_docstring(ast.parse("x = 1"))
