"""The use cases of refunds: ask for one, approve or reject it, hand cash out, look at it.

A request holds its part of the payment's room at once, so two requests for the same money cannot both stand. Money
moves in the book only in `settling.py`, and a channel is spoken to only by `tasks.py`, between two units of work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.cases import service as cases
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.payments import booking, desk
from cloud.payments.channel import Channel
from cloud.payments.order_number import NumberKind, new_number
from cloud.payments.values import Payment
from cloud.refunds import moving, reports, repository, settling
from cloud.refunds.errors import (
    NothingLeftError,
    OtherBookError,
    OtherRefundError,
    RefundStateError,
    UnknownRefundError,
    VerdictError,
    WindowError,
)
from cloud.refunds.origins import origin_of
from cloud.refunds.rules import (
    PERSONS_MAX,
    REFUNDS_PER_PAYMENT_MAX,
    SIGNATURE_LENGTH_MAX,
    Decision,
    Facts,
    Origin,
    Policy,
    RefundRoute,
    RefundSource,
    RefundState,
    decide,
    in_window,
)
from cloud.refunds.tables import RefundPolicyRow, RefundRow, RefundVerdictRow
from cloud.refunds.values import Refund, RefundRequest, policy_of, refund_of
from common.civil import civil_day, midnight
from common.errors import RefusalError
from common.ids import AccountId, CommunityId, PaymentId

WORK_LIST_MAX = 500


async def set_policy(unit: Unit, community_id: CommunityId, policy: Policy) -> None:
    """Set the limits of a community from now on; older revisions stay to be read.

    Raises:
        NotFoundError: there is no such community.
    """
    await estate.community(unit.session, community_id)
    standing = await repository.policy(unit.session, community_id)
    row = RefundPolicyRow(
        tenant_id=unit.tenant,
        community_id=community_id,
        rev=1 if standing is None else standing.rev + 1,
        automatic_fen=policy.automatic_fen,
        automatic_day_fen=policy.automatic_day_fen,
        automatic_age_days=policy.automatic_age_days,
        two_persons_fen=policy.two_persons_fen,
        deposit_automatic_fen=policy.deposit_automatic_fen,
        decided_by=unit.actor.id,
        recorded_at=unit.now,
    )
    unit.session.add(row)
    await unit.session.flush()
    after = {"rev": row.rev, "automatic_fen": row.automatic_fen, "two_persons_fen": row.two_persons_fen}
    unit.record("set", "refund_policy", community_id, after=after)


async def policy(session: AsyncSession, community_id: CommunityId) -> Policy | None:
    """Return the limits of a community, or None when nobody has set any: then two persons approve everything."""
    row = await repository.policy(session, community_id)
    return None if row is None else policy_of(row)


async def request(unit: Unit, wish: RefundRequest, random_bytes: Callable[[int], bytes]) -> Refund:
    """Ask for a refund of a payment; inside the policy it is approved at once, outside it waits for persons.

    Raises:
        NotFoundError: there is no such payment.
        OtherRefundError: the id stands for another wish.
        NothingLeftError: less is left of the payment, or of where its money lies.
        WindowError: the channel no longer takes it, and neither a cash box nor a payout was named.
        OtherBookError: the bank account of the payout holds money of another company or fund.
    """
    payment = await booking.payment(unit.session, wish.payment_id)
    if wish.payout is not None and wish.payout.book != payment.book:
        raise OtherBookError
    await billing.lock_accounts(unit, [payment.account_id])
    known = await repository.refund(unit.session, wish.refund_id)
    if known is not None:
        return _same(refund_of(known), wish)
    if wish.cash_box_id is None and wish.payout is None and not in_window(payment.channel, payment.paid_at, unit.now):
        raise WindowError
    await _hold_room(unit, payment, wish.amount_fen)
    origin = await _origin(unit.session, payment, wish)
    decision = decide(await policy(unit.session, payment.book.community_id), await _facts(unit, payment, wish, origin))
    row = await _row(unit, payment, wish, decision, random_bytes)
    unit.session.add(row)
    await unit.session.flush()
    after = {"amount_fen": row.amount_fen, "payment_id": str(row.payment_id), "persons": decision.persons}
    unit.record("requested", "refund", row.refund_id, after=after)
    if decision.persons:
        await cases.raise_case(unit, reports.waiting_for_persons(refund_of(row)))
        moving.announce(unit, row)
    else:
        await moving.move(unit, row, RefundState.APPROVED)
    return refund_of(row)


async def judge(unit: Unit, refund_id: UUID, *, approves: bool, note: str = "") -> Refund:
    """Give the acting person's verdict; the last approval needed lets the refund go on, one rejection ends it.

    Raises:
        UnknownRefundError: the company has no such refund.
        RefundStateError: it does not wait for persons.
        VerdictError: the person asked for it himself, or has given his verdict.
        RefusalError: a rejection without a word.
    """
    row = await moving.locked(unit, refund_id)
    if row.state is not RefundState.REQUESTED:
        raise RefundStateError(row.state, "approved" if approves else "rejected")
    if row.requested_by == unit.actor.id:
        raise VerdictError("you asked for this refund yourself; somebody else approves it")
    given = await repository.verdicts(unit.session, refund_id)
    if any(verdict.person_id == unit.actor.id for verdict in given):
        raise VerdictError("you gave your verdict on this refund already; another person is needed")
    if not approves and not note.strip():
        raise RefusalError("a rejection has a reason; write it")
    unit.session.add(_verdict(unit, row, approves=approves, note=note.strip()))
    await unit.session.flush()
    unit.record("approved" if approves else "rejected", "refund", refund_id, after={"verdicts": len(given) + 1})
    if not approves:
        await moving.move(unit, row, RefundState.REJECTED, note.strip())
        await _close_case(unit, row, "rejected")
    elif len(given) + 1 >= row.persons_needed:
        row.approved_by, row.approved_at = unit.actor.id, unit.now
        await moving.move(unit, row, RefundState.APPROVED)
        await _close_case(unit, row, "approved")
    return refund_of(row)


async def hand_out(unit: Unit, refund_id: UUID, cash_shift_id: UUID, *, signed_as: str) -> Refund:
    """Hand a refund out in cash in the acting cashier's shift, against a signature.

    Raises:
        UnknownRefundError: the company has no such refund.
        RefundStateError: it is not a reserved refund in cash.
        ShiftError: the shift is closed, another cashier's, or at another box.
        RefusalError: nobody signed.
    """
    seen = await refund(unit.session, refund_id)
    if not 0 < len(signed_as.strip()) <= SIGNATURE_LENGTH_MAX:
        raise RefusalError("cash is handed out against a signature; write who signed for it")
    if seen.cash_box_id is None or seen.state is not RefundState.RESERVED:
        raise RefundStateError(seen.state, "handed out in cash")
    await desk.pay_out(
        unit, cash_shift_id, payout_id=refund_id, cash_box_id=seen.cash_box_id, amount_fen=seen.amount_fen
    )
    row = await moving.locked(unit, refund_id)
    if row.state is not RefundState.RESERVED:
        raise RefundStateError(row.state, "handed out in cash")
    row.cash_shift_id, row.signed_as = cash_shift_id, signed_as.strip()
    await settling.arrive(unit, row, unit.now)
    return refund_of(row)


async def withdraw(unit: Unit, refund_id: UUID, *, reason: str) -> Refund:
    """Withdraw a refund in cash that was not handed out; what was set aside is released.

    Raises:
        UnknownRefundError: the company has no such refund.
        RefundStateError: it is not a reserved refund in cash.
        RefusalError: no reason is given.
    """
    if not reason.strip():
        raise RefusalError("a withdrawal has a reason; write it")
    row = await moving.locked(unit, refund_id)
    if row.route is not RefundRoute.CASH or row.state is not RefundState.RESERVED:
        raise RefundStateError(row.state, "withdrawn")
    await settling.give_up(unit, row, reason.strip())
    return refund_of(row)


async def refund(session: AsyncSession, refund_id: UUID) -> Refund:
    """Return a refund.

    Raises:
        UnknownRefundError: the company has no such refund.
    """
    found = await find(session, refund_id)
    if found is None:
        raise UnknownRefundError
    return found


async def find(session: AsyncSession, refund_id: UUID) -> Refund | None:
    """Return a refund, or None: a wish of another domain may have been refused before it became one."""
    row = await repository.refund(session, refund_id)
    return None if row is None else refund_of(row)


async def refunds_of_payment(session: AsyncSession, payment_id: PaymentId) -> tuple[Refund, ...]:
    """Return the refunds of a payment, the newest first."""
    return tuple(refund_of(row) for row in await repository.refunds_of_payment(session, payment_id))


async def left_fen(session: AsyncSession, payment: Payment) -> int:
    """Return how much of a payment can still be asked back."""
    room = await repository.find_room(session, payment.payment_id)
    return payment.amount_fen - (room.reserved_fen + room.refunded_fen if room else 0)


async def refunds_in(
    session: AsyncSession, community_id: CommunityId, states: Collection[RefundState]
) -> tuple[Refund, ...]:
    """Return up to `WORK_LIST_MAX` refunds of a community in some states, the oldest first."""
    rows = await repository.refunds_in(session, community_id, states, WORK_LIST_MAX)
    return tuple(refund_of(row) for row in rows)


async def refunds_arrived(session: AsyncSession, merchant_account_id: UUID, span: booking.Span) -> tuple[Refund, ...]:
    """Return what a merchant account paid back in a span, by the channel's time."""
    rows = await repository.arrived_between(session, merchant_account_id, span.start, span.end)
    return tuple(refund_of(row) for row in rows)


async def refunds_numbered(
    session: AsyncSession, merchant_account_id: UUID, numbers: Sequence[str]
) -> tuple[Refund, ...]:
    """Return a merchant account's refunds with some numbers, whatever their state."""
    return tuple(refund_of(row) for row in await repository.numbered(session, merchant_account_id, numbers))


async def ask_about(unit: Unit, number: str, *, cause: str) -> None:
    """Have the channel asked about one of our refunds; a strange or ended one changes nothing."""
    row = await repository.refund_numbered(unit.session, number)
    if row is not None:
        unit.enqueue(moving.ask_job(row.refund_id, cause))


async def _hold_room(unit: Unit, payment: Payment, amount_fen: int) -> None:
    values = {
        "tenant_id": unit.tenant,
        "community_id": payment.book.community_id,
        "payment_id": payment.payment_id,
        "captured_fen": payment.amount_fen,
        "reserved_fen": 0,
        "refunded_fen": 0,
        "refunds": 0,
    }
    room = await repository.room(unit.session, values)
    left_fen = room.captured_fen - room.reserved_fen - room.refunded_fen
    if amount_fen > left_fen:
        raise NothingLeftError(f"{left_fen} fen of payment {payment.number} are left, less than {amount_fen}")
    if room.refunds >= REFUNDS_PER_PAYMENT_MAX:
        raise NothingLeftError(f"a payment goes back in at most {REFUNDS_PER_PAYMENT_MAX} parts")
    room.reserved_fen += amount_fen
    room.refunds += 1
    await unit.session.flush()


async def _origin(session: AsyncSession, payment: Payment, wish: RefundRequest) -> Origin:
    if wish.deposit_id is not None:
        return Origin(ahead_fen=0, reopened=())
    origin = await origin_of(session, payment, wish.amount_fen)
    if origin is None:
        raise NothingLeftError("what was paid ahead has been used since; ask for less, or correct the bills first")
    return origin


async def _facts(unit: Unit, payment: Payment, wish: RefundRequest, origin: Origin) -> Facts:
    zone = (await estate.community(unit.session, payment.book.community_id)).zone
    today = civil_day(unit.now, zone)
    open_lines = await billing.open_lines(unit.session, payment.account_id)
    return Facts(
        amount_fen=wish.amount_fen,
        source=RefundSource.AHEAD if wish.deposit_id is None else RefundSource.DEPOSIT,
        route_is_original=route_of(wish) is RefundRoute.ORIGINAL or _is_same_cash(wish, payment),
        paid_ago=unit.now - payment.paid_at,
        refunded_today_fen=await repository.asked_back_fen(unit.session, payment.account_id, midnight(today, zone)),
        reopened_fen=origin.reopened_fen,
        overdue_fen=sum(line.open_fen for line in open_lines if line.due < today),
    )


async def _row(
    unit: Unit, payment: Payment, wish: RefundRequest, decision: Decision, random_bytes: Callable[[int], bytes]
) -> RefundRow:
    in_cash = wish.cash_box_id is not None
    if route_of(wish) is RefundRoute.ORIGINAL and payment.attempt_id is None:
        raise RefusalError("this payment did not come online; name a cash box or a bank account that it is paid from")
    if in_cash and wish.payout is not None:
        raise RefusalError("a refund goes out in cash or by bank, not both; choose one")
    if in_cash:
        boxes = {box.cash_box_id: box for box in await desk.cash_boxes(unit.session, payment.book.community_id)}
        box = boxes.get(wish.cash_box_id) if wish.cash_box_id else None
        if box is None or box.book != payment.book:
            raise RefusalError("this box does not hold money of the payment's company and fund; take another")
    zone = (await estate.community(unit.session, payment.book.community_id)).zone
    return RefundRow(
        tenant_id=unit.tenant,
        community_id=payment.book.community_id,
        refund_id=wish.refund_id,
        payment_id=payment.payment_id,
        account_id=payment.account_id,
        legal_entity_id=payment.book.legal_entity_id,
        fund_class=payment.book.fund_class,
        source=RefundSource.AHEAD if wish.deposit_id is None else RefundSource.DEPOSIT,
        source_id=wish.deposit_id or payment.account_id,
        route=route_of(wish),
        bank_account_id=wish.payout.bank_account_id if wish.payout else None,
        payee_sealed=wish.payout.payee_sealed if wish.payout else None,
        amount_fen=wish.amount_fen,
        currency=payment.currency,
        reason=wish.reason.strip(),
        state=RefundState.REQUESTED,
        refund_number=new_number(NumberKind.REFUND, civil_day(unit.now, zone), random_bytes),
        merchant_account_id=payment.merchant_account_id,
        order_number=payment.order_number,
        transaction_id=payment.transaction_id,
        order_total_fen=payment.amount_fen,
        cash_box_id=wish.cash_box_id,
        persons_needed=min(decision.persons, PERSONS_MAX),
        doubts=[doubt.value for doubt in decision.doubts],
        reopened=[],
        requested_by=unit.actor.id,
        requested_at=unit.now,
        asked=0,
        detail="",
    )


def route_of(wish: RefundRequest) -> RefundRoute:
    """Return by which route a wish goes."""
    if wish.payout is not None:
        return RefundRoute.BANK
    return RefundRoute.ORIGINAL if wish.cash_box_id is None else RefundRoute.CASH


def _is_same_cash(wish: RefundRequest, payment: Payment) -> bool:
    return payment.channel is Channel.CASH and route_of(wish) is RefundRoute.CASH


def _verdict(unit: Unit, row: RefundRow, *, approves: bool, note: str) -> RefundVerdictRow:
    return RefundVerdictRow(
        tenant_id=unit.tenant,
        community_id=row.community_id,
        refund_id=row.refund_id,
        person_id=unit.actor.id,
        approves=approves,
        note=note,
        given_at=unit.now,
    )


async def _close_case(unit: Unit, row: RefundRow, why: str) -> None:
    for case in await cases.open_about(unit.session, [row.refund_id]):
        if case.reason == "refund_waits":
            await cases.close_case(unit, case.case_id, reason=why)


def _same(known: Refund, wish: RefundRequest) -> Refund:
    source_id = wish.deposit_id or AccountId(known.account_id)
    bank_account_id = None if wish.payout is None else wish.payout.bank_account_id
    told = (known.payment_id, known.amount_fen, known.cash_box_id, known.bank_account_id, known.source_id, known.route)
    if told != (wish.payment_id, wish.amount_fen, wish.cash_box_id, bank_account_id, source_id, route_of(wish)):
        raise OtherRefundError
    return known
