"""Holes and windows that stand for nothing, to the minute."""

from __future__ import annotations

from datetime import time

import pytest

from common.tariff.coverage import uncovered, unreached
from common.tariff.model import Days, TimeSpan


def span(start: str, end: str) -> tuple[tuple[TimeSpan, ...], Days]:
    return (TimeSpan(start=time.fromisoformat(start), end=time.fromisoformat(end)),), Days()


@pytest.mark.parametrize(("end", "start"), [("23:05", "23:10"), ("00:59", "01:00"), ("12:00", "12:01")])
def test_a_hole_is_told_by_its_first_minute(end: str, start: str) -> None:
    assert uncovered([span("00:00", end), span(start, "00:00")]) == [f"{end} on a Monday of month 1"]


def test_windows_that_meet_to_the_minute_leave_no_hole() -> None:
    assert uncovered([span("08:30", "22:45"), span("22:45", "08:30")]) == []


def test_a_window_is_unreached_though_a_later_one_adds_time() -> None:
    assert unreached([span("00:00", "12:00"), span("06:00", "10:00"), span("12:00", "00:00")]) == [1]
    assert unreached([span("00:00", "12:00"), span("06:00", "12:01"), span("12:00", "00:00")]) == []
