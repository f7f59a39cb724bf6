"""The explanation is told from the trace, in both languages, and its amounts sum to the line."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given

from common.civil import Period
from common.errors import InvariantError
from common.rating.engine import rate, rate_parts
from common.rating.explain import explain
from common.rating.line import RatedLine, spread_fen
from common.rating.plain import line_from_plain, line_to_plain
from common.rating.request import Debt, RatingRequest, Share, Split, SplitCause, SplitUsage
from common.rating.rounding import round_bill
from common.tariff.canonical import canonical_json
from common.tariff.compile import compile_tariff
from common.tariff.document import parse_tariff
from tests.common.rating import strategies
from tests.common.tariff.builders import JUNE, graduated, stay, tariff, unit_price, usage

X = "\N{MULTIPLICATION SIGN}"
LABEL = {"zh": "电费", "en": "energy"}


def told(line: RatedLine) -> tuple[list[str], list[str]]:
    """Return both explanations with a plain x for the sign of multiplication."""
    zh, en = ([sentence.replace(X, "x") for sentence in explain(line, language)] for language in ("zh", "en"))
    return zh, en


def test_tiers_are_told_as_one_sum() -> None:
    compiled = tariff(
        tiers={"bounds": ["2160", "4200"]},
        charges=[{"key": "energy", "label": LABEL, "prices": ["0.50", "0.55", "0.80"]}],
    )
    line = rate(compiled, usage(150_000, 2_100_000))
    assert line.amount_fen == 7_950
    assert told(line) == (
        ["电费: 60 度 x 0.50 + 90 度 x 0.55 = 79.50 元", "合计 79.50 元"],
        ["energy: 60 kWh x 0.50 + 90 kWh x 0.55 = 79.50 CNY", "Total 79.50 CNY"],
    )


def test_adjustments_and_coarse_rounding_are_told_one_by_one() -> None:
    compiled = tariff(
        charges=[{"key": "energy", "label": LABEL, "price": "0.5"}, {"key": "base", "amount": "3", "per": "month"}],
        adjust=[
            {"discount": "0.1", "label": {"zh": "优惠", "en": "discount"}, "applies_to": ["energy"]},
            {"surcharge": "0.06", "label": {"zh": "增值税", "en": "VAT"}},
            {"rebate": "1", "label": {"zh": "抵扣", "en": "rebate"}},
            {"minimum": "50.55", "label": {"zh": "最低", "en": "minimum"}},
        ],
        rounding=[{"stage": "line", "to": "1"}],
        whole_units={"size": "1"},
        free_allowance="2",
    )
    line = rate(compiled, RatingRequest(period=JUNE, quantity_milli=100_700))
    assert line.amount_fen == 5_100
    assert line.carried_milli == 700
    assert told(line) == (
        [
            "免费额度 2 度",
            "电费: 98 度 x 0.50 = 49.00 元",
            "base x 1 个月: 3.00 元",
            "优惠: 49.00 元 x 10% = -4.90 元",
            "增值税: 47.10 元 x 6% = 2.83 元",
            "抵扣: -1.00 元",
            "最低: 补足最低收费 1.62 元",
            "尾数取整: 0.45 元",
            "结转下期 0.7",
            "合计 51.00 元",
        ],
        [
            "free allowance 2 kWh",
            "energy: 98 kWh x 0.50 = 49.00 CNY",
            "base x 1 month: 3.00 CNY",
            "discount: 49.00 CNY x 10% = -4.90 CNY",
            "VAT: 47.10 CNY x 6% = 2.83 CNY",
            "rebate: -1.00 CNY",
            "minimum: raised to the minimum by 1.62 CNY",
            "rounding: 0.45 CNY",
            "0.7 carried to the next period",
            "Total 51.00 CNY",
        ],
    )


def test_a_cap_is_told_as_what_it_takes_off() -> None:
    adjust = [{"cap": "45", "per": "month", "label": {"zh": "封顶", "en": "cap"}}]
    zh, en = told(rate(unit_price("0.5", adjust=adjust), usage(100_000)))
    assert zh[1:] == ["封顶: 超出封顶部分 -5.00 元", "合计 45.00 元"]
    assert en[1] == "cap: above the cap -5.00 CNY"


def test_a_session_is_told_with_its_times() -> None:
    windows = [
        {
            "name": "day",
            "label": {"zh": "白天", "en": "day"},
            "times": ["08:00-20:00"],
            "blocks": [{"every": 30, "price": "1"}],
        },
        {"name": "night", "label": {"zh": "夜间", "en": "night"}, "times": ["20:00-08:00"], "once": "6"},
    ]
    compiled = tariff(session={"windows": windows})
    session = stay(("2026-06-01T19:00", "2026-06-02T08:20"))
    zh, en = told(rate(compiled, RatingRequest(period=JUNE, session=session)))
    assert zh == [
        "白天 06-01 19:00-20:00: 2 x 30 分钟 x 1.00 = 2.00 元",
        "夜间 06-01 20:00-06-02 08:00: 1 次 x 6.00 = 6.00 元",
        "白天 06-02 08:00-08:20: 1 x 30 分钟 x 1.00 = 1.00 元",
        "合计 9.00 元",
    ]
    assert en[0] == "day 06-01 19:00-20:00: 2 x 30 min x 1.00 = 2.00 CNY"


def test_a_late_charge_and_a_share_are_told_with_what_they_stand_on() -> None:
    late = tariff(late_charge={"rate_per_day": "0.003"})
    debt = Debt(key="1", amount_fen=50_000, due=date(2026, 6, 1))
    zh, en = told(rate(late, RatingRequest(period=JUNE, debts=(debt,), paid_on=date(2026, 7, 1))))
    assert zh[0] == "违约金: 本金 500.00 元 x 30 天 x 每日 0.3% = 45.00 元"
    assert en[0] == "late charge: 500.00 CNY x 30 day x 0.3% a day = 45.00 CNY"
    pool = tariff(
        charges=[{"key": "p", "price": "1"}], share={"weight": "area", "label": {"zh": "公摊", "en": "share"}}
    )
    share = Share(
        pool_fen=68_956, part_fen=632, weight=Fraction(8_853, 100), weights=Fraction(968_112, 100), sharers=96
    )
    zh, en = told(rate(pool, RatingRequest(period=JUNE, share=share)))
    assert zh[0] == "公摊: 总额 689.56 元 按权重分摊, 本户 88.53, 共 96 户合计 9681.12 = 6.32 元"
    assert en[0] == "share: 689.56 CNY split by weight, yours 88.53 of 9681.12 over 96 premises = 6.32 CNY"


def test_a_part_month_is_told_as_a_fraction_and_a_plan_by_its_name() -> None:
    compiled = tariff(
        cases=[{"key": "all", "label": {"zh": "全部", "en": "all"}, "charges": [
            {"key": "f", "label": {"zh": "物业费", "en": "fee"}, "quantity": "area", "price": "2.5", "per": "month"}]}]
    )  # fmt: skip
    period = Period(date(2026, 5, 11), date(2026, 7, 1))
    zh, en = told(rate(compiled, RatingRequest(period=period, facts={"area_milli": 100_000})))
    assert zh == ["适用: 全部", "物业费: 100 x 2.50 x 52/31 个月 = 419.35 元", "合计 419.35 元"]
    assert en[:2] == ["Plan: all", "fee: 100 x 2.50 x 52/31 month = 419.35 CNY"]


def test_a_price_change_is_told_part_by_part() -> None:
    parts = [Period(JUNE.start, date(2026, 6, 10)), Period(date(2026, 6, 10), JUNE.end)]
    line = rate_parts([(unit_price("0.5"), usage(9_000, 0, parts[0])), (unit_price("0.6"), usage(21_000, 0, parts[1]))])
    assert len({item.key for item in line.components}) == 2
    zh, en = told(line)
    assert zh == [
        "第 1 段, 共 2 段, 2026-06-01 至 2026-06-09, 因价格调整分段",
        "energy: 9 度 x 0.50 = 4.50 元",
        "第 2 段, 共 2 段, 2026-06-10 至 2026-06-30, 因价格调整分段",
        "energy: 21 度 x 0.60 = 12.60 元",
        "合计 17.10 元",
    ]
    assert en[0] == "Part 1 of 2, 2026-06-01 to 2026-06-09, split where the price changed"
    assert en[2] == "Part 2 of 2, 2026-06-10 to 2026-06-30, split where the price changed"


def test_parts_under_one_price_are_told_without_a_cause() -> None:
    parts = [Period(JUNE.start, date(2026, 6, 10)), Period(date(2026, 6, 10), JUNE.end)]
    line = rate_parts([(unit_price("0.5"), usage(9_000, 0, part)) for part in parts])
    assert told(line)[1][0] == "Part 1 of 2, 2026-06-01 to 2026-06-09"


@pytest.mark.parametrize(
    ("split", "zh", "en"),
    [
        (
            Split(cause=SplitCause.PRICE, usage=SplitUsage.READINGS),
            "因价格调整分段, 用量按分段日的读数",
            "split where the price changed, usage by the readings of those days",
        ),
        (
            Split(cause=SplitCause.PRICE, usage=SplitUsage.DAYS),
            "因价格调整分段, 分段日没有读数, 用量按天数分摊",
            "split where the price changed, usage spread by days, as no reading stands between",
        ),
        (Split(cause=SplitCause.PAYER), "因缴费人变更分段", "split where the payer changed"),
        (Split(cause=SplitCause.TIER_YEAR), "因阶梯周期重新起算分段", "split where the tiers start anew"),
    ],
)
def test_a_line_that_is_one_part_of_a_cut_period_says_why_and_how_it_was_split(split: Split, zh: str, en: str) -> None:
    days = Period(date(2026, 6, 10), JUNE.end)
    request = RatingRequest(period=days, quantity_milli=21_000, bill=JUNE, part=2, parts=2, split=split)
    line = rate(unit_price("0.6"), request)
    assert [item.key for item in line.components] == ["energy"]
    assert told(line)[0][0] == f"第 2 段, 共 2 段, 2026-06-10 至 2026-06-30, {zh}"
    assert told(line)[1][0] == f"Part 2 of 2, 2026-06-10 to 2026-06-30, {en}"
    assert told(line_from_plain(line_to_plain(line))) == told(line)
    assert line.components[0].labels["period"] == "2026-06-10..2026-07-01"
    assert line.input_sha != rate(unit_price("0.6"), replace(request, split=None)).input_sha


@given(strategies.tiered(), strategies.QUANTITIES)
def test_a_line_is_read_back_from_its_plain_form_byte_for_byte(document: dict[str, Any], quantity: int) -> None:
    line = rate(
        compile_tariff(parse_tariff(document)),
        RatingRequest(period=JUNE, quantity_milli=quantity, facts={"persons": 1}),
    )
    printed = canonical_json(line_to_plain(line))
    assert line_from_plain(json.loads(printed)) == line
    assert canonical_json(line_to_plain(line_from_plain(json.loads(printed)))) == printed


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("tariff_code", 1, "1 stands where a rated line holds text"),
        ("amount_fen", "1", "'1' stands where a rated line holds a whole number"),
        ("components", 1, "1 stands where a rated line holds a list"),
        ("plan", 1, "1 stands where a rated line holds fields"),
        ("amount_fen", 1, "do not make a line of 1"),
    ],
)
def test_a_damaged_plain_form_is_an_invariant_error(field: str, value: object, message: str) -> None:
    plain = line_to_plain(rate(graduated(["100"], ["1", "2"]), usage(150_000)))
    with pytest.raises(InvariantError, match=message):
        line_from_plain({**plain, field: value})


def test_quantities_of_components_are_milli_units_rounded_half_up() -> None:
    line = rate(
        tariff(charges=[{"key": "e", "quantity": "usage / 3", "price": "1"}, {"key": "a", "amount": "1"}]), usage(1_000)
    )
    assert [item.qty_milli for item in line.components] == [333, None]


def test_whole_fen_are_spread_over_components_so_that_they_sum() -> None:
    assert spread_fen([Fraction(1, 3)] * 3, 1) == [1, 0, 0]
    assert spread_fen([Fraction(5, 2), Fraction(-1, 2)], 2) == [3, -1]
    assert spread_fen([], 0) == []
    assert spread_fen([Fraction(1), Fraction(1)], 7) == [4, 3]


def test_charges_and_bills_are_rounded_at_their_own_stage() -> None:
    plan = [
        {"stage": "charge", "to": "1"},
        {"stage": "line", "to": "0.01"},
        {"stage": "bill", "to": "0.1", "mode": "down"},
    ]
    compiled = tariff(
        tiers={"bounds": ["10"]},
        charges=[{"key": "a", "prices": ["0.33", "0.44"]}, {"key": "b", "price": "0.111"}],
        rounding=plan,
    )
    line = rate(compiled, usage(20_000))
    assert line.amount_fen == 800 + 200
    assert line.exact == 770 + 222
    assert round_bill(compiled.document.rounding, 1_239) == -9
    assert round_bill(unit_price("1").document.rounding, 1_239) == 0


def test_a_price_of_nothing_and_a_usage_of_nothing_are_told_as_such() -> None:
    assert explain(rate(unit_price("0"), usage(5_000)), "zh")[0] == "energy: 5 度 × 0.00 = 0.00 元"
    assert explain(rate(unit_price("2"), usage(0)), "en")[0] == "energy: 0 kWh × 2.00 = 0.00 CNY"


def test_a_unit_without_a_chinese_word_stands_as_it_is() -> None:
    told = explain(rate(tariff(unit="degC", charges=[{"key": "heat", "price": "2"}]), usage(1_000)), "zh")
    assert told[0] == "heat: 1 degC × 2.00 = 2.00 元"


def test_money_is_told_with_the_decimals_of_its_currency() -> None:
    told = explain(rate(tariff(currency="KRW", charges=[{"key": "e", "price": "20"}]), usage(2_500)), "en")
    assert told[-1] == "Total 50 KRW"


def test_stretches_of_a_stay_on_two_days_are_told_apart() -> None:
    compiled = tariff(session={"blocks": [{"every": 60, "price": "2"}], "cut": "calendar_day"})
    session = stay(("2026-06-01T23:00", "2026-06-02T01:00"), ("2026-06-02T03:00", "2026-06-02T04:00"))
    told = explain(rate(compiled, RatingRequest(period=JUNE, session=session)), "zh")
    assert len(told) == 4
    assert told[-1] == "合计 6.00 元"


def test_a_part_with_several_charges_says_once_which_part_it_is() -> None:
    compiled = tariff(charges=[{"key": "a", "price": "1"}, {"key": "b", "price": "2"}])
    parts = [Period(JUNE.start, date(2026, 6, 10)), Period(date(2026, 6, 10), JUNE.end)]
    en = told(rate_parts([(compiled, usage(1_000, 0, part)) for part in parts]))[1]
    assert [sentence.partition(",")[0].partition(":")[0] for sentence in en[:-1]] == [
        "Part 1 of 2", "a", "b", "Part 2 of 2", "a", "b",
    ]  # fmt: skip


def test_full_days_are_told_one_by_one() -> None:
    rule = {"blocks": [{"every": 60, "price": "2"}], "cut": "calendar_day", "full_day": "20"}
    session = stay(("2026-06-01T00:00", "2026-06-03T00:00"))
    zh = told(rate(tariff(session=rule), RatingRequest(period=JUNE, session=session)))[0]
    assert zh == ["全天: 1 天 x 20.00 = 20.00 元", "全天: 1 天 x 20.00 = 20.00 元", "合计 40.00 元"]


def test_a_base_of_half_a_fen_is_told_rounded_up() -> None:
    compiled = tariff(charges=[{"key": "e", "price": "0.005"}], adjust=[{"discount": "0.2"}])
    assert told(rate(compiled, usage(21_000)))[1][1] == "discount: 0.11 CNY x 20% = -0.02 CNY"


def test_a_premises_without_weight_is_told_so() -> None:
    pool = tariff(charges=[{"key": "p", "price": "1"}], share={"weight": "area"})
    share = Share(pool_fen=100, part_fen=0, weight=Fraction(0), weights=Fraction(9), sharers=2)
    line = rate(pool, RatingRequest(period=JUNE, share=share))
    assert told(line)[1][0] == "share: 1.00 CNY split by weight, yours 0 of 9 over 2 premises = 0.00 CNY"
    assert [(item.key, item.charge) for item in line.components] == [("share", "share")]


@pytest.mark.parametrize(
    ("quantity", "words"),
    [("1 / 7", "1/7"), ("0.000001 / 2", "1/2000000"), ("0.000001 * 1", "0.000001"), ("3 / 2", "1.5")],
)
def test_a_value_finer_than_six_decimals_is_told_as_a_fraction(quantity: str, words: str) -> None:
    compiled = tariff(charges=[{"key": "e", "quantity": quantity, "price": "1"}])
    assert told(rate(compiled, RatingRequest(period=JUNE)))[1][0].partition(" x ")[0] == f"e: {words} kWh"


def test_what_is_carried_on_is_read_back_with_the_line() -> None:
    line = rate(unit_price("1", whole_units={}), usage(2_700))
    assert line.carried_milli == 700
    assert line_from_plain(json.loads(canonical_json(line_to_plain(line)))) == line
