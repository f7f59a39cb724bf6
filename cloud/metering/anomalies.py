"""Oddities that show only over weeks of readings: small leaks, running toilets, leaks by day, months, building loss.

The gateway's own rules (`common.reading.anomaly`) find what a reading or a night shows and hold in a few hundred bytes;
these look back over hours, days and months, once a day. Each compares a household with itself: what was there all along
(a night worker, an aquarium) is no finding, a change that stays is. An hour that is not known is neither quiet nor
busy, and too few known hours give no verdict. Pure; milli-units after the multiplier.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

HOURS = 24
NIGHT = range(5)
DAYTIME = range(7, 22)
WEEK = 7
PERCENT = 100
MEDIAN = 50


class SlowRule(StrEnum):
    """What was found."""

    SMALL_LEAK = "small_leak"
    RUNNING_TOILET = "running_toilet"
    DAYTIME_LEAK = "daytime_leak"
    ABNORMAL_MONTHS = "abnormal_months"
    BUILDING_LOSS = "building_loss"
    BUILDING_GAIN = "building_gain"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowLimits:
    """The bounds; a litre is one milli-unit of a cubic metre. Shares are whole hundredths."""

    days_before_min: int = 10
    recent_days: int = 3
    hours_known_min: int = 20
    leak_milli_min: int = 1
    usual_percentile: int = 80
    night_active_percent: int = 25
    night_more_percent: int = 15
    night_hours_known_min: int = 28
    toilet_milli_min: int = 10
    day_leak_milli_min: int = 3
    months: int = 3
    months_before_min: int = 6
    month_percent: int = 150
    month_milli_min: int = 5_000
    loss_days: int = 3
    loss_percent: int = 15
    gain_percent: int = 3
    loss_milli_min: int = 500


LIMITS = SlowLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowFinding:
    """A rule that was broken: the figure and the limit it stands against; what they count is the rule's."""

    rule: SlowRule
    value: int
    limit: int


Day = Sequence[int | None]  # what each of 24 hours used; None where that is not known


def household(days: Sequence[Day], limits: SlowLimits = LIMITS) -> Iterator[SlowFinding]:
    """Yield what the days of one water meter show, the newest last; a steady leak is told as that and nothing else."""
    steady = small_leak(days, limits)
    if steady is not None:
        yield steady
        return
    for rule in (running_toilet, daytime_leak):
        found = rule(days, limits)
        if found is not None:
            yield found


def small_leak(days: Sequence[Day], limits: SlowLimits = LIMITS) -> SlowFinding | None:
    """Find water that never rests: the lowest hour of each recent day stands above that of nearly every day before."""
    return _raised_floor(SlowRule.SMALL_LEAK, days, range(HOURS), limits.leak_milli_min, limits)


def running_toilet(days: Sequence[Day], limits: SlowLimits = LIMITS) -> SlowFinding | None:
    """Find water that runs in many hours of the night with rests between, where nights used to be quiet."""
    before, recent = _split(days, WEEK)
    if not _comparable(before, recent, limits):
        return None
    now, usual = _night_hours(recent), _night_hours(before)
    if len(now) < limits.night_hours_known_min or len(usual) < limits.night_hours_known_min:
        return None
    share, share_before = _active_percent(now, limits), _active_percent(usual, limits)
    each_night = all(_active_percent(_night_hours([day]), limits) > 0 for day in recent[-limits.recent_days :])
    limit = max(limits.night_active_percent, share_before + limits.night_more_percent)
    if share < limit or not each_night:
        return None
    return SlowFinding(rule=SlowRule.RUNNING_TOILET, value=share, limit=limit)


def daytime_leak(days: Sequence[Day], limits: SlowLimits = LIMITS) -> SlowFinding | None:
    """Find the same between seven in the morning and ten at night, where a household draws and rests in turns."""
    return _raised_floor(SlowRule.DAYTIME_LEAK, days, DAYTIME, limits.day_leak_milli_min, limits)


def abnormal_months(months: Sequence[int | None], limits: SlowLimits = LIMITS) -> SlowFinding | None:
    """Find a household whose last months, each, are far above its own usual month; the newest month stands last."""
    recent = months[-limits.months :]
    before = [month for month in months[: -limits.months] if month is not None]
    known = [month for month in recent if month is not None]
    if len(known) < limits.months or len(before) < limits.months_before_min:
        return None
    limit = max(_percentile(before, MEDIAN) * limits.month_percent // PERCENT, limits.month_milli_min)
    return SlowFinding(rule=SlowRule.ABNORMAL_MONTHS, value=min(known), limit=limit) if min(known) > limit else None


def building(days: Sequence[tuple[int, int] | None], limits: SlowLimits = LIMITS) -> SlowFinding | None:
    """Hold a building's total against the sum of its sub-meters over the last days, as (total, sum).

    A day on which one of them is not known is no day: nothing is said about a sum with a hole in it.
    """
    recent = days[-limits.loss_days :]
    known = [day for day in recent if day is not None]
    if len(known) < limits.loss_days:
        return None
    lost = [total - parts for total, parts in known]
    shares = [(total - parts) * PERCENT // total if total > 0 else 0 for total, parts in known]
    if min(shares) > limits.loss_percent and min(lost) >= limits.loss_milli_min:
        return SlowFinding(rule=SlowRule.BUILDING_LOSS, value=min(shares), limit=limits.loss_percent)
    gained = [(parts - total) * PERCENT // max(total, 1) for total, parts in known]
    if min(gained) > limits.gain_percent and -max(lost) >= limits.loss_milli_min:
        return SlowFinding(rule=SlowRule.BUILDING_GAIN, value=min(gained), limit=limits.gain_percent)
    return None


def _split(days: Sequence[Day], recent: int) -> tuple[Sequence[Day], Sequence[Day]]:
    return days[:-recent], days[-recent:]


def _comparable(before: Sequence[Day], recent: Sequence[Day], limits: SlowLimits) -> bool:
    """Return whether the recent days are known well, and enough of those before."""
    return all(_known(day, limits) for day in recent) and (
        sum(1 for day in before if _known(day, limits)) >= limits.days_before_min
    )


def _known(day: Day, limits: SlowLimits) -> bool:
    return sum(1 for hour in day if hour is not None) >= limits.hours_known_min


def _night_hours(days: Sequence[Day]) -> list[int]:
    return [hour for day in days for hour in (day[n] for n in NIGHT) if hour is not None]


def _active_percent(hours: Sequence[int], limits: SlowLimits) -> int:
    active = sum(1 for hour in hours if hour >= limits.toilet_milli_min)
    return active * PERCENT // len(hours) if hours else 0


def _raised_floor(
    rule: SlowRule, days: Sequence[Day], hours: range, least: int, limits: SlowLimits
) -> SlowFinding | None:
    before, recent = _split(days, limits.recent_days)
    if not _comparable(before, recent, limits):
        return None
    usual = _percentile([_floor(day, hours) for day in before if _known(day, limits)], limits.usual_percentile)
    lowest, limit = min(_floor(day, hours) for day in recent), usual + least
    return SlowFinding(rule=rule, value=lowest, limit=limit) if lowest >= limit else None


def _floor(day: Day, hours: range) -> int:
    return min((hour for hour in (day[n] for n in hours) if hour is not None), default=0)


def _percentile(values: Sequence[int], percent: int) -> int:
    return sorted(values)[(len(values) - 1) * percent // PERCENT]
