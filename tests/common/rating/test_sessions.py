"""Parking rules one by one: free minutes, units, windows by day and holiday, caps, visits, exits, coupons."""

from __future__ import annotations

from typing import Any

import pytest

from common.rating.engine import rate
from common.rating.explain import explain
from common.rating.line import ComponentKind
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import RatingRequest
from common.rating.stay import VISITS_MAX
from tests.common.tariff import library
from tests.common.tariff.builders import JUNE, stay, tariff

HOURLY = [{"every": 60, "price": "2"}]
DAY_NIGHT = [
    {"name": "day", "times": ["08:00-20:00"], "blocks": HOURLY},
    {"name": "night", "times": ["20:00-08:00"], "blocks": [{"every": 60, "price": "1"}]},
]


def cost(rule: dict[str, Any], *visits: tuple[str, str | None], granted: int = 0, paid: str = "") -> int:
    """Return fen for stays written as day and time of June 2026, `01T08:00`."""
    dated = [(f"2026-06-{start}", None if end is None else f"2026-06-{end}") for start, end in visits]
    session = stay(*dated, granted_minutes=granted, paid_at=f"2026-06-{paid}" if paid else None)
    compiled = tariff(session={"blocks": HOURLY, **rule} if "windows" not in rule else rule)
    return rate(compiled, RatingRequest(period=JUNE, session=session, calendar=library.calendar())).amount_fen


@pytest.mark.parametrize(
    ("rule", "end", "fen"),
    [
        ({}, "01T08:00", 0),
        ({}, "01T08:01", 200),
        ({}, "01T09:00", 200),
        ({}, "01T09:01", 400),
        ({"units": "completed"}, "01T08:59", 0),
        ({"units": "completed"}, "01T09:59", 200),
        ({"units": "exact"}, "01T08:30", 100),
        ({"tail_minutes": 15}, "01T09:15", 200),
        ({"tail_minutes": 15}, "01T09:16", 400),
        ({"free": {"minutes": 30}}, "01T08:30", 0),
        ({"free": {"minutes": 30}}, "01T08:31", 200),
        ({"free": {"minutes": 30, "limit": "under"}}, "01T08:30", 200),
        ({"free": {"minutes": 30, "limit": "under"}}, "01T08:29", 0),
        ({"free": {"minutes": 30}}, "01T09:20", 400),
        ({"free": {"minutes": 30, "deducted": True}}, "01T09:20", 200),
        ({"free": {"minutes": 30}}, "01T08:30:59", 0),
        ({"free": {"minutes": 30}, "count_seconds": True}, "01T08:30:59", 200),
        ({"blocks": [{"minutes": 120, "every": 120, "price": "5"}, *HOURLY]}, "01T08:05", 500),
        ({"blocks": [{"minutes": 120, "every": 120, "price": "5"}, *HOURLY]}, "01T10:05", 700),
        ({"allowance_minutes": 5}, "01T09:04", 200),
        ({"allowance_minutes": 5}, "01T08:05", 0),
    ],
)
def test_a_stay_from_eight_costs(rule: dict[str, Any], end: str, fen: int) -> None:
    assert cost(rule, ("01T08:00", end)) == fen


@pytest.mark.parametrize(
    ("rule", "fen"),
    [
        ({}, 5_200),
        ({"cut": "calendar_day", "day_cap": "10"}, 2_000),
        ({"cut": "day_from_entry", "day_cap": "30"}, 3_400),
        ({"cut": "day_from_entry", "full_day": "25"}, 2_900),
        ({"cut": "calendar_day", "day_caps": ["10", "20"]}, 3_000),
        ({"cut": "day_from_entry", "day_caps": ["10", "20", "30"]}, 1_400),
        ({"cut": "day_from_entry", "blocks": [{"minutes": 60, "every": 60, "price": "5"}, *HOURLY]}, 5_800),
        (
            {"cut": "day_from_entry", "blocks": [{"minutes": 60, "every": 60, "price": "5"}, *HOURLY],
             "restart_blocks": False},
            5_500,
        ),
        ({"cut": "day_from_entry", "free": {"minutes": 120, "each_part": True}}, 4_800),
        ({"cut": "day_from_entry", "free": {"minutes": 120, "deducted": True}}, 4_800),
        ({"cut": "calendar_day", "full_day": "10"}, 5_200),
    ],
)  # fmt: skip
def test_a_stay_of_twenty_five_hours_and_ten_minutes_costs(rule: dict[str, Any], fen: int) -> None:
    assert cost(rule, ("01T08:00", "02T09:10")) == fen


def test_a_full_calendar_day_has_its_own_price() -> None:
    assert cost({"cut": "calendar_day", "full_day": "10"}, ("01T08:00", "03T08:00")) == 3_200 + 1_000 + 1_600
    assert cost({"cut": "calendar_day", "full_day": "10"}, ("02T00:00", "03T00:00")) == 1_000


@pytest.mark.parametrize(
    ("gather", "fen"),
    [("run", 100 * 1 + 200 * 12 + 100 * 2), ("window", 100 * 2 + 200 * 12), ("part", 100 * 14)],
)
def test_minutes_are_gathered_as_the_rule_says(gather: str, fen: int) -> None:
    assert cost({"windows": DAY_NIGHT, "gather": gather}, ("01T07:30", "01T21:15")) == fen


def test_blocks_of_a_stay_go_on_in_the_next_window_when_they_do_not_restart() -> None:
    blocks = [{"minutes": 60, "every": 60, "price": "9"}, *HOURLY]
    windows = [{**window, "blocks": blocks, "cap": "100"} for window in DAY_NIGHT]
    assert cost({"windows": windows}, ("01T19:30", "01T21:00")) == 900 + 900
    assert cost({"windows": windows, "restart_blocks": False}, ("01T19:30", "01T21:00")) == 900 + 200


def test_a_holiday_price_says_which_meaning_of_holiday_it_has() -> None:
    statutory = {
        "name": "holiday",
        "times": ["00:00-24:00"],
        "days": ["statutory"],
        "blocks": [{"every": 60, "price": "9"}],
    }
    off = {**statutory, "name": "off", "days": ["day_off"], "blocks": [{"every": 60, "price": "5"}]}
    rule = {"windows": [statutory, off, *DAY_NIGHT]}
    assert cost(rule, ("19T09:00", "19T10:00")) == 900
    assert cost(rule, ("20T09:00", "20T10:00")) == 500
    assert cost(rule, ("22T09:00", "22T10:00")) == 200


def test_a_year_without_an_official_calendar_refuses_and_is_never_guessed() -> None:
    off = {"name": "off", "times": ["00:00-24:00"], "days": ["day_off", "statutory"], "blocks": HOURLY}
    compiled = tariff(session={"windows": [off, *DAY_NIGHT]})
    session = stay(("2027-05-01T09:00", "2027-05-01T10:00"))
    with pytest.raises(RatingRefusedError, match="calendar cn has no official notice for 2027") as refusal:
        rate(compiled, RatingRequest(period=JUNE, session=session, calendar=library.calendar()))
    assert refusal.value.kind is RefusalKind.NO_CALENDAR
    with pytest.raises(RatingRefusedError, match="the windows need the official calendar of 2026"):
        rate(compiled, RatingRequest(period=JUNE, session=stay(("2026-06-01T09:00", "2026-06-01T10:00"))))


def test_a_cap_for_a_calendar_day_counts_over_all_visits_and_each_next_day_anew() -> None:
    rule = {"cut": "calendar_day", "day_cap": "5"}
    assert cost(rule, ("01T08:00", "01T09:30"), ("01T10:00", "01T12:00")) == 500
    assert cost(rule, ("01T08:00", "01T09:30"), ("02T10:00", "02T12:00")) == 800
    apart = {"cut": "day_from_entry", "day_cap": "5"}
    assert cost(apart, ("01T08:00", "01T09:30"), ("01T10:00", "01T12:00")) == 800


def test_visits_of_one_day_may_be_put_together() -> None:
    rule = {"cut": "calendar_day", "visits": "together", "gather": "part"}
    assert cost(rule, ("01T08:00", "01T08:20"), ("01T10:00", "01T10:30")) == 200
    assert cost({**rule, "free": {"minutes": 60}}, ("01T08:00", "01T08:20"), ("01T10:00", "01T10:30")) == 0
    assert (
        cost({**rule, "free": {"minutes": 40, "deducted": True}}, ("01T08:00", "01T08:30"), ("01T10:00", "01T11:15"))
        == 400
    )
    assert cost({}, ("01T08:00", "01T08:20"), ("01T10:00", "01T10:30")) == 400


def test_a_lost_exit_refuses_unless_the_tariff_gives_one() -> None:
    with pytest.raises(RatingRefusedError, match="the exit is not known") as refusal:
        cost({}, ("01T08:00", None))
    assert refusal.value.kind is RefusalKind.OPEN_SESSION
    assert cost({"missing_exit": "12:00"}, ("01T08:00", None)) == 800
    with pytest.raises(RatingRefusedError, match="the exit lies before the entry"):
        cost({"missing_exit": "07:00"}, ("01T08:00", None))


def test_the_exit_grace_runs_after_a_payment() -> None:
    rule = {"exit_grace_minutes": 15}
    assert cost(rule, ("01T08:00", "01T09:10"), paid="01T08:58") == 200
    assert cost(rule, ("01T08:00", "01T09:14"), paid="01T08:58") == 400
    assert cost(rule, ("01T08:00", "01T09:10")) == 400


def test_minutes_of_a_coupon_shorten_the_stay_from_its_start() -> None:
    assert cost({}, ("01T08:00", "01T10:10"), granted=60) == 400
    assert cost({}, ("01T08:00", "01T08:40"), granted=60) == 0


def test_a_coupon_is_used_once_over_several_visits() -> None:
    visits = ("01T08:00", "01T08:40"), ("01T10:00", "01T12:10")
    assert cost({}, *visits, granted=60) == 400
    assert cost({}, *visits, granted=600) == 0


def test_a_payment_before_another_visit_of_the_same_car_leaves_that_visit_alone() -> None:
    rule = {"exit_grace_minutes": 15}
    assert cost(rule, ("01T08:00", "01T08:58"), ("01T09:05", "01T09:10"), paid="01T08:57") == 200 + 200


def test_a_car_that_is_back_within_the_re_entry_minutes_goes_on_with_its_stay() -> None:
    first_hour_dear = {"blocks": [{"minutes": 60, "every": 60, "price": "5"}, *HOURLY]}
    visits = ("01T08:00", "01T08:50"), ("01T09:05", "01T09:40")
    assert cost(first_hour_dear, *visits) == 1_000
    assert cost({**first_hour_dear, "rejoin_minutes": 14}, *visits) == 1_000
    assert cost({**first_hour_dear, "rejoin_minutes": 15}, *visits) == 700
    chain = (*visits, ("01T09:50", "01T10:30"))
    assert cost({**first_hour_dear, "rejoin_minutes": 15}, *chain) == 900
    assert (
        cost({"free": {"minutes": 40}, "rejoin_minutes": 15}, ("01T08:00", "01T08:30"), ("01T08:40", "01T09:05")) == 400
    )


def test_a_cap_for_24_hours_from_the_first_entry_counts_over_all_visits_in_them() -> None:
    rule = {"cut": "day_from_first_entry", "day_cap": "5"}
    morning, evening = ("01T08:00", "01T09:30"), ("01T20:00", "01T22:00")
    assert cost(rule, morning, evening) == 500
    assert cost(rule, morning, evening, ("02T07:30", "02T09:00")) == 500 + 200
    assert cost(rule, morning, ("02T08:00", "02T09:30")) == 400 + 400
    assert cost(rule, morning, ("02T10:00", "02T12:00"), ("03T09:00", "03T11:00")) == 400 + 500 + 200
    rising = {"cut": "day_from_first_entry", "day_caps": ["5", "9"]}
    assert cost(rising, ("01T08:00", "02T20:00")) == 500 + 900


def test_visits_within_24_hours_of_the_first_entry_may_be_put_together() -> None:
    rule = {"cut": "day_from_first_entry", "visits": "together", "gather": "part"}
    assert cost(rule, ("01T20:00", "01T20:20"), ("02T10:00", "02T10:30")) == 200
    assert cost(rule, ("01T20:00", "01T20:20"), ("02T19:50", "02T20:20")) == 200 + 200


def test_a_full_24_hours_from_the_first_entry_has_its_own_price() -> None:
    rule = {"cut": "day_from_first_entry", "full_day": "25"}
    assert cost(rule, ("01T08:00", "02T09:10")) == 2_500 + 400
    assert cost(rule, ("01T08:00", "01T09:00"), ("01T10:00", "02T09:00")) == 200 + 4_400 + 200


@pytest.mark.parametrize(
    ("rule", "visits", "fen"),
    [
        ({}, [("01T08:00", "01T12:00")], 800),
        ({}, [("01T08:00", "01T13:00")], 1_000),
        ({}, [("01T08:00", "01T13:01")], 1_000),
        ({}, [("01T08:00", "01T13:00"), ("02T07:00", "02T09:00")], 1_200),
        ({}, [("01T08:00", "01T13:00"), ("02T08:00", "02T20:00")], 2_000),
        ({}, [("01T08:00", "01T10:00"), ("01T23:00", "02T03:00"), ("02T07:30", "02T08:30")], 1_000),
        ({}, [("01T08:00", "02T09:10")], 1_400),
        ({"blocks": [{"minutes": 60, "every": 60, "price": "9"}, *HOURLY]}, [("01T08:00", "01T11:00")], 1_000),
        ({"blocks": [{"minutes": 60, "every": 60, "price": "9"}, *HOURLY]}, [("01T08:00", "02T09:00")], 1_200),
        ({"units": "exact"}, [("01T08:00", "01T13:30")], 1_000),
        ({"units": "exact"}, [("01T08:00", "01T13:30"), ("02T08:00", "02T08:30")], 1_100),
        ({"cut": "day_from_entry", "full_day": "25"}, [("01T08:00", "02T09:10")], 1_000 + 400),
        (
            {"windows": [{"name": "all", "times": ["00:00-24:00"], "blocks": HOURLY, "cap": "6"}]},
            [("01T08:00", "01T12:00"), ("01T14:00", "01T16:00"), ("01T18:00", "01T22:00")],
            1_000,
        ),
        (
            {"windows": [{"name": "all", "times": ["00:00-24:00"], "once": "6"}]},
            [("01T08:00", "01T12:00"), ("01T14:00", "01T16:00"), ("02T08:00", "02T09:00")],
            1_600,
        ),
    ],
)
def test_a_rolling_cap_of_ten_yuan_holds_for_any_24_hours(
    rule: dict[str, Any], visits: list[tuple[str, str | None]], fen: int
) -> None:
    assert cost({**rule, "rolling_cap": "10"}, *visits) == fen


def test_a_rolling_cap_follows_blocks_that_go_on_in_the_next_window() -> None:
    blocks = [{"minutes": 60, "every": 60, "price": "6"}, *HOURLY]
    windows = [{**window, "blocks": blocks, "cap": "100"} for window in DAY_NIGHT]
    rule = {"windows": windows, "restart_blocks": False, "rolling_cap": "7"}
    assert cost(rule, ("01T19:30", "01T21:00")) == 700
    assert cost({**rule, "rolling_cap": "8"}, ("01T19:30", "01T21:00")) == 800


def test_a_rolling_cap_says_what_it_took_off() -> None:
    compiled = tariff(session={"blocks": HOURLY, "rolling_cap": "10"})
    session = stay(("2026-06-01T08:00", "2026-06-01T16:00"))
    line = rate(compiled, RatingRequest(period=JUNE, session=session))
    last = line.components[-1]
    assert (last.kind, last.key, last.fen) == (ComponentKind.CAP, "session:rolling_cap", -600)
    assert last.labels == {"cap": "1000", "hours": "24"}
    assert explain(line, "zh")[-2] == "24 小时封顶: 超出封顶部分 -6.00 元"
    assert explain(line, "en")[-2] == "cap of 24 hours: above the cap -6.00 CNY"


def test_a_rolling_cap_over_more_units_than_it_looks_at_is_refused() -> None:
    compiled = tariff(session={"blocks": [{"every": 1, "price": "1"}], "rolling_cap": "10"})
    session = stay(("2026-06-01T08:00", "2026-06-15T08:00"))
    with pytest.raises(RatingRefusedError, match="a rolling cap looks at no more than 20000 units") as refusal:
        rate(compiled, RatingRequest(period=JUNE, session=session))
    assert refusal.value.kind is RefusalKind.BAD_SESSION


@pytest.mark.parametrize(
    ("visits", "message"),
    [
        ([], "a session has 1 to 200 visits"),
        ([("01T08:00", "01T09:00")] * (VISITS_MAX + 1), "a session has 1 to 200 visits"),
        ([("01T09:00", "01T08:00")], "the exit lies before the entry"),
        ([("01T08:00", "01T10:00"), ("01T09:00", "01T11:00")], "two visits of one vehicle overlap"),
    ],
)
def test_a_session_that_cannot_be_is_refused(visits: list[tuple[str, str | None]], message: str) -> None:
    with pytest.raises(RatingRefusedError, match=message):
        cost({}, *visits)


def test_a_stay_of_more_than_ten_years_is_refused() -> None:
    session = stay(("2010-01-01T08:00", "2026-01-01T08:00"))
    with pytest.raises(RatingRefusedError, match="the stay is longer than 3660 days"):
        rate(tariff(session={"blocks": HOURLY}), RatingRequest(period=JUNE, session=session))


def test_a_short_stay_over_two_windows_is_charged_in_the_one_that_holds_more() -> None:
    rule = {"windows": DAY_NIGHT, "short_stay_minutes": 60}
    assert cost(rule, ("01T19:30", "01T20:20")) == 200
    assert cost(rule, ("01T19:50", "01T20:40")) == 100
    assert cost(rule, ("01T19:50", "01T20:51")) == 300


def test_windows_with_a_rule_for_each_occurrence_are_not_run_together() -> None:
    capped = [{**window, "blocks": HOURLY, "cap": "3"} for window in DAY_NIGHT]
    assert cost({"windows": capped}, ("01T16:00", "02T10:00")) == 300 + 300 + 300
    once = [DAY_NIGHT[0], {"name": "night", "times": ["20:00-08:00"], "once": "4"}]
    assert cost({"windows": once}, ("01T19:00", "03T09:00")) == 200 + 400 + 2_400 + 400 + 200
    most = [{**DAY_NIGHT[0], "most": {"minutes": 120, "of": 240}}, DAY_NIGHT[1]]
    assert cost({"windows": most}, ("01T09:00", "01T16:00")) == 800


def test_every_component_of_a_session_has_a_key_and_a_place_of_its_own() -> None:
    compiled = tariff(session={"windows": DAY_NIGHT, "cut": "calendar_day", "day_cap": "15"})
    session = stay(("2026-06-01T08:00", "2026-06-03T12:00"))
    line = rate(compiled, RatingRequest(period=JUNE, session=session))
    assert len({component.key for component in line.components}) == len(line.components)
    assert [component.kind for component in line.components].count(ComponentKind.CAP) == 3
    assert line.components[0].labels["from"] == "2026-06-01T08:00:00+08:00"
