"""Taking back meters that nothing refers to yet."""

from __future__ import annotations

import pytest

from cloud.fleet import forgetting
from cloud.fleet import service as fleet
from cloud.kit.errors import ConflictError
from common.civil import Period
from common.reading.reading import Resource
from tests.cloud.charges.conftest import street
from tests.cloud.charges.street import MARCH, START, Street

__all__ = ["street"]


async def test_a_meter_goes_with_its_place_unless_another_counts_below_it(street: Street) -> None:
    async with street.database.unit(street.tenant, street.actor) as unit:
        master = await fleet.add_meter(unit, serial="M", resource=Resource.WATER)
        below = await fleet.add_meter(unit, serial="S", resource=Resource.WATER)
        await unit.session.flush()
        for meter, parent in ((master, None), (below, master)):
            await fleet.install_meter(
                unit,
                meter_id=meter,
                community_id=street.community,
                premises_id=None,
                start=START,
                parent_meter_id=parent,
            )
    with pytest.raises(ConflictError, match="used by now"):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await forgetting.forget_meters(unit, [master])
    async with street.database.unit(street.tenant, street.actor) as unit:
        await forgetting.forget_meters(unit, [below])
    async with street.database.view(street.tenant) as session:
        placed = await fleet.installed_meters(session, street.community, Period(MARCH.start, MARCH.end))
    assert [meter.serial for meter in placed] == ["M"]
