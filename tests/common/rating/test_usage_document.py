"""A request as a person writes it: every field read where it stands, every fault listed with how to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from common.civil import Period
from common.errors import FaultsError
from common.rating.request import Debt, Session, Visit
from common.rating.usage_document import Place, read_request
from tests.common.tariff.builders import tariff
from tests.common.tariff.library import SHANGHAI

PLACE = Place(zone=SHANGHAI.zone, zone_name=SHANGHAI.zone_name)
TARIFF = tariff(
    facts={"rooms": {"scale": "count"}, "area": {}},
    traits={"class": {"choices": ["a", "b"]}},
    windows=[{"name": "peak", "times": ["08:00-22:00"]}, {"name": "valley", "times": ["22:00-08:00"]}],
    charges=[{"key": "e", "by_window": {"peak": "1", "valley": "0.5"}}],
)
DAYS = {"period": ["2026-06-01", "2026-07-01"]}
STAY = [["2026-06-01T08:00", "2026-06-01T09:30"], ["2026-06-02T23:00", "2026-06-03T00:30"]]
BROKEN: list[Mapping[str, Any]] = [
    {},
    {"period": ["2026-06-01", "2026-06-01"]},
    {"period": ["2026-07-01", "2026-06-01"]},
    {"period": ["2026-06-01"]},
    {**DAYS, "quantity": "x"},
    {**DAYS, "bill": ["2026-07-01", "2026-06-01"]},
    {**DAYS, "facts": {"size": "1", "room": "2", "area": "60"}},
    {**DAYS, "traits": {"kind": "a", "class": "a"}},
    {**DAYS, "part": 0},
    {**DAYS, "part": 1, "parts": 100},
    {**DAYS, "parts": 0},
    {**DAYS, "part": 100, "parts": 99},
    {**DAYS, "part": 3, "parts": 2},
    {**DAYS, "usage": "1"},
    {"visits": STAY, "charged": 2},
    {"visits": STAY[:1], "charged": 1},
    {"visits": STAY, "charged": -1},
    {"visits": STAY, "granted_minutes": -1},
    {"visits": [["morning", "2026-06-01T09:30"]]},
    {**DAYS, "debts": [{"key": "a", "amount": "1", "duo": "2026-01-01"}], "paid_on": "soon"},
]


def faults_of(source: Mapping[str, Any]) -> list[str]:
    with pytest.raises(FaultsError, match=r"^usage: ") as refusal:
        read_request(source, TARIFF.document, PLACE)
    return [str(fault) for fault in refusal.value.faults]


@pytest.mark.parametrize("source", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_request_is_refused_with_every_fault(source: Mapping[str, Any]) -> None:
    assert all(fault.count(":") >= 1 and ";" in fault for fault in faults_of(source))


def test_all_faults_of_a_request_are_listed_at_once() -> None:
    source = {**DAYS, "quantity": "x", "facts": {"size": "1", "room": "2"}, "usage": "1"}
    assert [fault.partition(":")[0] for fault in faults_of(source)] == ["quantity", "facts.size", "facts.room", "usage"]


def test_every_field_is_read_where_it_stands() -> None:
    source = {
        **DAYS,
        "quantity": "5",
        "prior": "1.5",
        "carried": "0.25",
        "windows": {"peak": "2", "valley": "3"},
        "prior_windows": {"peak": "7"},
        "facts": {"rooms": "3", "area": "88.53"},
        "traits": {"class": "b"},
        "anchor": "2026-01-31",
        "bill": ["2026-05-01", "2026-07-01"],
        "part": 2,
        "parts": 3,
        "debts": [{"key": "a", "amount": "12.34", "due": "2026-05-01", "kind": "fee"}],
        "paid_on": "2026-06-09",
    }
    read = read_request(source, TARIFF.document, PLACE)
    assert (read.quantity_milli, read.prior_milli, read.carried_milli) == (5_000, 1_500, 250)
    assert (read.windows_milli, read.prior_windows_milli) == ({"peak": 2_000, "valley": 3_000}, {"peak": 7_000})
    assert (read.facts, read.traits) == ({"rooms": 3, "area_milli": 88_530}, {"class": "b"})
    assert (read.anchor, read.bill) == (date(2026, 1, 31), Period(date(2026, 5, 1), date(2026, 7, 1)))
    assert (read.part, read.parts, read.paid_on) == (2, 3, date(2026, 6, 9))
    assert read.debts == (Debt(key="a", amount_fen=1_234, due=date(2026, 5, 1), kind="fee"),)


def test_what_is_not_written_is_not_there() -> None:
    read = read_request(DAYS, TARIFF.document, PLACE)
    assert (read.quantity_milli, read.prior_milli, read.carried_milli) == (None, 0, 0)
    assert (read.part, read.parts, read.bill, read.session, read.debts) == (1, 1, None, None, ())
    assert read_request({**DAYS, "part": 99, "parts": 99}, TARIFF.document, PLACE).part == 99


def test_stays_are_local_times_and_give_the_days_where_no_period_is_written() -> None:
    source = {"visits": STAY, "charged": 1, "granted_minutes": 30, "paid_at": "2026-06-03T00:10"}
    read = read_request(source, TARIFF.document, PLACE)
    assert read.period == Period(date(2026, 6, 1), date(2026, 6, 4))
    assert read.session == Session(
        visits=(
            Visit(entry=datetime(2026, 6, 1, 0, tzinfo=UTC), exit=datetime(2026, 6, 1, 1, 30, tzinfo=UTC)),
            Visit(entry=datetime(2026, 6, 2, 15, tzinfo=UTC), exit=datetime(2026, 6, 2, 16, 30, tzinfo=UTC)),
        ),
        zone=SHANGHAI.zone,
        zone_name="Asia/Shanghai",
        granted_minutes=30,
        paid_at=datetime(2026, 6, 2, 16, 10, tzinfo=UTC),
        charged=1,
    )


def test_a_stay_alone_is_not_charged_before_and_an_exit_may_be_unknown() -> None:
    read = read_request({"visits": [["2026-06-01T23:30", None]]}, TARIFF.document, PLACE)
    assert read.session is not None
    assert (read.session.charged, read.session.granted_minutes, read.session.visits[0].exit) == (0, 0, None)
    assert read.period == Period(date(2026, 6, 1), date(2026, 6, 2))


def test_usage_by_the_hour_falls_into_the_windows_of_the_first_day() -> None:
    read = read_request({**DAYS, "hourly": {"7": "1", "8": "2", "21": "3", "22": "4"}}, TARIFF.document, PLACE)
    assert read.windows_milli == {"peak": 5_000, "valley": 5_000}


def test_the_least_figures_of_a_request_may_be_written_out() -> None:
    read = read_request({**DAYS, "part": 1, "parts": 1}, TARIFF.document, PLACE)
    assert (read.part, read.parts) == (1, 1)
    stays = read_request({"visits": STAY, "charged": 0, "granted_minutes": 0}, TARIFF.document, PLACE)
    assert stays.session is not None
    assert (stays.session.charged, stays.session.granted_minutes) == (0, 0)


def test_a_debt_without_a_kind_is_of_none() -> None:
    source = {**DAYS, "debts": [{"key": "a", "amount": "1", "due": "2026-05-01"}]}
    assert read_request(source, TARIFF.document, PLACE).debts[0].kind == ""


def test_every_hour_that_is_none_of_a_day_is_told() -> None:
    source = {**DAYS, "hourly": {"x": "1", "24": "1", "7": "1", "-1": "1", "\N{FULLWIDTH DIGIT SEVEN}": "1"}}
    with pytest.raises(FaultsError) as refusal:
        read_request(source, TARIFF.document, PLACE)
    told = "it is no hour of a day; write 00 to 23"
    assert [str(fault) for fault in refusal.value.faults] == [
        f"hourly.{hour}: {told}" for hour in ("-1", "24", "x", "\N{FULLWIDTH DIGIT SEVEN}")
    ]


def test_every_hour_of_a_day_may_have_one_digit_or_two() -> None:
    one, two = ({f"{hour:{width}}".strip(): "1" for hour in range(24)} for width in ("", "02"))
    for hourly in (one, two):
        read = read_request({**DAYS, "hourly": hourly}, TARIFF.document, PLACE)
        assert sum(read.windows_milli.values()) == 24_000


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_a_time_at_the_end_of_all_years_is_told(year: str) -> None:
    source = {"visits": [[f"{year}-01-01T00:00", "2026-06-01T09:00"]], "paid_at": f"{year}-12-31T23:59"}
    with pytest.raises(FaultsError) as refusal:
        read_request(source, TARIFF.document, PLACE)
    told = f"the year {int(year)} is out of range; correct the value"
    assert [str(fault) for fault in refusal.value.faults][:2] == [f"visits.0.0: {told}", f"paid_at: {told}"]


@pytest.mark.parametrize("year", ["0002", "9998"])
def test_a_time_of_any_other_year_is_read(year: str) -> None:
    source = {"visits": [[f"{year}-06-01T00:00", f"{year}-06-01T01:00"]]}
    read = read_request(source, TARIFF.document, PLACE)
    assert read.session is not None
    assert read.period.start.year == int(year)
