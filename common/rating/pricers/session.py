"""Prices a session: free time, runs of minutes in windows, units by blocks, caps.

The order is the order of a printed tariff: settle the exits -> cut into parts -> is it free? -> runs in windows ->
gather the minutes -> units and blocks -> cap of the window -> full-day price or cap of the part -> rolling cap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from itertools import islice

from common.rating.line import Component, ComponentKind
from common.rating.pricers.blocks import Charged, charge_blocks
from common.rating.pricers.rolling import DUES_MAX, Due, rolling_excess
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import Session, Visit
from common.rating.stay import Part, Run, closed_visits, length_minutes, parts_of, runs_of
from common.rating.variables import Variables
from common.rating.windows import WindowFinder
from common.tariff.model import Words
from common.tariff.plan import SESSION_KEY
from common.tariff.session_model import FreeLimit, FreeTime, Gather, SessionRule, SessionWindow, Visits

_CAP_LABEL = Words(zh="封顶", en="cap")
_ROLLING_LABEL = Words(zh="24 小时封顶", en="cap of 24 hours")
_FULL_LABEL = Words(zh="全天", en="full day")
_FREE_LABEL = Words(zh="免费停放", en="free parking")
_MICRO = 1_000_000
_SECONDS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """What is priced together: a part of one visit, or the parts of one span when visits are put together."""

    visit: int
    number: int
    parts: tuple[Part, ...]

    @property
    def day(self) -> date:
        """Return the civil day on which the group begins."""
        return self.parts[0].day

    @property
    def span(self) -> datetime:
        """Return where the day or the 24 hours began whose cap the group shares."""
        return self.parts[0].span


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heap:
    """Minutes gathered for one price, from local start to local end, over so many occurrences of the window."""

    window: SessionWindow
    minutes: Fraction
    start: datetime
    end: datetime
    occurrences: int


def price_session(rule: SessionRule, variables: Variables) -> list[Component]:
    """Return the exact components of all visits of a session.

    Raises:
        RatingRefusedError: the session is missing, open or contradictory, or its calendar is not known.
    """
    session = variables.request.session
    if session is None:
        raise RatingRefusedError(RefusalKind.NO_SESSION, "there is no record of the stay")
    visits = closed_visits(rule, session)
    finder = WindowFinder(rule.windows, session.zone, variables.request.calendar)
    components: list[Component] = []
    charged: dict[int, Fraction] = {}
    room: dict[datetime, Fraction] = {}
    dues: list[Due] = []
    for group in _groups(rule, session, visits):
        priced = _price_group(rule, group, finder, variables, charged.get(group.visit, Fraction(0)))
        if not rule.restart_blocks:
            charged[group.visit] = charged.get(group.visit, Fraction(0)) + priced.minutes
        dues.extend(priced.dues)
        components.extend(_cap_part(rule, group, priced.components, room, variables))
    components.extend(_cap_rolling(rule, dues, variables))
    return components or [_free_component(sum((_stay(rule, visit) for visit in visits), Fraction(0)))]


def _groups(rule: SessionRule, session: Session, visits: Sequence[Visit]) -> list[_Group]:
    groups: list[_Group] = []
    running: datetime | None = None
    for number, visit in enumerate(visits):
        parts = parts_of(rule, visit, session.zone, running)
        running = parts[-1].span if parts else running
        if rule.free is not None and not rule.free.each_part and rule.visits is Visits.SEPARATE:
            parts = _without_free(rule, rule.free, parts)
        groups.extend(_Group(visit=number, number=part.number, parts=(part,)) for part in parts)
    if rule.visits is Visits.TOGETHER:
        spans = sorted({group.span for group in groups})
        gathered = (tuple(part for group in groups if group.span == span for part in group.parts) for span in spans)
        groups = [_Group(visit=0, number=number, parts=parts) for number, parts in enumerate(gathered)]
    return groups


@dataclass(frozen=True, slots=True, kw_only=True)
class _Priced:
    """What a group costs, the minutes charged in it, and when its amounts fall due."""

    components: list[Component]
    minutes: Fraction
    dues: list[Due]


def _price_group(
    rule: SessionRule, group: _Group, finder: WindowFinder[SessionWindow], variables: Variables, before: Fraction
) -> _Priced:
    """Return the price of a group that follows so many charged minutes of its visit."""
    parts = list(group.parts)
    if rule.free is not None and (rule.free.each_part or rule.visits is Visits.TOGETHER):
        parts = _without_free(rule, rule.free, parts)
    if len(parts) == 1 and parts[0].full and rule.full_part_micro is not None:
        full = _full_component(group, rule.full_part_micro, variables)
        return _Priced(components=[full], minutes=Fraction(0), dues=[Due(at=parts[0].start, minor=full.amount)])
    parts = _without_allowance(rule, parts)
    runs = [run for part in parts for run in runs_of(finder, part.start, part.end)]
    components: list[Component] = []
    dues: list[Due] = []
    minutes = Fraction(0)
    for heap in _heaps(rule, _short_stay(rule, runs), finder.zone):
        prior = Fraction(0) if rule.restart_blocks else before + minutes
        charged = charge_blocks(rule, heap.window.blocks, prior, heap.minutes)
        components.extend(_price_heap(group, heap, charged, variables))
        if rule.rolling_cap_micro is not None:
            dues.extend(islice(_heap_dues(heap, charged, prior, variables), DUES_MAX + 1))
        minutes += heap.minutes
    return _Priced(components=components, minutes=minutes, dues=dues)


def _without_free(rule: SessionRule, free: FreeTime, parts: Sequence[Part]) -> list[Part]:
    """Return the parts that are charged: none when the stay is free, without its first minutes when deducted."""
    length = sum((length_minutes(rule, part.start, part.end) for part in parts), Fraction(0))
    if length < free.minutes or (length == free.minutes and free.limit is FreeLimit.UP_TO):
        return []
    return _trim(parts, timedelta(minutes=free.minutes)) if free.deducted else list(parts)


def _trim(parts: Iterable[Part], amount: timedelta) -> list[Part]:
    """Return the parts without their first stretch of time; those that it holds are left without length."""
    kept: list[Part] = []
    for part in parts:
        taken = min(amount, part.end - part.start)
        amount -= taken
        kept.append(replace(part, start=part.start + taken, full=part.full and not taken))
    return kept


def _without_allowance(rule: SessionRule, parts: Sequence[Part]) -> list[Part]:
    """Return the parts without the minutes that are taken off the end of each."""
    allowance = timedelta(minutes=rule.allowance_minutes)
    return [replace(part, end=part.end - allowance) for part in parts if part.end - allowance > part.start]


def _short_stay(rule: SessionRule, runs: Sequence[Run]) -> list[Run]:
    """Return the runs of the one window that holds most of a short stay, the earlier one of equals."""
    total = sum((length_minutes(rule, run.start, run.end) for run in runs), Fraction(0))
    if total > rule.short_stay_minutes:
        return list(runs)
    minutes: dict[str, Fraction] = defaultdict(Fraction)
    for run in runs:
        minutes[run.window.name] += length_minutes(rule, run.start, run.end)
    longest = max(minutes, key=lambda name: minutes[name], default=None)
    return [run for run in runs if run.window.name == longest]


def _heaps(rule: SessionRule, runs: Sequence[Run], zone: tzinfo) -> list[_Heap]:
    heaps: dict[object, _Heap] = {}
    for index, run in enumerate(runs):
        minutes = _charged_minutes(run.window, length_minutes(rule, run.start, run.end))
        key = {Gather.RUN: index, Gather.WINDOW: (run.window.name, run.window.blocks), Gather.PART: None}[rule.gather]
        start, end = run.start.astimezone(zone), run.end.astimezone(zone)
        heap = heaps.get(key)
        if heap is None:
            heaps[key] = _Heap(window=run.window, minutes=minutes, start=start, end=end, occurrences=1)
        else:
            heaps[key] = replace(heap, minutes=heap.minutes + minutes, end=end, occurrences=heap.occurrences + 1)
    return list(heaps.values())


def _charged_minutes(window: SessionWindow, minutes: Fraction) -> Fraction:
    if not window.most_of:
        return minutes
    whole = minutes // window.most_of
    return whole * window.most_minutes + min(minutes - whole * window.most_of, Fraction(window.most_minutes))


def _price_heap(group: _Group, heap: _Heap, blocks: Sequence[Charged], variables: Variables) -> Iterator[Component]:
    window = heap.window
    labels = {
        "window": window.name,
        "day": group.day.isoformat(),
        "from": heap.start.isoformat(),
        "to": heap.end.isoformat(),
        "minutes": str(heap.minutes),
    }
    base = f"{SESSION_KEY}:{group.visit}:{group.number}:{heap.start:%m%dT%H%M}"
    total = Fraction(0)
    if window.once_micro is not None:
        times = Fraction(heap.occurrences)
        price = _Price(label=window.label, quantity=times, unit="visit", price_micro=window.once_micro)
        yield price.component(f"{base}:once", labels, variables)
        return
    for charged in blocks:
        price = _Price(
            label=window.label,
            quantity=charged.units,
            unit=f"{charged.block.every} min",
            price_micro=charged.block.price_micro,
        )
        component = price.component(f"{base}:block{charged.position + 1}", labels, variables)
        total += component.amount
        yield component
    if window.cap_micro is not None:
        excess = total - _minor(window.cap_micro, variables) * heap.occurrences
        if excess > 0:
            yield _cap_component(f"{base}:cap", excess, window.label, labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Price:
    """So many units at so much."""

    label: Words
    quantity: Fraction
    unit: str
    price_micro: int

    def component(self, key: str, labels: dict[str, str], variables: Variables) -> Component:
        """Return the component."""
        return Component(
            kind=ComponentKind.SESSION,
            key=key,
            charge=SESSION_KEY,
            label=self.label,
            quantity=self.quantity,
            unit=self.unit,
            price_micro=self.price_micro,
            amount=self.quantity * _minor(self.price_micro, variables),
            labels=labels,
        )


def _heap_dues(heap: _Heap, blocks: Sequence[Charged], before: Fraction, variables: Variables) -> Iterator[Due]:
    """Return each unit of a heap as an amount that falls due where the unit begins, within the cap of the window."""
    window, start = heap.window, heap.start.astimezone(UTC)
    if window.once_micro is not None:
        yield Due(at=start, minor=_minor(window.once_micro, variables))
        return
    left = _minor(window.cap_micro, variables) if window.cap_micro is not None else None
    for charged in blocks:
        price = _minor(charged.block.price_micro, variables)
        for minute, units in charged.instalments():
            amount = units * price if left is None else min(units * price, left)
            left = None if left is None else left - amount
            offset = timedelta(seconds=int(max(minute - before, Fraction(0)) * _SECONDS_PER_MINUTE))
            yield Due(at=start + offset, minor=amount)


def _cap_rolling(rule: SessionRule, dues: Sequence[Due], variables: Variables) -> list[Component]:
    """Return what the cap of any 24 hours takes off all visits, nothing where it is not reached."""
    if rule.rolling_cap_micro is None:
        return []
    cap = _minor(rule.rolling_cap_micro, variables)
    excess = rolling_excess(dues, cap)
    labels = {"cap": str(cap), "hours": "24"}
    return [_cap_component(f"{SESSION_KEY}:rolling_cap", excess, _ROLLING_LABEL, labels)] if excess else []


def _cap_part(
    rule: SessionRule, group: _Group, priced: list[Component], room: dict[datetime, Fraction], variables: Variables
) -> list[Component]:
    """Return the components of a group with what its cap takes off.

    Groups of one span share its cap, also over several visits; `room` is what is left of each.
    """
    if not rule.part_caps_micro:
        return priced
    total = sum((component.amount for component in priced), Fraction(0))
    cap = _minor(rule.part_caps_micro[min(group.number, len(rule.part_caps_micro) - 1)], variables)
    left = room.get(group.span, cap)
    room[group.span] = left - min(total, left)
    if total <= left:
        return priced
    name = f"{SESSION_KEY}:{group.visit}:{group.number}:cap"
    return [*priced, _cap_component(name, total - left, _CAP_LABEL, {"day": group.day.isoformat(), "cap": str(cap)})]


def _cap_component(key: str, excess: Fraction, label: Words, labels: dict[str, str]) -> Component:
    return Component(kind=ComponentKind.CAP, key=key, charge=SESSION_KEY, label=label, amount=-excess, labels=labels)


def _full_component(group: _Group, price_micro: int, variables: Variables) -> Component:
    price = _Price(label=_FULL_LABEL, quantity=Fraction(1), unit="day", price_micro=price_micro)
    key = f"{SESSION_KEY}:{group.visit}:{group.number}:full_day"
    return price.component(key, {"day": group.day.isoformat()}, variables)


def _free_component(minutes: Fraction) -> Component:
    return Component(
        kind=ComponentKind.FREE,
        key=f"{SESSION_KEY}:free",
        charge=SESSION_KEY,
        label=_FREE_LABEL,
        quantity=minutes,
        unit="min",
        amount=Fraction(0),
    )


def _stay(rule: SessionRule, visit: Visit) -> Fraction:
    return length_minutes(rule, visit.entry, visit.exit or visit.entry)


def _minor(price_micro: int, variables: Variables) -> Fraction:
    return Fraction(price_micro * variables.minor_per_major, _MICRO)
