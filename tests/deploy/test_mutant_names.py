"""A run of mutants is narrowed by the names that people use: a package, a module, a class, a function."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "deploy" / "setup" / "mutant_names.py"
_SPEC = importlib.util.spec_from_file_location("mutant_names", FILE)
assert _SPEC is not None
assert _SPEC.loader is not None
names = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(names)

FOUR = "common.money.words.x__four__mutmut_9"
CLOSE = "common.tariff.parse.section.xǁSectionǁclose__mutmut_12"
PRICE = "common.rating.pricers.late.x_price_late__mutmut_1"


@pytest.mark.parametrize(
    ("name", "module", "function"),
    [
        (FOUR, "common/money/words.py", "_four"),
        (CLOSE, "common/tariff/parse/section.py", "Section.close"),
        (PRICE, "common/rating/pricers/late.py", "price_late"),
    ],
)
def test_a_mutant_stands_in_a_function_of_a_module(name: str, module: str, function: str) -> None:
    place = names.place_of(name)
    assert (place.module, place.function) == (module, function)


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ([], {FOUR, CLOSE, PRICE}),
        (["money"], {FOUR}),
        (["common.money"], {FOUR}),
        (["mon"], set()),
        (["money.words._four"], {FOUR}),
        (["money.words._fou"], set()),
        (["tariff.parse.section.Section"], {CLOSE}),
        (["tariff.parse.section.Section.close", "rating.pricers"], {CLOSE, PRICE}),
        (["*.price_late"], {PRICE}),
    ],
)
def test_arguments_ask_for_whole_names(arguments: list[str], asked: set[str]) -> None:
    assert {name for name in (FOUR, CLOSE, PRICE) if names.is_asked(name, arguments)} == asked
