"""Usage adds up over any cut, turns over only when confirmed, and is unknown rather than negative."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvariantError
from common.reading.usage import MeterFacts, RegisterSpan, chain_usage_milli, span_usage_milli

PLAIN = MeterFacts()


@pytest.mark.parametrize(
    ("facts", "start", "end", "rollovers", "usage"),
    [
        (PLAIN, 100_000, 250_500, 0, 150_500),
        (MeterFacts(multiplier_milli=40_000), 100_000, 101_250, 0, 50_000),
        (MeterFacts(digits=5), 99_990_000, 10_000, 1, 20_000),
        (MeterFacts(digits=5), 99_990_000, 10_000, 0, None),
        (PLAIN, 5_000, 5_000, 0, 0),
        (PLAIN, 5_000, 4_999, 0, None),
        (MeterFacts(multiplier_milli=1_500, digits=2), 99_000, 1_000, 2, 153_000),
    ],
)
def test_the_usage_of_one_meter(facts: MeterFacts, start: int, end: int, rollovers: int, usage: int | None) -> None:
    span = RegisterSpan(facts=facts, start_milli=start, end_milli=end, rollovers=rollovers)
    assert span_usage_milli(span) == usage


def test_a_replaced_meter_and_its_successor_are_summed() -> None:
    old = RegisterSpan(facts=PLAIN, start_milli=1_000_000, end_milli=1_334_000)
    new = RegisterSpan(facts=MeterFacts(multiplier_milli=2_000), start_milli=500, end_milli=11_500)
    assert chain_usage_milli([old, new]) == 334_000 + 22_000


def test_a_chain_with_one_unknown_link_is_unknown() -> None:
    known = RegisterSpan(facts=PLAIN, start_milli=0, end_milli=5)
    backwards = RegisterSpan(facts=PLAIN, start_milli=5, end_milli=4)
    assert chain_usage_milli([known, backwards]) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [({"rollovers": 1}, "digits"), ({"rollovers": -1}, "counted")],
)
def test_an_impossible_rollover_is_refused(change: dict[str, int], message: str) -> None:
    with pytest.raises(InvariantError, match=message):
        RegisterSpan(facts=PLAIN, start_milli=0, end_milli=1, **change)


@pytest.mark.parametrize("facts", [{"multiplier_milli": 0}, {"digits": 0}, {"digits": 16}])
def test_meter_facts_out_of_range_are_refused(facts: dict[str, int]) -> None:
    with pytest.raises(InvariantError):
        MeterFacts(**facts)


@given(
    registers=st.lists(st.integers(min_value=0, max_value=10**9), min_size=2, max_size=20).map(sorted),
    multiplier=st.integers(min_value=1, max_value=10**6),
)
def test_cutting_a_span_never_changes_its_sum(registers: list[int], multiplier: int) -> None:
    facts = MeterFacts(multiplier_milli=multiplier)
    spans = [RegisterSpan(facts=facts, start_milli=start, end_milli=end) for start, end in pairwise(registers)]
    whole = RegisterSpan(facts=facts, start_milli=registers[0], end_milli=registers[-1])
    assert chain_usage_milli(spans) == span_usage_milli(whole)
