"""The auditor: looks at the database with SQL of its own after each step, and knows nothing of the product's functions.

Each check is a question whose answer must be no rows. Two need a memory: what is append-only never changes or goes,
and what was acknowledged to somebody outside is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from uuid import UUID

import psycopg

_APPEND_ONLY = (
    "journal",
    "transfer",
    "ledger_account",
    "bill",
    "bill_line",
    "payment",
    "seal",
    "book_close",
    "settlement",
    "audit",
    "cash_payout",
    "gateway_batch",
    "meter_day_block",
    "reading_revision",
)
_MOVED = b"""
    create or replace temporary view moved as
    select a.ledger_account_id, a.type, a.owner_id, t.bill_id, t.line_n, t.route, t.journal_id,
           case when t.debit_id = a.ledger_account_id then t.fen else -t.fen end as fen
      from transfer t join ledger_account a
        on a.tenant_id = t.tenant_id and a.ledger_account_id in (t.debit_id, t.credit_id)
     where t.kind in ('posted', 'post')
"""
CHECKS: Mapping[str, str] = MappingProxyType(
    {
        "a bill is the sum of its lines": """
            select b.number from bill b left join bill_line l using (tenant_id, community_id, bill_id)
             group by b.tenant_id, b.bill_id, b.number, b.total_fen, b.line_count
            having b.total_fen <> coalesce(sum(l.fen), 0) or b.line_count <> count(l.n)""",
        "what is billed is in the book": """
            select b.number, b.total_fen from bill b
              left join journal j on j.tenant_id = b.tenant_id and j.document_id = b.bill_id
              left join moved m on m.journal_id = j.journal_id and m.type = 'receivable'
                                     and m.route in ('issue', 'credit_note', 'opening')
             group by b.bill_id, b.number, b.total_fen having b.total_fen <> coalesce(sum(m.fen), 0)""",
        "no line is settled above what is owed": """
            select bill_id, line_n, sum(fen) from moved m where type = 'receivable'
             group by 1, 2 having sum(fen) < 0""",
        "a receipt is what its journal moved": """
            select p.number from payment p left join transfer t using (tenant_id, community_id, journal_id)
             group by p.payment_id, p.number, p.amount_fen having p.amount_fen <> coalesce(sum(t.fen), 0)""",
        "a balance is the sum of its transfers": """
            select b.ledger_account_id from balance b cross join lateral (
              select coalesce(sum(d.fen) filter (where t.debit_id = b.ledger_account_id and d.posted), 0) as dr,
                     coalesce(sum(d.fen) filter (where t.credit_id = b.ledger_account_id and d.posted), 0) as cr,
                     coalesce(sum(d.fen) filter (where t.debit_id = b.ledger_account_id and not d.posted), 0) as dp,
                     coalesce(sum(d.fen) filter (where t.credit_id = b.ledger_account_id and not d.posted), 0) as cp
                from transfer t
                left join transfer r on r.tenant_id = t.tenant_id and r.journal_id = t.pending_journal_id
                                    and r.n = t.pending_n
                cross join lateral (values (true, case when t.kind in ('posted', 'post') then t.fen else 0 end),
                                           (false, case t.kind when 'pending' then t.fen when 'posted' then 0
                                                               else -r.fen end)) d (posted, fen)
               where b.ledger_account_id in (t.debit_id, t.credit_id)) s
             where (s.dr, s.cr, s.dp, s.cp)
                   is distinct from (b.debit_posted, b.credit_posted, b.debit_pending, b.credit_pending)""",
        "a guarded account never crosses": """
            select ledger_account_id from balance
             where guard = 'credit' and debit_pending + debit_posted > credit_posted
                or guard = 'debit' and credit_pending + credit_posted > debit_posted""",
        "a reservation is resolved at most once": """
            select t.pending_journal_id from transfer t
              join transfer r on r.tenant_id = t.tenant_id and r.journal_id = t.pending_journal_id and r.n = t.pending_n
             group by t.pending_journal_id, t.pending_n, r.fen having count(*) > 1 or sum(t.fen) > r.fen""",
        "numbers have no gap": r"""
            select prefix, count(*) from (
              select substring(number from '^(.*?)\d+$') as prefix, substring(number from '(\d+)$')::bigint as n
                from (select number from bill union all select number from payment) all_numbers) numbered
             group by 1 having min(n) <> 1 or max(n) <> count(*) or count(distinct n) <> count(*)""",
        "one bill for each obligation": """
            select o.account_id::text from obligation o left join bill b on b.tenant_id = o.tenant_id
               and b.account_id = o.account_id and b.cycle = o.cycle and b.period_start = o.period_start
               and b.kind = o.kind and b.seq = o.seq
             where o.kind = 'regular' and (o.state = 'issued') <> (b.bill_id is not null)
            union all
            select account_id::text from bill where kind = 'regular'
             group by account_id, cycle, period_start having count(*) > 1""",
        "a deposit holds what its account holds": """
            select d.deposit_id from deposit d
              left join moved m on m.type = 'deposit_held' and m.owner_id = d.deposit_id
             group by d.deposit_id, d.amount_fen, d.deducted_fen, d.returned_fen, d.payment_id
            having coalesce(-sum(m.fen), 0)
                <> case when d.payment_id is null then 0 else d.amount_fen - d.deducted_fen - d.returned_fen end""",
        "a cash box holds what was put in": """
            select s.cash_shift_id from cash_shift s
             where s.closed_at is null
               and s.opening_fen
                   + (select coalesce(sum(p.amount_fen), 0) from payment p
                       where p.cash_shift_id = s.cash_shift_id and p.channel = 'cash')
                   - (select coalesce(sum(amount_fen), 0) from cash_payout o where o.cash_shift_id = s.cash_shift_id)
                <> (select coalesce(sum(m.fen), 0) from moved m
                     where m.type = 'cash' and m.owner_id = s.cash_box_id)""",
        "suspense is the lines that wait": """
            select 1 where (select coalesce(sum(fen), 0) from bank_line where state = 'suspense' and fen > 0)
                        <> (select coalesce(-sum(fen), 0) from moved m where type = 'suspense')""",
        "a sealed day stays as it was": """
            select s.business_date from seal s left join journal j on j.tenant_id = s.tenant_id
               and j.community_id = s.community_id and j.business_date = s.business_date
             group by s.tenant_id, s.community_id, s.business_date, s.journals
            having s.journals <> count(j.journal_id)""",
        "nothing is dated into a closed period": """
            select c.period_end, j.journal_id from book_close c join journal j
                on j.tenant_id = c.tenant_id and j.community_id = c.community_id
             where j.business_date < c.period_end and j.recorded_at > c.closed_at""",
        "who moved out was settled with once": """
            select s.account_id from settlement s join account a using (tenant_id, community_id, account_id)
              left join party_premises r on r.tenant_id = a.tenant_id and r.premises_id = a.premises_id
                                        and r.party_id = a.party_id and r.role = 'payer'
             group by s.account_id, s.settlement_id, s.moved_out_on
            having max(coalesce(r.ends, 'infinity')) > s.moved_out_on
                or (select count(*) from settlement o where o.account_id = s.account_id) > 1""",
        "no job is given up": "select key, last_error from job where state = 'dead'",
    }
)
APPEND_ONLY = "what is written once stays"
CHANNEL = "the channel's book is ours"
_ONLINE = "select order_number, amount_fen from payment where channel = 'wechat'"
_BACK = "select refund_number, amount_fen from refund where route = 'original' and state = 'arrived'"
ACKNOWLEDGED = "what was acknowledged is there"


@dataclass(frozen=True, slots=True)
class Breach:
    """A law that does not hold, and what shows it."""

    check: str
    what: str


class Auditor:
    """Looks at one database, again and again."""

    def __init__(self, conninfo: str) -> None:
        self._connection = psycopg.connect(conninfo, autocommit=True)
        self._seen: dict[str, set[str]] = {table: set() for table in _APPEND_ONLY}
        self.acknowledged: dict[UUID, int] = {}

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def one(self, question: str, salt: str) -> UUID | None:
        """Return the first id that a question names, or None."""
        row = self._connection.execute(question.encode(), {"salt": salt}).fetchone()
        return None if row is None else row[0]

    def days(self, question: str) -> list[date]:
        """Return the days that a question names."""
        return [row[0] for row in self._connection.execute(question.encode()).fetchall()]

    def asked_by(self, question: Callable[[psycopg.Connection], list[Breach]]) -> list[Breach]:
        """Let somebody else who trusts nobody look."""
        return question(self._connection)

    def differs(self, paid: Mapping[str, int], back: Mapping[str, int]) -> list[Breach]:
        """Return where a channel's book of payments and of refunds, by number, is not ours."""
        ours: dict[str, int] = dict(self._connection.execute(_ONLINE).fetchall())
        ours_back: dict[str, int] = dict(self._connection.execute(_BACK).fetchall())
        return [
            Breach(CHANNEL, f"{words} {sorted(set(theirs.items()) ^ set(own.items()))[:3]}")
            for words, theirs, own in (("payments", paid, ours), ("refunds", back, ours_back))
            if theirs != own
        ]

    def breaches(self) -> list[Breach]:
        """Return what does not hold now."""
        return self.within(self._connection)

    def within(self, connection: psycopg.Connection) -> list[Breach]:
        """Return what does not hold as a connection sees the book, in the middle of its transaction too."""
        connection.execute(_MOVED)
        found = [
            Breach(check, ", ".join(str(part) for part in row))
            for check, question in CHECKS.items()
            for row in connection.execute(question.encode()).fetchmany(3)
        ]
        return [*found, *self._changed(connection), *self._lost(connection)]

    def _changed(self, connection: psycopg.Connection) -> list[Breach]:
        found = []
        for table in _APPEND_ONLY:
            rows = connection.execute(f"select t::text from {table} t".encode()).fetchall()  # noqa: S608 - the names above
            now = {hashlib.sha256(row.encode()).hexdigest() for (row,) in rows}
            gone = self._seen[table] - now
            if gone:
                found.append(Breach(APPEND_ONLY, f"{len(gone)} rows of {table} changed or went"))
            if connection is self._connection:
                self._seen[table] = now
        return found

    def _lost(self, connection: psycopg.Connection) -> list[Breach]:
        booked: dict[UUID, int] = dict(connection.execute("select payment_id, amount_fen from payment").fetchall())
        return [
            Breach(ACKNOWLEDGED, f"payment {one} of {fen} fen is {booked.get(one)} in the book")
            for one, fen in self.acknowledged.items()
            if booked.get(one) != fen
        ]
