"""In which order money settles what is owed."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from cloud.billing import settling
from cloud.billing.documents import OpenLine
from cloud.billing.settling import Settling, SettlingOrder, settled
from cloud.kit.errors import NotFoundError
from cloud.tariffs.charge import FundClass
from common.civil import Period
from common.errors import InvariantError, RefusalError
from common.ids import AccountId, BillId, ChargeItemId, CommunityId, LegalEntityId
from tests.cloud.billing.conftest import Office


def line(n: int, month: int, *, late: bool = False, code: str = "c") -> OpenLine:
    nobody = UUID(int=0)
    return OpenLine(
        community_id=CommunityId(nobody),
        account_id=AccountId(nobody),
        bill_id=BillId(UUID(int=n)),
        number=f"B{n}",
        n=1,
        charge_item_id=ChargeItemId(nobody),
        charge_code=code,
        name_zh="c",
        name_en="c",
        period=Period(date(2026, month, 1), date(2026, month, 2)),
        due=date(2026, month, 15),
        open_fen=100,
        fund_class=FundClass.OPERATING,
        legal_entity_id=LegalEntityId(nobody),
        late=late,
    )


LINES = [line(1, 3), line(2, 1), line(3, 2, late=True)]


@pytest.mark.parametrize(
    ("order", "numbers"),
    [
        (SettlingOrder.OLDEST_FIRST, [2, 3, 1]),
        (SettlingOrder.NEWEST_FIRST, [1, 3, 2]),
        (SettlingOrder.LATE_CHARGES_FIRST, [3, 2, 1]),
        (SettlingOrder.PRINCIPAL_FIRST, [2, 1, 3]),
    ],
)
def test_money_settles_lines_in_the_order_decided(order: SettlingOrder, numbers: list[int]) -> None:
    parts = settled(LINES, 250, Settling(order=order))
    assert [(ref.bill_id.int, fen) for ref, fen in parts] == list(zip(numbers, [100, 100, 50], strict=True))


def test_the_items_a_community_put_first_are_settled_first_the_rest_as_it_falls_due() -> None:
    lines = [line(1, 3, code="water"), line(2, 1, code="lift"), line(3, 2, code="service"), line(4, 1, code="service")]
    wish = Settling(order=SettlingOrder.ITEMS_FIRST, items=("service", "water"))
    assert [ref.bill_id.int for ref, _ in settled(lines, 400, wish)] == [4, 3, 1, 2]


@pytest.mark.parametrize("items", [(), ("service", "service")])
def test_items_must_be_named_where_they_count_and_each_once(items: tuple[str, ...]) -> None:
    with pytest.raises(RefusalError, match="name"):
        Settling(order=SettlingOrder.ITEMS_FIRST, items=items)


async def test_what_was_decided_later_does_not_hold_for_what_was_settled_before(office: Office) -> None:
    site = office.site
    async with site.database.unit(site.tenant, site.actor) as unit:
        await settling.decide_order(unit, site.community_id, Settling(order=SettlingOrder.NEWEST_FIRST))
        then = unit.now
    office.clock.advance(hours=1)
    wish = Settling(order=SettlingOrder.ITEMS_FIRST, items=("service",))
    async with site.database.unit(site.tenant, site.actor) as unit:
        await settling.decide_order(unit, site.community_id, wish)
    async with site.database.view(site.tenant) as session:
        before = await settling.settling_order(session, site.community_id, then)
        assert before.order is SettlingOrder.NEWEST_FIRST
        assert await settling.settling_order(session, site.community_id) == wish


def test_nothing_settles_nothing_and_a_negative_amount_stops() -> None:
    assert settled(LINES, 0, Settling()) == ()
    assert sum(fen for _, fen in settled(LINES, 900, Settling())) == 300
    with pytest.raises(InvariantError):
        settled(LINES, -1, Settling())


async def test_a_community_decides_its_order_and_may_decide_again(office: Office) -> None:
    site = office.site
    async with site.database.view(site.tenant) as session:
        assert await settling.settling_order(session, site.community_id) == Settling()
    for order in (SettlingOrder.NEWEST_FIRST, SettlingOrder.NEWEST_FIRST, SettlingOrder.PRINCIPAL_FIRST):
        async with site.database.unit(site.tenant, site.actor) as unit:
            await settling.decide_order(unit, site.community_id, Settling(order=order))
    async with site.database.view(site.tenant) as session:
        assert (await settling.settling_order(session, site.community_id)).order is SettlingOrder.PRINCIPAL_FIRST
    with pytest.raises(NotFoundError):
        async with site.database.unit(site.tenant, site.actor) as unit:
            await settling.decide_order(unit, CommunityId(UUID(int=1)), Settling())
