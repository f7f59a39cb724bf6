"""Accounts, periods and obligations, and what is open: the use cases that other domains call.

Whoever changes what is open on an account locks it first (`lock_accounts`): a payment and a correction of the same
account then happen one after the other, and neither settles what the other has taken away.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import due, lookups, repository
from cloud.billing.documents import (
    Account,
    BillSummary,
    BillView,
    OpenLine,
    account_of,
    issued_line,
    line_from_row,
    line_views,
    open_line_of,
    summary_of,
)
from cloud.billing.errors import UnknownBillError, UnknownPeriodError
from cloud.billing.explaining import explained
from cloud.billing.lines import BillKind, IssuedLine, LineDraft
from cloud.billing.tables import BillingPeriodRow, BillRow
from cloud.estate import service as estate
from cloud.estate.in_columns import PremisesRange, may_owe
from cloud.kit.db import Unit
from cloud.kit.errors import NotFoundError
from cloud.kit.images import pairs_of
from cloud.ledger import service as ledger
from cloud.ledger.journals import LineRef
from cloud.tariffs.charge import ChargeBasis
from common.civil import Period
from common.ids import AccountId, BillId, CommunityId, PartyId, PremisesId

MONTHLY = "month"
LOOKUP_CODES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunScope:
    """Which obligations a run drains: those of a community, a cycle and the period that starts on a day."""

    community_id: CommunityId
    cycle: str
    period_start: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodProgress:
    """How far the bills of a period are."""

    scope: RunScope
    period: Period
    due_on: date
    due: int
    issued: int
    waived: int
    documents: int
    total_fen: int


async def create_period(
    unit: Unit, community_id: CommunityId, *, period: Period, due_on: date, cycle: str = MONTHLY
) -> RunScope:
    """Create a billing period and the obligations of everybody who owes in it; again changes nothing new."""
    scope = RunScope(community_id=community_id, cycle=cycle, period_start=period.start)
    row = {
        "tenant_id": unit.tenant,
        "community_id": community_id,
        "cycle": cycle,
        "period_start": period.start,
        "period_end": period.end,
        "due_on": due_on,
        "created_at": unit.now,
    }
    known = await repository.period(unit.session, community_id, cycle, period.start)
    if known is None and await repository.add_period(unit.session, row):
        unit.record("created", "billing_period", community_id, after={"cycle": cycle, "period": str(period)})
    await oblige_payers(unit, scope)
    return scope


async def oblige_payers(unit: Unit, scope: RunScope) -> int:
    """Add the accounts and obligations of payers who have come since, and return how many obligations are new."""
    period = await period_of(unit.session, scope)
    if await _everybody_obliged(unit.session, period):
        return 0
    spans = await estate.payers(unit.session, scope.community_id, Period(period.period_start, period.period_end))
    payers = {(span.premises_id, span.party_id) for span in spans}
    wanted = await open_accounts(unit, scope.community_id, payers)
    if not wanted:
        return 0
    rows = [
        {
            "tenant_id": unit.tenant,
            "community_id": scope.community_id,
            "cycle": scope.cycle,
            "period_start": scope.period_start,
            "account_id": account.account_id,
            "kind": BillKind.REGULAR.value,
            "seq": 1,
            "premises_id": account.premises_id,
            "state": "due",
        }
        for account in wanted
    ]
    added = await repository.add_obligations(unit.session, rows)
    unit.record("obliged", "billing_period", scope.community_id, after={"obligations": added})
    return added


async def _everybody_obliged(session: AsyncSession, period: BillingPeriodRow) -> bool:
    """Return whether whoever may owe has an obligation, so that there is nobody to be looked at one by one."""
    days = Period(period.period_start, period.period_end)
    premises, parties = await may_owe(session, PremisesRange.whole(period.community_id), days)
    obliged = await due.obliged(session, period)
    known = pairs_of(obliged["premises_id"], obliged["party_id"])
    return bool(np.isin(pairs_of(premises, parties), known).all())


async def open_accounts(
    unit: Unit, community_id: CommunityId, payers: Collection[tuple[PremisesId, PartyId]]
) -> tuple[Account, ...]:
    """Return the accounts of payers, each given as premises and party; those that do not exist are opened."""
    if not payers:
        return ()
    premises_ids = {premises_id for premises_id, _ in payers}
    known = await accounts_of_premises(unit.session, premises_ids)
    missing = sorted(set(payers) - {(account.premises_id, account.party_id) for account in known})
    if missing:
        await repository.add_accounts(unit.session, [_account_row(unit, community_id, *payer) for payer in missing])
        unit.record("opened", "account", community_id, after={"accounts": len(missing)})
        known = await accounts_of_premises(unit.session, premises_ids)
    return tuple(account for account in known if (account.premises_id, account.party_id) in set(payers))


def _account_row(
    unit: Unit, community_id: CommunityId, premises_id: PremisesId, party_id: PartyId
) -> dict[str, object]:
    account_id = unit.new_id()
    return {
        "tenant_id": unit.tenant,
        "community_id": community_id,
        "account_id": account_id,
        "premises_id": premises_id,
        "party_id": party_id,
        "lookup_code": f"{unit.new_id().int % LOOKUP_CODES:06d}",
        "opened_at": unit.now,
    }


async def period_of(session: AsyncSession, scope: RunScope) -> BillingPeriodRow:
    """Return the period of a scope.

    Raises:
        UnknownPeriodError: there is none.
    """
    row = await repository.period(session, scope.community_id, scope.cycle, scope.period_start)
    if row is None:
        raise UnknownPeriodError(scope.cycle, scope.period_start)
    return row


async def progress(session: AsyncSession, scope: RunScope) -> PeriodProgress:
    """Return how many obligations of a period are due, issued and waived, and what was issued."""
    row = await period_of(session, scope)
    counts = await repository.progress(session, row)
    documents, total_fen = await repository.issued_totals(session, row)
    return PeriodProgress(
        scope=scope,
        period=Period(row.period_start, row.period_end),
        due_on=row.due_on,
        due=counts.get("due", 0),
        issued=counts.get("issued", 0),
        waived=counts.get("waived", 0),
        documents=documents,
        total_fen=total_fen,
    )


async def periods(session: AsyncSession, community_id: CommunityId) -> tuple[PeriodProgress, ...]:
    """Return the monthly periods of a community with their progress, oldest first."""
    rows = [row for row in await repository.periods(session, community_id) if row.cycle == MONTHLY]
    scopes = [RunScope(community_id=community_id, cycle=row.cycle, period_start=row.period_start) for row in rows]
    return tuple([await progress(session, scope) for scope in scopes])


async def lock_accounts(unit: Unit, account_ids: Collection[AccountId]) -> None:
    """Hold accounts until the unit ends, in id order; see the head of this module.

    Raises:
        NotFoundError: one of them does not exist.
    """
    found = await repository.lock_accounts(unit.session, account_ids)
    if found != set(account_ids):
        raise NotFoundError("there is no such account")


async def account(session: AsyncSession, account_id: AccountId) -> Account:
    """Return an account.

    Raises:
        NotFoundError: there is none.
    """
    rows = await repository.accounts_at(session, [account_id])
    if not rows:
        raise NotFoundError(f"there is no account {account_id}")
    return account_of(rows[0])


def community_of(account_id: AccountId) -> Select[UUID]:
    """Return the query for an account's community, for a statement that needs it and nothing else; none finds none."""
    return repository.community_of(account_id)


async def accounts_of_premises(session: AsyncSession, premises_ids: Collection[PremisesId]) -> tuple[Account, ...]:
    """Return the accounts of some premises: of every party that ever owed for them, oldest first."""
    return tuple(account_of(row) for row in await repository.accounts_of_premises(session, premises_ids))


async def accounts_of_parties(session: AsyncSession, party_ids: Collection[PartyId]) -> tuple[Account, ...]:
    """Return the accounts of some parties, oldest first."""
    return tuple(account_of(row) for row in await repository.accounts_of_parties(session, party_ids))


async def accounts_in(session: AsyncSession, community_id: CommunityId) -> tuple[Account, ...]:
    """Return all accounts of a community."""
    return tuple(account_of(row) for row in await repository.accounts_in(session, community_id))


async def open_lines(session: AsyncSession, account_id: AccountId) -> tuple[OpenLine, ...]:
    """Return the lines of an account on which something is open, what is due first at the front."""
    return await open_lines_of(session, [account_id])


async def open_lines_of(session: AsyncSession, account_ids: Collection[AccountId]) -> tuple[OpenLine, ...]:
    """Return the open lines of some accounts, what is due first at the front."""
    balances = await ledger.line_balances(session, account_ids)
    owed = {ref: fen for ref, fen in balances.items() if fen > 0}
    if not owed:
        return ()
    bill_ids = {ref.bill_id for ref in owed}
    bills = await repository.bills_at(session, bill_ids)
    lines = [
        open_line_of(bills[row.bill_id], row, owed[LineRef(bill_id=BillId(row.bill_id), n=row.n)])
        for row in await repository.lines_of(session, bill_ids)
        if LineRef(bill_id=BillId(row.bill_id), n=row.n) in owed
    ]
    return tuple(sorted(lines, key=lambda line: (line.due, line.number, line.n)))


async def bills_of(session: AsyncSession, account_ids: Collection[AccountId]) -> tuple[BillSummary, ...]:
    """Return the bills and adjustments of some accounts, the newest first."""
    rows = await repository.bills_of(session, account_ids)
    balances = await ledger.line_balances(session, account_ids)
    open_by_bill: dict[BillId, int] = {}
    for ref, fen in balances.items():
        open_by_bill[ref.bill_id] = open_by_bill.get(ref.bill_id, 0) + fen
    return tuple(summary_of(row, open_by_bill.get(BillId(row.bill_id), 0)) for row in rows)


async def bills_in_cycle(session: AsyncSession, community_id: CommunityId, cycle: str) -> tuple[BillSummary, ...]:
    """Return the documents of a cycle in the order of their numbers, with what is open on them."""
    rows = await lookups.bills_in_cycle(session, community_id, cycle)
    balances = await ledger.line_balances(session, {AccountId(row.account_id) for row in rows})
    open_by_bill: dict[BillId, int] = {}
    for ref, fen in balances.items():
        open_by_bill[ref.bill_id] = open_by_bill.get(ref.bill_id, 0) + fen
    return tuple(summary_of(row, open_by_bill.get(BillId(row.bill_id), 0)) for row in rows)


async def issued_at(session: AsyncSession, lines: Collection[LineRef]) -> dict[LineRef, tuple[BillSummary, LineDraft]]:
    """Return issued lines with the documents they stand on; what is open is not asked for and stays 0."""
    bills = await repository.bills_at(session, {line.bill_id for line in lines})
    rows = await repository.lines_of(session, bills)
    found = {LineRef(bill_id=BillId(row.bill_id), n=row.n): row for row in rows}
    return {line: (summary_of(bills[line.bill_id], 0), line_from_row(found[line])) for line in lines if line in found}


async def lines_charged_by(
    session: AsyncSession, account_ids: Collection[AccountId], basis: ChargeBasis
) -> dict[AccountId, list[IssuedLine]]:
    """Return all lines of some accounts of charge items of one basis, credits too, in the order of issue."""
    found: dict[AccountId, list[IssuedLine]] = {}
    for account_id, row in await lookups.lines_by_basis(session, account_ids, basis.value):
        found.setdefault(AccountId(account_id), []).append(issued_line(row))
    return found


async def bill(session: AsyncSession, bill_id: BillId) -> BillView:
    """Return a bill with its lines.

    Raises:
        UnknownBillError: the company has no such bill.
    """
    row = await repository.bill(session, bill_id)
    if row is None:
        raise UnknownBillError(str(bill_id))
    return await _view(session, row)


async def bill_numbered(session: AsyncSession, number: str) -> BillView:
    """Return the bill with a number.

    Raises:
        UnknownBillError: the company has no such bill.
    """
    row = await repository.bill_numbered(session, number)
    if row is None:
        raise UnknownBillError(number)
    return await _view(session, row)


async def _view(session: AsyncSession, row: BillRow) -> BillView:
    rows = await repository.lines_of(session, [row.bill_id])
    balances = await ledger.line_balances(session, [AccountId(row.account_id)])
    correcting = await repository.lines_correcting(session, row.bill_id)
    owner = await account(session, AccountId(row.account_id))
    stored = [line_from_row(line) for line in rows]
    lines = await explained(session, row.community_id, owner.premises_id, stored)
    by_number = {line.n: draft for line, draft in zip(rows, lines, strict=True)}
    views = line_views(BillId(row.bill_id), by_number, balances, correcting)
    return BillView(
        summary=summary_of(row, sum(view.open_fen for view in views)),
        account=owner,
        lines=views,
    )


async def take_numbers(unit: Unit, community_id: CommunityId, prefix: str, count: int = 1) -> int:
    """Take a block of numbers of a community's series for documents of another domain, and return its first.

    Taken last in a unit: the series waits until the unit ends, and a unit that fails gives its numbers back.
    """
    return await repository.take_numbers(unit.session, unit.tenant, community_id, prefix, count)
