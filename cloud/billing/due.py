"""The named queries of a bill run that reads and settles obligations in columns; private to billing."""

from __future__ import annotations

from typing import LiteralString
from uuid import UUID

from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing.tables import BillingPeriodRow
from cloud.kit.bulk import read_columns
from cloud.kit.images import ID, Columns, IdArray, Ids

NOTHING_TO_CHARGE = "nothing_to_charge"

_DUE: LiteralString = """
    select o.premises_id, o.account_id, a.party_id, o.kind = 'regular' and o.seq = 1 as plain
      from obligation o
      join account a on (a.tenant_id, a.community_id, a.account_id) = (o.tenant_id, o.community_id, o.account_id)
     where o.community_id = {community} and o.cycle = {cycle} and o.period_start = {start} and o.state = 'due'
       and (o.premises_id, o.account_id) > ({premises}, {account})
     order by o.premises_id, o.account_id
     limit {limit}
       for update of o
"""
_OBLIGED: LiteralString = """
    select o.premises_id, a.party_id
      from obligation o
      join account a on (a.tenant_id, a.community_id, a.account_id) = (o.tenant_id, o.community_id, o.account_id)
     where o.community_id = {community} and o.cycle = {cycle} and o.period_start = {start}
"""
_SETTLE_MANY = text("""
    update obligation o set state = :state, bill_id = d.bill_id, reason = :reason
      from unnest(cast(:accounts as uuid[]), cast(:bills as uuid[])) d (account_id, bill_id)
     where o.community_id = :community and o.cycle = :cycle and o.period_start = :start
       and o.account_id = d.account_id and o.kind = 'regular' and o.seq = 1 and o.state = 'due'
""")


async def due_columns(
    session: AsyncSession, scope: BillingPeriodRow, after: tuple[UUID, UUID] | None, limit: int
) -> Columns:
    """Return due obligations as columns, in the order of premises and account after a place in it, and lock them.

    `plain` says that an obligation is the regular one of its account.
    """
    place = after or (UUID(int=0), UUID(int=0))
    return await read_columns(
        session,
        _DUE,
        {
            "community": scope.community_id,
            "cycle": scope.cycle,
            "start": scope.period_start,
            "premises": place[0],
            "account": place[1],
            "limit": limit,
        },
        {"premises_id": ID, "account_id": ID, "party_id": ID, "plain": "?"},
    )


async def obliged(session: AsyncSession, scope: BillingPeriodRow) -> Columns:
    """Return premises and party of every obligation of a period."""
    values = {"community": scope.community_id, "cycle": scope.cycle, "start": scope.period_start}
    return await read_columns(session, _OBLIGED, values, {"premises_id": ID, "party_id": ID})


async def settle_columns(session: AsyncSession, scope: BillingPeriodRow, accounts: Ids, bills: Ids | None) -> int:
    """Set the regular due obligations of many accounts to issued by their bills, or to waived without; return how many.

    One statement, whatever their number.
    """
    found = await session.execute(
        _SETTLE_MANY,
        {
            "community": scope.community_id,
            "cycle": scope.cycle,
            "start": scope.period_start,
            "accounts": IdArray(accounts),
            "bills": IdArray(accounts[:0] if bills is None else bills),
            "state": "waived" if bills is None else "issued",
            "reason": NOTHING_TO_CHARGE if bills is None else None,
        },
    )
    return found.rowcount if isinstance(found, CursorResult) else 0
