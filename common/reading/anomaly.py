"""Oddities in a register's series, found reading by reading with a small bounded state. Pure.

Rules: backwards and jump say that a register may be false (its quality is flagged, it is not billed before a person
looked); gap, stuck, spike, night flow, continuous flow and reverse flow say that something on site deserves a look, and
three abnormal days in a row that it is urgent. A false value does not become the yardstick for the next one: a new
level counts only when a second reading confirms it. Rules that need more than one register (silent slots, two meters
that answer for each other) stand in `common.reading.anomaly_site`.

Limits are per resource, before the multiplier, generous on purpose: a rule that cries wolf holds up billing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from common.errors import ensure
from common.reading.reading import Quality, Resource

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
DAYS_KEPT = 14
DAYS_BEFORE_SPIKE = 7
PAIR_MS_MAX = 2 * HOUR_MS
NIGHT_MINUTES = (2 * 60, 5 * 60)
NIGHT_PAIRS_MIN = 2
_MILLI = 1000


class Rule(StrEnum):
    """What was found."""

    BACKWARDS = "backwards"
    JUMP = "jump"
    GAP = "gap"
    STUCK = "stuck"
    SPIKE = "spike"
    NIGHT_FLOW = "night_flow"
    CONTINUOUS_FLOW = "continuous_flow"
    REVERSE_FLOW = "reverse_flow"
    ABNORMAL_DAYS = "abnormal_days"
    COMMS_QUALITY = "comms_quality"
    SWAPPED_METERS = "swapped_meters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of one resource in milli-units and milliseconds; `spike_ratio_milli` is times a thousand."""

    hourly_milli_max: int
    night_milli_min: int
    spike_milli_min: int
    spike_ratio_milli: int = 4_000
    nights: int = 3
    continuous_ms: int = 48 * HOUR_MS
    stuck_ms: int = 10 * DAY_MS
    gap_ms: int = 26 * HOUR_MS
    reverse_steps: int = 3
    abnormal_days: int = 3
    watches_flow: bool = True

    def __post_init__(self) -> None:
        """Check that every bound is above zero."""
        ensure(min(self.hourly_milli_max, self.night_milli_min, self.spike_milli_min) > 0, "limits are above zero")


LIMITS: Mapping[Resource, Limits] = {
    Resource.ELECTRICITY: Limits(
        hourly_milli_max=100_000, night_milli_min=3_000, spike_milli_min=20_000, watches_flow=False
    ),
    Resource.WATER: Limits(hourly_milli_max=20_000, night_milli_min=2, spike_milli_min=2_000),
    Resource.HOT_WATER: Limits(hourly_milli_max=20_000, night_milli_min=2, spike_milli_min=2_000),
    Resource.GAS: Limits(hourly_milli_max=20_000, night_milli_min=5, spike_milli_min=5_000),
    Resource.HEAT: Limits(hourly_milli_max=50_000, night_milli_min=1_000, spike_milli_min=20_000, watches_flow=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a register was read: the instant, and its place in the civil calendar of the site."""

    at_ms: int
    day: int  # the civil day's ordinal
    minute: int  # minutes since the civil midnight


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchState:
    """What the rules remember of one register; a few hundred bytes."""

    at_ms: int
    milli: int
    day: int
    day_at_ms: int
    day_milli: int
    days: tuple[int, ...] = ()
    candidate_at_ms: int = 0
    candidate_milli: int = 0
    moved_ms: int
    still_ms: int
    flow_told: bool = False
    night_milli: int = 0
    night_pairs: int = 0
    nights: int = 0
    back_steps: int = 0
    abnormal_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that was broken: the figure and the limit it stands against, in milli-units or milliseconds."""

    rule: Rule
    value: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one reading gave: the next state, the findings, and the flags against the reading itself."""

    state: WatchState
    findings: tuple[Finding, ...] = ()
    quality: Quality = Quality.GOOD


def observe(state: WatchState | None, moment: Moment, value_milli: int, limits: Limits) -> Verdict:
    """Return the verdict on the next reading of a register; the first one of a series is taken as it is."""
    if state is None:
        return Verdict(state=_first(moment, value_milli))
    if moment.at_ms <= state.at_ms:
        return Verdict(state=state)
    fault = _implausible(state, moment, value_milli, limits)
    if fault is not None and not _confirms_candidate(state, moment, value_milli, limits):
        state, reverse = _watch_reverse(state, fault, limits)
        held = replace(state, candidate_at_ms=moment.at_ms, candidate_milli=value_milli)
        flag = Quality.BACKWARDS if fault.rule is Rule.BACKWARDS else Quality.JUMP
        return Verdict(state=held, findings=(fault, *reverse), quality=flag)
    if fault is not None:
        state, reverse = _watch_reverse(state, fault, limits)
        anew = replace(_first(moment, value_milli), back_steps=state.back_steps)
        return Verdict(state=anew, findings=(fault, *reverse))
    return _accepted(state, moment, value_milli, limits)


def _first(moment: Moment, value_milli: int) -> WatchState:
    return WatchState(
        at_ms=moment.at_ms,
        milli=value_milli,
        day=moment.day,
        day_at_ms=moment.at_ms,
        day_milli=value_milli,
        moved_ms=moment.at_ms,
        still_ms=moment.at_ms,
    )


def _implausible(state: WatchState, moment: Moment, value_milli: int, limits: Limits) -> Finding | None:
    """Return why a value cannot follow the last accepted one."""
    step = value_milli - state.milli
    if step < 0:
        return Finding(rule=Rule.BACKWARDS, value=step, limit=0)
    most = limits.hourly_milli_max * max(moment.at_ms - state.at_ms, HOUR_MS) // HOUR_MS
    return Finding(rule=Rule.JUMP, value=step, limit=most) if step > most else None


def _confirms_candidate(state: WatchState, moment: Moment, value_milli: int, limits: Limits) -> bool:
    """Return whether the value follows the held one, which makes that one the new level."""
    if not state.candidate_at_ms:
        return False
    held = replace(state, at_ms=state.candidate_at_ms, milli=state.candidate_milli)
    return _implausible(held, moment, value_milli, limits) is None


def _watch_reverse(state: WatchState, fault: Finding, limits: Limits) -> tuple[WatchState, tuple[Finding, ...]]:
    """Small steps back, again and again in one day, are water that flows back or a meter that turns backwards."""
    small = fault.rule is Rule.BACKWARDS and -fault.value <= limits.hourly_milli_max
    if not small:
        return state, ()
    steps = state.back_steps + 1
    told = (Finding(rule=Rule.REVERSE_FLOW, value=fault.value, limit=0),) if steps == limits.reverse_steps else ()
    return replace(state, back_steps=steps), told


def _accepted(state: WatchState, moment: Moment, value_milli: int, limits: Limits) -> Verdict:
    elapsed_ms, step = moment.at_ms - state.at_ms, value_milli - state.milli
    findings = []
    if elapsed_ms > limits.gap_ms:
        findings.append(Finding(rule=Rule.GAP, value=elapsed_ms, limit=limits.gap_ms))
    findings += _watch_stillness(state, moment, step, limits)
    if limits.watches_flow:
        state, flowing = _watch_flow(state, moment, step, limits)
        findings += flowing
    if moment.day != state.day:
        state, closed = _close_day(state, moment, value_milli, limits)
        findings += closed
    return Verdict(state=_stepped(state, moment, value_milli), findings=tuple(findings))


def _stepped(state: WatchState, moment: Moment, value_milli: int) -> WatchState:
    """Return the state with the value as its newest; written out, because every reading of every register comes by."""
    return WatchState(
        at_ms=moment.at_ms,
        milli=value_milli,
        day=state.day,
        day_at_ms=state.day_at_ms,
        day_milli=state.day_milli,
        days=state.days,
        moved_ms=moment.at_ms if value_milli > state.milli else state.moved_ms,
        still_ms=state.still_ms,
        flow_told=state.flow_told,
        night_milli=state.night_milli,
        night_pairs=state.night_pairs,
        nights=state.nights,
        back_steps=state.back_steps,
        abnormal_days=state.abnormal_days,
    )


def _watch_stillness(state: WatchState, moment: Moment, step: int, limits: Limits) -> tuple[Finding, ...]:
    """A register that used to move and has not for long is told once."""
    if step > 0:
        return ()
    before_ms, still_ms = state.at_ms - state.moved_ms, moment.at_ms - state.moved_ms
    used_to_move = max(state.days, default=0) > 0
    if used_to_move and before_ms < limits.stuck_ms <= still_ms:
        return (Finding(rule=Rule.STUCK, value=still_ms, limit=limits.stuck_ms),)
    return ()


def _watch_flow(state: WatchState, moment: Moment, step: int, limits: Limits) -> tuple[WatchState, tuple[Finding, ...]]:
    """Readings close together show the flow between them: never at rest, or never below a floor by night."""
    elapsed_ms = moment.at_ms - state.at_ms
    if step == 0 or elapsed_ms > PAIR_MS_MAX:
        state = replace(state, still_ms=moment.at_ms, flow_told=False)
    if elapsed_ms <= PAIR_MS_MAX and NIGHT_MINUTES[0] < moment.minute <= NIGHT_MINUTES[1]:
        hourly = step * HOUR_MS // elapsed_ms
        lowest = min(hourly, state.night_milli) if state.night_pairs else hourly
        state = replace(state, night_milli=lowest, night_pairs=state.night_pairs + 1)
    flowing_ms = moment.at_ms - state.still_ms
    if flowing_ms >= limits.continuous_ms and not state.flow_told:
        finding = Finding(rule=Rule.CONTINUOUS_FLOW, value=flowing_ms, limit=limits.continuous_ms)
        return replace(state, flow_told=True), (finding,)
    return state, ()


def _close_day(
    state: WatchState, moment: Moment, value_milli: int, limits: Limits
) -> tuple[WatchState, tuple[Finding, ...]]:
    """Weigh the day that ended: its usage against the days before, its night against the floor."""
    findings = []
    usage = (value_milli - state.day_milli) * DAY_MS // max(moment.at_ms - state.day_at_ms, HOUR_MS)
    if len(state.days) >= DAYS_BEFORE_SPIKE:
        limit = max(_median_low(state.days) * limits.spike_ratio_milli // _MILLI, limits.spike_milli_min)
        if usage > limit:
            findings.append(Finding(rule=Rule.SPIKE, value=usage, limit=limit))
    leaking = state.night_pairs >= NIGHT_PAIRS_MIN and state.night_milli >= limits.night_milli_min
    nights = state.nights + 1 if leaking else 0
    if nights == limits.nights:
        findings.append(Finding(rule=Rule.NIGHT_FLOW, value=state.night_milli, limit=limits.night_milli_min))
    abnormal_days = state.abnormal_days + 1 if findings or leaking or state.flow_told else 0
    if abnormal_days == limits.abnormal_days:
        days = (abnormal_days * DAY_MS, limits.abnormal_days * DAY_MS)
        findings.append(Finding(rule=Rule.ABNORMAL_DAYS, value=days[0], limit=days[1]))
    fresh = replace(
        state,
        day=moment.day,
        day_at_ms=moment.at_ms,
        day_milli=value_milli,
        days=(*state.days, usage)[-DAYS_KEPT:],
        night_milli=0,
        night_pairs=0,
        nights=nights,
        back_steps=0,
        abnormal_days=abnormal_days,
    )
    return fresh, tuple(findings)


def _median_low(values: tuple[int, ...]) -> int:
    return sorted(values)[(len(values) - 1) // 2]
