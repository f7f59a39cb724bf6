"""Walking the whole book of a community again: every fingerprint, route, guard, sum and seal, from the rows alone.

The audit trusts nothing that posting computed. What it finds is a list; an empty list is a sound book.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.ledger import periods, repository
from cloud.ledger.accounts import AccountType, Guard, Side
from cloud.ledger.balances import Balance, moved
from cloud.ledger.journals import TransferKind, fingerprint
from cloud.ledger.routes import Route
from cloud.ledger.sealing import NO_ROOT, day_root, journal_leaf
from cloud.ledger.tables import JournalRow, LedgerAccountRow, SealRow, TransferRow
from common.ids import CommunityId

JOURNALS_AT_ONCE = 2_000
_ROUTES = {route.code: route for route in Route}


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """Something in the book that cannot be right: which law, where, and what was seen."""

    law: str
    where: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What was walked and what was found."""

    journals: int
    transfers: int
    fen: int
    seals: int
    breaches: tuple[Breach, ...]


async def audit(session: AsyncSession, community_id: CommunityId) -> AuditReport:
    """Walk the book of a community."""
    accounts = {row.ledger_account_id: row for row in await repository.accounts_in(session, community_id)}
    journals = list(await repository.all_journals(session, community_id))
    breaches: list[Breach] = []
    walked: list[TransferRow] = []
    for start in range(0, len(journals), JOURNALS_AT_ONCE):
        batch = journals[start : start + JOURNALS_AT_ONCE]
        transfers = await repository.transfers_of(session, [journal.journal_id for journal in batch])
        for journal in batch:
            rows = transfers.get(journal.journal_id, [])
            breaches += _journal_breaches(journal, rows, accounts)
            walked += rows
    breaches += _balance_breaches(walked, await _balances(session, accounts))
    seals = await repository.seals(session, community_id)
    breaches += _seal_breaches(seals, journals)
    breaches += [
        Breach(law="a closed period stays as it was closed", where=str(community_id), what=what)
        for what in await periods.check_closed(session, community_id)
    ]
    return AuditReport(
        journals=len(journals),
        transfers=len(walked),
        fen=sum(row.fen for row in walked),
        seals=len(seals),
        breaches=tuple(breaches),
    )


async def _balances(session: AsyncSession, accounts: Mapping[UUID, LedgerAccountRow]) -> dict[UUID, Balance]:
    guarded = [account_id for account_id, row in accounts.items() if row.guard != Guard.NONE]
    stored = await repository.balances(session, guarded)
    return {
        account_id: stored.get(
            account_id, Balance(ledger_account_id=account_id, guard=Guard(accounts[account_id].guard))
        )
        for account_id in guarded
    }


def _journal_breaches(
    journal: JournalRow, rows: Sequence[TransferRow], accounts: Mapping[UUID, LedgerAccountRow]
) -> Iterable[Breach]:
    where = str(journal.journal_id)
    facts = tuple(repository.fact(row) for row in rows)
    if not rows:
        yield Breach(law="a journal moves something", where=where, what="no transfer")
    if fingerprint(repository.head(journal), facts) != journal.request_sha:
        yield Breach(law="a journal is what was posted", where=where, what="its fingerprint does not match its rows")
    for row in rows:
        if row.fen <= 0 or row.debit_id == row.credit_id:
            yield Breach(law="a transfer is balanced", where=f"{where}/{row.n}", what=f"{row.fen} fen")
        if not _route_holds(row, accounts.get(row.debit_id), accounts.get(row.credit_id)):
            yield Breach(law="a transfer takes an allowed route", where=f"{where}/{row.n}", what=row.route)
        if (row.bill_id is not None) != _moves_a_receivable(row, accounts):
            yield Breach(law="a receivable moves by bill line", where=f"{where}/{row.n}", what=row.route)


def _route_holds(row: TransferRow, debit: LedgerAccountRow | None, credit: LedgerAccountRow | None) -> bool:
    route = _ROUTES.get(row.route)
    if route is None or debit is None or credit is None:
        return False
    return (
        debit.type in route.debit_types
        and credit.type in route.credit_types
        and (debit.fund_class, credit.fund_class) in route.funds
        and (debit.fund_class, credit.fund_class) == (row.debit_class, row.credit_class)
        and debit.legal_entity_id == credit.legal_entity_id == row.legal_entity_id
    )


def _moves_a_receivable(row: TransferRow, accounts: Mapping[UUID, LedgerAccountRow]) -> bool:
    sides = (accounts.get(row.debit_id), accounts.get(row.credit_id))
    return any(account is not None and account.type == AccountType.RECEIVABLE for account in sides)


def _balance_breaches(transfers: Sequence[TransferRow], stored: Mapping[UUID, Balance]) -> Iterable[Breach]:
    """Compare stored balances with the sums of transfers, walked in two passes: reservations before resolutions."""
    reserved = {(row.journal_id, row.n): row.fen for row in transfers if row.kind == TransferKind.PENDING}
    sums = {account_id: Balance(ledger_account_id=account_id, guard=b.guard) for account_id, b in stored.items()}
    for row in sorted(transfers, key=lambda row: row.pending_journal_id is not None):
        whole = 0
        if row.pending_journal_id is not None and row.pending_n is not None:
            whole = reserved.get((row.pending_journal_id, row.pending_n), 0)
        for side, account_id in ((Side.DEBIT, row.debit_id), (Side.CREDIT, row.credit_id)):
            if account_id in sums:
                sums[account_id] = moved(sums[account_id], side, TransferKind(row.kind), row.fen, whole)
    for account_id, balance in stored.items():
        if sums[account_id] != balance:
            yield Breach(law="a balance is the sum of its transfers", where=str(account_id), what=str(balance))
        if balance.available_fen < 0:
            yield Breach(law="a guarded account never crosses", where=str(account_id), what=str(balance))


def _seal_breaches(seals: Sequence[SealRow], journals: Sequence[JournalRow]) -> Iterable[Breach]:
    by_day: dict[object, list[JournalRow]] = {}
    for journal in journals:
        by_day.setdefault(journal.business_date, []).append(journal)
    previous = NO_ROOT
    for seal in seals:
        own = by_day.get(seal.business_date, [])
        root = day_root(previous, [journal_leaf(journal.journal_id, journal.request_sha) for journal in own])
        if seal.previous_root != previous:
            yield Breach(law="seals are chained", where=str(seal.business_date), what="another root before")
        if seal.merkle_root != root or seal.journals != len(own):
            yield Breach(law="a seal covers its day", where=str(seal.business_date), what=f"{len(own)} journals")
        previous = seal.merkle_root
