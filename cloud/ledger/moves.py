"""What moved on bill lines: the days on which a charge was made, credited and settled. Reads only."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.ledger.accounts import AccountType
from cloud.ledger.journals import LineMove, LineRef
from common.civil import Period
from common.ids import BillId, CommunityId

LINES_AT_ONCE_MAX = 20_000


# The transfers of a wanted line: that of the bill run that issued it is found through its journal, all others by line.
_OF_LINE = """
    cross join lateral (
        select t.* from transfer t
         where t.bill_id = wanted.bill_id and t.line_n = wanted.line_n and t.bill_id <> t.journal_id
           and t.kind in ('posted', 'post')
         union all
        select t.* from journal j
          join transfer t on (t.tenant_id, t.community_id, t.journal_id) = (j.tenant_id, j.community_id, j.journal_id)
         where j.document_id = wanted.bill_id and t.bill_id = t.journal_id and t.n = wanted.line_n
    ) t
"""
_MOVES = text(f"""
    select t.bill_id, t.line_n, j.business_date,
           case when debit.type = 'receivable' then credit.type else debit.type end as other,
           case when debit.type = 'receivable' then t.fen else -t.fen end as fen
      from unnest(cast(:bill_ids as uuid[]), cast(:numbers as bigint[])) as wanted (bill_id, line_n)
      {_OF_LINE}
      join journal j on (j.tenant_id, j.community_id, j.journal_id) = (t.tenant_id, t.community_id, t.journal_id)
      join ledger_account debit on (debit.tenant_id, debit.community_id, debit.ledger_account_id)
                                 = (t.tenant_id, t.community_id, t.debit_id)
      join ledger_account credit on (credit.tenant_id, credit.community_id, credit.ledger_account_id)
                                  = (t.tenant_id, t.community_id, t.credit_id)
     where (debit.type = 'receivable') <> (credit.type = 'receivable')
     order by t.bill_id, t.line_n, j.business_date, j.recorded_at, j.journal_id, t.n
""")  # noqa: S608 - joined from the constants above
_OPEN = text(f"""
    select t.bill_id, t.line_n, sum(case when debit.type = 'receivable' then t.fen else -t.fen end)::bigint as fen
      from unnest(cast(:bill_ids as uuid[]), cast(:numbers as bigint[])) as wanted (bill_id, line_n)
      {_OF_LINE}
      join ledger_account debit on (debit.tenant_id, debit.community_id, debit.ledger_account_id)
                                 = (t.tenant_id, t.community_id, t.debit_id)
      join ledger_account credit on (credit.tenant_id, credit.community_id, credit.ledger_account_id)
                                  = (t.tenant_id, t.community_id, t.credit_id)
     where (debit.type = 'receivable') <> (credit.type = 'receivable')
     group by t.bill_id, t.line_n
""")  # noqa: S608 - joined from the constants above
_MOVED = text("""
    select distinct t.bill_id, t.line_n
      from journal j
      join transfer t on (t.tenant_id, t.community_id, t.journal_id) = (j.tenant_id, j.community_id, j.journal_id)
     where j.community_id = :community and j.business_date >= :first and j.business_date < :end
       and t.bill_id is not null
""")


async def moves_of(session: AsyncSession, lines: Collection[LineRef]) -> dict[LineRef, list[LineMove]]:
    """Return every movement of some lines, oldest first."""
    ordered = sorted(lines, key=lambda line: (line.bill_id, line.n))
    found: dict[LineRef, list[LineMove]] = {line: [] for line in ordered}
    for start in range(0, len(ordered), LINES_AT_ONCE_MAX):
        some = ordered[start : start + LINES_AT_ONCE_MAX]
        wanted = {"bill_ids": [line.bill_id for line in some], "numbers": [line.n for line in some]}
        for bill_id, n, day, other, fen in await session.execute(_MOVES, wanted):
            line = LineRef(bill_id=BillId(bill_id), n=n)
            found[line].append(LineMove(line=line, business_date=day, other=AccountType(other), fen=fen))
    return found


async def open_on(session: AsyncSession, lines: Collection[LineRef]) -> dict[LineRef, int]:
    """Return what is open on some lines, in fen, whatever else their accounts have; a settled line is 0."""
    ordered = sorted(lines, key=lambda line: (line.bill_id, line.n))
    found: dict[LineRef, int] = {}
    for start in range(0, len(ordered), LINES_AT_ONCE_MAX):
        some = ordered[start : start + LINES_AT_ONCE_MAX]
        wanted = {"bill_ids": [line.bill_id for line in some], "numbers": [line.n for line in some]}
        for bill_id, n, fen in await session.execute(_OPEN, wanted):
            found[LineRef(bill_id=BillId(bill_id), n=n)] = fen
    return found


async def lines_moved(session: AsyncSession, community_id: CommunityId, days: Period) -> set[LineRef]:
    """Return the lines that journals of some business days moved."""
    rows = await session.execute(_MOVED, {"community": community_id, "first": days.start, "end": days.end})
    return {LineRef(bill_id=BillId(bill_id), n=n) for bill_id, n in rows}
