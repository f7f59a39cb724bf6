"""Moving out in one step: the last readings, the last bill, what was paid ahead, the deposit, and the statement.

    last readings -> relations end -> last bill -> offset -> deductions proposed -> conditions met -> statement

All of it happens in one unit of work or nothing does. The preview is the same work in a unit that is given up, so it
shows what will be; settling repeats the hash of the statement that was seen. Money leaves by its own roads: what is
kept of a deposit is proposed to the payer and decided by another person, what goes back travels as a refund.
"""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import finals, offsets
from cloud.billing import service as billing
from cloud.billing.documents import Account, OpenLine, Rater
from cloud.billing.errors import PreviewChangedError
from cloud.billing.issuing import IssuedBill
from cloud.deposits import deductions
from cloud.deposits import service as deposits
from cloud.deposits.deductions import Proposal
from cloud.deposits.rules import ConditionKind, DepositState
from cloud.deposits.values import Deposit
from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.kit.actor import Actor
from cloud.kit.db import Database, Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.ledger import service as ledger
from cloud.metering.corrections import Correction, revise_reading
from cloud.metering.registers import BILLED_QUANTITY
from cloud.settlement import repository
from cloud.settlement.tables import SettlementRow
from cloud.settlement.values import MoveOut, Statement, StatementLine
from cloud.tariffs.charge import FundClass
from common.civil import Period, midnight
from common.ids import AccountId, BillId, CommunityId, TenantId

LIST_MAX = 200
REASON = "退租终读 final reading at move-out"


class _GivenUpError(Exception):
    """The unit of a preview ends here."""


async def preview(database: Database, tenant: TenantId, actor: Actor, rate: Rater, wish: MoveOut) -> Statement:
    """Return the statement that settling would give now; it is worked out in a unit of work that is given up.

    Raises:
        RefusalError: what `settle` refuses.
    """
    found: list[Statement] = []
    with suppress(_GivenUpError):
        async with database.unit(tenant, actor) as unit:
            statement, _ = await _settled(unit, rate, wish)
            found.append(statement)
            raise _GivenUpError
    return found[0]


async def settle(unit: Unit, rate: Rater, wish: MoveOut, *, preview_sha: bytes) -> Statement:
    """Settle as previewed; the same settlement again returns its statement and writes nothing.

    Raises:
        NotFoundError: there is no such account or meter.
        ConflictError: the party owns the premises, an earlier period is still to be billed, or it was settled before.
        UnratedError: something of the last days could not be rated.
        PreviewChangedError: the outcome is not what was seen.
    """
    known = await repository.settlement(unit.session, wish.settlement_id)
    if known is not None:
        if known.preview_sha != preview_sha:
            raise ConflictError("this settlement was made with other content; nothing was changed")
        return Statement.from_plain(known.statement)
    statement, final = await _settled(unit, rate, wish)
    if statement.sha != preview_sha:
        raise PreviewChangedError
    account = await billing.account(unit.session, wish.account_id)
    unit.session.add(
        SettlementRow(
            tenant_id=unit.tenant,
            community_id=account.community_id,
            settlement_id=wish.settlement_id,
            account_id=wish.account_id,
            moved_out_on=wish.gone_on,
            bill_id=None if final is None else final.bill_id,
            owed_fen=statement.owed_fen,
            ahead_fen=statement.ahead_fen,
            deposit_fen=statement.deposit_fen,
            refund_fen=statement.refund_fen,
            statement=dict(statement.to_plain()),
            preview_sha=preview_sha,
            settled_at=unit.now,
            settled_by=unit.actor.id,
        )
    )
    await unit.session.flush()
    after = {"owed_fen": statement.owed_fen, "refund_fen": statement.refund_fen}
    unit.record("settled", "settlement", wish.settlement_id, after=after)
    return statement


async def settlement(session: AsyncSession, settlement_id: UUID) -> tuple[Account, Statement]:
    """Return a settlement as it was given.

    Raises:
        NotFoundError: there is none.
    """
    row = await repository.settlement(session, settlement_id)
    if row is None:
        raise NotFoundError("there is no such settlement")
    return await billing.account(session, AccountId(row.account_id)), Statement.from_plain(row.statement)


async def settlements(session: AsyncSession, community_id: CommunityId) -> tuple[tuple[UUID, Statement], ...]:
    """Return up to `LIST_MAX` settlements of a community with their statements, the newest first."""
    rows = await repository.settlements(session, community_id, LIST_MAX)
    return tuple((row.settlement_id, Statement.from_plain(row.statement)) for row in rows)


async def _settled(unit: Unit, rate: Rater, wish: MoveOut) -> tuple[Statement, IssuedBill | None]:
    account = await billing.account(unit.session, wish.account_id)
    await billing.lock_accounts(unit, [account.account_id])
    await _read_dials(unit, account, wish)
    await estate.move_out(unit, premises_id=account.premises_id, party_id=account.party_id, day=wish.gone_on)
    final = await finals.issue_final(unit, rate, account, wish.gone_on)
    await unit.session.flush()
    # The occasion is the settlement itself, so that the job that follows the last bill finds its own key unused.
    await offsets.settle_from_ahead(unit, account.community_id, [account.account_id], BillId(wish.settlement_id))
    lines = await billing.open_lines(unit.session, account.account_id)
    held = [
        one
        for one in await deposits.deposits_of(unit.session, account.account_id)
        if one.state is DepositState.HELD and one.held_fen
    ]
    from_deposit_fen = await _propose(unit, held, lines, wish)
    await _meet(unit, held, wish)
    ahead_fen = sum(one.available_fen for one in await ledger.ahead_balances(unit.session, [account.account_id]))
    return _statement(wish, final, lines, (ahead_fen, sum(one.held_fen for one in held), from_deposit_fen)), final


def _statement(
    wish: MoveOut, final: IssuedBill | None, lines: tuple[OpenLine, ...], money: tuple[int, int, int]
) -> Statement:
    ahead_fen, deposit_fen, from_deposit_fen = money
    owed_fen = sum(line.open_fen for line in lines)
    return Statement(
        gone_on=wish.gone_on,
        final_number=None if final is None else final.number,
        final_fen=0 if final is None else final.total_fen,
        owed=tuple(
            StatementLine(
                number=line.number,
                name_zh=line.name_zh,
                name_en=line.name_en,
                service=str(line.period),
                fen=line.open_fen,
            )
            for line in lines
        ),
        owed_fen=owed_fen,
        ahead_fen=ahead_fen,
        deposit_fen=deposit_fen,
        from_deposit_fen=from_deposit_fen,
        refund_fen=ahead_fen + deposit_fen - from_deposit_fen,
        still_owed_fen=owed_fen - from_deposit_fen,
    )


async def _read_dials(unit: Unit, account: Account, wish: MoveOut) -> None:
    if not wish.readings:
        return
    community = await estate.community(unit.session, account.community_id)
    day_before = wish.gone_on.fromordinal(wish.gone_on.toordinal() - 1)
    placed = await fleet.installed_meters(unit.session, community.id, Period(day_before, wish.gone_on))
    own = {meter.meter_id: meter for meter in placed if meter.premises_id == account.premises_id}
    for reading in wish.readings:
        if reading.meter_id not in own:
            raise NotFoundError("there is no such meter at these premises on that day")
        correction = Correction(
            community_id=community.id,
            meter_id=reading.meter_id,
            quantity=BILLED_QUANTITY[own[reading.meter_id].resource],
            read_at=midnight(wish.gone_on, community.zone),
            value_milli=reading.value_milli,
            reason=REASON,
        )
        await revise_reading(unit, correction)
    await unit.session.flush()


async def _propose(unit: Unit, held: list[Deposit], lines: tuple[OpenLine, ...], wish: MoveOut) -> int:
    """Propose to keep what is owed in the operating book from the deposits, oldest line first; return how much."""
    left = {one.deposit_id: one.held_fen for one in held}
    proposed = 0
    for line in (one for one in lines if one.fund_class is FundClass.OPERATING):
        open_fen = line.open_fen
        for deposit in held:
            if deposit.book.legal_entity_id != line.legal_entity_id:
                continue
            part = min(left[deposit.deposit_id], open_fen)
            if part > 0:
                evidence = wish.inspection.strip() or f"退租结算 settlement at move-out, {line.number}/{line.n}"
                proposal = Proposal(line=line.ref, amount_fen=part, evidence=evidence)
                await deductions.propose(unit, deposit.deposit_id, proposal)
                left[deposit.deposit_id] -= part
                open_fen -= part
                proposed += part
    return proposed


async def _meet(unit: Unit, held: list[Deposit], wish: MoveOut) -> None:
    """Meet what moving out itself shows: that the lease has ended, and what the inspection found."""
    shown = {ConditionKind.LEASE_ENDED: f"退租 moved out on {wish.gone_on.isoformat()}"}
    if wish.inspection.strip():
        shown[ConditionKind.INSPECTION_PASSED] = wish.inspection.strip()
    for deposit in held:
        for condition in deposit.conditions:
            if condition.met_at is None and condition.kind in shown:
                await deposits.meet(unit, deposit.deposit_id, condition.kind, evidence=shown[condition.kind])
