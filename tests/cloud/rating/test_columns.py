"""Columns give what rating row by row gives, for every tariff they take and every row, and refuse the same rows."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.rating.columns import CHUNK_ROWS, NO_PRICE, ColumnTable, ColumnTariff, takes
from common.civil import Period
from common.errors import InvariantError, RefusalError
from common.money.amount import INT64_MAX
from common.rating.engine import rate
from common.rating.proration import month_shares
from common.rating.refusal import RatingRefusedError
from common.rating.request import RatingRequest
from common.tariff.compile import CompiledTariff, compile_tariff
from common.tariff.document import parse_tariff
from common.tariff.model import Proration
from common.tariff.steps import AmountTooLargeError, BeyondTableError
from tests.common.rating import strategies
from tests.common.tariff.builders import JUNE, graduated, tariff, unit_price
from tests.common.tariff.library import revisions

ROWS = st.lists(st.tuples(strategies.QUANTITIES, strategies.QUANTITIES), min_size=1, max_size=20)


def column(values: list[int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


def by_columns(compiled: CompiledTariff, rows: list[tuple[int, int]]) -> list[int]:
    priced = ColumnTariff(compiled, compiled.plans[0])
    amounts = priced.amounts({"usage": column([row[0] for row in rows])}, column([row[1] for row in rows]))
    return [int(amount) for amount in amounts]


def by_rows(compiled: CompiledTariff, rows: list[tuple[int, int]]) -> list[int]:
    requests = [RatingRequest(period=JUNE, quantity_milli=quantity, prior_milli=prior) for quantity, prior in rows]
    return [rate(compiled, request).amount_fen for request in requests]


@given(strategies.tiered(), ROWS)
def test_columns_equal_rows_for_every_table(document: dict[str, Any], rows: list[tuple[int, int]]) -> None:
    document["adjust"] = []
    document["tiers"].pop("uplift", None)
    compiled = compile_tariff(parse_tariff(document))
    assert takes(compiled, compiled.plans[0])
    try:
        expected = by_rows(compiled, rows)
    except RatingRefusedError:
        with pytest.raises(RatingRefusedError):
            by_columns(compiled, rows)
    else:
        assert by_columns(compiled, rows) == expected


@given(st.lists(st.integers(0, INT64_MAX), min_size=1, max_size=4), strategies.PRICES)
def test_columns_refuse_what_rows_refuse_at_the_edge_of_64_bits(quantities: list[int], price: str) -> None:
    compiled = graduated(["1"], [price, "7"])
    rows = [(quantity, 0) for quantity in quantities]
    try:
        expected = by_rows(compiled, rows)
    except RefusalError:
        with pytest.raises(AmountTooLargeError):
            by_columns(compiled, rows)
    else:
        assert by_columns(compiled, rows) == expected


@given(
    st.lists(st.integers(0, 10**7), min_size=1, max_size=20),
    strategies.PRICES,
    st.dates(date(2026, 1, 1), date(2026, 6, 1)),
    st.integers(1, 90),
)
def test_a_price_per_month_counts_the_months_of_the_run(areas: list[int], price: str, start: date, days: int) -> None:
    fee = tariff(
        charges=[
            {"key": "fee", "quantity": "area", "price": price, "per": "month"},
            {"key": "lift", "quantity": "area", "price": "0.35"},
        ]
    )
    period = Period(start, date.fromordinal(start.toordinal() + days))
    months = sum(month_shares(period, Proration.ACTUAL_DAYS), Fraction(0))
    amounts = ColumnTariff(fee, fee.plans[0], months).amounts({"area": column(areas)}, column([0] * len(areas)))
    requests = [RatingRequest(period=period, facts={"area_milli": area}) for area in areas]
    assert list(amounts) == [rate(fee, request).amount_fen for request in requests]


def test_more_rows_than_a_chunk_are_priced_in_order() -> None:
    compiled = graduated(["2880", "4800"], ["0.4883", "0.5383", "0.7883"])
    quantities = list(range(0, 3 * CHUNK_ROWS * 100, 100))
    amounts = by_columns(compiled, [(quantity, 2_800_000) for quantity in quantities])
    for n in (0, 1, CHUNK_ROWS - 1, CHUNK_ROWS, 3 * CHUNK_ROWS - 1):
        assert [amounts[n]] == by_rows(compiled, [(quantities[n], 2_800_000)])
    assert by_columns(compiled, []) == []


def test_a_currency_without_minor_units_and_each_rounding_mode_agree() -> None:
    for mode in ("half_up", "half_even", "up", "down"):
        won = unit_price("0.5", currency="KRW", rounding=[{"stage": "line", "to": "10", "mode": mode}])
        rows = [(quantity * 1_000, 0) for quantity in (0, 9, 10, 11, 20, 30, 31, 50, 70)]
        assert by_columns(won, rows) == by_rows(won, rows)


def test_a_row_beyond_a_closed_table_is_refused() -> None:
    (taipower,) = revisions("electricity/taipower-bimonthly")
    assert not takes(taipower, taipower.plans[0])
    closed = tariff(tiers={"bounds": ["10", "20"], "closed": True}, charges=[{"key": "e", "prices": ["1", "2"]}])
    assert by_columns(closed, [(20_000, 0), (5_000, 15_000)]) == by_rows(closed, [(20_000, 0), (5_000, 15_000)])
    with pytest.raises(BeyondTableError, match="a row lies above 20"):
        by_columns(closed, [(5_001, 15_000)])


@pytest.mark.parametrize(
    "fields",
    [
        {"charges": [{"key": "e", "price": "1", "when": {"start_months": [6]}}]},
        {"charges": [{"key": "e", "price": "1", "quantity": "usage * 0.9"}]},
        {"charges": [{"key": "e", "price": "1", "per": "day"}]},
        {"charges": [{"key": "e", "amount": "5"}]},
        {"charges": [{"key": "e", "price": "coefficient"}]},
        {"charges": [{"key": "e", "price": "1"}], "adjust": [{"cap": "5"}]},
        {"charges": [{"key": "e", "price": "1"}], "whole_units": {"size": "1"}},
        {"charges": [{"key": "e", "price": "1"}], "free_allowance": "5"},
        {"charges": [{"key": "e", "price": "1"}], "rounding": [{"stage": "component", "to": "0.01"}]},
        {"session": {"blocks": [{"every": 60, "price": "5"}]}},
    ],
)
def test_what_is_more_than_its_tables_is_left_to_rows(fields: dict[str, Any]) -> None:
    compiled = tariff(**fields)
    assert not takes(compiled, compiled.plans[0])
    with pytest.raises(InvariantError, match="is more than its tables"):
        ColumnTariff(compiled, compiled.plans[0])


def test_negative_columns_and_tables_of_fractions_are_invariant_errors() -> None:
    compiled = unit_price("1")
    with pytest.raises(InvariantError, match="columns are not negative"):
        by_columns(compiled, [(-1, 0)])
    table = compiled.plans[0].charges[0].tables[""]
    assert ColumnTable(table).most(10) == 2 * 10 * 1_000_000


@given(ROWS)
def test_a_price_is_shown_for_the_rows_whose_explanation_has_one_component(rows: list[tuple[int, int]]) -> None:
    compiled = graduated(["180", "260"], ["2.07", "4.07", "6.07"])
    small = [(quantity % 400_000, prior % 400_000) for quantity, prior in rows]
    priced = ColumnTariff(compiled, compiled.plans[0])
    found = priced.single_prices({"usage": column([row[0] for row in small])}, column([row[1] for row in small]))
    for price, (quantity, prior) in zip(found.tolist(), small, strict=True):
        line = rate(compiled, RatingRequest(period=JUNE, quantity_milli=quantity, prior_milli=prior))
        single = line.components[0].price_micro if len(line.components) == 1 else NO_PRICE
        assert price == single


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), min_size=1, max_size=20))
def test_windows_are_columns_of_their_own(rows: list[tuple[int, int]]) -> None:
    windows = [
        {"name": "peak", "label": {"zh": "峰", "en": "peak"}, "times": ["08:00-22:00"]},
        {"name": "valley", "label": {"zh": "谷", "en": "valley"}, "times": ["22:00-08:00"]},
    ]
    compiled = tariff(windows=windows, charges=[{"key": "e", "by_window": {"peak": "0.568", "valley": "0.288"}}])
    priced = ColumnTariff(compiled, compiled.plans[0])
    assert priced.names == {"usage_peak", "usage_valley"}
    columns = {"usage_peak": column([row[0] for row in rows]), "usage_valley": column([row[1] for row in rows])}
    found = priced.amounts(columns, column([0] * len(rows)))
    assert found.tolist() == [
        rate(compiled, RatingRequest(period=JUNE, windows_milli={"peak": peak, "valley": valley})).amount_fen
        for peak, valley in rows
    ]
    assert set(priced.single_prices(columns, column([0] * len(rows))).tolist()) == {NO_PRICE}
