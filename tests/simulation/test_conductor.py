"""The conductor moves business time forward, holds it, and every process reads the same."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from common.clock import Pace
from tests.simulation.conductor import Conductor

START = datetime(2026, 3, 1, tzinfo=UTC)


def seen(clock_file: Path) -> datetime:
    return Pace.unpack(clock_file.read_bytes()).at(time.monotonic_ns())


def test_time_is_held_until_it_is_advanced(tmp_path: Path) -> None:
    conductor = Conductor(tmp_path / "clock", START)
    assert conductor.now() == seen(tmp_path / "clock") == START
    conductor.advance_to(START + timedelta(days=1))
    assert conductor.now() == seen(tmp_path / "clock") == START + timedelta(days=1)


def test_an_instant_in_the_past_leaves_time_where_it_is(tmp_path: Path) -> None:
    conductor = Conductor(tmp_path / "clock", START)
    conductor.advance_to(START - timedelta(days=1))
    assert conductor.now() == START


def test_a_second_conductor_goes_on_where_the_first_one_held(tmp_path: Path) -> None:
    first = Conductor(tmp_path / "clock", START)
    first.advance_to(START + timedelta(hours=5))
    again = Conductor(tmp_path / "clock", START)
    assert again.now() == START + timedelta(hours=5)


def test_free_running_time_stops_at_its_ceiling_and_can_be_held(tmp_path: Path) -> None:
    conductor = Conductor(tmp_path / "clock", START)
    conductor.run(speed=1_000_000, ceiling=START + timedelta(seconds=30))
    while conductor.now() < START + timedelta(seconds=30):
        time.sleep(0.001)
    conductor.hold()
    assert conductor.now() == START + timedelta(seconds=30)
