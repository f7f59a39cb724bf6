"""The line as a whole: its period, its largest amount, coarse grids, allowances by facts, what earlier visits cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from common.civil import Period
from common.errors import InvariantError
from common.money.amount import INT64_MAX
from common.rating.engine import EARLIER_KEY, rate, rate_parts
from common.rating.explain import explain
from common.rating.line import ComponentKind, RatedLine
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import RatingRequest
from common.tariff.model import Words
from tests.common.tariff.builders import JUNE, stay, tariff, unit_price, usage, written

MIDDLE = date(2026, 6, 16)
HALVES = (Period(JUNE.start, MIDDLE), Period(MIDDLE, JUNE.end))


def coarse(amount: str, to: str) -> RatedLine:
    compiled = tariff(charges=[{"key": "e", "amount": amount}], rounding=[{"stage": "line", "to": to}])
    return rate(compiled, RatingRequest(period=JUNE))


def test_a_line_of_parts_is_of_all_their_days() -> None:
    line = rate_parts([(unit_price("1"), usage(1_000, period=half)) for half in HALVES])
    assert line.period == JUNE
    assert rate(unit_price("1"), usage(1_000, period=HALVES[1])).period == HALVES[1]


def test_a_line_has_a_part() -> None:
    with pytest.raises(InvariantError, match=r"^a line has a part$"):
        rate_parts([])


def test_the_largest_amount_is_priced_and_one_more_is_refused() -> None:
    most = tariff(charges=[{"key": "e", "amount": "92233720368547758 + 0.07"}])
    assert rate(most, RatingRequest(period=JUNE)).amount_fen == INT64_MAX
    with pytest.raises(RatingRefusedError) as refusal:
        rate(tariff(charges=[{"key": "e", "amount": "92233720368547758 + 0.08"}]), RatingRequest(period=JUNE))
    assert refusal.value.kind is RefusalKind.TOO_LARGE


def test_a_coarse_grid_is_told_by_itself_and_only_where_it_moves_the_amount() -> None:
    moved = coarse("3.33", "0.1")
    assert [(item.key, item.charge, item.fen) for item in moved.components] == [
        ("e", "e", 333),
        ("rounding", "rounding", -3),
    ]
    assert moved.components[-1].labels == {"grid": "10", "mode": "half_up"}
    assert [item.key for item in coarse("3.30", "0.1").components] == ["e"]
    assert [item.fen for item in coarse("3.33", "0.02").components] == [333, 1]


@pytest.mark.parametrize(
    ("allowance", "persons", "fen", "free"),
    [("persons * 2", 3, 400, 1), ("min(usage, persons) * 2", 20, 0, 1), ("persons - 5", 5, 1_000, 0)],
)
def test_a_free_allowance_may_rest_on_facts_and_usage(allowance: str, persons: int, fen: int, free: int) -> None:
    compiled = unit_price("1", free_allowance=allowance)
    line = rate(compiled, RatingRequest(period=JUNE, quantity_milli=10_000, facts={"persons": persons}))
    assert line.amount_fen == fen
    assert sum(item.kind is ComponentKind.FREE for item in line.components) == free


def test_what_earlier_visits_were_charged_stands_under_a_name_of_its_own() -> None:
    compiled = tariff(session={"blocks": [{"every": 60, "price": "2"}], "cut": "calendar_day", "day_cap": "10"})
    visits = stay(("2026-06-01T08:00", "2026-06-01T09:00"), ("2026-06-01T10:00", "2026-06-01T12:00"))
    line = rate(compiled, RatingRequest(period=JUNE, session=replace(visits, charged=1)))
    credit = line.components[-1]
    assert (credit.key, credit.charge, credit.fen) == (EARLIER_KEY, EARLIER_KEY, -200)
    assert credit.label == Words(zh="此前停放已计费", en="charged for earlier visits")
    assert "charged for earlier visits: -2.00 CNY" in explain(line, "en")


def test_windows_without_usage_leave_nothing_to_adjust() -> None:
    compiled = tariff(
        windows=[{"name": "peak", "times": ["08:00-22:00"]}, {"name": "valley", "times": ["22:00-08:00"]}],
        tiers={"bounds": ["100"]},
        charges=[{"key": "e", "by_window": {"peak": ["1", "2"], "valley": ["0.5", "1.5"]}}],
    )
    assert rate(compiled, written(compiled, {"windows": {"peak": "0", "valley": "0"}})).components == ()


def test_windows_are_needed_by_the_civil_months_whatever_day_a_contract_counts_its_months_from() -> None:
    windows = [
        {"name": "winter", "times": ["00:00-24:00"], "months": [1, 2]},
        {"name": "rest", "times": ["00:00-24:00"], "months": [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]},
    ]
    compiled = tariff(windows=windows, charges=[{"key": "e", "by_window": {"winter": "2", "rest": "1"}}])
    march = Period(date(2026, 3, 1), date(2026, 4, 1))
    request = RatingRequest(period=march, windows_milli={"rest": 5_000}, anchor=date(2024, 1, 31))
    assert rate(compiled, request).amount_fen == 500


def test_a_late_charge_that_is_above_its_cap_by_a_part_of_a_fen_is_held_to_it() -> None:
    compiled = tariff(late_charge={"rate_per_day": "0.001", "cap_share": "0.02"})
    debts = [{"key": str(number), "amount": "1.00", "due": "2026-06-01"} for number in range(10)]
    line = rate(compiled, written(compiled, {"debts": debts, "paid_on": "2026-06-22"}))
    assert line.amount_fen == 20
    assert sum(item.kind is ComponentKind.CAP for item in line.components) == 10


def test_an_amount_that_falls_below_zero_is_refused_in_words() -> None:
    compiled = tariff(charges=[{"key": "e", "amount": "usage - 10"}])
    with pytest.raises(RatingRefusedError, match=r"^negative_amount: e: usage - 10 is -500 minor units$"):
        rate(compiled, usage(5_000))


def test_a_formula_that_divides_by_nothing_is_refused_in_words() -> None:
    compiled = tariff(charges=[{"key": "e", "amount": "1 / area"}])
    with pytest.raises(RatingRefusedError, match=r"^formula: 1 / area: the formula divides by zero$"):
        rate(compiled, RatingRequest(period=JUNE, facts={"area_milli": 0}))
