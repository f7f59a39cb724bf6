"""What is missing or contradictory refuses the line with its kind and both languages; nothing missing is priced."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from common.civil import Period
from common.errors import InvariantError
from common.rating.engine import rate, rate_parts
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import Debt, RatingRequest, Share
from common.tariff.compile import _no_facts
from tests.common.tariff.builders import JUNE, graduated, tariff, unit_price, usage

TIERS = {"bounds": ["100"]}
WINDOWS = [{"name": "peak", "times": ["08:00-22:00"]}, {"name": "valley", "times": ["22:00-08:00"]}]
TOU = {"windows": WINDOWS, "charges": [{"key": "e", "by_window": {"peak": "1", "valley": "0.5"}}]}
CLASS = {"traits": {"class": {"choices": ["a", "b"]}}}
UNIT = {"charges": [{"key": "e", "price": "1"}]}


REFUSED: list[tuple[dict[str, Any], dict[str, Any], RefusalKind, str]] = [
    (UNIT, {}, RefusalKind.NO_USAGE, "there is no usage for 2026-06-01..2026-07-01"),
    (UNIT, {"quantity_milli": -1}, RefusalKind.NEGATIVE_USAGE, "the usage -1 milli is below zero"),
    (UNIT, {"quantity_milli": 1, "prior_milli": -1}, RefusalKind.NEGATIVE_USAGE, "the usage -1 milli"),
    (UNIT, {"quantity_milli": 1, "carried_milli": -1}, RefusalKind.NEGATIVE_USAGE, "the usage -1 milli"),
    (UNIT, {"windows_milli": {"peak": -5}}, RefusalKind.NEGATIVE_USAGE, "the usage -5 milli"),
    (TOU, {"windows_milli": {"peak": 5}, "quantity_milli": 9}, RefusalKind.USAGE_MISMATCH, "windows of 5 milli"),
    (TOU, {"windows_milli": {"peak": 5}}, RefusalKind.NO_USAGE, "there is no usage in the window valley"),
    (TOU, {"windows_milli": {"peak": 5, "flat": 1}}, RefusalKind.USAGE_MISMATCH, "the tariff has no window flat"),
    (TOU, {"quantity_milli": 9}, RefusalKind.NO_USAGE, "there is no usage in the window peak"),
    (
        {**TOU, "charges": [{"key": "e", "amount": "usage_peak"}]},
        {"windows_milli": {"valley": 5}},
        RefusalKind.NO_USAGE,
        "there is no usage in the window peak",
    ),
    (
        {"charges": [{"key": "e", "price": "1", "quantity": "area"}]},
        {},
        RefusalKind.NO_FACT,
        "area_milli is not known",
    ),
    (
        {"charges": [{"key": "e", "price": "1", "quantity": "area - households"}]},
        {"facts": {"area_milli": 1_000, "households": 2}},
        RefusalKind.NEGATIVE_USAGE,
        "e: area - households is below zero",
    ),
    (
        {**CLASS, "cases": [{"key": "a", "when": {"class": "a"}, **UNIT}]},
        {"quantity_milli": 1},
        RefusalKind.NO_TRAIT,
        "class is None, not of a, b",
    ),
    (
        {**CLASS, "cases": [{"key": "a", "when": {"class": "a"}, **UNIT}]},
        {"quantity_milli": 1, "traits": {"class": "b"}},
        RefusalKind.NO_PLAN,
        "test/tariff has no case for this request",
    ),
    (
        {"accumulate": {"over": "year"}, "tiers": TIERS, "charges": [{"key": "e", "prices": ["1", "2"]}]},
        {"quantity_milli": 1, "period": Period(date(2026, 12, 1), date(2027, 1, 2))},
        RefusalKind.CROSSES_RESET,
        "crosses 2027-01-01, where the tiers start anew; rate the two sides apart",
    ),
    (
        {"proration": "none", "charges": [{"key": "e", "amount": "5", "per": "month"}]},
        {"period": Period(date(2026, 6, 2), date(2026, 7, 1))},
        RefusalKind.PART_MONTH,
        "2026-06-02..2026-07-01 is not made of whole months",
    ),
    (
        {"tiers": {"bounds": ["households"]}, "charges": [{"key": "e", "prices": ["1", "2"]}]},
        {"quantity_milli": 1, "facts": {"households": 0}},
        RefusalKind.FORMULA,
        "e: tier bounds worked out from facts do not rise",
    ),
    (
        {"charges": [{"key": "e", "price": "coefficient - 1"}]},
        {"quantity_milli": 1, "facts": {"coefficient_milli": 500}},
        RefusalKind.FORMULA,
        "e: a price worked out from facts is negative",
    ),
    (
        {"charges": [{"key": "e", "price": "1 / coefficient"}]},
        {"quantity_milli": 1, "facts": {"coefficient_milli": 0}},
        RefusalKind.FORMULA,
        "e: the formula divides by zero",
    ),
    (
        {**UNIT, "adjust": [{"rebate": "coefficient - 1"}]},
        {"quantity_milli": 1, "facts": {"coefficient_milli": 500}},
        RefusalKind.NEGATIVE_AMOUNT,
        "rebate: coefficient - 1 is negative",
    ),
    ({"session": {"blocks": [{"every": 1, "price": "1"}]}}, {}, RefusalKind.NO_SESSION, "no record of the stay"),
    ({"late_charge": {"rate_per_day": "0.001"}}, {}, RefusalKind.NO_DEBTS, "needs the open debts and the day"),
    (
        {"late_charge": {"rate_per_day": "0.001"}},
        {"debts": (Debt(key="1", amount_fen=1, due=date(2026, 1, 1)),)},
        RefusalKind.NO_DEBTS,
        "needs the open debts and the day",
    ),
    (
        {"late_charge": {"rate_per_day": "0.001"}},
        {"debts": (Debt(key="1", amount_fen=-1, due=date(2026, 1, 1)),), "paid_on": date(2026, 2, 1)},
        RefusalKind.NEGATIVE_AMOUNT,
        "the debt 1 is -1 fen",
    ),
]


@pytest.mark.parametrize(("fields", "request_fields", "kind", "detail"), REFUSED)
def test_a_line_that_cannot_be_priced_names_what_is_missing(
    fields: dict[str, Any], request_fields: dict[str, Any], kind: RefusalKind, detail: str
) -> None:
    compiled = tariff(**fields)
    request = RatingRequest(**{"period": JUNE, **request_fields})
    with pytest.raises(RatingRefusedError) as refusal:
        rate(compiled, request)
    assert refusal.value.kind is kind
    assert detail in refusal.value.detail
    assert detail in refusal.value.detail_zh
    assert detail in refusal.value.detail_en
    assert refusal.value.detail_zh != refusal.value.detail_en


def test_an_amount_of_a_formula_beyond_64_bits_is_refused() -> None:
    dear = tariff(charges=[{"key": "e", "amount": "area * area * area * area"}])
    with pytest.raises(RatingRefusedError, match=r"too_large: .* minor units do not fit 64 bits"):
        rate(dear, RatingRequest(period=JUNE, facts={"area_milli": 10**9}))


def test_a_tariff_that_is_not_shared_refuses_a_share() -> None:
    share = Share(pool_fen=100, part_fen=50, weight=Fraction(1), weights=Fraction(2), sharers=2)
    with pytest.raises(RatingRefusedError, match="no_plan: test/tariff is not shared"):
        rate(unit_price("1"), RatingRequest(period=JUNE, share=share))


def test_every_kind_of_refusal_has_words_in_both_languages() -> None:
    for kind in RefusalKind:
        refusal = RatingRefusedError(kind, "x")
        assert refusal.detail_zh.endswith(": x")
        assert refusal.detail_en == f"{str(kind).replace('_', ' ')}: x"


def test_a_default_that_the_tariff_states_is_no_guess() -> None:
    compiled = tariff(facts={"persons": {"default": "1"}}, charges=[{"key": "e", "price": "1", "quantity": "persons"}])
    assert rate(compiled, RatingRequest(period=JUNE)).amount_fen == 100
    assert rate(compiled, RatingRequest(period=JUNE, facts={"persons": 3})).amount_fen == 300


def test_wrong_calls_are_invariant_errors() -> None:
    with pytest.raises(InvariantError, match="a line has a part"):
        rate_parts([])
    with pytest.raises(InvariantError, match="a part is one of its parts"):
        RatingRequest(period=JUNE, part=2, parts=1)
    with pytest.raises(InvariantError, match="the weights of a pool sum to more than zero"):
        Share(pool_fen=1, part_fen=1, weight=Fraction(0), weights=Fraction(0), sharers=1)
    with pytest.raises(InvariantError, match="a weight is part of the sum"):
        Share(pool_fen=1, part_fen=1, weight=Fraction(2), weights=Fraction(1), sharers=1)
    with pytest.raises(InvariantError, match="a constant table asked for the fact persons"):
        _no_facts("persons")


def test_the_input_hash_names_tariff_and_request() -> None:
    tiers = graduated(["100"], ["1", "2"])
    first = rate(tiers, usage(1_000))
    assert first.input_sha == rate(tiers, usage(1_000)).input_sha
    others = {
        rate(tiers, usage(1_001)).input_sha,
        rate(tiers, usage(1_000, 1)).input_sha,
        rate(graduated(["101"], ["1", "2"]), usage(1_000)).input_sha,
        rate(tiers, RatingRequest(period=JUNE, quantity_milli=1_000, facts={"persons": 1})).input_sha,
    }
    assert len(others | {first.input_sha}) == 5
