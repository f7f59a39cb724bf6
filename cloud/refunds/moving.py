"""The one place that changes a refund's state: by the table, audited, told to the house, with the job that follows.

Each state that asks for work has one job, keyed by the refund and the state; asking is keyed by how often was asked.
"""

from __future__ import annotations

from uuid import UUID

from cloud.billing import service as billing
from cloud.cases import service as cases
from cloud.kit.db import Unit
from cloud.kit.jobs import NewJob
from cloud.payments.rules import next_question
from cloud.refunds import reports, repository
from cloud.refunds.errors import RefundStateError, UnknownRefundError
from cloud.refunds.events import RefundMoved
from cloud.refunds.rules import ASKED_STATES, GIVEN_UP_STATES, RefundRoute, RefundState, may_move
from cloud.refunds.tables import RefundRow
from cloud.refunds.values import refund_of
from common.ids import AccountId

RESERVE = "refunds.reserve"
SUBMIT = "refunds.submit"
ASK = "refunds.ask"


async def locked(unit: Unit, refund_id: UUID) -> RefundRow:
    """Return a refund, locked until the unit ends, its account before it: so everybody locks in one order.

    Raises:
        UnknownRefundError: the company has no such refund.
    """
    seen = await repository.refund(unit.session, refund_id)
    if seen is None:
        raise UnknownRefundError
    await billing.lock_accounts(unit, [AccountId(seen.account_id)])
    row = await repository.refund(unit.session, refund_id, lock=True)
    if row is None:
        raise UnknownRefundError
    return row


async def move(unit: Unit, row: RefundRow, state: RefundState, detail: str = "") -> None:
    """Move a refund, give back its room when it came to nothing, and have done what follows.

    Raises:
        RefundStateError: its table of states does not allow it.
    """
    if not may_move(row.state, state):
        raise RefundStateError(row.state, state)
    before, row.state, row.detail = row.state, state, detail
    unit.record("moved", "refund", row.refund_id, before={"state": before}, after={"state": state, "detail": detail})
    if state in GIVEN_UP_STATES:
        row.ended_at = unit.now
        await repository.move_room(unit.session, row.payment_id, reserved_fen=-row.amount_fen, refunded_fen=0)
    if state is RefundState.ARRIVED:
        row.ended_at = unit.now
        await repository.move_room(
            unit.session, row.payment_id, reserved_fen=-row.amount_fen, refunded_fen=row.amount_fen
        )
    if state is RefundState.FAILED:
        await cases.raise_case(unit, reports.failed(refund_of(row)))
    follow(unit, row)
    announce(unit, row)


def follow(unit: Unit, row: RefundRow) -> None:
    """Have done what the state of a refund asks for."""
    if row.state is RefundState.APPROVED:
        unit.enqueue(_job(row, RESERVE))
    elif row.state is RefundState.RESERVED and row.route is RefundRoute.ORIGINAL:
        unit.enqueue(_job(row, SUBMIT))
    elif row.state in ASKED_STATES and row.route is RefundRoute.ORIGINAL:
        ask_later(unit, row)


def ask_later(unit: Unit, row: RefundRow) -> None:
    """Have the channel asked when it is time, rarer the longer there is no news."""
    job = ask_job(row.refund_id, f"{row.state}:{row.asked}")
    unit.enqueue(
        NewJob(
            kind=ASK,
            key=job.key,
            payload=job.payload,
            run_at=next_question(row.asked, unit.now),
            partition=job.partition,
        )
    )


def ask_job(refund_id: UUID, cause: str) -> NewJob:
    """Return the job that asks about a refund now; `cause` tells one occasion from another."""
    return NewJob(
        kind=ASK,
        key=f"{ASK}:{refund_id}:{cause}",
        payload={"refund_id": str(refund_id)},
        partition=f"refund:{refund_id}",
    )


def announce(unit: Unit, row: RefundRow) -> None:
    """Tell the house where a refund stands."""
    unit.publish(
        RefundMoved(
            community_id=row.community_id,
            account_id=AccountId(row.account_id),
            refund_id=row.refund_id,
            source=row.source,
            source_id=row.source_id,
            state=row.state,
            amount_fen=row.amount_fen,
        )
    )


def _job(row: RefundRow, kind: str) -> NewJob:
    return NewJob(
        kind=kind,
        key=f"refund:{row.refund_id}:{row.state}",
        payload={"refund_id": str(row.refund_id)},
        partition=f"refund:{row.refund_id}",
    )
