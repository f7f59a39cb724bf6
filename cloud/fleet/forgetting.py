"""Taking back meters that an import added, before any reading or bill refers to them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from cloud.fleet.tables import MeterInstallationRow, MeterRow
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError


async def forget_meters(unit: Unit, meter_ids: Collection[UUID]) -> None:
    """Take meters away with their places.

    Raises:
        ConflictError: something refers to one of them by now.
    """
    ids = list(meter_ids)
    quietly = {"synchronize_session": False}
    try:
        for row in (MeterInstallationRow, MeterRow):
            await unit.session.execute(delete(row).where(row.meter_id.in_(ids)), execution_options=quietly)
    except IntegrityError as error:
        raise ConflictError("a meter that was imported is used by now; nothing was taken back") from error
    unit.record("forgotten", "meter", ids[0], after={"meters": len(ids)})
