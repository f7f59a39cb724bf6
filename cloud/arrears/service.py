"""Relief: somebody asks to waive or write off parts of open lines, another person decides.

A waiver takes a late charge or a one-off charge back by a credit, as if it had not been made. A write-off gives up a
debt that stands: the line is settled against the legal entity that loses it. What a bill run issued is corrected or
written off, never waived. Who asked never decides; a decision is made once.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.arrears import repository
from cloud.arrears.tables import ReliefRow
from cloud.arrears.values import MOVES, REASON_LENGTH_MAX, Relief, ReliefKind, ReliefState, ReliefWish, RelievedLine
from cloud.billing import service as billing
from cloud.billing import takebacks
from cloud.billing.corrections import Cause
from cloud.billing.takebacks import Take
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, ForbiddenError, NotFoundError
from cloud.ledger import service as ledger
from cloud.ledger.accounts import Book
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft, LineRef
from cloud.ledger.postings import Allocation, written_off
from common.civil import civil_day
from common.errors import RefusalError
from common.ids import AccountId, BillId, CommunityId

LIST_MAX = 500


async def ask(unit: Unit, wish: ReliefWish) -> Relief:
    """Ask for relief; the same id with the same content is the same wish.

    Raises:
        NotFoundError: there is no such account, or a line is not the account's.
        ConflictError: the id stands for another wish, or less is open on a line.
    """
    account = await billing.account(unit.session, wish.account_id)
    known = await repository.relief(unit.session, wish.relief_id)
    if known is not None:
        if _relief(known).wish != wish:
            raise ConflictError("this relief was asked for with other content; nothing was changed, begin a new one")
        return _relief(known)
    await _require_open(unit.session, wish)
    row = ReliefRow(
        tenant_id=unit.tenant,
        community_id=account.community_id,
        relief_id=wish.relief_id,
        account_id=wish.account_id,
        kind=wish.kind,
        lines=[[str(one.line.bill_id), one.line.n, one.fen] for one in wish.lines],
        total_fen=wish.total_fen,
        reason=wish.reason,
        state=ReliefState.ASKED,
        asked_at=unit.now,
        asked_by=unit.actor.id,
        note="",
    )
    unit.session.add(row)
    await unit.session.flush()
    unit.record("asked", "relief", wish.relief_id, after={"kind": wish.kind, "total_fen": wish.total_fen})
    return _relief(row)


async def decide(unit: Unit, relief_id: UUID, *, grants: bool, note: str = "") -> Relief:
    """Grant or refuse relief; what is granted is booked in this unit.

    Raises:
        NotFoundError: there is no such wish.
        ForbiddenError: whoever asked may not decide.
        ConflictError: it is decided already, or less is open on a line than then.
        RefusalError: the note is too long.
    """
    if len(note) > REASON_LENGTH_MAX:
        raise RefusalError(f"a note has at most {REASON_LENGTH_MAX} characters")
    row = await repository.relief(unit.session, relief_id, lock=True)
    if row is None:
        raise NotFoundError("there is no such relief")
    wanted = ReliefState.GRANTED if grants else ReliefState.REFUSED
    if wanted not in MOVES[row.state]:
        raise ConflictError(f"this relief is {row.state} already")
    if row.asked_by == unit.actor.id:
        raise ForbiddenError("whoever asked for relief does not decide on it; let another person look")
    if grants:
        await _book(unit, _relief(row))
    row.state, row.decided_at, row.decided_by, row.note = wanted, unit.now, unit.actor.id, note
    unit.record(wanted, "relief", relief_id, after={"total_fen": row.total_fen})
    return _relief(row)


async def reliefs(session: AsyncSession, community_id: CommunityId) -> tuple[Relief, ...]:
    """Return up to `LIST_MAX` wishes of a community, the newest first."""
    return tuple(_relief(row) for row in await repository.reliefs(session, community_id, LIST_MAX))


async def relief(session: AsyncSession, relief_id: UUID) -> Relief:
    """Return a wish for relief.

    Raises:
        NotFoundError: there is none.
    """
    row = await repository.relief(session, relief_id)
    if row is None:
        raise NotFoundError("there is no such relief")
    return _relief(row)


async def _require_open(session: AsyncSession, wish: ReliefWish) -> None:
    lines = {line.ref: line.open_fen for line in await billing.open_lines(session, wish.account_id)}
    for one in wish.lines:
        if one.line not in lines:
            raise NotFoundError("the account has no such open line")
        if one.fen > lines[one.line]:
            raise ConflictError(f"{lines[one.line]} fen are open on this line, less than the {one.fen} asked for")


async def _book(unit: Unit, relief: Relief) -> None:
    await billing.lock_accounts(unit, [relief.wish.account_id])
    await _require_open(unit.session, relief.wish)
    community_id = CommunityId(relief.community_id)
    if relief.wish.kind is ReliefKind.WAIVER:
        takes = [Take(line=one.line, fen=one.fen) for one in relief.wish.lines]
        await takebacks.take_back(unit, community_id, cause=Cause.WAIVER, reason=relief.wish.reason, takes=takes)
        return
    community = await estate.community(unit.session, community_id)
    open_lines = {line.ref: line for line in await billing.open_lines(unit.session, relief.wish.account_id)}
    transfers = []
    for one in relief.wish.lines:
        line = open_lines[one.line]
        book = Book(community_id=community_id, legal_entity_id=line.legal_entity_id, fund_class=line.fund_class)
        transfers.append(written_off(book, Allocation(account_id=relief.wish.account_id, line=one.line, fen=one.fen)))
    draft = JournalDraft(
        idem_key=f"write_off:{relief.wish.relief_id}",
        kind="write_off",
        community_id=community_id,
        business_date=civil_day(unit.now, community.zone),
        document=DocumentRef(kind=DocumentKind.RELIEF, document_id=relief.wish.relief_id),
        transfers=tuple(transfers),
        approved_by=unit.actor.id,
    )
    await ledger.post(unit, draft)


def _relief(row: ReliefRow) -> Relief:
    lines = tuple(
        RelievedLine(line=LineRef(bill_id=BillId(UUID(bill_id)), n=n), fen=fen) for bill_id, n, fen in row.lines
    )
    wish = ReliefWish(
        relief_id=row.relief_id,
        account_id=AccountId(row.account_id),
        kind=row.kind,
        lines=lines,
        reason=row.reason,
    )
    return Relief(
        wish=wish,
        community_id=row.community_id,
        state=row.state,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        note=row.note,
    )
