"""Pre-rates a meter's month when the midnight that closes it was read, and a stay when a car wants out.

The figure is an estimate that carries its tariff revision; the cloud's is the bill, and a difference between the two
is an alarm there. Prices, registers or facts that are missing give no line and a count, never a line of zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import structlog

from common.civil import Period, civil_day, midnight
from common.errors import RefusalError
from common.ids import MeterId
from common.rating.charge import Charge
from common.rating.engine import rate_parts
from common.rating.proration import months_of
from common.rating.request import RatingRequest, Split, SplitCause, SplitUsage, Visit
from common.rating.windows import rate_registers
from common.reading.reading import Quality, Quantity, Reading, Resource
from common.reading.usage import MeterFacts
from common.tariff.compile import CompiledTariff
from common.tariff.revision import RevisionRef, split_period, split_usage_by_days
from common.tariff.window_use import counts_windows_apart, priced_by_window_only
from common.wire.records import ProvisionalLine
from edge.buffer.records import Derived, StageState
from edge.driver.outcome import DeviceConfig
from edge.prerate.charges import price_charge
from edge.prerate.months import Months
from edge.prerate.prices import KNOWN_AT, Assigned, Prices
from edge.prerate.turns import PREFIX, TurnBook
from edge.prerate.visits import Stayed, price_stay

OWNER = "prerate"
MIDNIGHT_TOLERANCE = timedelta(hours=1)
BILLED: Mapping[Resource, Quantity] = {
    Resource.ELECTRICITY: Quantity.ENERGY_FORWARD,
    Resource.WATER: Quantity.VOLUME,
    Resource.HOT_WATER: Quantity.VOLUME,
    Resource.GAS: Quantity.VOLUME,
    Resource.HEAT: Quantity.HEAT_ENERGY,
}
# The registers of a meter by time of use, by the number that the windows of a tariff name.
RATES: Mapping[Quantity, int] = {
    Quantity.ENERGY_T1: 1,
    Quantity.ENERGY_T2: 2,
    Quantity.ENERGY_T3: 3,
    Quantity.ENERGY_T4: 4,
}
LOOKED_AT = frozenset((*BILLED.values(), *RATES))
NOTHING = Derived()
_NO_SLOT: tuple[datetime | None, bool, bool] = (None, False, False)
_QUANTITY = {rate: quantity for quantity, rate in RATES.items()}
_log = structlog.get_logger()


class Estimator:
    """The prices in force and the month marks of every meter."""

    def __init__(self, stored: Mapping[str, bytes], zone: tzinfo) -> None:
        self._months = {name: Months.unpack(body) for name, body in stored.items() if not name.startswith(PREFIX)}
        self._turns = TurnBook(stored, zone)
        self._zone = zone
        self._prices = Prices()
        self._begun: dict[tuple[MeterId, Quantity], set[Quantity]] = {}  # with a mark: only a midnight adds another
        self._slot = _NO_SLOT  # the slot of the sweep, whether it opens a day, and whether a mark may be made there
        self.refusals = 0

    def use(self, prices: Prices) -> None:
        """Put prices in force."""
        self._prices = prices
        self._turns.use(prices)

    def use_zone(self, zone: tzinfo) -> None:
        """Count civil days in the site's zone."""
        self._zone = zone
        self._slot = _NO_SLOT
        self._turns.use_zone(zone)

    @property
    def looks_at(self) -> frozenset[Quantity]:
        """Return the registers that are priced."""
        return LOOKED_AT

    def observe(self, device: DeviceConfig, slot: datetime, readings: Sequence[Reading]) -> Derived:
        """Mark the midnight that opens a month and the turns of windows, and price the month it closes."""
        billed = BILLED[device.resource]
        turned = self._turn(device, slot, readings, billed)
        if slot != self._slot[0]:  # all meters of a sweep are at the same slot
            day = civil_day(slot, self._zone)
            opens = slot == midnight(day, self._zone)
            self._slot = (slot, opens, opens or day.day > 1)
        _, opens, may_begin = self._slot
        if not may_begin:  # the first mark of a month is its midnight or a later day
            return Derived(states=turned) if turned else NOTHING
        begun = self._begun.setdefault((device.meter_id, billed), set())
        marked = [
            one
            for one in readings
            if (opens or one.quantity not in begun) and (one.quantity is billed or one.quantity in RATES)
        ]
        if not marked:
            return Derived(states=turned) if turned else NOTHING
        states = tuple(state for one in marked if (state := self._mark(slot, one, billed)) is not None)
        name = _mark_name(device.meter_id, billed, billed)
        if not any(state.name == name for state in states):
            return Derived(states=(*turned, *states))
        return Derived(records=tuple(self._lines(device, self._months[name])), states=(*turned, *states))

    def _turn(
        self, device: DeviceConfig, slot: datetime, readings: Sequence[Reading], billed: Quantity
    ) -> tuple[StageState, ...]:
        """Note the register of a meter where windows turn, and return what makes it durable."""
        if not self._turns.follows(device, slot):
            return ()
        good = (one for one in readings if one.quantity is billed and one.quality is Quality.GOOD)
        shown = next((one for one in good if one.read_at - slot <= MIDNIGHT_TOLERANCE), None)
        turns = () if shown is None else self._turns.observe(device, slot, shown.value_milli)
        return tuple(StageState(owner=OWNER, name=name, body=body) for name, body in turns)

    def _mark(self, slot: datetime, reading: Reading, billed: Quantity) -> StageState | None:
        """Mark one register, and return what makes the mark durable; None where nothing is to be marked."""
        if reading.quality is not Quality.GOOD:
            return None
        day = civil_day(slot, self._zone)
        on_time = slot == midnight(day, self._zone) and reading.read_at - slot <= MIDNIGHT_TOLERANCE
        name = _mark_name(reading.meter_id, reading.quantity, billed)
        before = self._months.get(name, Months())
        if before.marks:
            self._begun.setdefault((reading.meter_id, billed), set()).add(reading.quantity)
        if not on_time and (before.marks or day.day == 1):
            return None
        after = before.with_mark(day, reading.value_milli)
        if after == before:
            return None
        self._months[name] = after
        return StageState(owner=OWNER, name=name, body=after.pack())

    def quote_stay(
        self,
        lot: str,
        visits: Sequence[Visit],
        *,
        paid_at: datetime | None,
        granted_minutes: int,
        traits: Mapping[str, str],
    ) -> tuple[int, RevisionRef] | None:
        """Return what the last of some visits costs in fen and by which revision; None when it cannot be priced."""
        stayed = Stayed(lot=lot, visits=tuple(visits), paid_at=paid_at, granted_minutes=granted_minutes, traits=traits)
        try:
            return price_stay(self._prices, self._zone, stayed)
        except RefusalError as refusal:
            self._refuse(lot, refusal)
            return None

    def quote_charge(self, pile: str, charge: Charge) -> tuple[int, RevisionRef] | None:
        """Return what a charge at a pile costs in fen and by which revision; None when it cannot be priced."""
        try:
            return price_charge(self._prices, self._zone, pile, charge)
        except RefusalError as refusal:
            self._refuse(pile, refusal)
            return None

    def _lines(self, device: DeviceConfig, months: Months) -> Iterator[ProvisionalLine]:
        period = months.closed_month()
        facts = MeterFacts(multiplier_milli=device.multiplier_milli)
        usage_milli = None if period is None else months.usage_milli(period, facts)
        if period is None or usage_milli is None:
            return
        for assigned in self._prices.meters.get(device.meter_id, ()):
            try:
                rates = self._rates(device, period, facts)
                month = _Month(device.meter_id, period, usage_milli, rates)
                yield self._line(assigned, month, (months, facts))
            except RefusalError as refusal:
                self._refuse(device.serial, refusal)

    def _line(self, assigned: Assigned, month: _Month, history: tuple[Months, MeterFacts]) -> ProvisionalLine:
        meter_id, period, usage_milli = month.meter_id, month.period, month.usage_milli
        parts = split_period(self._prices.known(assigned.tariff_code), period, KNOWN_AT)
        usages = self._usages(assigned, month, parts)
        priced: list[tuple[CompiledTariff, RatingRequest]] = []
        for number, ((days, ref), usage) in enumerate(zip(parts, usages, strict=True), 1):
            tariff, before = self._prices.compiled[ref.body_sha], usages[: number - 1]
            request = RatingRequest(
                period=days,
                quantity_milli=None if usage.windows else usage.milli,
                windows_milli=usage.windows,
                prior_milli=_prior(tariff, period, history) + sum(one.milli for one in before),
                prior_windows_milli=self._prior_windows(tariff, month, history[1], before),
                facts=assigned.facts,
                traits=assigned.traits,
                bill=period if len(parts) > 1 else None,
                part=number,
                parts=len(parts),
                split=Split(cause=SplitCause.PRICE, usage=usage.by) if len(parts) > 1 else None,
                calendar=self._prices.calendar if tariff.document.windows else None,
            )
            priced.append((tariff, request))
        line, ref = rate_parts(priced), parts[-1][1]
        return ProvisionalLine(
            meter_id=meter_id,
            charge_code=assigned.charge_code,
            period_start=period.start.isoformat(),
            period_end=period.end.isoformat(),
            usage_milli=usage_milli,
            amount_fen=line.amount_fen,
            tariff_code=ref.tariff_code,
            tariff_from=ref.effective_from.isoformat(),
            tariff_rev=ref.rev,
            tariff_sha=ref.body_sha,
            input_sha=line.input_sha,
        )

    def _usages(
        self, assigned: Assigned, month: _Month, parts: Sequence[tuple[Period, RevisionRef]]
    ) -> list[_PartUsage]:
        """Return the usage of each part: by its readings where windows turn, else spread by days."""
        tariffs = [self._prices.compiled[ref.body_sha] for _, ref in parts]
        if all(priced_by_window_only(tariff.document) for tariff in tariffs) and not month.rates:
            turned = [self._turns.usage(month.meter_id, assigned, days, ref) for days, ref in parts]
            if sum(sum(windows.values()) for windows in turned) == month.usage_milli and all(turned):
                return [_PartUsage(sum(windows.values()), windows, SplitUsage.READINGS) for windows in turned]
        days = [part for part, _ in parts]
        pieces = split_usage_by_days(month.usage_milli, days)
        return [
            _PartUsage(piece, _windows(tariff, month, number, days), SplitUsage.DAYS)
            for number, (tariff, piece) in enumerate(zip(tariffs, pieces, strict=True))
        ]

    def _prior_windows(
        self, tariff: CompiledTariff, month: _Month, facts: MeterFacts, before: Sequence[_PartUsage]
    ) -> dict[str, int]:
        """Return what each window counted since its running total began; empty where tiers do not count them apart."""
        span = tariff.document.accumulation.span_of(month.period.start)
        if span is None or not counts_windows_apart(tariff.document):
            return {}
        totals: dict[str, int] = {}
        for part in before:
            totals.update({name: totals.get(name, 0) + milli for name, milli in part.windows.items()})
        if span.start == month.period.start:
            return totals
        registers = rate_registers(tariff.document.windows, {month.period.start.month})
        if not registers:
            raise RefusalError(f"{tariff.code}: only rate registers tell what each window counted since {span.start}")
        for name, register in registers.items():
            marks = self._months.get(f"{month.meter_id}:{_QUANTITY[register]}", Months())
            counted = marks.prior_milli(span.start, month.period.start, facts)
            if counted is None:
                raise RefusalError(f"rate register {register} at the beginning of {span} is not known")
            totals[name] = totals.get(name, 0) + counted
        return totals

    def _rates(self, device: DeviceConfig, period: Period, facts: MeterFacts) -> dict[int, int]:
        """Return what each rate register of a meter counted in a month, those left out whose marks are not there."""
        marks = ((rate, self._months.get(f"{device.meter_id}:{quantity}")) for quantity, rate in RATES.items())
        counted = ((rate, months.usage_milli(period, facts)) for rate, months in marks if months is not None)
        return {rate: usage for rate, usage in counted if usage is not None}

    def _refuse(self, what: str, refusal: RefusalError) -> None:
        self.refusals += 1
        _log.warning("estimate_refused", what=what, reason=str(refusal))


@dataclass(frozen=True, slots=True)
class _Month:
    """A closed month of a meter: what its billed register counted, and what each of its rate registers did."""

    meter_id: MeterId
    period: Period
    usage_milli: int
    rates: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class _PartUsage:
    """The usage of a part of a month under one revision, by window where windows are told apart, and by what."""

    milli: int
    windows: Mapping[str, int]
    by: SplitUsage


def _mark_name(meter_id: MeterId, quantity: Quantity, billed: Quantity) -> str:
    """Return under which name the marks of a register are kept; those of the billed one stand under the meter's own."""
    return str(meter_id) if quantity is billed else f"{meter_id}:{quantity}"


def _windows(tariff: CompiledTariff, month: _Month, number: int, parts: Sequence[Period]) -> dict[str, int]:
    """Return the usage by window in one part of a month, by the rate registers, spread by days over the parts.

    Empty where the tariff knows no windows, or the meter has not a register for each of them.
    """
    months = {days.start.month for days in months_of(parts[number])}
    registers = rate_registers(tariff.document.windows, months)
    if any(register not in month.rates for register in registers.values()):
        return {}
    return {name: split_usage_by_days(month.rates[register], parts)[number] for name, register in registers.items()}


def _prior(tariff: CompiledTariff, period: Period, history: tuple[Months, MeterFacts]) -> int:
    """Return the usage since the tariff's running total began; what was before the first mark was not ours to count."""
    span = tariff.document.accumulation.span_of(period.start)
    if span is None:
        return 0
    months, facts = history
    prior = months.prior_milli(span.start, period.start, facts)
    if prior is None:
        raise RefusalError(f"the register at the beginning of {span} is not known")
    return prior
