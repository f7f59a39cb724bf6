"""A day without a reading is a hole; a reading by hand fills it and is told apart."""

from __future__ import annotations

from datetime import date

from cloud.insights.completeness import completeness
from common.civil import Period
from tests.cloud.charges.conftest import street
from tests.cloud.charges.street import Street
from tests.cloud.metering.test_swapping import dial, place

__all__ = ["street"]


async def test_hand_readings_are_told_and_the_last_dial_is_the_newest(street: Street) -> None:
    read, silent = await place(street, "E1", 0), await place(street, "E2", 1)
    await dial(street, read, date(2026, 3, 2), 100)
    await dial(street, read, date(2026, 3, 4), 300)
    days = Period(date(2026, 3, 1), date(2026, 3, 6))
    async with street.database.view(street.tenant) as session:
        first, second = await completeness(session, street.community, "Asia/Shanghai", [read, silent], days)
    assert [one.by_hand for one in first.days] == [False, True, False, True, False]
    assert (first.holes, first.most, first.last_milli) == (3, 0, 300)
    assert (second.holes, second.last_at, second.last_milli) == (5, None, None)
