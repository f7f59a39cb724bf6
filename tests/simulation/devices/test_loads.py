"""A simulated dial is a pure function of seed, serial and time: it repeats, never runs back, and adds up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulation.devices.loads import SHAPES, STEP_MILLI, TARIFF_OF_HOUR, Load

EPOCH = datetime(2025, 12, 31, 16, tzinfo=UTC)


def load(serial: str = "S1", *, seed: int = 1, shape: str = "household") -> Load:
    return Load(seed=seed, serial=serial, epoch=EPOCH, start_milli=1_234_560, daily_milli=8_000, shape=shape)


def test_the_dial_starts_where_it_was_set() -> None:
    assert load().total_milli(EPOCH) == load().total_milli(EPOCH - timedelta(days=3)) == 1_234_560


@given(minutes=st.lists(st.integers(0, 90 * 1440), min_size=2, max_size=12))
def test_no_register_ever_runs_back_and_all_add_up(minutes: list[int]) -> None:
    dial = load()
    last = [0, 0, 0, 0]
    for minute in sorted(minutes):
        at = EPOCH + timedelta(minutes=minute)
        tariffs = [dial.tariff_milli(at, n) for n in (1, 2, 3, 4)]
        assert all(now >= before for now, before in zip(tariffs, last, strict=True))
        assert dial.total_milli(at) == sum(tariffs)
        assert all(tariff % STEP_MILLI == 0 for tariff in tariffs)
        last = tariffs


def test_two_processes_see_the_same_dial_and_two_meters_another() -> None:
    at = EPOCH + timedelta(days=40, hours=7)

    assert load().total_milli(at) == load().total_milli(at)
    assert load("S2").total_milli(at) != load().total_milli(at)
    assert load(seed=2).total_milli(at) != load().total_milli(at)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_month_uses_about_its_mean(shape: str) -> None:
    used = load(shape=shape).total_milli(EPOCH + timedelta(days=30)) - 1_234_560

    assert 30 * 8_000 * 8 // 10 < used < 30 * 8_000 * 12 // 10


def test_every_hour_has_its_weight_and_its_tariff() -> None:
    assert all(len(shape) == 24 for shape in SHAPES.values())
    assert len(TARIFF_OF_HOUR) == 24
    assert set(TARIFF_OF_HOUR) == {1, 2, 3, 4}


def test_power_follows_the_hour() -> None:
    evening = load().power_watt(EPOCH + timedelta(hours=19))

    assert evening > load().power_watt(EPOCH + timedelta(hours=3)) > 0
