"""Money defects seen in other systems, by their number in the domain facts; those that belong to rating.

The others stand by number with their part: 6 to 8 with payments, 9 with deposits, 10 with mandates, 14 and 19 with the
rating of meters in the cloud.
"""

from __future__ import annotations

import ast
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from common.civil import Period, nth_month
from common.errors import FaultsError
from common.rating.engine import rate, rate_parts
from common.rating.proration import months_of
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import Debt, RatingRequest, Session, Visit
from common.rating.share import apportion
from common.tariff.model import RoundingStage
from common.tariff.revision import (
    KnownRevision,
    NoRevisionError,
    RevisionRef,
    choose,
    split_period,
    split_usage_by_days,
)
from tests.common.tariff.builders import JUNE, graduated, tariff, unit_price, usage, written
from tests.common.tariff.library import ROOT, revisions

KNOWN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "facts", "kind"),
    [
        ("area * unit / zero", {"area": "90", "unit": "2", "zero": "0"}, RefusalKind.FORMULA),
        ("area - unit", {"area": "1", "unit": "2", "zero": "0"}, RefusalKind.NEGATIVE_AMOUNT),
        ("area * unit", {"area": "90"}, RefusalKind.NO_FACT),
    ],
)
def test_defect_1_a_formula_that_fails_or_turns_negative_refuses_the_line(
    amount: str, facts: dict[str, str], kind: RefusalKind
) -> None:
    declared = {"unit": {"scale": "micro"}, "zero": {"scale": "count"}}
    custom = tariff(facts=declared, charges=[{"key": "custom", "amount": amount}])
    with pytest.raises(RatingRefusedError) as refusal:
        rate(custom, written(custom, {"facts": facts}))
    assert refusal.value.kind is kind


@pytest.mark.parametrize("text", ["__import__('os')", "C * D; exit()", "area.__class__", "open", "1 if area else 2"])
def test_defect_2_formulas_are_typed_names_and_never_run_as_code(text: str) -> None:
    with pytest.raises(FaultsError, match=r"charges\[0\]\.amount"):
        tariff(charges=[{"key": "custom", "amount": text}])


def test_defect_2_nothing_in_the_code_evaluates_text() -> None:
    for path in [*(ROOT / "common").rglob("*.py"), *(ROOT / "cloud").rglob("*.py")]:
        called = [node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        assert not {name.id for name in called if isinstance(name, ast.Name)} & {"eval", "exec", "compile"}, path


def test_defect_2_a_letter_in_a_name_is_not_replaced_by_a_value() -> None:
    declared = {"c": {"scale": "count"}, "cc": {"scale": "count"}}
    custom = tariff(facts=declared, charges=[{"key": "custom", "amount": "c + cc"}])
    assert rate(custom, written(custom, {"facts": {"c": "2", "cc": "30"}})).amount_fen == 3_200


def test_defect_3_a_new_price_leaves_past_months_as_they_were() -> None:
    may, june = Period(date(2026, 5, 1), date(2026, 6, 1)), JUNE
    old = RevisionRef(tariff_code="t", effective_from=date(2026, 1, 1), rev=1, body_sha="old")
    new = RevisionRef(tariff_code="t", effective_from=date(2026, 6, 1), rev=1, body_sha="new")
    known = [KnownRevision(ref=old, recorded_at=KNOWN), KnownRevision(ref=new, recorded_at=KNOWN)]
    assert choose(known, may.start, KNOWN) == old
    assert choose(known, june.start, KNOWN) == new


def test_defect_4_a_share_is_priced_once_and_split_so_that_it_adds_up() -> None:
    pool = rate(unit_price("0.5588"), usage(1_234_000))
    assert pool.amount_fen == 68_956
    areas = {f"a{n:02d}": 88_530 for n in range(60)} | {f"b{n:02d}": 121_370 for n in range(36)}
    parts = apportion(pool.amount_fen, areas)
    assert sum(parts.values()) == 68_956
    exact = {key: Fraction(68_956 * area, sum(areas.values())) for key, area in areas.items()}
    assert all(abs(parts[key] - exact[key]) < 1 for key in parts)


def test_defect_5_halves_round_one_way_once_a_line() -> None:
    assert rate(unit_price("0.15"), usage(130_700)).amount_fen == 1_961
    assert rate(unit_price("0.005"), usage(1_000)).amount_fen == 1
    assert rate(unit_price("0.005"), usage(3_000)).amount_fen == 2
    steps = [step.stage for step in unit_price("1").document.rounding]
    assert steps == [RoundingStage.LINE]


def charge_on(principal: int, due: date, paid: date, **rule: object) -> int:
    compiled = tariff(late_charge={"rate_per_day": "0.0005", **rule})
    debt = Debt(key="1", amount_fen=principal, due=due)
    return rate(compiled, RatingRequest(period=JUNE, debts=(debt,), paid_on=paid)).amount_fen


def test_defect_11_a_late_charge_runs_from_the_due_date_with_grace_and_cap() -> None:
    due, paid = date(2026, 6, 1), date(2026, 7, 16)
    assert charge_on(100_000, due, paid, grace_days=10, grace="forgiving") == 1_750
    assert charge_on(100_000, due, paid, grace_days=10, grace="delaying") == 2_250
    assert charge_on(100_000, due, date(2026, 6, 11), grace_days=10, grace="delaying") == 0
    assert charge_on(100_000, due, date(2046, 6, 1), cap_share="0.2") == 20_000


def test_defect_12_a_daily_late_charge_is_not_rounded_before_the_days() -> None:
    assert charge_on(8_943, date(2026, 6, 1), date(2026, 7, 1)) == 134


def test_defect_13_the_end_of_january_keeps_its_anchor_day() -> None:
    anchor = date(2026, 1, 31)
    starts = [month.start for month in months_of(Period(anchor, date(2026, 5, 1)), anchor)]
    assert starts == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]
    assert nth_month(anchor, 2) == date(2026, 3, 31)


def test_defect_15_a_time_without_a_price_is_refused_and_never_skipped() -> None:
    late_start = RevisionRef(tariff_code="t", effective_from=date(2026, 6, 10), rev=1, body_sha="a")
    with pytest.raises(NoRevisionError, match="no price holds on 2026-06-01"):
        split_period([KnownRevision(ref=late_start, recorded_at=KNOWN)], JUNE, KNOWN)
    with pytest.raises(FaultsError, match="no window holds 00:00"):
        tariff(windows=[{"name": "peak", "times": ["08:00-22:00"]}], charges=[{"key": "e", "by_window": {"peak": "1"}}])


def test_defect_16_windows_follow_the_rules_of_the_zone_and_no_fixed_offset() -> None:
    zone = ZoneInfo("Europe/Brussels")
    windows = [
        {"name": "day", "times": ["08:00-20:00"], "blocks": [{"every": 60, "price": "2"}]},
        {"name": "night", "times": ["20:00-08:00"], "blocks": [{"every": 60, "price": "1"}]},
    ]
    parking = tariff(session={"windows": windows})

    def cost(entry: datetime, end: datetime) -> int:
        visit = Visit(entry=entry.replace(tzinfo=zone).astimezone(UTC), exit=end.replace(tzinfo=zone).astimezone(UTC))
        session = Session(visits=(visit,), zone=zone, zone_name="Europe/Brussels")
        return rate(parking, RatingRequest(period=JUNE, session=session)).amount_fen

    winter, summer = datetime(2026, 1, 15, 8), datetime(2026, 7, 15, 8)  # noqa: DTZ001 - local times
    assert cost(winter, winter.replace(hour=10)) == cost(summer, summer.replace(hour=10)) == 400
    spring, autumn = datetime(2026, 3, 29), datetime(2026, 10, 25)  # noqa: DTZ001 - local times
    assert cost(spring, spring.replace(hour=8)) == 700
    assert cost(autumn, autumn.replace(hour=8)) == 900


def test_defect_17_usage_above_the_top_tier_is_priced_and_a_price_change_splits_it() -> None:
    tiers = graduated(["100", "200"], ["0.5", "0.6", "0.9"])
    assert rate(tiers, usage(1_000_000)).amount_fen == 5_000 + 6_000 + 72_000
    parts = [Period(JUNE.start, date(2026, 6, 10)), Period(date(2026, 6, 10), JUNE.end)]
    pieces = split_usage_by_days(300_000, parts)
    assert pieces == [90_000, 210_000]
    old, new = unit_price("0.50"), unit_price("0.60")
    line = rate_parts([(old, usage(pieces[0], 0, parts[0])), (new, usage(pieces[1], 0, parts[1]))])
    assert line.amount_fen == 4_500 + 12_600
    assert [item.labels["part"] for item in line.components] == ["1", "2"]


def test_defect_17_a_table_without_an_open_last_tier_has_to_say_so() -> None:
    with pytest.raises(FaultsError, match="the last tier is open unless `closed: true`"):
        graduated(["100", "200"], ["0.5", "0.6"])
    (taipower,) = revisions("electricity/taipower-bimonthly")
    with pytest.raises(RatingRefusedError, match="the tariff gives no price above 500") as refusal:
        rate(taipower, usage(501_000))
    assert refusal.value.kind is RefusalKind.NO_PRICE


def test_defect_18_no_price_and_area_of_the_grid_is_off_by_a_cent() -> None:
    fee = tariff(facts={"price": {"scale": "micro"}}, charges=[{"key": "fee", "quantity": "area", "price": "price"}])
    for cents in range(1, 400, 7):
        for area in range(5_000, 15_000, 371):
            facts = {"price_micro": cents * 10_000, "area_milli": area * 10}
            expected = (Decimal(cents) * Decimal(area) / 100).quantize(Decimal(1), rounding="ROUND_HALF_UP")
            assert rate(fee, RatingRequest(period=JUNE, facts=facts)).amount_fen == expected


def test_defect_18_no_float_stands_in_the_code_of_money() -> None:
    for package in ("money", "measure", "tariff", "rating"):
        for path in sorted(Path(ROOT / "common" / package).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
            assert not [value for value in constants if isinstance(value, float)], path
