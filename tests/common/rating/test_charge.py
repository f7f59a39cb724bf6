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
from common.errors import InvariantError
from common.rating.charge import IDLE_FACT, Charge, idle_minutes, pack_samples, request_of, thinned, unpack_samples
from common.rating.engine import rate
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.tariff.compile import CompiledTariff, compile_tariff
from common.tariff.document import parse_tariff
from tests.common.tariff.builders import tariff
from tests.common.tariff.library import calendar

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


def one_window_a_day() -> CompiledTariff:
    """Return a price for working days and one for all others."""
    windows = [
        {"name": "work", "days": ["workday"], "times": ["00:00-24:00"]},
        {"name": "free", "times": ["00:00-24:00"]},
    ]
    return tariff(windows=windows, charges=[{"key": "energy", "by_window": {"work": "2", "free": "1"}}])


def test_a_charge_by_working_days_asks_the_official_calendar_and_keeps_it() -> None:
    request = request_of(one_window_a_day(), Charge(samples=((ms(9), 0), (ms(10), 5_000))), ZONE, calendar())
    assert request.windows_milli == {"work": 5_000, "free": 0}
    assert request.calendar is calendar()


def test_a_charge_without_windows_is_energy_facts_and_traits_over_its_civil_days() -> None:
    plain = tariff(charges=[{"key": "energy", "price": "1"}])
    night = to_epoch_ms(datetime(2026, 1, 5, 23, 30, tzinfo=ZONE).astimezone(UTC))
    charge = Charge(
        samples=((night, 100), (night + 3_600_000, 600)), idle_minutes=7, facts={"a": 1}, traits={"class": "b"}
    )
    request = request_of(plain, charge, ZONE, calendar())
    assert (request.quantity_milli, dict(request.windows_milli), request.calendar) == (500, {}, None)
    assert (request.facts, request.traits) == ({"a": 1, IDLE_FACT: 7}, {"class": "b"})
    assert str(request.period) == "2026-01-05..2026-01-07"


def test_energy_at_one_instant_falls_into_its_window() -> None:
    charge = Charge(samples=((ms(14), 0), (ms(14), 40), (ms(14), 60), (ms(23), 60)))
    assert request_of(TARIFF, charge, ZONE, None).windows_milli == {"peak": 60, "flat": 0, "valley": 0}


def test_a_charge_that_took_nothing_asks_for_no_window() -> None:
    charge = Charge(samples=((ms(9), 7), (ms(9), 7), (ms(10), 7)))
    assert request_of(one_window_a_day(), charge, ZONE, None).windows_milli == {"work": 0, "free": 0}


def test_registers_that_fall_refuse_with_their_kind() -> None:
    with pytest.raises(RatingRefusedError, match="the register falls from 9 to 8 Wh") as refusal:
        request_of(TARIFF, Charge(samples=((ms(9), 9), (ms(10), 8))), ZONE, None)
    assert refusal.value.kind is RefusalKind.NEGATIVE_USAGE


def test_a_charge_has_a_first_register_and_no_negative_idling() -> None:
    with pytest.raises(InvariantError, match=r"^a charge has its first register$"):
        Charge(samples=())
    with pytest.raises(InvariantError, match=r"^idle minutes are counted from 0$"):
        Charge(samples=((ms(9), 0),), idle_minutes=-1)
    assert Charge(samples=((ms(9), 3),), idle_minutes=0).energy_wh == 0


def test_thinning_to_two_keeps_start_and_end_and_one_is_too_few() -> None:
    samples = [(n, n) for n in range(9)]
    assert thinned(samples, 2) == ((0, 0), (8, 8))
    assert thinned(samples, 9) == tuple(samples)
    with pytest.raises(InvariantError, match=r"^a start and an end are kept$"):
        thinned(samples, 1)
    assert [idle_minutes(0, 0), idle_minutes(60_000, 120_000), idle_minutes(0, 60_001)] == [0, 1, 1]


def test_registers_are_kept_as_one_text_and_read_back() -> None:
    samples = ((ms(9), 0), (ms(10), 1_500))
    assert pack_samples(samples) == f"{ms(9)}:0 {ms(10)}:1500"
    assert unpack_samples(pack_samples(samples)) == samples
    assert unpack_samples("") == ()


def test_the_days_of_a_charge_are_those_of_its_place_from_the_first_register_to_the_last() -> None:
    plain = tariff(charges=[{"key": "energy", "price": "1"}])
    start = to_epoch_ms(datetime(2026, 1, 6, 1, 0, tzinfo=ZONE).astimezone(UTC))
    charge = Charge(samples=((start, 0), (start + 3_600_000, 100), (start + 86_400_000, 200)))
    assert str(request_of(plain, charge, ZONE, None).period) == "2026-01-06..2026-01-08"


def test_idle_minutes_are_a_whole_number_and_no_float() -> None:
    assert type(idle_minutes(0, 150_000)) is int
    assert idle_minutes(0, 150_000) == 2
