"""Journals, accounts and transfers of one go in one statement, whatever their number; private to the ledger.

All of it is written, or nothing: nothing when a day is sealed, and nothing when a key stands for other content. What
stands already under its key is left alone, and so are its transfers. The database compares references set by set when
the statement ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.db import MACHINERY
from cloud.ledger.accounts import LedgerAccountRef
from common.ids import CommunityId, TenantId

_JOURNAL = {
    "journal_id": "uuid",
    "idem_key": "text",
    "request_sha": "bytea",
    "kind": "text",
    "business_date": "date",
    "recorded_at": "timestamptz",
    "document_kind": "text",
    "document_id": "uuid",
    "approved_by": "uuid",
}
_TRANSFER = {
    "journal_id": "uuid",
    "n": "bigint",
    "kind": "text",
    "debit_id": "uuid",
    "debit_class": "text",
    "credit_id": "uuid",
    "credit_class": "text",
    "legal_entity_id": "uuid",
    "fen": "bigint",
    "route": "text",
    "bill_id": "uuid",
    "line_n": "bigint",
    "pending_journal_id": "uuid",
    "pending_n": "bigint",
}
_ACCOUNT = {
    "ledger_account_id": "uuid",
    "legal_entity_id": "uuid",
    "fund_class": "text",
    "type": "text",
    "owner_id": "uuid",
    "guard": "text",
    "hot": "boolean",
}
_BALANCE = {
    "ledger_account_id": "uuid",
    "debit_pending": "bigint",
    "debit_posted": "bigint",
    "credit_pending": "bigint",
    "credit_posted": "bigint",
}


def _given(prefix: str, columns: Mapping[str, str]) -> str:
    """Return rows that come as one array for each column."""
    arrays = ", ".join(f"cast(:{prefix}_{name} as {kind}[])" for name, kind in columns.items())
    return f"unnest({arrays}) as given ({', '.join(columns)})"


_HEAD = "cast(:tenant as uuid), cast(:community as uuid)"
_WRITE = text(f"""
    with journals as materialized (select * from {_given("j", _JOURNAL)}),
    allowed as materialized (
        select coalesce((select sealed_through < cast(:first as date) from book
                          where tenant_id = cast(:tenant as uuid) and community_id = cast(:community as uuid)), true)
           and not exists (
                select from journals
                  join journal standing on standing.tenant_id = cast(:tenant as uuid)
                       and standing.community_id = cast(:community as uuid)
                       and standing.idem_key = journals.idem_key
                 where standing.request_sha <> journals.request_sha) as yes
    ),
    opened as (
        insert into ledger_account (tenant_id, community_id, {", ".join(_ACCOUNT)})
        select {_HEAD}, given.* from {_given("a", _ACCOUNT)}
         where (select yes from allowed) and not exists (
                select from ledger_account known where known.tenant_id = cast(:tenant as uuid)
                   and known.community_id = cast(:community as uuid)
                   and known.ledger_account_id = given.ledger_account_id)
            on conflict do nothing
        returning ledger_account_id, guard
    ),
    balanced as (
        insert into balance (tenant_id, community_id, ledger_account_id, guard,
                             debit_pending, debit_posted, credit_pending, credit_posted)
        select {_HEAD}, ledger_account_id, guard, 0, 0, 0, 0 from opened where guard <> 'none'
            on conflict do nothing
    ),
    added as (
        insert into journal (tenant_id, community_id, {", ".join(_JOURNAL)})
        select {_HEAD}, journals.* from journals where (select yes from allowed)
            on conflict (tenant_id, community_id, idem_key) do nothing
        returning journal_id
    ),
    moved as (
        insert into transfer (tenant_id, community_id, {", ".join(_TRANSFER)})
        select {_HEAD}, given.* from {_given("t", _TRANSFER)} join added using (journal_id)
    )
    select journal_id from added
""")  # noqa: S608 - joined from the constants above
_MOVE = text(f"""
    insert into transfer (tenant_id, community_id, {", ".join(_TRANSFER)})
    select {_HEAD}, given.* from {_given("t", _TRANSFER)}
""")  # noqa: S608 - joined from the constants above
_BALANCES = text(f"""
    update balance b set debit_pending = given.debit_pending, debit_posted = given.debit_posted,
                         credit_pending = given.credit_pending, credit_posted = given.credit_posted
      from {_given("b", _BALANCE)}
     where b.tenant_id = cast(:tenant as uuid) and b.community_id = cast(:community as uuid)
       and b.ledger_account_id = given.ledger_account_id
""")  # noqa: S608 - joined from the constants above

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What is written for one community: journals with their transfers, and the accounts that these name."""

    tenant_id: TenantId
    community_id: CommunityId
    journals: Rows
    transfers: Rows
    accounts: Mapping[UUID, LedgerAccountRef]

    @property
    def first_day(self) -> date:
        """Return the oldest business date."""
        first: date = min(row["business_date"] for row in self.journals)
        return first


async def write(session: AsyncSession, wanted: Writing) -> set[UUID]:
    """Write journals whose keys are new, with their transfers and accounts, and return the ids of those journals."""
    values = {
        "tenant": wanted.tenant_id,
        "community": wanted.community_id,
        "first": wanted.first_day,
        **_arrays("j", _JOURNAL, wanted.journals),
        **_arrays("t", _TRANSFER, wanted.transfers),
        **_arrays("a", _ACCOUNT, [_account(key, wanted.accounts[key]) for key in sorted(wanted.accounts)]),
    }
    # Whether it wrote is known only from its answer; whoever asked records the deed when it did.
    return set(await session.scalars(_WRITE, values, execution_options=MACHINERY))


async def move(session: AsyncSession, tenant_id: TenantId, community_id: CommunityId, transfers: Rows) -> None:
    """Add transfers to journals that were written without."""
    values = {"tenant": tenant_id, "community": community_id, **_arrays("t", _TRANSFER, transfers)}
    await session.execute(_MOVE, values)


async def write_balances(session: AsyncSession, tenant_id: TenantId, community_id: CommunityId, rows: Rows) -> None:
    """Store the sums of locked balance rows."""
    values = {"tenant": tenant_id, "community": community_id, **_arrays("b", _BALANCE, rows)}
    await session.execute(_BALANCES, values)


def _arrays(prefix: str, columns: Mapping[str, str], rows: Rows) -> dict[str, list[Any]]:
    return {f"{prefix}_{name}": [row[name] for row in rows] for name in columns}


def _account(account_id: UUID, ref: LedgerAccountRef) -> dict[str, Any]:
    return {
        "ledger_account_id": account_id,
        "legal_entity_id": ref.book.legal_entity_id,
        "fund_class": ref.book.fund_class.value,
        "type": ref.type.value,
        "owner_id": ref.owner_id,
        "guard": ref.kind.guard.value,
        "hot": ref.kind.hot,
    }
