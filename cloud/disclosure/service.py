"""The sunshine ledger (阳光账本): the owners' funds read from the book itself, so what residents see is what is booked.

What households were billed comes from bills; rent of an advertisement or the price of a repair is an entry with words
and evidence, booked in the same unit of work. Spending leaves the owners, so a person answers for it by name.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.disclosure import repository
from cloud.disclosure.tables import FundEntryRow
from cloud.disclosure.values import OWNERS_FUNDS, EntryKind, FundEntry, FundLine, FundReport
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.ledger import postings
from cloud.ledger import service as ledger
from cloud.ledger.accounts import EARNED_AS, Book
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft, TransferDraft
from cloud.ledger.routes import Route
from cloud.tariffs import service as tariffs
from cloud.tariffs.charge import ChargeItem, FundClass
from common.civil import Period
from common.errors import RefusalError
from common.ids import ChargeItemId, CommunityId


async def record(unit: Unit, entry: FundEntry) -> None:
    """Book money that came into or went out of an owners' fund; the same entry again changes nothing.

    Raises:
        NotFoundError: the community has no such charge item.
        RefusalError: the charge item is not of an owners' fund.
        ConflictError: the id stands for another entry.
        SealedDayError: the day is closed.
    """
    known = await repository.entry(unit.session, entry.entry_id)
    if known is not None:
        if _entry(known) != entry:
            raise ConflictError("this entry was booked with other content; nothing was changed, begin a new one")
        return
    item = await _item(unit.session, entry.community_id, entry.charge_item_id)
    if item.fund_class not in OWNERS_FUNDS:
        raise RefusalError(f"{item.code} is of the fund {item.fund_class}; entries are of the owners' funds")
    unit.session.add(
        FundEntryRow(
            tenant_id=unit.tenant,
            community_id=entry.community_id,
            entry_id=entry.entry_id,
            charge_item_id=entry.charge_item_id,
            kind=entry.kind,
            fen=entry.fen,
            day=entry.day,
            words_zh=entry.words_zh,
            words_en=entry.words_en,
            evidence=entry.evidence,
            recorded_at=unit.now,
            recorded_by=unit.actor.id,
        )
    )
    await unit.session.flush()
    await ledger.post(unit, _journal(unit, entry, item))
    unit.record("recorded", "fund_entry", entry.entry_id, after={"kind": entry.kind, "fen": entry.fen})


async def report(session: AsyncSession, community_id: CommunityId, fund: FundClass, period: Period) -> FundReport:
    """Return an owners' fund over a period, from the book."""
    names = {item.charge_item_id: item for item in await tariffs.charge_items(session, community_id)}
    before = 0
    sums: dict[UUID, dict[str, int]] = {}
    for owner, route, earlier, fen in await repository.moves(
        session, community_id, fund.value, period.start, period.end
    ):
        if earlier:
            before += fen
        else:
            kind = {Route.FUND_INCOME.code: "other", Route.FUND_SPENT.code: "spent"}.get(route, "billed")
            own = sums.setdefault(owner, {})
            own[kind] = own.get(kind, 0) + fen
    lines = [_line(ChargeItemId(owner), names.get(ChargeItemId(owner)), own) for owner, own in sums.items()]
    entries = [_entry(row) for row in await repository.entries(session, community_id, period)]
    return FundReport(
        fund=fund,
        period=period,
        before_fen=before,
        lines=tuple(sorted(lines, key=lambda line: (line.name_en, line.charge_item_id))),
        entries=tuple(
            one for one in entries if one.charge_item_id in names and names[one.charge_item_id].fund_class is fund
        ),
    )


def _line(charge_item_id: ChargeItemId, item: ChargeItem | None, own: dict[str, int]) -> FundLine:
    return FundLine(
        charge_item_id=charge_item_id,
        name_zh="—" if item is None else item.name_zh,
        name_en="—" if item is None else item.name_en,
        billed_fen=own.get("billed", 0),
        other_income_fen=own.get("other", 0),
        spent_fen=-own.get("spent", 0),
    )


async def _item(session: AsyncSession, community_id: CommunityId, charge_item_id: ChargeItemId) -> ChargeItem:
    for item in await tariffs.charge_items(session, community_id):
        if item.charge_item_id == charge_item_id:
            return item
    raise NotFoundError("the community has no such charge item")


def _journal(unit: Unit, entry: FundEntry, item: ChargeItem) -> JournalDraft:
    book = Book(community_id=entry.community_id, legal_entity_id=item.legal_entity_id, fund_class=item.fund_class)
    money = postings.bank(book, item.legal_entity_id)
    earned = book.account(EARNED_AS[item.nature], item.charge_item_id)
    if entry.kind is EntryKind.INCOME:
        move = TransferDraft(debit=money, credit=earned, fen=entry.fen, route=Route.FUND_INCOME)
    else:
        move = TransferDraft(debit=earned, credit=money, fen=entry.fen, route=Route.FUND_SPENT)
    return JournalDraft(
        idem_key=f"fund_entry:{entry.entry_id}",
        kind=f"fund_{entry.kind}",
        community_id=entry.community_id,
        business_date=entry.day,
        document=DocumentRef(kind=DocumentKind.FUND_ENTRY, document_id=entry.entry_id),
        transfers=(move,),
        approved_by=unit.actor.id,
    )


def _entry(row: FundEntryRow) -> FundEntry:
    return FundEntry(
        entry_id=row.entry_id,
        community_id=row.community_id,
        charge_item_id=ChargeItemId(row.charge_item_id),
        kind=row.kind,
        fen=row.fen,
        day=row.day,
        words_zh=row.words_zh,
        words_en=row.words_en,
        evidence=row.evidence,
    )
