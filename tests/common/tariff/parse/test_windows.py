"""Time windows as written: names, minutes, registers, and windows that earlier ones leave nothing to."""

from __future__ import annotations

import pytest

from common.errors import FaultsError
from common.tariff.document import parse_tariff
from common.tariff.model import TimeSpan
from tests.common.tariff.builders import body


def faults_of(*windows: dict[str, object]) -> list[str]:
    prices = {str(window["name"]): "1" for window in windows}
    try:
        parse_tariff(body(windows=list(windows), charges=[{"key": "e", "by_window": prices}]))
    except FaultsError as error:
        return [str(fault) for fault in error.faults]
    return []


@pytest.mark.parametrize("name", ["peak", "peak_2", "2nd", "p"])
def test_a_window_has_a_name_that_can_stand_in_a_formula(name: str) -> None:
    assert faults_of({"name": name, "times": ["00:00-24:00"]}) == []


@pytest.mark.parametrize("name", ["pe-ak", "Peak", "größe", "峰", "_", "12", "peak 2"])
def test_any_other_name_of_a_window_is_refused(name: str) -> None:
    (fault,) = faults_of({"name": name, "times": ["00:00-24:00"]})
    assert fault.startswith(f"windows[0].name: {name!r} cannot stand in a formula")


def test_times_count_to_the_minute() -> None:
    windows = [{"name": "day", "times": ["08:30-22:45"]}, {"name": "night", "times": ["22:45-08:30"]}]
    read = parse_tariff(body(windows=windows, charges=[{"key": "e", "by_window": {"day": "1", "night": "1"}}])).windows
    assert [(str(one.start), str(one.end)) for window in read for one in window.spans] == [
        ("08:30:00", "22:45:00"),
        ("22:45:00", "08:30:00"),
    ]
    assert isinstance(read[0].spans[0], TimeSpan)


def test_a_window_that_is_left_nothing_is_told_how_to_mend_it() -> None:
    windows = [("a", "00:00-12:00"), ("b", "06:00-10:00"), ("c", "12:00-24:00")]
    written: list[dict[str, object]] = [{"name": name, "times": [times]} for name, times in windows]
    found = faults_of(*written)
    assert found == ["windows[1].times: earlier windows hold all of its time; put it before them, or remove it"]


def test_one_name_has_one_register_and_the_fault_says_so() -> None:
    summer = {"name": "day", "times": ["00:00-24:00"], "months": [6], "register": 1}
    found = faults_of(summer, {"name": "day", "times": ["00:00-24:00"]})
    assert found == ["windows[0].register: day has another register elsewhere; give all of one name the same"]
