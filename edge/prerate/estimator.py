"""Pre-rates a meter's month when the midnight that closes it was read, and a stay when a car wants out.

The figure is an estimate that carries its tariff revision; the cloud's is the bill, and a difference between the two
is an alarm there. Prices, registers or facts that are missing give no line and a count, never a line of zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

import structlog

from common.civil import Period, civil_day, midnight
from common.errors import RefusalError
from common.ids import MeterId
from common.rating.engine import rate_parts
from common.rating.request import RatingRequest, Visit
from common.reading.reading import Quality, Quantity, Reading, Resource
from common.reading.usage import MeterFacts
from common.tariff.compile import CompiledTariff
from common.tariff.revision import RevisionRef, split_period, split_usage_by_days
from common.wire.records import ProvisionalLine
from edge.buffer.records import Derived, StageState
from edge.driver.outcome import DeviceConfig
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
        reading = next((item for item in readings if item.quantity is BILLED[device.resource]), None)
        if reading is None or reading.quality is not Quality.GOOD:
            return Derived()
        day = civil_day(slot, self._zone)
        on_time = slot == midnight(day, self._zone) and reading.read_at - slot <= MIDNIGHT_TOLERANCE
        name = str(device.meter_id)
        before = self._months.get(name, Months())
        if not on_time and (before.marks or day.day == 1):
            return Derived()
        after = before.with_mark(day, reading.value_milli)
        if after == before:
            return Derived()
        self._months[name] = after
        state = StageState(owner=OWNER, name=name, body=after.pack())
        return Derived(records=tuple(self._lines(device, after)), states=(state,))

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

    def _lines(self, device: DeviceConfig, months: Months) -> Iterator[ProvisionalLine]:
        period = months.closed_month()
        facts = MeterFacts(multiplier_milli=device.multiplier_milli)
        usage_milli = None if period is None else months.usage_milli(period, facts)
        if period is None or usage_milli is None:
            return
        for assigned in self._prices.meters.get(device.meter_id, ()):
            try:
                yield self._line(device.meter_id, assigned, period, usage_milli, (months, facts))
            except RefusalError as refusal:
                self._refuse(device.serial, refusal)

    def _line(
        self,
        meter_id: MeterId,
        assigned: Assigned,
        period: Period,
        usage_milli: int,
        history: tuple[Months, MeterFacts],
    ) -> ProvisionalLine:
        parts = split_period(self._prices.known(assigned.tariff_code), period, KNOWN_AT)
        pieces = split_usage_by_days(usage_milli, [days for days, _ in parts])
        priced: list[tuple[CompiledTariff, RatingRequest]] = []
        for number, ((days, ref), piece) in enumerate(zip(parts, pieces, strict=True), 1):
            tariff = self._prices.compiled[ref.body_sha]
            request = RatingRequest(
                period=days,
                quantity_milli=piece,
                prior_milli=_prior(tariff, period, history) + sum(pieces[: number - 1]),
                facts=assigned.facts,
                traits=assigned.traits,
                bill=period if len(parts) > 1 else None,
                part=number,
                parts=len(parts),
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

    def _refuse(self, what: str, refusal: RefusalError) -> None:
        self.refusals += 1
        _log.warning("estimate_refused", what=what, reason=str(refusal))


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
