"""Conditions as written: months of both ends, choices one or several, ranges of one value."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from common.civil import Period
from common.errors import FaultsError
from common.rating.engine import rate
from common.rating.request import RatingRequest
from tests.common.tariff.builders import JUNE, tariff


def amount(when: dict[str, Any], request: RatingRequest) -> int:
    """Return fen: 100 under the condition and 1 without."""
    cases = [
        {"key": "a", "when": when, "charges": [{"key": "e", "amount": "1"}]},
        {"key": "b", "charges": [{"key": "e", "amount": "0.01"}]},
    ]
    return rate(tariff(traits={"class": {"choices": ["home", "shop", "school"]}}, cases=cases), request).amount_fen


def test_a_condition_may_ask_for_the_month_in_which_the_period_ends() -> None:
    to_july, to_august = JUNE, Period(date(2026, 6, 1), date(2026, 8, 1))
    assert [amount({"end_months": [7]}, RatingRequest(period=period)) for period in (to_july, to_august)] == [100, 1]


def test_a_month_of_the_end_that_is_none_is_a_fault() -> None:
    with pytest.raises(FaultsError, match=r"cases\[0\]\.when\.end_months: 13 is unknown"):
        amount({"end_months": [13]}, RatingRequest(period=JUNE))


@pytest.mark.parametrize(("choices", "fen"), [("shop", 1), ("home", 100), (["shop", "home"], 100), (["shop"], 1)])
def test_a_condition_names_one_choice_or_several(choices: object, fen: int) -> None:
    assert amount({"class": choices}, RatingRequest(period=JUNE, traits={"class": "home"})) == fen


def test_a_condition_may_ask_whether_windows_were_metered() -> None:
    when = {"metering": "windows"}
    assert amount(when, RatingRequest(period=JUNE, windows_milli={"peak": 1})) == 100
    assert amount(when, RatingRequest(period=JUNE, quantity_milli=1)) == 1


def test_a_range_may_hold_one_value() -> None:
    when = {"persons": {"from": "6", "to": "6"}}
    found = [amount(when, RatingRequest(period=JUNE, facts={"persons": count})) for count in (5, 6, 7)]
    assert found == [1, 100, 1]
