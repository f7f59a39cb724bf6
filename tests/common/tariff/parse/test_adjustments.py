"""Adjustments and rounding plans as written, up to the edge of what is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from common.errors import FaultsError
from common.money.rounding import RoundingMode
from common.tariff.document import parse_tariff
from common.tariff.model import AdjustmentKind, RoundingStage, RoundingStep
from tests.common.tariff.builders import body

CHARGES = [{"key": "e", "price": "1"}, {"key": "f", "price": "1"}]
LINE = RoundingStep(stage=RoundingStage.LINE, grid=1, mode=RoundingMode.HALF_UP)


def adjusted(*adjust: dict[str, Any]) -> list[AdjustmentKind]:
    return [one.kind for one in parse_tariff(body(charges=CHARGES, adjust=list(adjust))).adjustments]


def rounded(*steps: dict[str, Any]) -> tuple[RoundingStep, ...]:
    return parse_tariff(body(charges=CHARGES, rounding=list(steps))).rounding


def test_a_discount_may_take_off_all() -> None:
    assert adjusted({"discount": "1"}) == [AdjustmentKind.DISCOUNT]


def test_a_cap_may_be_the_minimum() -> None:
    assert adjusted({"cap": "2"}, {"minimum": "2"}) == [AdjustmentKind.CAP, AdjustmentKind.MINIMUM]


@pytest.mark.parametrize(
    "low",
    [
        {"cap": "1", "when": {"vacant": {"from": "1"}}},
        {"cap": "1", "per": "month"},
        {"cap": "area"},
    ],
)
def test_a_cap_that_does_not_always_stand_at_its_figure_is_not_held_against_the_minimum(low: dict[str, Any]) -> None:
    assert len(adjusted(low, {"minimum": "2"})) == 2


def test_an_adjustment_of_an_unknown_charge_names_those_there_are() -> None:
    with pytest.raises(FaultsError, match=r"adjust\[0\]\.applies_to: there is no charge 'x'; use e, f$"):
        adjusted({"cap": "1", "applies_to": ["x"]})


def test_a_plan_without_a_stage_for_the_line_rounds_it_half_up_to_the_fen_before_the_bill() -> None:
    component, bill = {"stage": "component", "to": "0.01"}, {"stage": "bill", "to": "0.1"}
    assert rounded() == (LINE,)
    assert [step.stage for step in rounded(component, bill)] == ["component", "line", "bill"]
    assert rounded(component, bill)[1] == LINE
    assert rounded(bill)[0] == LINE


def test_a_stage_that_stands_twice_is_refused() -> None:
    line = {"stage": "line", "to": "0.01"}
    with pytest.raises(FaultsError, match="rounding: the stages are not in the order"):
        rounded(line, line)
