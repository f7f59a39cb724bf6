"""What a channel says about a refund, noted under the refund's lock: accepted, arrived, failed, or ask again.

An answer that differs from what we asked books nothing and opens a case. A refund that the channel cannot deliver stays
accepted: its money is no longer with the merchant, and a person names another account at the channel.
"""

from __future__ import annotations

from uuid import UUID

from cloud.cases import service as cases
from cloud.kit.db import Unit
from cloud.payments import booking
from cloud.payments.channels.provider import RefundState as ChannelState
from cloud.payments.channels.provider import RefundView, Refused, Unknown
from cloud.refunds import moving, reports, settling
from cloud.refunds.errors import RefundStateError
from cloud.refunds.events import RefundMoved
from cloud.refunds.rules import ASKED_STATES, RefundSource, RefundState
from cloud.refunds.tables import RefundRow
from cloud.refunds.values import Refund, RefundRequest, refund_of

NO_SUCH_REFUND = frozenset({"RESOURCE_NOT_EXISTS", "REFUNDNOTEXIST"})
_LATER = frozenset({"NOT_ENOUGH", "NOTENOUGH"})


async def note_sending(unit: Unit, refund_id: UUID) -> None:
    """Note that a refund is about to be sent: from now on it is asked about, whatever happens to us.

    Raises:
        RefundStateError: it is not reserved, or somebody else is sending it.
    """
    row = await moving.locked(unit, refund_id)
    if row.state is not RefundState.RESERVED:
        raise RefundStateError(row.state, "sent")
    row.submitted_at = unit.now
    await moving.move(unit, row, RefundState.SUBMITTED)


async def note(unit: Unit, refund_id: UUID, answer: RefundView | Refused | Unknown) -> None:
    """Note what the channel answered; an ended refund changes no more."""
    row = await moving.locked(unit, refund_id)
    if row.state not in ASKED_STATES:
        return
    row.asked += 1
    row.asked_at = unit.now
    unit.record("asked", "refund", refund_id, after={"state": row.state, "asked": row.asked})
    if isinstance(answer, RefundView):
        await _note_view(unit, row, answer)
    elif isinstance(answer, Refused):
        await _note_refusal(unit, row, answer)
    if row.state in ASKED_STATES:
        moving.ask_later(unit, row)


async def tell_refused(unit: Unit, wish: RefundRequest, why: str) -> None:
    """Tell a person and the house that a wish of another domain was refused before it became a refund."""
    payment = await booking.payment(unit.session, wish.payment_id)
    await cases.raise_case(unit, reports.refused(wish, payment, why))
    unit.publish(
        RefundMoved(
            community_id=payment.book.community_id,
            account_id=payment.account_id,
            refund_id=wish.refund_id,
            source=RefundSource.DEPOSIT if wish.deposit_id else RefundSource.AHEAD,
            source_id=wish.deposit_id or payment.account_id,
            state=RefundState.FAILED,
            amount_fen=wish.amount_fen,
        )
    )


def differences(refund: Refund, view: RefundView) -> tuple[str, ...]:
    """Return every way in which an answer differs from what was asked; empty when it is ours to the fen."""
    compared = (
        ("order", refund.order_number, view.order_number),
        ("refund", refund.refund_number, view.refund_number),
        ("amount", refund.amount_fen, view.amount_fen),
        ("currency", refund.currency, view.currency),
    )
    return tuple(f"{what}: {asked} / {told}" for what, asked, told in compared if asked != told)


async def _note_view(unit: Unit, row: RefundRow, view: RefundView) -> None:
    refund = refund_of(row)
    found = differences(refund, view)
    if found:
        await cases.raise_case(unit, reports.differs(refund, "; ".join(found)))
        return
    row.channel_refund_id = view.refund_id
    match view.state:
        case ChannelState.SUCCESS:
            await settling.arrive(unit, row, settling.arrival_of(view, unit.now))
        case ChannelState.CLOSED:
            await settling.give_up(unit, row, "closed by the channel")
        case ChannelState.PROCESSING:
            await _accept(unit, row, "")
        case ChannelState.ABNORMAL:
            await _accept(unit, row, "abnormal")
            await cases.raise_case(unit, reports.abnormal(refund))


async def _accept(unit: Unit, row: RefundRow, detail: str) -> None:
    if row.state is RefundState.SUBMITTED:
        row.accepted_at = unit.now
        await moving.move(unit, row, RefundState.ACCEPTED, detail)
    elif row.detail != detail:
        row.detail = detail


async def _note_refusal(unit: Unit, row: RefundRow, answer: Refused) -> None:
    """End a refund that the channel refused and does not know; one that it had accepted is a person's business."""
    if row.state is RefundState.ACCEPTED:
        await cases.raise_case(unit, reports.differs(refund_of(row), answer.code))
    elif answer.code in _LATER:
        await cases.raise_case(unit, reports.not_enough_at_channel(refund_of(row)))
    else:
        await settling.give_up(unit, row, answer.code)
