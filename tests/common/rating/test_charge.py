"""A charge at a pile: energy lands in the windows it was taken in, parts sum, idle minutes cost after their grace."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from common.clock import to_epoch_ms
from common.rating.charge import Charge, idle_minutes, request_of, thinned
from common.rating.engine import rate
from common.rating.refusal import RatingRefusedError
from common.tariff.compile import compile_tariff
from common.tariff.document import parse_tariff

ZONE = ZoneInfo("Asia/Shanghai")
FILE = Path(__file__).parents[3] / "firmware-config" / "tariffs" / "charging" / "pile-tou.yaml"
TARIFF = compile_tariff(parse_tariff(yaml.safe_load(FILE.read_text(encoding="utf-8"))))


def ms(hour: int, minute: int = 0) -> int:
    """Return an instant of a day in Shanghai."""
    return to_epoch_ms(datetime(2026, 1, 5, hour, minute, tzinfo=ZONE).astimezone(UTC))


def test_energy_is_priced_in_the_windows_it_was_taken_in() -> None:
    charge = Charge(samples=((ms(14), 1_000), (ms(16), 21_000), (ms(17), 31_000)), idle_minutes=50)
    request = request_of(TARIFF, charge, ZONE, None)
    assert request.windows_milli == {"peak": 10_000, "flat": 20_000, "valley": 0}
    line = rate(TARIFF, request)
    assert line.amount_fen == 1200 + 1600 + 1200 + 1000
    assert {item.charge: item.fen for item in line.components if item.charge != "energy"} == {
        "service": 1200,
        "idle": 1000,
    }


def test_within_the_grace_nothing_is_due_for_idling_and_there_is_a_most() -> None:
    samples = ((ms(23), 0), (ms(23, 30), 0))
    assert rate(TARIFF, request_of(TARIFF, Charge(samples=samples, idle_minutes=30), ZONE, None)).amount_fen == 0
    long = Charge(samples=samples, idle_minutes=10_000)
    assert rate(TARIFF, request_of(TARIFF, long, ZONE, None)).amount_fen == 6000


@pytest.mark.parametrize("samples", [((ms(9), 500), (ms(10), 400)), ((ms(10), 0), (ms(9), 10))])
def test_a_register_or_a_clock_that_goes_backwards_refuses_the_charge(samples: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(RatingRefusedError, match="falls"):
        request_of(TARIFF, Charge(samples=samples), ZONE, None)


@given(st.lists(st.tuples(st.integers(1, 20_000_000), st.integers(0, 50_000)), min_size=1, max_size=12))
def test_the_windows_sum_to_the_difference_of_the_registers(steps: list[tuple[int, int]]) -> None:
    at_ms, wh, samples = ms(0), 7, [(ms(0), 7)]
    for after_ms, more_wh in steps:
        at_ms, wh = at_ms + after_ms, wh + more_wh
        samples.append((at_ms, wh))
    charge = Charge(samples=tuple(samples))
    assert sum(request_of(TARIFF, charge, ZONE, None).windows_milli.values()) == charge.energy_wh


def test_thinning_keeps_both_ends() -> None:
    samples = [(n, n) for n in range(1_000)]
    kept = thinned(samples, 40)
    assert (len(kept), kept[0], kept[-1]) == (40, (0, 0), (999, 999))
    assert thinned(samples[:5], 40) == tuple(samples[:5])


@pytest.mark.parametrize(
    ("start", "end", "minutes"), [(None, 5, 0), (5, None, 0), (10, 5, 0), (0, 59_999, 0), (0, 120_000, 2)]
)
def test_idle_minutes_are_whole_and_never_negative(start: int | None, end: int | None, minutes: int) -> None:
    assert idle_minutes(start, end) == minutes
