"""Our own cashier addresses: what a bill's QR carries. Whoever holds the bill may pay it, without signing in.

An address shows the community, the premises' label and what is open, and nothing about persons. It stays valid while
the bill is not settled by other means, and can be revoked; the next one then has another token.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.documents import BillSummary
from cloud.billing.settling import Settling, settling_order
from cloud.estate import service as estate
from cloud.kit import directory
from cloud.kit.actor import Actor
from cloud.kit.db import Database, Unit
from cloud.kit.directory import DirectoryKind
from cloud.ledger.accounts import Book
from cloud.payments import remittance, repository, service
from cloud.payments.cashier import Cashier
from cloud.payments.channel import Channel, Method
from cloud.payments.channels.provider import NOBODY, Payer
from cloud.payments.devices import Pair, offered
from cloud.payments.errors import NoMerchantAccountError, UnknownAttemptError, UnknownPayLinkError
from cloud.payments.service import Way
from cloud.payments.tables import PayLinkRow
from cloud.payments.values import Attempt, IntentRequest, Quote
from cloud.tariffs.charge import FundClass
from common.civil import civil_day
from common.ids import AccountId, BillId, LegalEntityId, TenantId

TOKEN_BYTES = 18
_TOKEN = re.compile(r"[A-Za-z0-9_-]{24}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayLink:
    """Where an address leads."""

    tenant: TenantId
    link_id: UUID
    account_id: AccountId
    bill_id: BillId


@dataclass(frozen=True, slots=True, kw_only=True)
class CashierPage:
    """What an address shows: the bill in short, what is open on it, and what is open on the whole account, by book.

    `receivers` are the names of the legal entities that the money goes to.
    """

    community_name: str
    premises_label: str
    bill: BillSummary
    bill_quotes: tuple[Quote, ...]
    account_quotes: tuple[Quote, ...]
    receivers: Mapping[LegalEntityId, str] = field(hash=False)
    ways: Mapping[Book, tuple[Pair, ...]] = field(hash=False)
    settling: Settling
    remittance: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPayment:
    """What somebody at an address wants to pay: the bill, or with `whole_account` all that is open, in one book."""

    intent_id: UUID
    legal_entity_id: LegalEntityId
    fund_class: FundClass
    whole_account: bool = False
    amount_fen: int | None = None
    way: tuple[Channel, Method] | None = None
    payer: Payer = NOBODY


async def link_for(unit: Unit, bill_id: BillId, random_bytes: Callable[[int], bytes]) -> str:
    """Return the token of a bill's address, making it at first use.

    Raises:
        UnknownBillError: the company has no such bill.
    """
    await repository.lock_pay_link(unit.session, bill_id)
    standing = await repository.pay_link_of(unit.session, bill_id)
    if standing is not None:
        return standing.token
    bill = (await billing.bill(unit.session, bill_id)).summary
    row = PayLinkRow(
        tenant_id=unit.tenant,
        community_id=bill.community_id,
        link_id=unit.new_id(),
        token=urlsafe_b64encode(random_bytes(TOKEN_BYTES)).decode(),
        account_id=bill.account_id,
        bill_id=bill_id,
        created_at=unit.now,
    )
    unit.session.add(row)
    await unit.session.flush()
    await remittance.code_for(unit, bill.account_id, random_bytes)
    await directory.enter(unit, DirectoryKind.BILL_QR, row.token, row.link_id)
    unit.record("made", "pay_link", row.link_id, after={"bill_id": str(bill_id)})
    return row.token


async def token_of(session: AsyncSession, bill_id: BillId) -> str | None:
    """Return the token of a bill's address when it has one that is valid."""
    row = await repository.pay_link_of(session, bill_id)
    return None if row is None else row.token


async def revoke(unit: Unit, bill_id: BillId) -> None:
    """Revoke the address of a bill; a bill without one is left as it is."""
    row = await repository.pay_link_of(unit.session, bill_id)
    if row is None:
        return
    row.revoked_at = unit.now
    await directory.withdraw(unit, DirectoryKind.BILL_QR, row.token)
    unit.record("revoked", "pay_link", row.link_id)


async def find(database: Database, token: str) -> PayLink:
    """Return where an address leads.

    Raises:
        UnknownPayLinkError: nowhere, or no longer.
    """
    if _TOKEN.fullmatch(token) is None:
        raise UnknownPayLinkError
    async with database.directory() as connection:
        entry = await directory.find(connection, DirectoryKind.BILL_QR, token)
    if entry is None:
        raise UnknownPayLinkError
    async with database.view(entry.tenant) as session:
        row = await repository.pay_link(session, entry.object_id)
    if row is None or row.revoked_at is not None:
        raise UnknownPayLinkError
    return PayLink(
        tenant=entry.tenant,
        link_id=row.link_id,
        account_id=AccountId(row.account_id),
        bill_id=BillId(row.bill_id),
    )


async def cashier_page(database: Database, token: str, user_agent: str = "") -> CashierPage:
    """Return what an address shows to a browser.

    Raises:
        UnknownPayLinkError: the address leads nowhere.
    """
    link = await find(database, token)
    async with database.view(link.tenant) as session:
        view = await billing.bill(session, link.bill_id)
        community = await estate.community(session, view.summary.community_id)
        day = civil_day(database.clock.now(), community.zone)
        premises = await estate.premises(session, view.account.premises_id, day=day)
        account_quotes = await service.quote(session, link.account_id)
        return CashierPage(
            community_name=community.name,
            premises_label=premises.label,
            bill=view.summary,
            bill_quotes=await service.quote(session, link.account_id, [link.bill_id]),
            account_quotes=account_quotes,
            receivers=await estate.entity_names(session),
            ways={
                one.book: await ways(session, one.book.legal_entity_id, one.book.fund_class, user_agent)
                for one in account_quotes
            },
            settling=await settling_order(session, community.id),
            remittance=await remittance.code_of(session, link.account_id),
        )


async def ways(
    session: AsyncSession, legal_entity_id: LegalEntityId, fund_class: FundClass, user_agent: str
) -> tuple[Pair, ...]:
    """Return the ways in which a browser can pay into a book, the best first."""
    taken = await repository.channels_of(session, legal_entity_id, fund_class)
    return tuple((channel, method) for channel, method in offered(user_agent) if channel in taken)


async def start(database: Database, cashier: Cashier, token: str, wish: LinkPayment, user_agent: str = "") -> Attempt:
    """Begin a payment at an address, in the way that was chosen or else the best for the browser; anybody may pay.

    Raises:
        UnknownPayLinkError: the address leads nowhere.
        NoMerchantAccountError: nobody takes this money in a way that the browser can pay.
    """
    link = await find(database, token)
    async with database.view(link.tenant) as session:
        possible = await ways(session, wish.legal_entity_id, wish.fund_class, user_agent)
    chosen = wish.way or next(iter(possible), None)
    if chosen is None or (wish.way is not None and wish.way[0] not in {channel for channel, _ in possible}):
        raise NoMerchantAccountError("this app" if chosen is None else chosen[0], wish.fund_class)
    request = IntentRequest(
        intent_id=wish.intent_id,
        account_id=link.account_id,
        legal_entity_id=wish.legal_entity_id,
        fund_class=wish.fund_class,
        bill_ids=() if wish.whole_account else (link.bill_id,),
        amount_fen=wish.amount_fen,
    )
    return await cashier.start(link.tenant, _payer(link), request, Way(channel=chosen[0], method=chosen[1]), wish.payer)


async def attempt(database: Database, cashier: Cashier, token: str, attempt_id: UUID, *, ask: bool = False) -> Attempt:
    """Return an attempt begun for the address's account; with `ask` the channel is asked first.

    Raises:
        UnknownPayLinkError: the address leads nowhere.
        UnknownAttemptError: the attempt is not of this account.
    """
    link = await find(database, token)
    async with database.view(link.tenant) as session:
        found = await service.attempt(session, attempt_id)
        intent = await service.intent_of(session, found.intent_id)
    if intent.account_id != link.account_id:
        raise UnknownAttemptError
    return await cashier.refresh(link.tenant, _payer(link), attempt_id) if ask else found


def _payer(link: PayLink) -> Actor:
    return Actor(kind="system", id=link.link_id, name="pay link")
