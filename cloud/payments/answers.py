"""What a channel said about our orders: what arrived is booked, what it closed is closed, else it is asked again.

Answers are noted under the lock of their attempts, so that ten notifications and a query make one receipt. Money that
truly arrived is booked from any state; an answer that differs from its attempt books nothing and opens a case. Many
answers are noted in one unit as one is: all of them, or none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from cloud.cases import service as cases
from cloud.kit.db import Unit
from cloud.ledger import postings
from cloud.payments import booking, reports, repository, service
from cloud.payments.channel import Method
from cloud.payments.channels.provider import OrderView, PlacedOrder, PromptKind, Refused, TradeState, Unknown
from cloud.payments.errors import UnknownAttemptError
from cloud.payments.events import DeductionBooked
from cloud.payments.merchants import MerchantAccount, merchant_accounts_at
from cloud.payments.rules import OPEN_STATES, AttemptState, differences, is_paid, may_move
from cloud.payments.tables import PaymentAttemptRow
from cloud.payments.values import Attempt, Intent
from common.errors import ensure
from common.ids import PaymentId

Answer = OrderView | Refused | Unknown
NO_SUCH_ORDER = frozenset({"ORDER_NOT_EXIST", "ORDERNOTEXIST"})
_ENDS = {TradeState.CLOSED: AttemptState.CLOSED, TradeState.FAILED: AttemptState.FAILED}
_Viewed = tuple[PaymentAttemptRow, OrderView]


async def note_placed(unit: Unit, attempt_id: UUID, outcome: PlacedOrder | OrderView | Refused | Unknown) -> Attempt:
    """Note how placing the order ended; an unknown end is asked about, never sent again."""
    (row,) = await _locked(unit, [attempt_id])
    if isinstance(outcome, OrderView):
        row.code_url, row.prompt = "", PromptKind.WAIT
        await _note_views(unit, [(row, outcome)])
        _move(unit, row, AttemptState.SENT)
    elif isinstance(outcome, PlacedOrder):
        row.code_url, row.prompt, row.prompt_fields = outcome.code_url, outcome.kind, dict(outcome.fields)
        _move(unit, row, AttemptState.SENT)
    elif isinstance(outcome, Unknown):
        _move(unit, row, AttemptState.UNKNOWN, outcome.reason)
    else:
        _move(unit, row, AttemptState.FAILED, outcome.code)
    if row.state in OPEN_STATES:
        service.ask_later(unit, row)
    return service.attempt_of(row)


async def note_asked(unit: Unit, attempt_id: UUID, answer: Answer) -> Attempt:
    """Note what the channel answered about an order; see the head of this module."""
    (noted,) = await note_all_asked(unit, {attempt_id: answer})
    return noted


async def note_all_asked(unit: Unit, answers: Mapping[UUID, Answer]) -> tuple[Attempt, ...]:
    """Note what channels answered about some orders, in the order of their ids."""
    rows = await _locked(unit, answers)
    views: list[_Viewed] = []
    for row in rows:
        answer = answers[row.attempt_id]
        row.asked += 1
        row.asked_at = unit.now
        if isinstance(answer, OrderView):
            views.append((row, answer))
        elif isinstance(answer, Refused) and answer.code in NO_SUCH_ORDER:
            _move(unit, row, AttemptState.FAILED, answer.code)
    await _note_views(unit, views)
    for row in rows:
        unit.record("asked", "payment_attempt", row.attempt_id, after={"state": row.state, "asked": row.asked})
        if row.state in OPEN_STATES:
            service.ask_later(unit, row)
    return tuple(service.attempt_of(row) for row in rows)


async def _note_views(unit: Unit, views: Sequence[_Viewed]) -> None:
    """Book what arrived as it was asked for; close what the channel closed; dispute what differs."""
    for row, view in views:
        if not is_paid(view) and view.state in _ENDS:
            _move(unit, row, _ENDS[view.state])
    arrived = [(row, view) for row, view in views if is_paid(view) and row.state is not AttemptState.PAID]
    if not arrived:
        return
    merchants = await merchant_accounts_at(unit.session, {row.merchant_account_id for row, _ in arrived})
    agreed: list[_Viewed] = []
    for row, view in arrived:
        attempt = service.attempt_of(row)
        found = differences(service.expected(merchants[row.merchant_account_id], attempt), view)
        if found:
            _move(unit, row, AttemptState.DISPUTED, ",".join(difference.what for difference in found))
            await cases.raise_case(unit, reports.answer_differs(attempt, found))
        else:
            agreed.append((row, view))
    if agreed:
        await _book(unit, agreed, merchants)


async def _book(unit: Unit, agreed: Sequence[_Viewed], merchants: Mapping[UUID, MerchantAccount]) -> None:
    intents = await service.intents_of(unit.session, {row.intent_id for row, _ in agreed})
    late = {row.attempt_id for row, _ in agreed if row.state not in OPEN_STATES}
    for row, _ in agreed:
        _move(unit, row, AttemptState.PAID)
    arrivals = [
        _arrival(unit, row, view, intents[row.intent_id], merchants[row.merchant_account_id]) for row, view in agreed
    ]
    for (row, _), booked in zip(agreed, await booking.book_all(unit, arrivals), strict=True):
        if row.method is Method.DEDUCTION:
            unit.publish(DeductionBooked(attempt_id=row.attempt_id))
        if intents[row.intent_id].bill_ids and booked.ahead_fen == booked.amount_fen:
            await cases.raise_case(unit, reports.duplicate_payment(booked))
        if row.attempt_id in late:
            unit.record("arrived late", "payment", booked.payment_id, after={"attempt": str(row.attempt_id)})


def _arrival(
    unit: Unit, row: PaymentAttemptRow, view: OrderView, intent: Intent, merchant: MerchantAccount
) -> tuple[booking.Arrival, booking.Traces]:
    ensure(view.paid_at is not None and view.transaction_id is not None, "a paid order has a time and a transaction")
    arrival = booking.Arrival(
        payment_id=PaymentId(row.attempt_id),
        account_id=intent.account_id,
        channel=merchant.channel,
        method=row.method,
        sub_method=view.sub_method,
        collection_id=intent.collection_id,
        into=postings.clearing(intent.book, row.merchant_account_id),
        amount_fen=row.amount_fen,
        paid_at=view.paid_at or unit.now,
        bill_ids=intent.bill_ids,
    )
    traces = booking.Traces(
        merchant_account_id=row.merchant_account_id,
        attempt_id=row.attempt_id,
        order_number=row.order_number,
        transaction_id=view.transaction_id or "",
    )
    return arrival, traces


async def _locked(unit: Unit, attempt_ids: Collection[UUID]) -> Sequence[PaymentAttemptRow]:
    rows = await repository.attempts(unit.session, attempt_ids, lock=True)
    if len(rows) != len(attempt_ids):
        raise UnknownAttemptError
    return rows


def _move(unit: Unit, row: PaymentAttemptRow, state: AttemptState, detail: str = "") -> None:
    """Move an attempt when its table of states allows it; an answer that says nothing new changes nothing."""
    if not may_move(row.state, state):
        return
    before, row.state, row.detail = row.state, state, detail
    unit.record("moved", "payment_attempt", row.attempt_id, before={"state": before}, after={"state": state})
