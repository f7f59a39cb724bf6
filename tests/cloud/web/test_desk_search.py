"""The search of the desk: a room named exactly wins over rooms whose labels contain it; other places are not found."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cloud.estate import service as estate
from cloud.estate.kinds import PremisesKind
from cloud.estate.values import NewPremises, Premises
from cloud.payments import links
from cloud.web.desk_search import FOUND_MAX, find
from common.errors import RefusalError
from common.ids import CommunityId, TenantId
from tests.cloud.billing import builders as b
from tests.cloud.web.front import Front
from tests.support.randomness import seeded_bytes


async def found(front: Front, typed: str, community_id: CommunityId | None = None) -> Sequence[Premises]:
    counter = front.counter
    place: tuple[TenantId, CommunityId] = (counter.tenant, community_id or counter.office.site.community_id)
    async with counter.database.view(counter.tenant) as session:
        return await find(session, counter.database, place, typed)


async def add_rooms(front: Front, *labels: str) -> None:
    site = front.counter.office.site
    async with site.database.unit(site.tenant, site.actor) as unit:
        for label in labels:
            new = NewPremises(label=label, kind=PremisesKind.RESIDENCE, effective_from=b.START)
            await estate.add_premises(unit, site.community_id, new)


async def test_an_exact_label_is_the_room_even_when_others_contain_it(front: Front) -> None:
    await add_rooms(front, "1-1-0011", "a1-1-001")
    assert [premises.label for premises in await found(front, "1-1-001")] == ["1-1-001"]
    assert [premises.label for premises in await found(front, "A1-1-001")] == ["a1-1-001"]


async def test_a_part_of_a_label_finds_a_bounded_list(front: Front) -> None:
    await add_rooms(front, *(f"9-{n:03d}" for n in range(FOUND_MAX + 5)))
    assert len(await found(front, "9-")) == FOUND_MAX


async def test_a_bill_of_another_community_is_not_at_this_desk(front: Front) -> None:
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    site = front.counter.office.site
    async with site.database.unit(site.tenant, site.actor) as unit:
        other = await estate.create_community(unit, code="OTHER", name="别处", starts=b.START)
    assert [premises.label for premises in await found(front, bill.number)] == ["1-1-001"]
    assert list(await found(front, bill.number, other)) == []


async def test_the_code_of_another_companys_bill_is_refused_with_the_reason_and_nothing_is_booked(
    front: Front, other_tenant: TenantId
) -> None:
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    counter = front.counter
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        token = await links.link_for(unit, bill.bill_id, seeded_bytes(7))
    async with counter.database.unit(other_tenant, counter.office.site.actor) as unit:
        foreign = await estate.create_community(unit, code="LAKE", name="湖畔", starts=b.START)
    async with counter.database.view(other_tenant) as session:
        with pytest.raises(RefusalError, match="another company's bill"):
            await find(session, counter.database, (other_tenant, foreign), f"https://pay.example/pay/{token}")
    assert [room.label for room in await found(front, f"https://pay.example/pay/{token}")] == ["1-1-001"]
    assert await counter.payments() == ()


@pytest.mark.parametrize("typed", ["http://x/pay/", "/pay/../../etc", "'; drop table bill", "%", "_"])
async def test_strange_input_finds_nothing(front: Front, typed: str) -> None:
    assert list(await found(front, typed)) == []
