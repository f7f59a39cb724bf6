"""Bank transfers on the real book: posted by code, held for a person, never twice, and suspense always sums."""

from __future__ import annotations

from datetime import UTC
from uuid import UUID

import pytest
from sqlalchemy import text

from cloud.kit.errors import ConflictError
from cloud.kit.secretbox import SecretBox
from cloud.ledger.accounts import Book
from cloud.payments import remittance
from cloud.payments.channel import Channel
from cloud.reconciliation import suspense, transfers
from cloud.reconciliation.remitting import Clue
from cloud.reconciliation.transfers import Imported
from cloud.tariffs.charge import FundClass
from common.civil import civil_day
from common.errors import FaultsError, RefusalError
from common.ids import CommunityId
from tests.cloud.payments.channels.bank.files import ICBC, MT940
from tests.cloud.payments.counter import Counter
from tests.support.randomness import seeded_bytes

BOX = SecretBox(bytes(range(32)))


async def bank_of(counter: Counter) -> UUID:
    book = Book(
        community_id=counter.office.site.community_id, legal_entity_id=counter.entity, fund_class=FundClass.OPERATING
    )
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        return await transfers.add_bank_account(unit, book, bank="工商银行", number="6222 0000 1111 2222")


async def imported(counter: Counter, bank: UUID, raw: bytes, kind: str = "icbc") -> Imported:
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        return await transfers.import_file(unit, BOX, bank, raw, kind)


async def waiting(counter: Counter) -> list[suspense.Suspended]:
    site = counter.office.site
    async with counter.database.view(counter.tenant) as session:
        today = civil_day(counter.office.clock.now(), UTC)
        return await suspense.suspense(session, BOX, CommunityId(site.community_id), today)


async def coded(counter: Counter, flat: int = 0) -> bytes:
    """Return the statement whose first credit carries the code of a flat."""
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        account = (await counter.request(flat)).account_id
        code = await remittance.code_for(unit, account, seeded_bytes(5))
    return ICBC.replace("WCODE01", code).encode("gb18030")


async def test_a_transfer_with_its_code_is_booked_and_the_others_wait_for_a_person(counter: Counter) -> None:
    await counter.bill(0, 123_450, 10_000)
    bank = await bank_of(counter)
    report = await imported(counter, bank, await coded(counter))
    assert (report.lines, report.fresh, report.posted) == (3, 3, 1)
    (payment,) = await counter.payments()
    assert (payment.channel, payment.amount_fen) == (Channel.BANK, 123_450)
    assert await counter.open_fen() == 0
    lines = await waiting(counter)
    assert [line.fen for line in lines] == [-1_234, 10_000]
    proposal = lines[1].proposal
    assert proposal is not None
    assert (proposal.label, proposal.clue) == ("1-1-002", Clue.ROOM_AND_AMOUNT)


async def test_what_a_person_confirms_is_learnt_and_can_be_taken_back(counter: Counter) -> None:
    await counter.bill(0, 123_450, 10_000)
    bank = await bank_of(counter)
    await imported(counter, bank, await coded(counter))
    line = (await waiting(counter))[1]
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        owner = (await counter.request(1)).account_id
        await transfers.identify(unit, line.bank_line_id, owner, learn=True)
    assert await counter.open_fen(1) == 0
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        with pytest.raises(ConflictError):
            await transfers.identify(unit, line.bank_line_id, owner)
        await suspense.forget_payer(unit, line.bank_line_id)


async def test_the_same_file_again_is_refused_and_an_overlapping_one_adds_only_what_is_new(counter: Counter) -> None:
    await counter.bill(0, 1, 1)
    bank = await bank_of(counter)
    raw = await coded(counter)
    await imported(counter, bank, raw)
    with pytest.raises(ConflictError):
        await imported(counter, bank, raw)
    later = raw.decode("gb18030").replace("起始日期:2026-03-01", "起始日期:2026-02-28")
    assert (await imported(counter, bank, later.encode("gb18030"))).fresh == 0
    assert len(await counter.payments()) == 1


async def test_a_file_with_a_wrong_total_changes_nothing(counter: Counter) -> None:
    await counter.bill(0, 1, 1)
    bank = await bank_of(counter)
    with pytest.raises(FaultsError):
        await imported(counter, bank, ICBC.replace("1,334.50", "1,334.51").encode("gb18030"))
    with pytest.raises(RefusalError):
        await imported(counter, bank, MT940.encode(), "nobank")
    assert await waiting(counter) == []


async def test_money_that_went_is_explained_by_name_and_never_identified(counter: Counter) -> None:
    await counter.bill(0, 1, 1)
    bank = await bank_of(counter)
    await imported(counter, bank, await coded(counter))
    debit, credit = await waiting(counter)
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        with pytest.raises(RefusalError):
            await transfers.explain(unit, debit.bank_line_id, " ")
        with pytest.raises(ConflictError):
            await transfers.explain(unit, credit.bank_line_id, "x")
        await transfers.explain(unit, debit.bank_line_id, "银行手续费")
    assert [line.fen for line in await waiting(counter)] == [10_000]


async def test_who_paid_stands_nowhere_in_clear(counter: Counter) -> None:
    await counter.bill(0, 1, 1)
    await imported(counter, await bank_of(counter), await coded(counter))
    async with counter.database.view(counter.tenant) as session:
        rows = (await session.execute(text("select l::text from bank_line l"))).scalars().all()
        audits = (await session.execute(text("select a::text from audit a"))).scalars().all()
    assert not any("张三" in row or "6217000012345678" in row for row in (*rows, *audits))


@pytest.mark.parametrize(("bank", "number"), [("", "62220000"), ("工行", "622"), ("工行", "6222x000")])
async def test_a_bank_account_without_name_or_number_is_refused(counter: Counter, bank: str, number: str) -> None:
    book = Book(
        community_id=counter.office.site.community_id, legal_entity_id=counter.entity, fund_class=FundClass.OPERATING
    )
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        with pytest.raises(RefusalError):
            await transfers.add_bank_account(unit, book, bank=bank, number=number)
