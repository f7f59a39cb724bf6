"""Edges of stays, figure by figure: what is free, what is full, what short stays, caps and heaps come to."""

from __future__ import annotations

from typing import Any

import pytest

from common.rating.engine import rate
from common.rating.line import ComponentKind, RatedLine
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import RatingRequest
from common.rating.stay import STAY_DAYS_MAX, VISITS_MAX
from tests.common.rating.test_sessions import DAY_NIGHT, HOURLY
from tests.common.tariff.builders import JUNE, stay, tariff

FULL_DAY = {"blocks": HOURLY, "cut": "calendar_day", "full_day": "20"}


def line(rule: dict[str, Any], *visits: tuple[str, str | None], paid: str = "") -> RatedLine:
    """Return the line of stays written as day and time of June 2026, `01T08:00`."""
    dated = [(f"2026-06-{start}", None if end is None else f"2026-06-{end}") for start, end in visits]
    session = stay(*dated, paid_at=f"2026-06-{paid}" if paid else None)
    return rate(tariff(session=rule), RatingRequest(period=JUNE, session=session))


def refused(rule: dict[str, Any], *visits: tuple[str, str | None]) -> RatingRefusedError:
    with pytest.raises(RatingRefusedError) as refusal:
        line(rule, *visits)
    return refusal.value


@pytest.mark.parametrize(
    ("free", "end", "fen"),
    [
        ({}, "03T00:00", 40_00),
        ({"free": {"minutes": 60, "deducted": True}}, "03T00:00", 46_00 + 20_00),
        ({"free": {"minutes": 1440, "deducted": True}}, "03T00:00", 20_00),
        ({"free": {"minutes": 1440, "deducted": True}}, "02T00:00", 0),
        ({"free": {"minutes": 1440, "deducted": True}}, "02T01:00", 2_00),
    ],
)
def test_a_full_day_keeps_its_price_as_long_as_no_minute_of_it_is_free(
    free: dict[str, Any], end: str, fen: int
) -> None:
    assert line({**FULL_DAY, **free}, ("01T00:00", end)).amount_fen == fen


def test_a_full_day_is_told_as_one_day_with_its_date() -> None:
    (full,) = line(FULL_DAY, ("01T00:00", "02T00:00")).components
    assert (full.key, full.unit) == ("session:0:0:full_day", "day")
    assert full.quantity == 1
    assert full.labels == {"day": "2026-06-01"}


def test_minutes_before_a_full_day_do_not_move_its_blocks() -> None:
    blocks = [{"minutes": 60, "every": 60, "price": "9"}, *HOURLY]
    rule = {**FULL_DAY, "blocks": blocks, "restart_blocks": False}
    assert line(rule, ("01T23:00", "03T02:00")).amount_fen == 9_00 + 20_00 + 4_00


def test_a_stay_that_is_free_is_told_with_its_minutes() -> None:
    (free,) = line({"blocks": HOURLY, "free": {"minutes": 30}}, ("01T08:00", "01T08:20")).components
    assert (free.kind, free.key, free.charge) == (ComponentKind.FREE, "session:free", "session")
    assert free.quantity == 20
    assert (free.unit, free.fen) == ("min", 0)


@pytest.mark.parametrize(("end", "fen"), [("01T20:30", 1_00), ("01T20:31", 3_00)])
def test_a_short_stay_goes_to_the_window_that_holds_most_of_it(end: str, fen: int) -> None:
    rule = {"windows": DAY_NIGHT, "short_stay_minutes": 50}
    assert line(rule, ("01T19:40", end)).amount_fen == fen


def test_a_short_stay_over_two_equal_windows_goes_to_the_earlier() -> None:
    assert line({"windows": DAY_NIGHT, "short_stay_minutes": 60}, ("01T19:30", "01T20:30")).amount_fen == 2_00


def test_a_short_stay_adds_up_the_stretches_of_one_window() -> None:
    windows = [
        {"name": "noon", "times": ["12:00-12:50"], "blocks": [{"every": 60, "price": "9"}]},
        {"name": "day", "times": ["00:00-24:00"], "blocks": HOURLY},
    ]
    assert line({"windows": windows, "short_stay_minutes": 120}, ("01T11:30", "01T13:20")).amount_fen == 4_00


@pytest.mark.parametrize(("end", "fen"), [("01T08:05", 0), ("01T08:06", 2_00)])
def test_an_allowance_at_the_end_leaves_nothing_of_a_stay_of_its_length(end: str, fen: int) -> None:
    assert line({"blocks": HOURLY, "allowance_minutes": 5}, ("01T08:00", end)).amount_fen == fen


def test_a_cap_of_a_window_counts_for_each_of_its_occurrences() -> None:
    night = {"name": "night", "times": ["20:00-08:00"], "blocks": HOURLY, "cap": "5"}
    day = {"name": "day", "times": ["08:00-20:00"], "blocks": [{"every": 60, "price": "1"}]}
    rule = {"windows": [night, day], "gather": "window"}
    assert line(rule, ("01T20:00", "03T08:00")).amount_fen == 10_00 + 12_00


@pytest.mark.parametrize(("end", "caps"), [("01T10:00", 0), ("01T11:00", 1)])
def test_a_cap_that_is_just_reached_is_not_told(end: str, caps: int) -> None:
    capped = line({"blocks": HOURLY, "cut": "calendar_day", "day_cap": "4"}, ("01T08:00", end))
    assert (capped.amount_fen, sum(one.kind is ComponentKind.CAP for one in capped.components)) == (4_00, caps)
    window = {"name": "all", "times": ["00:00-24:00"], "blocks": HOURLY, "cap": "4"}
    capped = line({"windows": [window]}, ("01T08:00", end))
    assert (capped.amount_fen, sum(one.kind is ComponentKind.CAP for one in capped.components)) == (4_00, caps)


def test_blocks_go_on_over_the_stretches_of_a_part_and_over_the_parts_of_a_visit() -> None:
    blocks = [{"minutes": 120, "every": 60, "price": "9"}, {"every": 60, "price": "1"}]
    windows = [
        {"name": "a", "times": ["08:00-09:00"], "blocks": blocks},
        {"name": "b", "times": ["09:00-10:00"], "blocks": [{**block, "price": "5"} for block in blocks]},
        {"name": "c", "times": ["10:00-08:00"], "blocks": blocks},
    ]
    assert line({"windows": windows, "restart_blocks": False}, ("01T08:00", "01T11:00")).amount_fen == 15_00


def test_visits_put_together_are_numbered_by_their_span() -> None:
    rule = {"blocks": HOURLY, "cut": "calendar_day", "visits": "together"}
    keys = [one.key for one in line(rule, ("01T08:00", "01T09:00"), ("02T08:00", "02T09:00")).components]
    assert [key.rsplit(":", 2)[0] for key in keys] == ["session:0:0", "session:0:1"]


def test_the_pay_is_in_time_from_the_entry_to_the_last_minute_of_the_grace() -> None:
    rule = {"blocks": HOURLY, "exit_grace_minutes": 15}
    assert line(rule, ("01T08:00", "01T09:15"), paid="01T09:00").amount_fen == 2_00
    assert line(rule, ("01T08:00", "01T09:16"), paid="01T09:00").amount_fen == 4_00
    assert line(rule, ("01T08:00", "01T08:15"), paid="01T08:00").amount_fen == 0


def test_visits_may_touch_and_must_not_overlap() -> None:
    rule = {"blocks": HOURLY}
    assert line(rule, ("01T08:00", "01T09:00"), ("01T09:00", "01T10:00")).amount_fen == 4_00
    assert refused(rule, ("01T08:00", "01T09:01"), ("01T09:00", "01T10:00")).kind is RefusalKind.BAD_SESSION


def test_a_session_that_cannot_be_is_refused_with_its_kind() -> None:
    rule = {"blocks": HOURLY}
    assert refused(rule, ("01T08:00", "01T07:00")).kind is RefusalKind.BAD_SESSION
    assert refused(rule, ("01T08:00", None)).kind is RefusalKind.OPEN_SESSION
    assert refused(rule).kind is RefusalKind.NO_SESSION
    with pytest.raises(RatingRefusedError, match=r"there is no record of the stay$") as missing:
        rate(tariff(session=rule), RatingRequest(period=JUNE))
    assert missing.value.kind is RefusalKind.NO_SESSION


def test_the_longest_stay_and_the_most_visits_are_still_priced() -> None:
    minutes = [
        (f"2026-06-01T{n // 60:02d}:{n % 60:02d}", f"2026-06-01T{n // 60:02d}:{n % 60:02d}") for n in range(VISITS_MAX)
    ]
    compiled = tariff(session={"blocks": HOURLY})
    assert rate(compiled, RatingRequest(period=JUNE, session=stay(*minutes))).amount_fen == 0
    days = STAY_DAYS_MAX * 24 * 2_00
    decade = stay(("2016-06-01T00:00", "2026-06-09T00:00"))
    assert (decade.visits[0].exit - decade.visits[0].entry).days == STAY_DAYS_MAX  # type: ignore[operator]
    assert rate(compiled, RatingRequest(period=JUNE, session=decade)).amount_fen == days


def test_a_full_day_adds_no_minute_to_the_blocks_of_the_next() -> None:
    blocks = [{"minutes": 60, "every": 60, "price": "9"}, *HOURLY]
    rule = {**FULL_DAY, "blocks": blocks, "restart_blocks": False}
    assert line(rule, ("01T00:00", "02T01:00")).amount_fen == 20_00 + 9_00


def test_an_allowance_leaves_nothing_of_a_stay_that_is_as_short_in_a_window_paid_once() -> None:
    windows = [{"name": "all", "times": ["00:00-24:00"], "once": "6"}]
    rule = {"windows": windows, "allowance_minutes": 5}
    assert [line(rule, ("01T08:00", end)).amount_fen for end in ("01T08:03", "01T08:05", "01T08:06")] == [0, 0, 6_00]
    deducted = {"windows": windows, "free": {"minutes": 60, "limit": "under", "deducted": True}}
    assert [line(deducted, ("01T08:00", end)).amount_fen for end in ("01T09:00", "01T09:01")] == [0, 6_00]


def test_a_short_stay_of_which_nothing_is_charged_is_free() -> None:
    rule = {"windows": DAY_NIGHT, "short_stay_minutes": 50, "allowance_minutes": 30}
    assert line(rule, ("01T19:45", "01T20:10")).components[0].kind is ComponentKind.FREE


def test_minutes_gathered_over_stretches_are_told_from_the_first_start_to_the_last_end() -> None:
    day, night = line({"windows": DAY_NIGHT, "gather": "window"}, ("01T19:00", "02T09:00")).components
    assert (day.labels["from"], day.labels["to"]) == ("2026-06-01T19:00:00+08:00", "2026-06-02T09:00:00+08:00")
    assert (night.labels["from"], night.labels["to"]) == ("2026-06-01T20:00:00+08:00", "2026-06-02T08:00:00+08:00")


def test_a_window_paid_once_is_told_under_a_key_that_says_when() -> None:
    night = {"name": "night", "times": ["20:00-08:00"], "once": "6"}
    (told,) = line({"windows": [DAY_NIGHT[0], night]}, ("01T21:00", "01T22:00")).components
    assert told.key == "session:0:0:0601T2100:once"


def test_a_cap_of_a_window_takes_off_parts_of_a_fen_too() -> None:
    window = {"name": "all", "times": ["00:00-24:00"], "blocks": HOURLY, "cap": "1.995"}
    capped = line({"windows": [window]}, ("01T08:00", "01T09:00"))
    assert (capped.components[-1].kind, str(capped.components[-1].amount)) == (ComponentKind.CAP, "-1/2")


def test_a_rolling_cap_counts_blocks_that_go_on_from_where_they_began() -> None:
    windows = [
        {"name": "am", "times": ["00:00-12:00"], "blocks": HOURLY},
        {"name": "pm", "times": ["12:00-24:00"], "blocks": [{"every": 60, "price": "3"}]},
    ]
    rule = {"windows": windows, "restart_blocks": False, "rolling_cap": "10"}
    capped = line(rule, ("01T00:00", "02T00:00"))
    assert capped.amount_fen == 10_00


def test_a_rolling_cap_that_is_not_reached_is_not_told() -> None:
    told = line({"blocks": HOURLY, "rolling_cap": "10"}, ("01T08:00", "01T10:00"))
    assert [one.kind for one in told.components] == [ComponentKind.SESSION]


def test_windows_of_one_price_are_one_run_whatever_their_names_labels_and_days() -> None:
    blocks = [{"minutes": 60, "every": 60, "price": "9"}, *HOURLY]
    every: dict[str, Any] = {"times": ["00:00-24:00"], "blocks": blocks}
    week = {**every, "name": "week", "label": "working days", "weekdays": ["mon", "tue", "wed", "thu", "fri"]}
    rule = {"windows": [week, {**every, "name": "end", "label": "free days"}]}
    assert line(rule, ("05T23:30", "06T01:30")).amount_fen == 9_00 + 2_00


def test_a_stay_that_is_refused_says_exactly_why() -> None:
    rule = {"blocks": HOURLY}
    assert refused(rule, ("01T08:00", "01T07:00")).detail == "the exit lies before the entry"
    assert refused(rule, ("01T08:00", None)).detail == "the exit is not known"
    overlap = refused(rule, ("01T08:00", "01T10:00"), ("01T09:00", "01T11:00"))
    assert overlap.detail == "two visits of one vehicle overlap"
    with pytest.raises(RatingRefusedError, match=f"^bad_session: the stay is longer than {STAY_DAYS_MAX} days$"):
        rate(tariff(session=rule), RatingRequest(period=JUNE, session=stay(("2010-01-01T00:00", "2026-01-01T00:00"))))


def test_an_exit_that_was_not_seen_is_taken_on_the_civil_day_of_the_entry() -> None:
    rule = {"blocks": HOURLY, "missing_exit": "23:00"}
    assert line(rule, ("02T00:30", None)).amount_fen == 23 * 2_00
