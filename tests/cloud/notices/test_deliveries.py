"""A delivery is planned with the telling, once, and only where both the reader and the company have the way."""

from __future__ import annotations

from cloud.notices import addresses, deliveries
from cloud.notices import provider_accounts as accounts
from cloud.notices.kinds import DeliveryState, Way
from tests.cloud.notices.conftest import Herald


async def test_who_chose_no_way_reads_his_inbox_alone(herald: Herald) -> None:
    await herald.morning(0)
    (notice,) = await herald.told()
    async with herald.counter.database.view(herald.counter.tenant) as session:
        assert await deliveries.deliveries_of(session, [notice.notice_id]) == {}
    assert notice.channel == "inbox"


async def test_a_way_that_the_company_does_not_have_leaves_the_inbox(herald: Herald) -> None:
    counter = herald.counter
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        await addresses.set_address(unit, herald.box, herald.party, Way.MAIL, "li@example.com")
    await herald.morning(0)
    (notice,) = await herald.told()
    assert notice.channel == "inbox"


async def test_an_account_that_was_closed_carries_nothing_new(herald: Herald) -> None:
    await herald.wants_texts()
    counter = herald.counter
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        for one in await accounts.accounts(unit.session):
            await accounts.close_account(unit, one.message_account_id)
    await herald.morning(0)
    assert herald.gateway.texts == []


async def test_what_became_of_a_delivery_is_read_beside_its_notice(herald: Herald) -> None:
    await herald.wants_texts()
    await herald.morning(0)
    (notice,) = await herald.told()
    assert notice.channel == "sms"
    async with herald.counter.database.view(herald.counter.tenant) as session:
        found = (await deliveries.deliveries_of(session, [notice.notice_id]))[notice.notice_id]
    assert (found.way, found.shown, found.state) == (Way.SMS, "138****8000", DeliveryState.ACCEPTED)
    assert found.accepted_at == herald.clock.now()
