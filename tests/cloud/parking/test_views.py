"""What people may see of parking: lots, permits, stays of their community only."""

from __future__ import annotations

from uuid import UUID

from cloud.parking import views
from common.ids import CommunityId
from tests.cloud.parking.yard import Yard, permit


async def test_another_community_shows_nothing(yard: Yard) -> None:
    await permit(yard)
    async with yard.database.view(yard.tenant) as session:
        assert [lot.lot for lot in await views.lots(session, yard.community)] == ["north"]
        assert len(await views.permits(session, yard.community)) == 1
        elsewhere = CommunityId(UUID(int=9))
        assert (await views.lots(session, elsewhere), await views.permits(session, elsewhere)) == ([], [])
