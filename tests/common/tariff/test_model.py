"""Accumulation spans tile time, spans of the day wrap past midnight, and values of the model compare as they should."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import RefusalError
from common.tariff.model import Accumulation, FactScale, TimeSpan
from common.tariff.parse.section import exact
from common.tariff.plan import LATE_KEY, SESSION_KEY
from tests.common.tariff.builders import tariff, unit_price

STARTS = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 28)), min_size=1, max_size=6, unique=True).map(
    lambda starts: Accumulation(starts=tuple(sorted(starts)))
)


@given(STARTS, st.dates(date(1999, 1, 1), date(2099, 12, 31)))
def test_accumulation_spans_tile_time(accumulation: Accumulation, day: date) -> None:
    span = accumulation.span_of(day)
    assert span is not None
    assert day in span
    assert accumulation.span_of(span.start) == span
    following = accumulation.span_of(span.end)
    assert following is not None
    assert following.start == span.end


@pytest.mark.parametrize(
    ("written", "day", "span"),
    [
        ({"over": "year"}, "2026-06-15", "2026-01-01..2027-01-01"),
        ({"over": "year"}, "2026-01-01", "2026-01-01..2027-01-01"),
        ({"over": "quarter"}, "2026-06-15", "2026-04-01..2026-07-01"),
        ({"over": "two_months"}, "2026-06-15", "2026-05-01..2026-07-01"),
        ({"over": "month"}, "2024-02-29", "2024-02-01..2024-03-01"),
        ({"starts": ["12-01"]}, "2026-11-30", "2025-12-01..2026-12-01"),
        ({"starts": ["11-01"]}, "2026-11-01", "2026-11-01..2027-11-01"),
        ({"starts": ["11-01", "05-01"]}, "2026-01-15", "2025-11-01..2026-05-01"),
        ({"over": "bill"}, "2026-06-15", "None"),
    ],
)
def test_an_accumulation_may_start_anywhere_in_the_year(written: dict[str, object], day: str, span: str) -> None:
    accumulation = unit_price("1", accumulate=written).document.accumulation
    assert str(accumulation.span_of(date.fromisoformat(day))) == span


@pytest.mark.parametrize(
    ("start", "end", "moment", "inside"),
    [
        (7, 19, 7, True),
        (7, 19, 18, True),
        (7, 19, 19, False),
        (22, 8, 23, True),
        (22, 8, 0, True),
        (22, 8, 8, False),
        (22, 8, 22, True),
        (0, 0, 13, True),
    ],
)
def test_a_span_is_half_open_and_may_wrap_past_midnight(start: int, end: int, moment: int, inside: bool) -> None:  # noqa: FBT001 - a table of cases
    assert (time(moment) in TimeSpan(start=time(start), end=time(end))) is inside


def test_keys_and_scales_of_the_model() -> None:
    assert [scale.denominator for scale in FactScale] == [1, 1_000, 1_000_000, 100]
    assert unit_price("1").document.plans[0].charge_keys == {"energy"}
    assert tariff(session={"blocks": [{"every": 60, "price": "5"}]}).document.plans[0].charge_keys == {SESSION_KEY}
    assert tariff(late_charge={"rate_per_day": "0.001"}).document.plans[0].charge_keys == {LATE_KEY}
    assert tariff(session={"blocks": [{"every": 60, "price": "5"}]}).document.plans[0].charges == ()


def test_decimal_text_is_exact_and_anything_else_is_refused() -> None:
    assert exact("0.3") * 10 == 3
    with pytest.raises(RefusalError, match="is not a decimal number"):
        exact("1e3")
