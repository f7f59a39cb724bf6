"""Intents, attempts and what the channel says about them: how a wish to pay becomes a receipt, once.

    quote -> create_intent -> open_attempt -> (place at the channel) -> answers.note_placed
                             notification or timer -> (ask the channel) -> answers.note_asked -> booked

Nothing here talks to a channel: `cashier.py` and `tasks.py` do, between two units of work. What the channel answered is
noted in `answers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.rules import OpenAmount
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.errors import NotFoundError
from cloud.kit.jobs import NewJob
from cloud.ledger.accounts import Book
from cloud.payments import repository
from cloud.payments.channel import Channel, Method, usual_method
from cloud.payments.errors import NoMerchantAccountError, NothingToPayError, OtherIntentError, UnknownAttemptError
from cloud.payments.merchants import MerchantAccount, merchant_account, merchant_accounts_at
from cloud.payments.order_number import NumberKind, new_number
from cloud.payments.rules import OPEN_STATES, STANDING_STATES, AttemptState, Expected, check_amount, next_question
from cloud.payments.tables import PaymentAttemptRow, PaymentIntentRow
from cloud.payments.values import Attempt, Intent, IntentRequest, Quote
from common.civil import civil_day
from common.ids import AccountId, BillId, CommunityId, LegalEntityId

ASK = "payments.ask"
ATTEMPT_LIFE = timedelta(hours=2)
CODE_LIFE = timedelta(seconds=30)


async def quote(session: AsyncSession, account_id: AccountId, bill_ids: Sequence[BillId] = ()) -> tuple[Quote, ...]:
    """Return what is open on an account, or on some of its bills, by book; money of two books is never mixed."""
    wanted = set(bill_ids)
    by_book: dict[Book, list[OpenAmount]] = {}
    for line in await billing.open_lines(session, account_id):
        if wanted and line.bill_id not in wanted:
            continue
        book = Book(community_id=line.community_id, legal_entity_id=line.legal_entity_id, fund_class=line.fund_class)
        amount = OpenAmount(line=line.ref, due_on=line.due, number=line.number, open_fen=line.open_fen)
        by_book.setdefault(book, []).append(amount)
    return tuple(
        Quote(account_id=account_id, book=book, open_amounts=tuple(amounts)) for book, amounts in by_book.items()
    )


async def create_intent(unit: Unit, request: IntentRequest) -> Intent:
    """Note what somebody wants to pay and freeze the amount, which we compute; the same id again is the same intent.

    Raises:
        NotFoundError: there is no such account.
        NothingToPayError: nothing is open and no amount was given.
        OtherIntentError: the id stands for another wish.
        RefusalError: the amount is not payable.
    """
    amount_fen = request.amount_fen
    if amount_fen is None:
        known = await repository.intent(unit.session, request.intent_id)
        if known is not None:
            return _same(known, request)
        amount_fen = await _asked_fen(unit.session, request)
    values = {
        "tenant_id": unit.tenant,
        "intent_id": request.intent_id,
        "account_id": request.account_id,
        "legal_entity_id": request.legal_entity_id,
        "fund_class": request.fund_class,
        "bill_ids": [str(bill_id) for bill_id in request.bill_ids],
        "amount_fen": check_amount(amount_fen),
        "created_at": unit.now,
        "collection_id": request.collection_id,
    }
    community_id = await repository.add_intent(unit.session, billing.community_of(request.account_id), values)
    if community_id is None:
        known = await repository.intent(unit.session, request.intent_id)
        if known is not None:
            return _same(known, request)
        raise NotFoundError(f"there is no account {request.account_id}")
    unit.record("created", "payment_intent", request.intent_id, after={"amount_fen": amount_fen})
    return Intent(
        intent_id=request.intent_id,
        account_id=request.account_id,
        book=_book_of(request, CommunityId(community_id)),
        bill_ids=request.bill_ids,
        amount_fen=amount_fen,
        collection_id=request.collection_id,
    )


async def _asked_fen(session: AsyncSession, request: IntentRequest) -> int:
    """Return what is open in the selection of a wish."""
    account = await billing.account(session, request.account_id)
    quotes = await quote(session, request.account_id, request.bill_ids)
    amount_fen = sum(entry.total_fen for entry in quotes if entry.book == _book_of(request, account.community_id))
    if not amount_fen:
        raise NothingToPayError
    return amount_fen


def _book_of(request: IntentRequest, community_id: CommunityId) -> Book:
    return Book(community_id=community_id, legal_entity_id=request.legal_entity_id, fund_class=request.fund_class)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """By which channel and how a payer is asked, and how long he has."""

    channel: Channel
    method: Method
    life: timedelta = ATTEMPT_LIFE

    @classmethod
    def usual(cls, channel: Channel) -> Way:
        """Return the way of a channel when nothing is known of the payer's device."""
        return cls(channel=channel, method=usual_method(channel))

    @classmethod
    def shown_code(cls, channel: Channel) -> Way:
        """Return the way of a payer who shows a code; an order that he does not confirm at once is undone."""
        return cls(channel=channel, method=Method.CODE, life=CODE_LIFE)


async def open_attempt(unit: Unit, intent: Intent, way: Way, random_bytes: Callable[[int], bytes]) -> Attempt:
    """Open an attempt with a number of its own, and the job that will ask about it whatever happens to us.

    Raises:
        NoMerchantAccountError: nobody may take this entity's money of this fund over the channel.
    """
    book = intent.book
    merchant = await repository.open_merchant_account(unit.session, book.legal_entity_id, book.fund_class, way.channel)
    if merchant is None:
        raise NoMerchantAccountError(way.channel, book.fund_class)
    zone = (await estate.community(unit.session, book.community_id)).zone
    row = PaymentAttemptRow(
        tenant_id=unit.tenant,
        community_id=book.community_id,
        attempt_id=unit.new_id(),
        intent_id=intent.intent_id,
        merchant_account_id=merchant.merchant_account_id,
        legal_entity_id=book.legal_entity_id,
        fund_class=book.fund_class,
        order_number=new_number(NumberKind.ORDER, civil_day(unit.now, zone), random_bytes),
        amount_fen=intent.amount_fen,
        currency="CNY",
        state=AttemptState.CREATED,
        created_at=unit.now,
        expires_at=unit.now + way.life,
        method=way.method,
        prompt_fields={},
        asked=0,
        detail="",
    )
    unit.session.add(row)
    await unit.session.flush()
    ask_later(unit, row)
    unit.record("opened", "payment_attempt", row.attempt_id, after={"amount_fen": row.amount_fen})
    return attempt_of(row)


async def ask_about(unit: Unit, number: str, *, cause: str) -> None:
    """Have the channel asked about one of our orders, whatever its state; a strange number changes nothing."""
    row = (await repository.attempts_numbered(unit.session, [number])).get(number)
    if row is not None:
        unit.enqueue(ask_job(row.attempt_id, cause))


async def attempt(session: AsyncSession, attempt_id: UUID) -> Attempt:
    """Return an attempt.

    Raises:
        UnknownAttemptError: the company has no such attempt.
    """
    row = await repository.attempt(session, attempt_id)
    if row is None:
        raise UnknownAttemptError
    return attempt_of(row)


async def standing_attempt(session: AsyncSession, intent_id: UUID, way: Way) -> Attempt | None:
    """Return the attempt of an intent that is paid, or can still be paid in the same way, if there is one.

    An order whose payer showed a code is never taken up again: the next code is another order.
    """
    for row in await repository.attempts_of(session, intent_id):
        if row.state in STANDING_STATES - OPEN_STATES:
            return attempt_of(row)
        merchant = await merchant_account(session, row.merchant_account_id)
        same = (merchant.channel, row.method) == (way.channel, way.method) and way.method is not Method.CODE
        if row.state in STANDING_STATES and same:
            return attempt_of(row)
    return None


async def attempts_numbered(session: AsyncSession, numbers: Collection[str]) -> dict[str, Attempt]:
    """Return our attempts that have some order numbers; unknown numbers are absent."""
    found = await repository.attempts_numbered(session, numbers)
    return {number: attempt_of(row) for number, row in found.items()}


async def questions(
    session: AsyncSession, attempt_ids: Collection[UUID]
) -> dict[UUID, tuple[Attempt, MerchantAccount]]:
    """Return attempts with the accounts at which to ask about them; an unknown one is absent."""
    rows = await repository.attempts(session, attempt_ids)
    accounts = await merchant_accounts_at(session, {row.merchant_account_id for row in rows})
    return {row.attempt_id: (attempt_of(row), accounts[row.merchant_account_id]) for row in rows}


async def intents_of(session: AsyncSession, intent_ids: Collection[UUID]) -> dict[UUID, Intent]:
    """Return the intents of some attempts."""
    return {row.intent_id: _intent(row) for row in await repository.intents(session, intent_ids)}


async def intent_of(session: AsyncSession, intent_id: UUID) -> Intent:
    """Return the intent of an attempt.

    Raises:
        UnknownAttemptError: the company has no such intent.
    """
    row = await repository.intent(session, intent_id)
    if row is None:
        raise UnknownAttemptError
    return _intent(row)


def expected(account: MerchantAccount, attempt: Attempt) -> Expected:
    """Return what a true answer about an attempt at a merchant account must say."""
    return Expected(
        merchant_number=account.merchant_number,
        app_id=account.app_id,
        number=attempt.order_number,
        amount_fen=attempt.amount_fen,
        currency=attempt.currency,
    )


def ask_job(attempt_id: UUID, cause: str, run_at: datetime | None = None) -> NewJob:
    """Return the job that asks about an attempt; `cause` tells one occasion from another."""
    return NewJob(
        kind=ASK,
        key=f"{ASK}:{attempt_id}:{cause}",
        payload={"attempt_id": str(attempt_id)},
        run_at=run_at,
        partition=f"attempt:{attempt_id}",
    )


def ask_later(unit: Unit, row: PaymentAttemptRow) -> None:
    """Have the channel asked about an attempt when it is time again."""
    unit.enqueue(ask_job(row.attempt_id, f"{row.state}:{row.asked}", next_question(row.asked, unit.now, row.method)))


def _same(known: PaymentIntentRow, request: IntentRequest) -> Intent:
    intent = _intent(known)
    book = intent.book
    told = (intent.account_id, book.legal_entity_id, book.fund_class, intent.bill_ids)
    if told != (request.account_id, request.legal_entity_id, request.fund_class, request.bill_ids):
        raise OtherIntentError
    if request.amount_fen not in {None, intent.amount_fen}:
        raise OtherIntentError
    return intent


def _intent(row: PaymentIntentRow) -> Intent:
    return Intent(
        intent_id=row.intent_id,
        account_id=AccountId(row.account_id),
        book=Book(
            community_id=row.community_id,
            legal_entity_id=LegalEntityId(row.legal_entity_id),
            fund_class=row.fund_class,
        ),
        bill_ids=tuple(BillId(UUID(text)) for text in row.bill_ids),
        amount_fen=row.amount_fen,
        collection_id=row.collection_id,
    )


def attempt_of(row: PaymentAttemptRow) -> Attempt:
    """Return an attempt row as a value."""
    return Attempt(
        attempt_id=row.attempt_id,
        intent_id=row.intent_id,
        merchant_account_id=row.merchant_account_id,
        community_id=row.community_id,
        order_number=row.order_number,
        amount_fen=row.amount_fen,
        currency=row.currency,
        state=row.state,
        method=row.method,
        code_url=row.code_url,
        prompt=row.prompt,
        prompt_fields=row.prompt_fields,
        created_at=row.created_at,
        expires_at=row.expires_at,
        asked=row.asked,
    )
