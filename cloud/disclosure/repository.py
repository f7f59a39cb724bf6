"""The named queries of the sunshine ledger; private to the domain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.disclosure.tables import FundEntryRow
from common.civil import Period
from common.ids import CommunityId

# What moved on the fund's own accounts, by charge item and by route, signed for the owners.
_MOVES = text("""
    select own.owner_id, t.route, j.business_date < :first as earlier,
           sum(case when t.credit_id = own.ledger_account_id then t.fen else -t.fen end)::bigint as fen
      from ledger_account own
      join transfer t on (t.tenant_id, t.community_id) = (own.tenant_id, own.community_id)
           and (own.ledger_account_id = t.credit_id
                or own.ledger_account_id = t.debit_id and t.bill_id is distinct from t.journal_id)
           and t.kind in ('posted', 'post')
      join journal j on (j.tenant_id, j.community_id, j.journal_id) = (t.tenant_id, t.community_id, t.journal_id)
     where own.community_id = :community and own.fund_class = :fund and own.type in ('income', 'fund')
       and j.business_date < :end
     group by own.owner_id, t.route, earlier
""")


async def entry(session: AsyncSession, entry_id: UUID) -> FundEntryRow | None:
    """Return an entry."""
    return await session.scalar(select(FundEntryRow).where(FundEntryRow.entry_id == entry_id))


async def entries(session: AsyncSession, community_id: CommunityId, period: Period) -> Sequence[FundEntryRow]:
    """Return the entries of a period, the newest first."""
    found = await session.scalars(
        select(FundEntryRow)
        .where(
            FundEntryRow.community_id == community_id, FundEntryRow.day >= period.start, FundEntryRow.day < period.end
        )
        .order_by(FundEntryRow.day.desc(), FundEntryRow.entry_id)
    )
    return list(found)


async def moves(
    session: AsyncSession, community_id: CommunityId, fund: str, first: date, end: date
) -> Sequence[tuple[UUID, str, bool, int]]:
    """Return charge item, route, whether before the first day, and fen, of what moved on a fund before an end."""
    wanted = {"community": community_id, "fund": fund, "first": first, "end": end}
    return [(owner, route, earlier, fen) for owner, route, earlier, fen in await session.execute(_MOVES, wanted)]
