"""Swapping a meter in one step: the last dial of the old one, the first of the new one, the same place, nothing lost.

Usage of the place goes on: what the old meter counted up to its last dial, then what the new one counts from its first.
Meters that counted below the old one count below the new one from that day on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.fleet.values import InstalledMeter
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.metering.corrections import Correction, revise_reading
from cloud.metering.registers import BILLED_QUANTITY
from common.civil import Period, midnight
from common.errors import RefusalError
from common.ids import CommunityId, MeterId

_DAY = timedelta(days=1)
DIGITS_MAX = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """An old meter and the one that takes its place from a day on; dials are in thousandths, before the multiplier."""

    community_id: CommunityId
    meter_id: MeterId
    day: date
    last_milli: int
    serial: str
    first_milli: int
    digits: int = 6
    multiplier_milli: int = 1_000
    reason: str

    def __post_init__(self) -> None:
        """Check dials, digits and multiplier.

        Raises:
            RefusalError: one of them cannot be.
        """
        if min(self.last_milli, self.first_milli) < 0:
            raise RefusalError("a dial is never negative; enter what both dials show")
        if not 1 <= self.digits <= DIGITS_MAX or self.multiplier_milli <= 0:
            raise RefusalError(f"a meter has 1 to {DIGITS_MAX} digits and a multiplier above zero")
        if not self.serial.strip():
            raise RefusalError("the new meter has a serial; write what its plate says")


async def swap(unit: Unit, wish: Swap) -> MeterId:
    """Put a new meter in the place of an old one and return its id; the same wish again is the same swap.

    Raises:
        NotFoundError: the old meter does not count in the community on the day before.
        ConflictError: it counts only from a later day, or was taken off for another meter.
    """
    community = await estate.community(unit.session, wish.community_id)
    placed = await fleet.installed_meters(unit.session, community.id, Period(wish.day - _DAY, wish.day + _DAY))
    old = next((one for one in placed if one.meter_id == wish.meter_id), None)
    if old is None:
        raise NotFoundError(f"there is no such meter in this community on {wish.day}")
    if old.end == wish.day:
        return _swapped(placed, old, wish)
    new_id = await fleet.add_meter(
        unit,
        serial=wish.serial.strip(),
        resource=old.resource,
        digits=wish.digits,
        multiplier_milli=wish.multiplier_milli,
    )
    await unit.session.flush()
    await fleet.remove_meter(unit, community.id, old.meter_id, wish.day)
    await unit.session.flush()
    await _place(unit, old, new_id, wish.day)
    for below in placed:
        if below.parent_meter_id == old.meter_id and below.end is None:
            await _reparent(unit, below, new_id, wish.day)
    for meter_id, value in ((old.meter_id, wish.last_milli), (new_id, wish.first_milli)):
        dial = Correction(
            community_id=community.id,
            meter_id=meter_id,
            quantity=BILLED_QUANTITY[old.resource],
            read_at=midnight(wish.day, community.zone),
            value_milli=value,
            reason=wish.reason,
        )
        await revise_reading(unit, dial)
    unit.record("swapped", "meter", old.meter_id, after={"by": str(new_id), "day": wish.day.isoformat()})
    return new_id


def _swapped(placed: Sequence[InstalledMeter], old: InstalledMeter, wish: Swap) -> MeterId:
    """Return the meter that took the place of the old one on the day of the wish.

    Raises:
        ConflictError: the meter that the wish names did not.
    """
    wanted = (wish.serial.strip(), wish.day, old.premises_id, wish.digits, wish.multiplier_milli)
    for one in placed:
        if (one.serial, one.start, one.premises_id, one.digits, one.multiplier_milli) == wanted:
            return one.meter_id
    raise ConflictError(f"this meter was taken off on {wish.day} already; look at what hangs in its place")


async def _place(unit: Unit, old: InstalledMeter, new_id: MeterId, day: date) -> None:
    await fleet.install_meter(
        unit,
        meter_id=new_id,
        community_id=old.community_id,
        premises_id=old.premises_id,
        start=day,
        parent_meter_id=old.parent_meter_id,
    )
    await unit.session.flush()


async def _reparent(unit: Unit, below: InstalledMeter, new_id: MeterId, day: date) -> None:
    await fleet.install_meter(
        unit,
        meter_id=below.meter_id,
        community_id=below.community_id,
        premises_id=below.premises_id,
        start=day,
        parent_meter_id=new_id,
    )
    await unit.session.flush()
