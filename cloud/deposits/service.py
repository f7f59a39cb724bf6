"""The use cases of deposits: open one, hold the money that came for it, meet its conditions, follow what goes back.

What is held stands in the deposit's own guarded account in the deposit fund; the row's sums are kept in step with it in
the same unit. A deposit goes back when every condition is met and no deduction is pending. Deductions are in
`deductions.py`; the money that goes back travels as refunds, which hear of it by an event.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.cases import service as cases
from cloud.contracts import service as contracts
from cloud.deposits import reports, repository
from cloud.deposits.errors import DepositStateError, UnknownDepositError
from cloud.deposits.events import ReturnDue
from cloud.deposits.rules import (
    TEXT_LENGTH_MAX,
    USUAL_CONDITION,
    ConditionKind,
    DepositState,
    ReturnRoute,
    ReturnState,
    check_instalments,
    divide,
    may_move,
)
from cloud.deposits.tables import DepositConditionRow, DepositReturnRow, DepositRow
from cloud.deposits.values import (
    Condition,
    Deposit,
    NewDeposit,
    condition_of,
    deduction_of,
    deposit_of,
    return_of,
)
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError
from cloud.ledger import postings
from cloud.ledger import service as ledger
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft
from cloud.payments import booking, desk
from cloud.payments import service as payments
from cloud.payments.desk import CashReceipt
from cloud.payments.values import IntentRequest, Payment
from cloud.tariffs.charge import FundClass
from common.civil import civil_day
from common.errors import RefusalError, ensure
from common.ids import AccountId, CommunityId, PaymentId

LIST_MAX = 500
_ENDED_RETURNS = frozenset({ReturnState.ARRIVED, ReturnState.FAILED, ReturnState.REPLACED})
_REFUND_STATES = {
    "accepted": ReturnState.ACCEPTED,
    "arrived": ReturnState.ARRIVED,
    "failed": ReturnState.FAILED,
    "rejected": ReturnState.FAILED,
}


async def open_deposit(unit: Unit, new: NewDeposit) -> Deposit:
    """Open a deposit that its payer is to bring; the same id again is the same deposit.

    Raises:
        NotFoundError: there is no such account, or its community has no such contract.
        ConflictError: the id stands for another deposit.
    """
    account = await billing.account(unit.session, new.account_id)
    if new.contract_id is not None:
        await contracts.require_contract(unit.session, account.community_id, new.contract_id)
    known = await repository.deposit(unit.session, new.deposit_id)
    if known is not None:
        if (known.account_id, known.amount_fen, known.kind) != (new.account_id, new.amount_fen, new.kind):
            raise ConflictError("this deposit was opened with other content; nothing was changed, begin a new one")
        return await deposit(unit.session, new.deposit_id)
    row = DepositRow(
        tenant_id=unit.tenant,
        community_id=account.community_id,
        deposit_id=new.deposit_id,
        account_id=new.account_id,
        legal_entity_id=new.legal_entity_id,
        fund_class=FundClass.DEPOSIT,
        kind=new.kind,
        contract_id=new.contract_id,
        purpose=new.purpose.strip(),
        amount_fen=new.amount_fen,
        state=DepositState.DUE,
        objection_days=new.objection_days,
        instalments=[[part.days_after, part.weight] for part in check_instalments(new.instalments)],
        opened_at=unit.now,
        deducted_fen=0,
        returned_fen=0,
    )
    unit.session.add(row)
    await unit.session.flush()
    for condition in new.conditions or (Condition(kind=USUAL_CONDITION[new.kind]),):
        unit.session.add(_condition_row(unit, row, condition))
    await unit.session.flush()
    unit.record("opened", "deposit", row.deposit_id, after={"kind": row.kind, "amount_fen": row.amount_fen})
    return await deposit(unit.session, row.deposit_id)


async def cancel(unit: Unit, deposit_id: UUID) -> None:
    """Cancel a deposit that nobody has brought.

    Raises:
        DepositStateError: it is not due.
    """
    _move(unit, await locked(unit, deposit_id), DepositState.CANCELLED)


def intent_for(deposit: Deposit) -> IntentRequest:
    """Return the wish to bring a deposit online: of its own id, so that every attempt belongs to it."""
    if deposit.state is not DepositState.DUE:
        raise DepositStateError(deposit.state, "brought")
    return IntentRequest(
        intent_id=deposit.deposit_id,
        account_id=deposit.account_id,
        legal_entity_id=deposit.book.legal_entity_id,
        fund_class=FundClass.DEPOSIT,
        amount_fen=deposit.amount_fen,
    )


async def take_cash(
    unit: Unit, deposit_id: UUID, cash_shift_id: UUID, *, payment_id: PaymentId, tendered_fen: int
) -> Deposit:
    """Take a deposit in cash in the acting cashier's shift, at a box of the deposit fund.

    Raises:
        UnknownDepositError: the company has no such deposit.
        DepositStateError: it is not due.
        RefusalError: the box holds other money, or too little was handed over.
    """
    seen = await deposit(unit.session, deposit_id)
    if seen.payment_id == payment_id:
        return seen
    shift = await desk.shift(unit.session, cash_shift_id)
    boxes = {box.cash_box_id: box for box in await desk.cash_boxes(unit.session, shift.community_id)}
    if boxes[shift.cash_box_id].book != seen.book:
        raise RefusalError("this box holds other money; take a deposit at a box of the deposit fund of its company")
    receipt = CashReceipt(
        payment_id=payment_id, account_id=seen.account_id, tendered_fen=tendered_fen, amount_fen=seen.amount_fen
    )
    payment = await desk.record_cash(unit, cash_shift_id, receipt)
    await _hold(unit, await locked(unit, deposit_id), payment)
    return await deposit(unit.session, deposit_id)


async def hold_payment(unit: Unit, payment_id: PaymentId) -> None:
    """Hold money that arrived for a deposit; money for one that is no longer due waits for a person, in its fund."""
    payment = await booking.payment(unit.session, payment_id)
    if payment.book.fund_class is not FundClass.DEPOSIT or payment.attempt_id is None:
        return
    attempt = await payments.attempt(unit.session, payment.attempt_id)
    row = await repository.deposit(unit.session, attempt.intent_id, lock=True)
    if row is None or row.payment_id == payment_id:
        return
    if row.state is not DepositState.DUE:
        await cases.raise_case(unit, reports.brought_again(deposit_of(row), payment))
        return
    await _hold(unit, row, payment)


async def meet(unit: Unit, deposit_id: UUID, kind: ConditionKind, *, evidence: str) -> Deposit:
    """Note that a condition is met, with what shows it; the last one starts the return.

    Raises:
        UnknownDepositError: the company has no such deposit, or it has no such condition.
        DepositStateError: the deposit is not held.
        RefusalError: nothing shows it.
    """
    if not 0 < len(evidence.strip()) <= TEXT_LENGTH_MAX:
        raise RefusalError(f"a condition is met by something shown, in at most {TEXT_LENGTH_MAX} characters; write it")
    row = await locked(unit, deposit_id)
    if row.state is not DepositState.HELD:
        raise DepositStateError(row.state, "looked at for its conditions")
    wanted = [one for one in await repository.conditions(unit.session, deposit_id) if one.kind is kind]
    if not wanted:
        raise UnknownDepositError("condition of this deposit")
    if wanted[0].met_at is None:
        wanted[0].met_at, wanted[0].met_by, wanted[0].evidence = unit.now, unit.actor.id, evidence.strip()
        unit.record("met", "deposit_condition", deposit_id, after={"kind": kind})
    await release_if_met(unit, row)
    return await deposit(unit.session, deposit_id)


async def look_at(unit: Unit, deposit_id: UUID) -> None:
    """Meet the conditions whose day has come, start the return when all are met, and send what has fallen due."""
    row = await locked(unit, deposit_id)
    today = await _today(unit, row)
    if row.state is DepositState.HELD:
        for condition in await repository.conditions(unit.session, deposit_id):
            if condition.met_at is None and condition.on_day is not None and condition.on_day <= today:
                condition.met_at, condition.met_by = unit.now, unit.actor.id
                unit.record("met", "deposit_condition", deposit_id, after={"kind": condition.kind})
        await release_if_met(unit, row)
    elif row.state is DepositState.RELEASED:
        await _send_due(unit, row, today)


async def release_if_met(unit: Unit, row: DepositRow) -> None:
    """Start the return of a held deposit once every condition is met and no deduction is pending."""
    conditions = await repository.conditions(unit.session, row.deposit_id)
    if row.state is not DepositState.HELD or any(condition.met_at is None for condition in conditions):
        return
    if await repository.has_pending_deduction(unit.session, row.deposit_id):
        await cases.raise_case(unit, reports.waits_for_deduction(deposit_of(row)))
        return
    for case in await cases.open_about(unit.session, [row.deposit_id]):
        if case.reason == reports.WAITS:
            await cases.close_case(unit, case.case_id, reason="no deduction is pending")
    _move(unit, row, DepositState.RELEASED)
    row.released_at = unit.now
    today = await _today(unit, row)
    current = deposit_of(row)
    if not current.held_fen:
        _close(unit, row)
        return
    for part in divide(current.held_fen, current.instalments, today):
        unit.session.add(_return_row(unit, row, n=part.n, amount_fen=part.amount_fen, due_on=part.due_on))
    await unit.session.flush()
    await _send_due(unit, row, today)


async def send_again(unit: Unit, deposit_id: UUID, return_id: UUID, *, cash_box_id: UUID | None) -> UUID:
    """Send an instalment that failed again, in cash when a box is named, and return the id of the new one.

    Raises:
        UnknownDepositError: the deposit has no such return.
        ConflictError: it has not failed.
    """
    row = await locked(unit, deposit_id)
    failed = await repository.find_return(unit.session, return_id)
    if failed is None or failed.deposit_id != deposit_id:
        raise UnknownDepositError("return of this deposit")
    if failed.state is not ReturnState.FAILED:
        raise ConflictError(f"this return is {failed.state}; only one that failed is sent again")
    failed.state = ReturnState.REPLACED
    today = await _today(unit, row)
    fresh = _return_row(unit, row, n=failed.n, amount_fen=failed.amount_fen, due_on=today)
    if cash_box_id is not None:
        fresh.route, fresh.cash_box_id = ReturnRoute.CASH, cash_box_id
    unit.session.add(fresh)
    await unit.session.flush()
    unit.record("sent again", "deposit_return", return_id, after={"return_id": str(fresh.return_id)})
    await _send_due(unit, row, today)
    return fresh.return_id


async def note_refund(unit: Unit, refund_id: UUID, state: str) -> None:
    """Note where the refund of an instalment stands; one that carries no instalment changes nothing."""
    found = await repository.find_return(unit.session, refund_id)
    if found is None or state not in _REFUND_STATES:
        return
    row = await locked(unit, found.deposit_id)
    await unit.session.refresh(found)
    if found.state in _ENDED_RETURNS:
        return
    found.state = _REFUND_STATES[state]
    unit.record("moved", "deposit_return", refund_id, after={"state": found.state})
    if found.state is ReturnState.ARRIVED:
        row.returned_fen += found.amount_fen
        if not deposit_of(row).held_fen:
            _close(unit, row)


async def deposit(session: AsyncSession, deposit_id: UUID) -> Deposit:
    """Return a deposit with all that belongs to it.

    Raises:
        UnknownDepositError: the company has no such deposit.
    """
    row = await repository.deposit(session, deposit_id)
    if row is None:
        raise UnknownDepositError
    return await _whole(session, row)


async def deposits_of(session: AsyncSession, account_id: AccountId) -> tuple[Deposit, ...]:
    """Return the deposits of an account, the newest first."""
    return tuple([await _whole(session, row) for row in await repository.deposits_of(session, account_id)])


async def deposits_in(session: AsyncSession, community_id: CommunityId) -> tuple[Deposit, ...]:
    """Return up to `LIST_MAX` deposits of a community that are not over, the oldest first."""
    return tuple([await _whole(session, row) for row in await repository.deposits_in(session, community_id, LIST_MAX)])


async def locked(unit: Unit, deposit_id: UUID) -> DepositRow:
    """Return a deposit, locked until the unit ends.

    Raises:
        UnknownDepositError: the company has no such deposit.
    """
    row = await repository.deposit(unit.session, deposit_id, lock=True)
    if row is None:
        raise UnknownDepositError
    return row


async def _whole(session: AsyncSession, row: DepositRow) -> Deposit:
    return replace(
        deposit_of(row),
        conditions=tuple(condition_of(one) for one in await repository.conditions(session, row.deposit_id)),
        deductions=tuple(deduction_of(one) for one in await repository.deductions(session, row.deposit_id)),
        returns=tuple(return_of(one) for one in await repository.returns(session, row.deposit_id)),
    )


async def _hold(unit: Unit, row: DepositRow, payment: Payment) -> None:
    current = deposit_of(row)
    if row.state is not DepositState.DUE:
        raise DepositStateError(row.state, "brought")
    ensure(payment.book == current.book, "money of a deposit lies in the book of the deposit")
    ensure(payment.amount_fen == row.amount_fen, "a deposit is brought whole")
    draft = JournalDraft(
        idem_key=f"deposit:{row.deposit_id}:held",
        kind="deposit",
        community_id=row.community_id,
        business_date=await _today(unit, row),
        document=DocumentRef(kind=DocumentKind.DEPOSIT, document_id=row.deposit_id),
        transfers=(postings.deposit_held(current.book, payment.account_id, row.deposit_id, row.amount_fen),),
    )
    await ledger.post(unit, draft)
    row.payment_id, row.held_at = payment.payment_id, unit.now
    _move(unit, row, DepositState.HELD)


async def _send_due(unit: Unit, row: DepositRow, today: date) -> None:
    ensure(row.payment_id is not None, "only a deposit that was paid goes back")
    for part in await repository.returns(unit.session, row.deposit_id):
        if part.state is ReturnState.DUE and part.due_on <= today:
            part.state = ReturnState.ASKED
            unit.record("asked back", "deposit_return", part.return_id, after={"amount_fen": part.amount_fen})
            unit.publish(
                ReturnDue(
                    return_id=part.return_id,
                    deposit_id=row.deposit_id,
                    payment_id=PaymentId(row.payment_id or row.deposit_id),
                    amount_fen=part.amount_fen,
                    reason=f"deposit {row.kind}",
                    cash_box_id=part.cash_box_id,
                )
            )


async def _today(unit: Unit, row: DepositRow) -> date:
    return civil_day(unit.now, (await estate.community(unit.session, row.community_id)).zone)


def _move(unit: Unit, row: DepositRow, state: DepositState) -> None:
    if not may_move(row.state, state):
        raise DepositStateError(row.state, state)
    before, row.state = row.state, state
    unit.record("moved", "deposit", row.deposit_id, before={"state": before}, after={"state": state})


def _close(unit: Unit, row: DepositRow) -> None:
    row.closed_at = unit.now
    _move(unit, row, DepositState.CLOSED)


def _condition_row(unit: Unit, row: DepositRow, condition: Condition) -> DepositConditionRow:
    return DepositConditionRow(
        tenant_id=unit.tenant,
        community_id=row.community_id,
        deposit_id=row.deposit_id,
        kind=condition.kind,
        on_day=condition.on_day,
        evidence="",
    )


def _return_row(unit: Unit, row: DepositRow, *, n: int, amount_fen: int, due_on: date) -> DepositReturnRow:
    return DepositReturnRow(
        tenant_id=unit.tenant,
        community_id=row.community_id,
        return_id=unit.new_id(),
        deposit_id=row.deposit_id,
        n=n,
        amount_fen=amount_fen,
        due_on=due_on,
        route=ReturnRoute.ORIGINAL,
        state=ReturnState.DUE,
        asked_by=unit.actor.id,
        detail="",
    )
