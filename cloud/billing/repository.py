"""The named queries of billing; private to it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Dialect, Table, TextClause, func, select, text, tuple_, update
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import Select

from cloud.billing.tables import (
    AccountRow,
    BillingPeriodRow,
    BillLineRow,
    BillRow,
    CorrectionCaseRow,
    NumberSeriesRow,
    ObligationRow,
)
from cloud.kit.tables import table_of
from common.ids import CommunityId, TenantId

Rows = Sequence[Mapping[str, Any]]
_DIALECT: Dialect = registry.load("postgresql.psycopg")()


def _added(table: Table) -> TextClause:
    """Return the statement that adds rows which come as one array for each column; JSON comes as text."""
    kinds = {column.name: column.type.compile(dialect=_DIALECT) for column in table.columns}
    arrays = ", ".join(f"cast(:{name} as {'text' if kind == 'JSONB' else kind}[])" for name, kind in kinds.items())
    taken = ", ".join(f"given.{name}::jsonb" if kind == "JSONB" else f"given.{name}" for name, kind in kinds.items())
    names = ", ".join(kinds)
    return text(f"insert into {table.name} ({names}) select {taken} from unnest({arrays}) as given ({names})")  # noqa: S608 - names of our own tables


_ADD_BILLS, _ADD_LINES = (_added(table_of(row)) for row in (BillRow, BillLineRow))


async def add_accounts(session: AsyncSession, rows: Rows) -> None:
    """Add accounts that do not exist; two writers that add the same one leave one."""
    statement = insert(AccountRow).on_conflict_do_nothing(
        index_elements=["tenant_id", "community_id", "premises_id", "party_id"]
    )
    await session.execute(statement, rows)


async def accounts_at(session: AsyncSession, account_ids: Collection[UUID]) -> Sequence[AccountRow]:
    """Return the accounts with the ids."""
    found = await session.scalars(select(AccountRow).where(AccountRow.account_id.in_(list(account_ids))))
    return list(found)


def community_of(account_id: UUID) -> Select[UUID]:
    """Return the query for the community of an account."""
    return select(AccountRow.community_id).where(AccountRow.account_id == account_id)


async def accounts_of_premises(session: AsyncSession, premises_ids: Collection[UUID]) -> Sequence[AccountRow]:
    """Return the accounts of some premises, the oldest first."""
    found = await session.scalars(
        select(AccountRow)
        .where(AccountRow.premises_id.in_(list(premises_ids)))
        .order_by(AccountRow.opened_at, AccountRow.account_id)
    )
    return list(found)


async def accounts_of_parties(session: AsyncSession, party_ids: Collection[UUID]) -> Sequence[AccountRow]:
    """Return the accounts of some parties, the oldest first."""
    found = await session.scalars(
        select(AccountRow)
        .where(AccountRow.party_id.in_(list(party_ids)))
        .order_by(AccountRow.opened_at, AccountRow.account_id)
    )
    return list(found)


async def accounts_in(session: AsyncSession, community_id: CommunityId) -> Sequence[AccountRow]:
    """Return all accounts of a community."""
    found = await session.scalars(
        select(AccountRow).where(AccountRow.community_id == community_id).order_by(AccountRow.account_id)
    )
    return list(found)


async def lock_accounts(session: AsyncSession, account_ids: Collection[UUID]) -> set[UUID]:
    """Lock accounts in id order until the unit ends, and return which there are."""
    found = await session.scalars(
        select(AccountRow.account_id)
        .where(AccountRow.account_id.in_(list(account_ids)))
        .order_by(AccountRow.account_id)
        .with_for_update()
    )
    return set(found)


async def add_period(session: AsyncSession, row: Mapping[str, Any]) -> bool:
    """Add a period and return True, or False when it is there."""
    statement = insert(BillingPeriodRow).on_conflict_do_nothing().returning(BillingPeriodRow.period_start)
    return (await session.execute(statement, [row])).first() is not None


async def period(
    session: AsyncSession, community_id: CommunityId, cycle: str, period_start: date
) -> BillingPeriodRow | None:
    """Return a period."""
    return await session.scalar(
        select(BillingPeriodRow).where(
            BillingPeriodRow.community_id == community_id,
            BillingPeriodRow.cycle == cycle,
            BillingPeriodRow.period_start == period_start,
        )
    )


async def periods(session: AsyncSession, community_id: CommunityId) -> Sequence[BillingPeriodRow]:
    """Return all periods of a community, oldest first."""
    found = await session.scalars(
        select(BillingPeriodRow)
        .where(BillingPeriodRow.community_id == community_id)
        .order_by(BillingPeriodRow.period_start, BillingPeriodRow.cycle)
    )
    return list(found)


async def add_obligations(session: AsyncSession, rows: Rows) -> int:
    """Add obligations that do not exist and return how many are new."""
    statement = insert(ObligationRow).on_conflict_do_nothing().returning(ObligationRow.account_id)
    return len((await session.execute(statement, rows)).all())


async def due(
    session: AsyncSession,
    scope: BillingPeriodRow,
    after: tuple[UUID, UUID] | None,
    limit: int,
    *,
    lock: bool,
) -> Sequence[tuple[ObligationRow, AccountRow]]:
    """Return due obligations with their accounts in the order of premises and account, after a place in it."""
    statement = _due(scope).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(ObligationRow.premises_id, ObligationRow.account_id) > after)
    if lock:
        statement = statement.with_for_update(of=ObligationRow)
    return [(obligation, account) for obligation, account in await session.execute(statement)]


def _due(scope: BillingPeriodRow) -> Select[ObligationRow, AccountRow]:
    return (
        select(ObligationRow, AccountRow)
        .join(
            AccountRow,
            (AccountRow.tenant_id == ObligationRow.tenant_id)
            & (AccountRow.community_id == ObligationRow.community_id)
            & (AccountRow.account_id == ObligationRow.account_id),
        )
        .where(
            ObligationRow.community_id == scope.community_id,
            ObligationRow.cycle == scope.cycle,
            ObligationRow.period_start == scope.period_start,
            ObligationRow.state == "due",
        )
        .order_by(ObligationRow.premises_id, ObligationRow.account_id)
    )


async def due_at(
    session: AsyncSession, scope: BillingPeriodRow, account_ids: Collection[UUID]
) -> Sequence[tuple[ObligationRow, AccountRow]]:
    """Return the due obligations of some accounts, in the order of premises and account."""
    statement = _due(scope).where(ObligationRow.account_id.in_(list(account_ids)))
    return [(obligation, account) for obligation, account in await session.execute(statement)]


async def obligation_states(
    session: AsyncSession,
    community_id: CommunityId,
    cycle: str,
    starts: Collection[date],
    premises_ids: Collection[UUID],
) -> Mapping[date, Sequence[tuple[UUID, UUID, str]]]:
    """Return account, premises and state of the obligations of some premises for periods that start on some days."""
    found = await session.execute(
        select(ObligationRow.period_start, ObligationRow.account_id, ObligationRow.premises_id, ObligationRow.state)
        .where(
            ObligationRow.community_id == community_id,
            ObligationRow.cycle == cycle,
            ObligationRow.period_start.in_(list(starts)),
            ObligationRow.premises_id.in_(list(premises_ids)),
        )
        .order_by(ObligationRow.period_start, ObligationRow.account_id, ObligationRow.kind, ObligationRow.seq)
    )
    states: dict[date, list[tuple[UUID, UUID, str]]] = {start: [] for start in starts}
    for start, account_id, premises_id, state in found:
        states[start].append((account_id, premises_id, state))
    return states


async def settle_obligations(session: AsyncSession, scope: BillingPeriodRow, changes: Rows) -> None:
    """Set state, bill and reason of due obligations, each given as account, kind, seq and the new values."""
    statement = text("""
        update obligation set state = :state, bill_id = :bill_id, reason = :reason
         where community_id = :community and cycle = :cycle and period_start = :start and account_id = :account
           and kind = :kind and seq = :seq and state = 'due'
    """)
    whole = {"community": scope.community_id, "cycle": scope.cycle, "start": scope.period_start}
    await session.execute(statement, [{**whole, **change} for change in changes])


async def progress(session: AsyncSession, scope: BillingPeriodRow) -> dict[str, int]:
    """Return how many obligations of a period are in each state."""
    found = await session.execute(
        select(ObligationRow.state, func.count())
        .where(
            ObligationRow.community_id == scope.community_id,
            ObligationRow.cycle == scope.cycle,
            ObligationRow.period_start == scope.period_start,
        )
        .group_by(ObligationRow.state)
    )
    return {state: int(count) for state, count in found}


async def issued_totals(session: AsyncSession, scope: BillingPeriodRow) -> tuple[int, int]:
    """Return count and sum of the bills issued for a period, adjustments included."""
    found = await session.execute(
        select(func.count(), func.coalesce(func.sum(BillRow.total_fen), 0)).where(
            BillRow.community_id == scope.community_id,
            BillRow.cycle == scope.cycle,
            BillRow.period_start == scope.period_start,
        )
    )
    count, total = found.one()
    return int(count), int(total)


async def take_numbers(
    session: AsyncSession, tenant_id: TenantId, community_id: CommunityId, prefix: str, count: int
) -> int:
    """Take a block of numbers of a series and return its first; the series waits until the unit ends."""
    statement = insert(NumberSeriesRow).values(
        tenant_id=tenant_id, community_id=community_id, prefix=prefix, next=count + 1
    )
    taken = statement.on_conflict_do_update(
        index_elements=["tenant_id", "community_id", "prefix"], set_={"next": NumberSeriesRow.next + count}
    ).returning(NumberSeriesRow.next)
    return int((await session.execute(taken)).scalar_one()) - count


async def add_bills(session: AsyncSession, bills: Rows, lines: Rows) -> None:
    """Add bills, then their lines: one statement each, whatever their number."""
    await session.execute(_ADD_BILLS, _arrays(bills))
    await session.execute(_ADD_LINES, _arrays([{**line, "trace": json.dumps(line["trace"])} for line in lines]))


def _arrays(rows: Rows) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


async def bill(session: AsyncSession, bill_id: UUID) -> BillRow | None:
    """Return a bill."""
    return await session.scalar(select(BillRow).where(BillRow.bill_id == bill_id))


async def bill_numbered(session: AsyncSession, number: str) -> BillRow | None:
    """Return the bill with a number."""
    return await session.scalar(select(BillRow).where(BillRow.number == number))


async def bills_of(session: AsyncSession, account_ids: Collection[UUID]) -> Sequence[BillRow]:
    """Return the bills of some accounts, the newest first."""
    found = await session.scalars(
        select(BillRow)
        .where(BillRow.account_id.in_(list(account_ids)))
        .order_by(BillRow.issued_at.desc(), BillRow.number.desc())
    )
    return list(found)


async def bills_at(session: AsyncSession, bill_ids: Collection[UUID]) -> dict[UUID, BillRow]:
    """Return the bills with the ids."""
    found = await session.scalars(select(BillRow).where(BillRow.bill_id.in_(list(bill_ids))))
    return {row.bill_id: row for row in found}


async def lines_of(session: AsyncSession, bill_ids: Collection[UUID]) -> Sequence[BillLineRow]:
    """Return the lines of some bills in the order of bill and number."""
    found = await session.scalars(
        select(BillLineRow).where(BillLineRow.bill_id.in_(list(bill_ids))).order_by(BillLineRow.bill_id, BillLineRow.n)
    )
    return list(found)


async def lines_correcting(session: AsyncSession, bill_id: UUID) -> Sequence[BillLineRow]:
    """Return the lines of other documents that correct a bill."""
    found = await session.scalars(
        select(BillLineRow).where(BillLineRow.corrects_bill_id == bill_id).order_by(BillLineRow.bill_id, BillLineRow.n)
    )
    return list(found)


async def issued_lines(
    session: AsyncSession, account_ids: Collection[UUID], cycle: str, first: date, end: date
) -> Sequence[tuple[UUID, BillLineRow]]:
    """Return account and line, adjustments too, of all that is billed for days in `[first, end)`, in order of issue."""
    found = await session.execute(
        select(BillRow.account_id, BillLineRow)
        .join(
            BillLineRow,
            (BillLineRow.tenant_id == BillRow.tenant_id)
            & (BillLineRow.community_id == BillRow.community_id)
            & (BillLineRow.bill_id == BillRow.bill_id),
        )
        .where(
            BillRow.account_id.in_(list(account_ids)),
            BillRow.cycle == cycle,
            BillLineRow.service_start < end,
            BillLineRow.service_end > first,
        )
        .order_by(BillRow.issued_at, BillRow.number, BillLineRow.n)
    )
    return [(account_id, line) for account_id, line in found]


async def highest_seqs(session: AsyncSession, account_ids: Collection[UUID], cycle: str, kind: str) -> dict[UUID, int]:
    """Return the highest sequence of bills of a kind of some accounts, over all periods."""
    found = await session.execute(
        select(BillRow.account_id, func.max(BillRow.seq))
        .where(BillRow.account_id.in_(list(account_ids)), BillRow.cycle == cycle, BillRow.kind == kind)
        .group_by(BillRow.account_id)
    )
    return {account_id: int(highest) for account_id, highest in found}


async def correction(session: AsyncSession, case_id: UUID, *, lock: bool = False) -> CorrectionCaseRow | None:
    """Return a correction case, held until the unit ends when locked."""
    statement = select(CorrectionCaseRow).where(CorrectionCaseRow.case_id == case_id)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def corrections_in(session: AsyncSession, community_id: CommunityId) -> Sequence[CorrectionCaseRow]:
    """Return the correction cases of a community, the newest first."""
    found = await session.scalars(
        select(CorrectionCaseRow)
        .where(CorrectionCaseRow.community_id == community_id)
        .order_by(CorrectionCaseRow.opened_at.desc(), CorrectionCaseRow.case_id)
    )
    return list(found)


async def mark_applied(session: AsyncSession, case_id: UUID, values: Mapping[str, Any]) -> None:
    """Close a correction case as applied."""
    await session.execute(
        update(CorrectionCaseRow).where(CorrectionCaseRow.case_id == case_id).values(state="applied", **values)
    )


async def documents_of_case(session: AsyncSession, case_id: UUID) -> Sequence[BillRow]:
    """Return the adjustment documents of a correction case."""
    found = await session.scalars(select(BillRow).where(BillRow.case_id == case_id).order_by(BillRow.number))
    return list(found)
