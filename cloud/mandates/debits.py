"""Announced amounts: told in time, tried once a day, and decided by what the channel says.

    announce -> (told a full day before) -> open_try -> (sent once) -> note_booked, or the next day's try, or decide

A try is one row for an amount and a day and names one payment attempt; what is not known of it is asked and never sent
again, and no other try is opened while it may still be paid. Money that arrives late is booked by payments like any
other, and noted here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.documents import OpenLine
from cloud.cases import service as cases
from cloud.cases.case import CaseKind
from cloud.kit.db import Unit
from cloud.kit.jobs import NewJob
from cloud.mandates import repository
from cloud.mandates.errors import UnknownMandateError
from cloud.mandates.events import DebitAnnounced, DebitFailed
from cloud.mandates.rules import DebitState, MandateState, amount_to_take, next_plan, today_at_channel, try_instant
from cloud.mandates.tables import DebitRow, DebitTryRow, MandateRow
from cloud.mandates.values import Debit, debit_of, mandate_of
from cloud.payments import merchants
from cloud.payments import service as payments
from cloud.payments.channel import Method
from cloud.payments.rules import AttemptState
from cloud.payments.service import Way
from cloud.payments.values import Attempt, IntentRequest
from common.ids import AccountId, BillId, CommunityId

TRY_LIFE = timedelta(hours=6)
ABOVE_LIMIT = "above_limit"
LIST_MAX = 100
TAKE = "mandates.take"


async def announce(unit: Unit, mandate_id: UUID) -> Debit | None:
    """Announce what is open on a mandate's book for its next cycle, or return None when there is nothing to tell.

    Bills that are disputed or that an undecided amount holds are left out. What is above the payer's limit is not
    announced in part: he is shown that he must pay it himself.
    """
    row = await locked(unit, mandate_id)
    today = today_at_channel(unit.now)
    plan = next_plan(row.day_of_month, today)
    if row.state is not MandateState.ACTIVE or not plan.may_tell(today):
        return None
    if any(one.execute_on == plan.execute_on for one in await repository.debits_of(unit.session, [mandate_id], 2)):
        return None
    lines = await _payable(unit.session, row, plan.execute_on)
    amount_fen = sum(line.open_fen for line in lines)
    row.detail = ABOVE_LIMIT if amount_fen > row.limit_fen else ""
    if not amount_fen or row.detail:
        return None
    bill_ids = sorted({line.bill_id for line in lines})
    made = DebitRow(
        tenant_id=unit.tenant,
        community_id=row.community_id,
        debit_id=unit.new_id(),
        mandate_id=mandate_id,
        account_id=row.account_id,
        execute_on=plan.execute_on,
        amount_fen=amount_fen,
        bill_ids=[str(bill_id) for bill_id in bill_ids],
        state=DebitState.ANNOUNCED,
        announced_at=unit.now,
        detail="",
    )
    unit.session.add(made)
    await unit.session.flush()
    await repository.take_leases(unit.session, [_lease(row, made.debit_id, bill_id) for bill_id in bill_ids])
    unit.record("announced", "debit", made.debit_id, after={"amount_fen": amount_fen, "on": str(plan.execute_on)})
    unit.publish(
        DebitAnnounced(
            community_id=CommunityId(row.community_id),
            account_id=AccountId(row.account_id),
            debit_id=made.debit_id,
            amount_fen=amount_fen,
            first_on=plan.first_on,
        )
    )
    return debit_of(made)


def take_jobs(debit: Debit) -> tuple[NewJob, ...]:
    """Return the jobs of the tries of an announced amount, one a day at its hour."""
    return tuple(
        NewJob(
            kind=TAKE,
            key=f"{TAKE}:{debit.debit_id}:{day.isoformat()}",
            payload={"debit_id": str(debit.debit_id), "day": day.isoformat()},
            run_at=try_instant(day),
            partition=f"debit:{debit.debit_id}",
        )
        for day in debit.plan.tries
    )


async def open_try(unit: Unit, debit_id: UUID, day: date, random_bytes: Callable[[int], bytes]) -> Attempt | None:
    """Open the one try of a day, or return None: it was opened before, another may still be paid, nothing is open."""
    row = await _locked_debit(unit, debit_id)
    standing = await tries(unit.session, debit_id)
    tried = await repository.tries_of(unit.session, debit_id)
    if row.state is not DebitState.ANNOUNCED or any(one.day >= day for one in tried) or any(map(may_pay, standing)):
        return None
    owner = await locked(unit, row.mandate_id)
    open_fen = await _open_fen(unit.session, owner, row)
    amount_fen = amount_to_take(row.amount_fen, open_fen)
    if owner.state is not MandateState.ACTIVE or not amount_fen:
        await decide(unit, debit_id)
        return None
    request = IntentRequest(
        intent_id=unit.new_id(),
        account_id=AccountId(row.account_id),
        legal_entity_id=mandate_of(owner).book.legal_entity_id,
        fund_class=owner.fund_class,
        bill_ids=debit_of(row).bill_ids,
        amount_fen=amount_fen,
    )
    intent = await payments.create_intent(unit, request)
    channel = (await merchants.merchant_account(unit.session, owner.merchant_account_id)).channel
    way = Way(channel=channel, method=Method.DEDUCTION, life=TRY_LIFE)
    opened = await payments.open_attempt(unit, intent, way, random_bytes)
    unit.session.add(
        DebitTryRow(
            tenant_id=unit.tenant,
            community_id=row.community_id,
            debit_id=debit_id,
            day=day,
            attempt_id=opened.attempt_id,
        )
    )
    await unit.session.flush()
    unit.record("tried", "debit", debit_id, after={"day": day.isoformat(), "amount_fen": amount_fen})
    return opened


async def note_booked(unit: Unit, attempt_id: UUID) -> None:
    """Note that the money of a try arrived, however late."""
    debit_id = await repository.debit_of_attempt(unit.session, attempt_id)
    if debit_id is not None:
        row = await _locked_debit(unit, debit_id)
        await _end(unit, row, DebitState.TAKEN)


async def decide(unit: Unit, debit_id: UUID) -> DebitState:
    """Decide an announced amount as far as it is known: taken, not needed any more, failed after its last day.

    While one of its tries may still be paid nothing is decided.
    """
    row = await _locked_debit(unit, debit_id)
    if row.state is not DebitState.ANNOUNCED:
        return row.state
    standing = await tries(unit.session, debit_id)
    if any(one.state is AttemptState.PAID for one in standing):
        await _end(unit, row, DebitState.TAKEN)
    elif not any(map(may_pay, standing)):
        owner = await locked(unit, row.mandate_id)
        if owner.state is not MandateState.ACTIVE:
            await _end(unit, row, DebitState.CANCELLED, owner.state.value)
        elif not sum(await _open_fen(unit.session, owner, row)):
            await _end(unit, row, DebitState.CANCELLED, "paid")
        elif await _is_over(unit, row):
            await _end(unit, row, DebitState.FAILED)
            unit.publish(
                DebitFailed(
                    community_id=CommunityId(row.community_id),
                    account_id=AccountId(row.account_id),
                    debit_id=debit_id,
                    amount_fen=row.amount_fen,
                    execute_on=row.execute_on,
                )
            )
    return row.state


def may_pay(attempt: Attempt) -> bool:
    """Return whether an attempt was paid or may still be."""
    return attempt.is_open or attempt.state in {AttemptState.PAID, AttemptState.DISPUTED}


async def tries(session: AsyncSession, debit_id: UUID) -> tuple[Attempt, ...]:
    """Return the attempts of an announced amount in the order of their days."""
    made = await repository.tries_of(session, debit_id)
    return tuple([await payments.attempt(session, one.attempt_id) for one in made])


async def debit(session: AsyncSession, debit_id: UUID) -> Debit:
    """Return an announced amount.

    Raises:
        UnknownMandateError: the company has no such amount.
    """
    row = await repository.debit(session, debit_id)
    if row is None:
        raise UnknownMandateError
    return debit_of(row)


async def debits_of(session: AsyncSession, mandate_ids: Sequence[UUID]) -> tuple[Debit, ...]:
    """Return what was announced by some mandates, the newest first."""
    return tuple(debit_of(row) for row in await repository.debits_of(session, mandate_ids, LIST_MAX))


async def undecided(session: AsyncSession) -> tuple[Debit, ...]:
    """Return the announced amounts that are not decided, the oldest first."""
    return tuple(debit_of(row) for row in await repository.undecided(session))


async def _payable(session: AsyncSession, row: MandateRow, until: date) -> list[OpenLine]:
    """Return the open lines that may be announced: due by the cycle's day, of the book, undisputed, not leased."""
    found = [
        line
        for line in await billing.open_lines(session, AccountId(row.account_id))
        if (line.legal_entity_id, line.fund_class) == (row.legal_entity_id, row.fund_class) and line.due <= until
    ]
    bills = {line.bill_id for line in found}
    held = await repository.leased(session, bills)
    disputed = {
        case.object_id for case in await cases.open_about(session, list(bills)) if case.kind is CaseKind.DISPUTE
    }
    return [
        line
        for line in found
        if line.bill_id not in disputed and (line.bill_id, row.legal_entity_id, row.fund_class.value) not in held
    ]


async def _open_fen(session: AsyncSession, owner: MandateRow, row: DebitRow) -> list[int]:
    bills = set(debit_of(row).bill_ids)
    return [
        line.open_fen
        for line in await billing.open_lines(session, AccountId(row.account_id))
        if line.bill_id in bills
        and (line.legal_entity_id, line.fund_class) == (owner.legal_entity_id, owner.fund_class)
    ]


async def _is_over(unit: Unit, row: DebitRow) -> bool:
    """Return whether no try of an amount is left: the last was made, or its day has passed."""
    last = debit_of(row).plan.tries[-1]
    tried = any(one.day == last for one in await repository.tries_of(unit.session, row.debit_id))
    return tried or today_at_channel(unit.now) > last


async def _end(unit: Unit, row: DebitRow, state: DebitState, detail: str = "") -> None:
    if row.state is DebitState.TAKEN or row.state is state:
        return
    before, row.state, row.detail, row.decided_at = row.state, state, detail, unit.now
    unit.record("moved", "debit", row.debit_id, before={"state": before}, after={"state": state})
    await repository.release(unit.session, row.debit_id)


def _lease(row: MandateRow, debit_id: UUID, bill_id: BillId) -> dict[str, object]:
    return {
        "tenant_id": row.tenant_id,
        "community_id": row.community_id,
        "bill_id": bill_id,
        "legal_entity_id": row.legal_entity_id,
        "fund_class": row.fund_class,
        "debit_id": debit_id,
    }


async def locked(unit: Unit, mandate_id: UUID) -> MandateRow:
    """Return a mandate, locked until the unit ends.

    Raises:
        UnknownMandateError: the company has no such mandate.
    """
    row = await repository.mandate(unit.session, mandate_id, lock=True)
    if row is None:
        raise UnknownMandateError
    return row


async def _locked_debit(unit: Unit, debit_id: UUID) -> DebitRow:
    row = await repository.debit(unit.session, debit_id, lock=True)
    if row is None:
        raise UnknownMandateError
    return row
