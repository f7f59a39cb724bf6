"""Use cases of corrected readings: replace, confirm, withdraw, enter by hand, confirm a rollover.

A correction is a row of its own with the time from which it is known; what it corrects stays as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError
from cloud.metering import repository
from cloud.metering.events import ReadingRevised
from cloud.metering.tables import MeterRolloverRow, ReadingRevisionRow
from common.clock import require_utc
from common.errors import RefusalError
from common.ids import CommunityId, MeterId
from common.money.amount import check_int64
from common.reading.reading import Quality, Quantity

REASON_LENGTH_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a person says a register showed at an instant; a value of None withdraws the reading.

    `value_milli` is in milli-units before the multiplier, as on the dial.
    """

    community_id: CommunityId
    meter_id: MeterId
    quantity: Quantity
    read_at: datetime
    value_milli: int | None
    quality: Quality = Quality.MANUAL
    reason: str

    def __post_init__(self) -> None:
        """Check the instant, the range and that a reason is given."""
        require_utc(self.read_at, "read_at")
        if not self.reason.strip() or len(self.reason) > REASON_LENGTH_MAX:
            raise RefusalError(f"a corrected reading needs a reason of at most {REASON_LENGTH_MAX} characters")
        if self.value_milli is not None and check_int64(self.value_milli, "reading") < 0:
            raise RefusalError("a register is never negative; enter what the dial shows")


async def revise_reading(unit: Unit, correction: Correction) -> int:
    """Store a correction as the newest revision of its instant and return the revision number.

    The same value again is the same revision: nothing is written.
    """
    newest = await repository.newest_revision(
        unit.session, correction.community_id, correction.meter_id, correction.quantity, correction.read_at
    )
    if newest is not None and (newest.value_milli, newest.quality) == (correction.value_milli, correction.quality):
        return newest.rev
    rev = 1 if newest is None else newest.rev + 1
    unit.session.add(
        ReadingRevisionRow(
            tenant_id=unit.tenant,
            community_id=correction.community_id,
            meter_id=correction.meter_id,
            quantity=correction.quantity,
            read_at=correction.read_at,
            rev=rev,
            value_milli=correction.value_milli,
            quality=int(correction.quality),
            reason=correction.reason,
            recorded_by=unit.actor.id,
            recorded_at=unit.now,
        )
    )
    before = None if newest is None else {"value_milli": newest.value_milli, "rev": newest.rev}
    after = {"value_milli": correction.value_milli, "rev": rev, "read_at": correction.read_at.isoformat()}
    unit.record("revised", "reading", correction.meter_id, before=before, after=after)
    unit.publish(
        ReadingRevised(
            community_id=correction.community_id,
            meter_id=correction.meter_id,
            quantity=correction.quantity,
            read_at=correction.read_at,
            rev=rev,
        )
    )
    return rev


async def confirm_rollover(
    unit: Unit, *, community_id: CommunityId, meter_id: MeterId, quantity: Quantity, day: date, reason: str
) -> None:
    """Confirm that a register passed its highest value on a day.

    Raises:
        ConflictError: the rollover of that day is confirmed already.
        RefusalError: no reason is given.
    """
    if not reason.strip():
        raise RefusalError("a rollover is confirmed with a reason; say who saw the dial")
    if await repository.rollover_exists(unit.session, community_id, meter_id, quantity, day):
        raise ConflictError(f"the rollover of {day} is confirmed already")
    unit.session.add(
        MeterRolloverRow(
            tenant_id=unit.tenant,
            community_id=community_id,
            meter_id=meter_id,
            quantity=quantity,
            day=day,
            reason=reason,
            recorded_by=unit.actor.id,
            recorded_at=unit.now,
        )
    )
    unit.record("confirmed rollover", "meter", meter_id, after={"day": day.isoformat(), "quantity": quantity})
