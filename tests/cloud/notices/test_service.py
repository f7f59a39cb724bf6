"""A notice is told once, in the language and at the hours that its reader wants, through the outbox."""

from __future__ import annotations

from datetime import time
from uuid import UUID

from sqlalchemy import text

from cloud.notices import service
from cloud.notices.kinds import Language, NoticeState
from cloud.notices.rules import QuietHours
from cloud.notices.service import Wish
from common.ids import PartyId
from tests.cloud.notices.conftest import Herald


async def wish(herald: Herald, wanted: Wish) -> None:
    counter = herald.counter
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        await service.set_wish(unit, herald.party, wanted)


async def test_who_wants_english_is_told_in_english(herald: Herald) -> None:
    await wish(herald, Wish(language=Language.ZH))
    await wish(herald, Wish(language=Language.EN))
    await herald.morning(0)
    (notice,) = await herald.told()
    assert notice.title == f"Bill {herald.bill.number} is due today"


async def test_what_is_written_at_night_is_told_when_the_readers_own_quiet_ends(herald: Herald) -> None:
    await wish(herald, Wish(quiet=QuietHours(starts=time(20), ends=time(11))))
    await herald.morning(0, hour=10)
    assert await herald.told() == ()
    herald.clock.advance(hours=1)
    await herald.teller.drain()
    (notice,) = await herald.told()
    assert notice.told_at == notice.tell_at


async def test_what_is_told_leaves_a_receipt_in_the_outbox(herald: Herald) -> None:
    await herald.morning(0)
    (notice,) = await herald.told()
    async with herald.counter.database.view(herald.counter.tenant) as session:
        (row,) = (await session.execute(text("select channel, receipt from outbox"))).all()
    assert (row.channel, row.receipt) == ("inbox", f"inbox:{notice.notice_id}")


async def test_telling_again_changes_nothing(herald: Herald) -> None:
    await herald.morning(0)
    (notice,) = await herald.told()
    counter = herald.counter
    herald.clock.advance(hours=1)
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        assert await service.tell(unit, notice.notice_id) is NoticeState.TOLD
    assert await herald.told() == (notice,)


async def test_a_reader_sees_only_his_own(herald: Herald) -> None:
    await herald.morning(0)
    async with herald.counter.database.view(herald.counter.tenant) as session:
        assert await service.notices_of(session, PartyId(UUID(int=9))) == ()
