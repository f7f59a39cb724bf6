"""Meters that count on their own, and gateways that send what they logged as true signed batches.

A device knows nothing of the cloud: what it counted up to a midnight follows from its number and the day alone, so
whoever audits a bill asks the device, not the database. Its register turns over at its last digit; some midnights it
does not answer, which the gateway says in a record, and its dial can be read by hand later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from common.civil import midnight
from common.clock import to_epoch_ms
from common.ids import MeterId
from common.wire.columns import Sample
from common.wire.records import Gap, GapReason
from common.wire.stamp import ClockSource, Stamp
from tests.support.gateway import PaperGateway

ZONE = ZoneInfo("Asia/Shanghai")
KWH = 1_000
DIGITS = 3
TURN_MILLI = 1_000 * KWH  # three digits
_DAY = timedelta(days=1)
_SILENT_EVERY = 11
QUANTITY = "energy_forward"


@dataclass(slots=True, kw_only=True)
class Device:
    """One meter: `first_milli` is what it showed at the midnight that began `since`; it is taken off at `until`."""

    meter_id: MeterId
    number: int
    since: date
    first_milli: int
    until: date | None = None

    def counted_milli(self, day: date) -> int:
        """Return what it has counted up to the midnight that begins a day, over all turns of its register."""
        return self.first_milli + sum(self._of_day(self.since + _DAY * n) for n in range((day - self.since).days))

    def shown_milli(self, day: date) -> int:
        """Return what its dial shows at the midnight that begins a day."""
        return self.counted_milli(day) % TURN_MILLI

    def used_milli(self, start: date, end: date) -> int:
        """Return what it counted between two midnights, as far as it hung there."""
        end = end if self.until is None else min(end, self.until)
        start = max(start, self.since)
        return self.counted_milli(end) - self.counted_milli(start) if start < end else 0

    def turns(self, before: date) -> list[date]:
        """Return the days, before a day, on which its register turned over."""
        days = [self.since + _DAY * n for n in range((before - self.since).days)]
        return [day for day in days if self.shown_milli(day + _DAY) < self.shown_milli(day)]

    def answers(self, day: date) -> bool:
        """Return whether it answers its gateway at the midnight that begins a day."""
        return day == self.since or (day.toordinal() + 5 * self.number) % _SILENT_EVERY != 0

    def _of_day(self, day: date) -> int:
        return KWH * (3 + (day.toordinal() * 13 + self.number * 7) % 17)


@dataclass(slots=True, kw_only=True)
class FieldGateway:
    """A gateway in a building: reads its devices each midnight, seals batches, keeps what is not acknowledged."""

    paper: PaperGateway
    devices: list[Device] = field(default_factory=list)
    reported: dict[MeterId, date] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=list)

    def seal(self, today: date) -> int | None:
        """Seal what the devices showed since the last batch, up to the midnight that begins today.

        Returns its number in the stream, from 1; None when there is nothing to say.
        """
        samples: list[Sample] = []
        silent: list[Gap] = []
        for place, device in enumerate(self.devices):
            for day in self._unreported(device, today):
                if device.answers(day):
                    samples.append(_sample(place, day, device.shown_milli(day)))
                else:
                    silent.append(_gap(device.meter_id, day))
                self.reported[device.meter_id] = day
        if not samples and not silent:
            return None
        meters = tuple(device.meter_id for device in self.devices)
        self.paper.seal(*silent, meters=meters, samples=samples)
        self.waiting.append(len(self.paper.sealed))
        return len(self.paper.sealed)

    def _unreported(self, device: Device, today: date) -> Iterator[date]:
        last = today if device.until is None else min(today, device.until - _DAY)
        day = self.reported[device.meter_id] + _DAY if device.meter_id in self.reported else device.since
        while day <= last:
            yield day
            day += _DAY


def silent_days(device: Device, before: date) -> list[date]:
    """Return the midnights, up to that of a day, of which only the dial itself can tell."""
    days = [device.since + _DAY * n for n in range((before - device.since).days + 1)]
    return [day for day in days if not device.answers(day) and (device.until is None or day < device.until)]


def _sample(place: int, day: date, value_milli: int) -> Sample:
    at_ms = to_epoch_ms(midnight(day, ZONE))
    stamp = Stamp(boot_no=1, boot_ms=at_ms % 1_000_000, at_ms=at_ms, source=ClockSource.SYNCHRONISED, uncertainty_ms=10)
    return Sample(series=place, slot_ms=at_ms, value_milli=value_milli, quality=0, stamp=stamp)


def _gap(meter_id: MeterId, day: date) -> Gap:
    at_ms = to_epoch_ms(midnight(day, ZONE))
    return Gap(
        meter_id=meter_id,
        quantities=(QUANTITY,),
        first_slot_ms=at_ms,
        last_slot_ms=at_ms,
        slots=1,
        reason=GapReason.NO_ANSWER,
    )
