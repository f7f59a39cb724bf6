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
from common.tariff.model import WindowOrder
from common.tariff.revision import RevisionRef, split_period, split_usage_by_days
from common.wire.records import ProvisionalLine
from edge.buffer.records import Derived, StageState
from edge.driver.outcome import DeviceConfig
from edge.prerate.charges import price_charge
from edge.prerate.months import Months
from edge.prerate.prices import KNOWN_AT, Assigned, Prices
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
_log = structlog.get_logger()


class Estimator:
    """The prices in force and the month marks of every meter."""

    def __init__(self, stored: Mapping[str, bytes], zone: tzinfo) -> None:
        self._months = {name: Months.unpack(body) for name, body in stored.items()}
        self._zone = zone
        self._prices = Prices()
        self.refusals = 0

    def use(self, prices: Prices) -> None:
        """Put prices in force."""
        self._prices = prices

    def use_zone(self, zone: tzinfo) -> None:
        """Count civil days in the site's zone."""
        self._zone = zone

    def observe(self, device: DeviceConfig, slot: datetime, readings: Sequence[Reading]) -> Derived:
        """Mark the midnight that opens a month, and price the month it closes."""
        billed = BILLED[device.resource]
        marked = [one for one in readings if one.quantity is billed or one.quantity in RATES]
        states = tuple(state for one in marked if (state := self._mark(slot, one, billed)) is not None)
        name = _mark_name(device.meter_id, billed, billed)
        if not any(state.name == name for state in states):
            return Derived(states=states)
        return Derived(records=tuple(self._lines(device, self._months[name])), states=states)

    def _mark(self, slot: datetime, reading: Reading, billed: Quantity) -> StageState | None:
        """Mark one register, and return what makes the mark durable; None where nothing is to be marked."""
        if reading.quality is not Quality.GOOD:
            return None
        day = civil_day(slot, self._zone)
        on_time = slot == midnight(day, self._zone) and reading.read_at - slot <= MIDNIGHT_TOLERANCE
        name = _mark_name(reading.meter_id, reading.quantity, billed)
        before = self._months.get(name, Months())
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
                yield self._line(device.meter_id, assigned, _Month(period, usage_milli, rates), (months, facts))
            except RefusalError as refusal:
                self._refuse(device.serial, refusal)

    def _line(
        self,
        meter_id: MeterId,
        assigned: Assigned,
        month: _Month,
        history: tuple[Months, MeterFacts],
    ) -> ProvisionalLine:
        period, usage_milli = month.period, month.usage_milli
        parts = split_period(self._prices.known(assigned.tariff_code), period, KNOWN_AT)
        pieces = split_usage_by_days(usage_milli, [days for days, _ in parts])
        priced: list[tuple[CompiledTariff, RatingRequest]] = []
        for number, ((days, ref), piece) in enumerate(zip(parts, pieces, strict=True), 1):
            tariff = self._prices.compiled[ref.body_sha]
            windows = _windows(tariff, month, number - 1, [part for part, _ in parts])
            request = RatingRequest(
                period=days,
                quantity_milli=None if windows else piece,
                windows_milli=windows,
                prior_milli=_prior(tariff, period, history) + sum(pieces[: number - 1]),
                facts=assigned.facts,
                traits=assigned.traits,
                bill=period if len(parts) > 1 else None,
                part=number,
                parts=len(parts),
                split=Split(cause=SplitCause.PRICE, usage=SplitUsage.DAYS) if len(parts) > 1 else None,
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

    period: Period
    usage_milli: int
    rates: Mapping[int, int]


def _mark_name(meter_id: MeterId, quantity: Quantity, billed: Quantity) -> str:
    """Return under which name the marks of a register are kept; those of the billed one stand under the meter's own."""
    return str(meter_id) if quantity is billed else f"{meter_id}:{quantity}"


def _windows(tariff: CompiledTariff, month: _Month, number: int, parts: Sequence[Period]) -> dict[str, int]:
    """Return the usage by window in one part of a month, by the rate registers, spread by days over the parts.

    Empty where the tariff knows no windows, or the meter has not a register for each of them.
    """
    if _counts_windows_apart(tariff):
        raise RefusalError(f"{tariff.code} keeps a running total for each window; the cloud prices it")
    months = {days.start.month for days in months_of(parts[number])}
    registers = rate_registers(tariff.document.windows, months)
    if any(register not in month.rates for register in registers.values()):
        return {}
    return {name: split_usage_by_days(month.rates[register], parts)[number] for name, register in registers.items()}


def _counts_windows_apart(tariff: CompiledTariff) -> bool:
    tiers = [charge.tiers for plan in tariff.document.plans for charge in plan.charges if charge.tiers is not None]
    apart = any(one.windows is WindowOrder.SEPARATE for one in tiers)
    return apart and bool(tariff.document.windows) and bool(tariff.document.accumulation.starts)


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
