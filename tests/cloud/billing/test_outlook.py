"""A run beside the month and the year before."""

from __future__ import annotations

from uuid import UUID

import pytest

from cloud.billing import outlook
from cloud.billing.outlook import AccountOutlook
from common.ids import AccountId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office


async def test_who_jumps_most_stands_first_and_a_newcomer_has_nothing_to_compare(office: Office) -> None:
    first, second, third, _ = office.site.flats
    for flat, fens in ((first, (10_000, 10_500)), (second, (10_000, 30_000)), (third, (0, 7_000))):
        for month, fen in zip((11, 12), fens, strict=True):
            if fen:
                office.set(flat, b.SERVICE, month, fen)
    office.set(first, b.SERVICE, 0, 5_000)
    await office.bill_month(0)
    await office.bill_month(11)
    scope = await office.period(12)
    async with office.site.database.view(office.site.tenant) as session:
        found = await outlook.outlook(session, office.book, scope, office.clock.now())
    assert [(one.fen, one.month_before_fen, one.year_before_fen, one.jump_percent()) for one in found.accounts] == [
        (30_000, 10_000, None, 200),
        (10_500, 10_000, 5_000, 110),
        (7_000, None, None, 0),
    ]
    assert (found.preview.total_fen, found.month_before_fen, found.year_before_fen) == (47_500, 20_000, 5_000)


@pytest.mark.parametrize(("month", "year", "jump"), [(None, None, 0), (0, None, 0), (100, 50, 100), (80, None, 25)])
def test_a_jump_is_told_against_the_year_before_where_there_is_one(
    month: int | None, year: int | None, jump: int
) -> None:
    one = AccountOutlook(account_id=AccountId(UUID(int=1)), fen=100, month_before_fen=month, year_before_fen=year)
    assert one.jump_percent() == jump
