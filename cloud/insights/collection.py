"""Billed, received, overdue: the money figures of a community, from bills and the book.

Billed and received of a period are told apart by the other side of each transfer on a receivable: income, collected
for another and funds are billing; clearing, cash, bank and what was paid ahead are receiving. So billed less received
is what the book says is open, always.

The figures of a period are found through its obligations and the receipts of a month through the day of the journal:
neither reads the rows of other months, however long the history is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.insights.figures import BuildingCollection, Collected, DayReceipts, Debtor, PeriodCollection
from common.civil import Period, days_of
from common.ids import AccountId, CommunityId, PremisesId

PERIODS_MAX = 24
DEBTORS_MAX = 100

# Every movement on the lines of the documents of some periods, signed for the receivable. A movement with an account of
# what is earned is told by that account alone, of which a community has few; only the others, payments most of all,
# look their accounts up one by one.
_MOVES = """
    earned as materialized (
        select ledger_account_id from ledger_account
         where community_id = :community and type in ('income', 'agency', 'fund')
    ),
    documents as materialized (
        select distinct b.bill_id, b.period_start, a.account_id, a.premises_id
          from obligation o
          join bill b on (b.tenant_id, b.community_id, b.account_id, b.cycle, b.period_start)
                       = (o.tenant_id, o.community_id, o.account_id, o.cycle, o.period_start)
          join account a on (a.tenant_id, a.community_id, a.account_id) = (b.tenant_id, b.community_id, b.account_id)
         where o.community_id = :community and o.cycle = 'month' and o.period_start = any(:starts)
    ),
    lines as materialized (
        select d.period_start, d.account_id, d.premises_id, t.community_id, t.debit_id, t.credit_id, t.fen,
               case when t.credit_id in (select ledger_account_id from earned) then 1
                    when t.debit_id in (select ledger_account_id from earned) then -1 end as earns
          from documents d cross join lateral (
               select t.* from transfer t where t.bill_id = d.bill_id and t.bill_id <> t.journal_id
                union all
               select t.* from transfer t
                where t.community_id = :community and t.journal_id = d.bill_id and t.bill_id = t.journal_id) t
         where t.kind in ('posted', 'post')
    ),
    moves as (
        select period_start, account_id, premises_id, true as billing, earns * fen as fen
          from lines where earns is not null
         union all
        select l.period_start, l.account_id, l.premises_id, false,
               case when debit.type = 'receivable' then l.fen else -l.fen end
          from lines l
          join ledger_account debit on debit.ledger_account_id = l.debit_id and debit.community_id = l.community_id
          join ledger_account credit on credit.ledger_account_id = l.credit_id and credit.community_id = l.community_id
         where l.earns is null and (debit.type = 'receivable') <> (credit.type = 'receivable')
    )
"""
_SUMS = """
    coalesce(sum(fen) filter (where billing), 0)::bigint as billed,
    coalesce(-sum(fen) filter (where not billing), 0)::bigint as received
"""

_BY_BUILDING = text(f"""
    with {_MOVES},
    sums as materialized (
        select account_id, premises_id, {_SUMS} from moves group by account_id, premises_id
    )
    select g.name, g.code, count(distinct s.account_id) as accounts,
           sum(s.billed)::bigint as billed, sum(s.received)::bigint as received
      from sums s
      join premises p on p.community_id = :community and p.premises_id = s.premises_id
      left join building g on g.community_id = :community and g.building_id = p.building_id
     group by g.code, g.name
     order by g.code nulls last
""")  # noqa: S608 - joined from the constants above
_BY_PERIOD = text(f"""
    with {_MOVES}
    select p.period_start, p.period_end, {_SUMS}
      from billing_period p left join moves m on m.period_start = p.period_start
     where p.community_id = :community and p.cycle = 'month' and p.period_start = any(:starts)
     group by p.period_start, p.period_end
     order by p.period_start
""")  # noqa: S608 - joined from the constants above
_LAST_PERIODS = text("""
    select period_start, period_end from billing_period
     where community_id = :community and cycle = 'month' and period_start <= :through
     order by period_start desc limit :wanted
""")
_RECEIPTS = text("""
    with money as materialized (
        select ledger_account_id from ledger_account
         where community_id = :community and type in ('clearing', 'cash', 'bank')
    ),
    moved as materialized (
        select j.business_date, t.community_id, t.debit_id, t.credit_id, t.fen,
               t.debit_id in (select ledger_account_id from money) as inward,
               t.credit_id in (select ledger_account_id from money) as outward
          from journal j
         cross join lateral (
               select t.* from transfer t
                where (t.tenant_id, t.community_id, t.journal_id) = (j.tenant_id, j.community_id, j.journal_id)
                  and t.kind in ('posted', 'post')
               offset 0) t
         where j.community_id = :community and j.business_date >= :start and j.business_date < :end
    )
    select m.business_date as day, sum(case when m.inward then m.fen else -m.fen end)::bigint as fen
      from moved m
      join ledger_account other on other.community_id = m.community_id
           and other.ledger_account_id = case when m.inward then m.credit_id else m.debit_id end
     where m.inward <> m.outward and other.type in ('receivable', 'prepayment', 'suspense')
     group by m.business_date
""")
# Each open bill is looked up by its key (`offset 0` keeps the look-up whole). A plain join let the planner, whose
# counts are older than the last run, compare every open bill with every other: 0.6 s for 2 000 of them.
_DEBTORS = text("""
    with earned as materialized (
        select ledger_account_id from ledger_account
         where community_id = :community and type in ('income', 'agency', 'fund')
    ),
    moved as materialized (
        select t.bill_id, t.community_id, t.debit_id, t.credit_id, t.fen,
               case when t.credit_id in (select ledger_account_id from earned) then 1
                    when t.debit_id in (select ledger_account_id from earned) then -1 end as earns
          from transfer t
         where t.community_id = :community and t.bill_id is not null and t.kind in ('posted', 'post')
    ),
    open_lines as (
        select bill_id, sum(fen)::bigint as fen
          from (select bill_id, earns * fen as fen from moved where earns is not null
                 union all
                select m.bill_id, case when debit.type = 'receivable' then m.fen else -m.fen end
                  from moved m
                  join ledger_account debit
                    on debit.ledger_account_id = m.debit_id and debit.community_id = m.community_id
                  join ledger_account credit
                    on credit.ledger_account_id = m.credit_id and credit.community_id = m.community_id
                 where m.earns is null and (debit.type = 'receivable') <> (credit.type = 'receivable')) moves
         group by bill_id
        having sum(fen) > 0
    ),
    overdue as materialized (
        select b.account_id, sum(o.fen)::bigint as fen, min(b.due_on) as since
          from open_lines o
         cross join lateral (
               select b.account_id, b.due_on from bill b
                where b.community_id = :community and b.bill_id = o.bill_id
               offset 0) b
         where b.due_on < :today
         group by b.account_id
         order by sum(o.fen) desc, b.account_id
         limit :wanted
    )
    select a.account_id, a.premises_id, p.label, y.name, o.fen, o.since
      from overdue o
      join account a on a.community_id = :community and a.account_id = o.account_id
      join premises p on (p.tenant_id, p.community_id, p.premises_id) = (a.tenant_id, a.community_id, a.premises_id)
      join party y on (y.tenant_id, y.party_id) = (a.tenant_id, a.party_id)
     order by o.fen desc, a.account_id
""")


async def by_building(session: AsyncSession, community_id: CommunityId, start: date) -> tuple[BuildingCollection, ...]:
    """Return the collection of the period that starts on a day, one building each, by code; those in none come last."""
    found = await session.execute(_BY_BUILDING, {"community": community_id, "starts": [start]})
    return tuple(
        BuildingCollection(
            name=row.name,
            accounts=row.accounts,
            collected=Collected(billed_fen=row.billed, received_fen=row.received),
        )
        for row in found
    )


async def last_periods(session: AsyncSession, community_id: CommunityId, through: date, wanted: int) -> list[Period]:
    """Return the newest billing periods that have begun by a day, the newest first."""
    found = await session.execute(
        _LAST_PERIODS, {"community": community_id, "through": through, "wanted": min(wanted, PERIODS_MAX)}
    )
    return [Period(row.period_start, row.period_end) for row in found]


async def by_period(
    session: AsyncSession, community_id: CommunityId, periods: Sequence[Period]
) -> tuple[PeriodCollection, ...]:
    """Return the collection of some billing periods, the oldest first; one without a bill has nothing billed."""
    starts = [period.start for period in periods]
    found = await session.execute(_BY_PERIOD, {"community": community_id, "starts": starts})
    return tuple(
        PeriodCollection(
            start=row.period_start,
            end=row.period_end,
            collected=Collected(billed_fen=row.billed, received_fen=row.received),
        )
        for row in found
    )


async def receipts(session: AsyncSession, community_id: CommunityId, period: Period) -> tuple[DayReceipts, ...]:
    """Return what came in on each day of a period, online and at the desk, refunds taken off; every day is there."""
    values = {"community": community_id, "start": period.start, "end": period.end}
    by_day = {row.day: row.fen for row in await session.execute(_RECEIPTS, values)}
    return tuple(DayReceipts(day=day, fen=by_day.get(day, 0)) for day in days_of(period))


async def debtors(session: AsyncSession, community_id: CommunityId, today: date, wanted: int) -> tuple[Debtor, ...]:
    """Return the accounts with the largest overdue amounts: open on bills that were due before today."""
    values = {"community": community_id, "today": today, "wanted": min(wanted, DEBTORS_MAX)}
    return tuple(
        Debtor(
            account_id=AccountId(row.account_id),
            premises_id=PremisesId(row.premises_id),
            room=row.label,
            party_name=row.name,
            overdue_fen=row.fen,
            since=row.since,
        )
        for row in await session.execute(_DEBTORS, values)
    )
