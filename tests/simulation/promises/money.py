"""Nobody's money is pooled, and the day is reconciled to the fen: the channel's own book against ours."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from tests.simulation.promises.stores import Comparison, Figures, Look, sqlite_rows

_RECEIVED = "merchant:"


def _channel_totals(look: Look) -> dict[str, int]:
    """Return what the channel took in for each merchant, less what it paid back, before its own fee."""
    totals: dict[str, int] = defaultdict(int)
    for debit, credit, fen in sqlite_rows(look.stores.channel_book, "select debit, credit, fen from entry"):
        if debit.startswith("payer:"):
            totals[credit.removeprefix(_RECEIVED)] += fen
        elif credit.startswith("payer:"):
            totals[debit.removeprefix(_RECEIVED)] -= fen
    return dict(totals)


def _nobody_pooled(look: Look) -> Figures:
    """Compare per merchant what the channel holds with the clearing account of exactly that entity and fund."""
    clearing = {row.merchant_number: row for row in _clearing(look)}
    channel = _channel_totals(look)
    faults = [f"{row.account} moves money of {row.what}" for row in _strays(look)]
    entities = {(row.tenant_id, row.legal_entity_id) for row in clearing.values()}
    if len(entities) <= 1:
        faults.append("all merchant accounts belong to one legal entity, so nothing is shown")
    for merchant in channel.keys() | clearing.keys():
        ours = clearing[merchant].fen if merchant in clearing else 0
        if channel.get(merchant, 0) != ours:
            faults.append(f"merchant {merchant}: the channel has {channel.get(merchant, 0)}, the book {ours}")
    return Figures(left=sum(channel.values()), right=sum(row.fen for row in clearing.values()), faults=tuple(faults))


def _clearing(look: Look) -> list[Any]:
    """Return what the clearing account of each merchant account's entity and fund received from residents."""
    return look.rows("""
        select m.merchant_number, m.tenant_id, m.legal_entity_id,
               coalesce(sum(case when a.ledger_account_id = t.debit_id then t.fen else -t.fen end), 0)::bigint as fen
          from merchant_account m
          left join ledger_account a on a.tenant_id = m.tenant_id and a.type = 'clearing'
               and a.owner_id = m.merchant_account_id
               and a.legal_entity_id = m.legal_entity_id and a.fund_class = m.fund_class
          left join transfer t on t.tenant_id = a.tenant_id and a.ledger_account_id in (t.debit_id, t.credit_id)
               and t.kind in ('posted', 'post') and t.route not in ('settle', 'channel_fee')
         where m.channel = 'wechat'
         group by m.tenant_id, m.merchant_account_id
    """)


def _strays(look: Look) -> list[Any]:
    """Return the transfers whose two accounts, merchant or bill line are of another entity or fund."""
    return look.rows("""
        select 'transfer ' || t.journal_id || '/' || t.n as account,
               'another entity or fund' as what
          from transfer t
          join ledger_account d on d.tenant_id = t.tenant_id and d.ledger_account_id = t.debit_id
          join ledger_account c on c.tenant_id = t.tenant_id and c.ledger_account_id = t.credit_id
          left join bill_line l on l.tenant_id = t.tenant_id and l.bill_id = t.bill_id and l.n = t.line_n
          left join merchant_account m on m.tenant_id = d.tenant_id and m.merchant_account_id = d.owner_id
         where d.legal_entity_id <> c.legal_entity_id or d.fund_class <> c.fund_class
            or t.legal_entity_id <> d.legal_entity_id
            or l.legal_entity_id <> t.legal_entity_id or l.fund_class <> d.fund_class
            or m.legal_entity_id <> d.legal_entity_id or m.fund_class <> d.fund_class
    """)


def _reconciled(look: Look) -> Figures:
    """Compare what the channel took in on each day that was reconciled with what rows of its bill and ours agree on."""
    days = {
        (row.merchant_number, row.day): row
        for row in look.rows("""
            select m.merchant_number, r.day, r.open_breaks,
                   (select coalesce(sum(p.amount_fen), 0) from match x
                      join statement_line l using (tenant_id, statement_id, line)
                      join payment p on p.tenant_id = x.tenant_id and p.payment_id = x.object_id
                                    and p.order_number = l.number and p.amount_fen = l.fen
                     where x.tenant_id = r.tenant_id and x.statement_id = r.statement_id)::bigint as matched_fen
              from recon_day r join merchant_account m using (tenant_id, merchant_account_id)
        """)
    }
    taken = _taken_by_day(look)
    faults = []
    for (merchant, day), fen in taken.items():
        row = days.get((merchant, day))
        if row is None:
            faults.append(f"merchant {merchant}: {fen} fen were paid on {day}, which was never reconciled")
        elif row.matched_fen != fen or row.open_breaks:
            faults.append(f"merchant {merchant} {day}: paid {fen}, matched {row.matched_fen}, open {row.open_breaks}")
    matched = sum(row.matched_fen for row in days.values())
    return Figures(left=sum(taken.values()), right=matched, faults=tuple(faults))


def _taken_by_day(look: Look) -> dict[tuple[str, date], int]:
    """Return what the channel took in for each merchant on each of its days."""
    taken: dict[tuple[str, date], int] = defaultdict(int)
    query = "select at, credit, fen from entry where debit like 'payer:%'"
    for at, credit, fen in sqlite_rows(look.stores.channel_book, query):
        taken[credit.removeprefix(_RECEIVED), date.fromisoformat(at[:10])] += fen
    return dict(taken)


NOT_POOLED = Comparison(
    key="not_pooled",
    promise=8,
    name_zh="谁的钱就是谁的",
    name_en="Nobody's money is pooled",
    compared_zh="渠道账本里各商户的收款（分） 与 总账中该主体该资金类别的在途账户（分）",
    compared_en="fen that the channel holds by merchant | the clearing account of that entity and fund",
    figures=_nobody_pooled,
)
RECONCILED = Comparison(
    key="reconciled",
    promise=None,
    name_zh="对账到分",
    name_en="Reconciled to the fen",
    compared_zh="渠道账本各日收款（分） 与 账单文件和收款逐笔相符的金额（分）",
    compared_en="fen that the channel took in by day | fen on which its bill and our receipts agree, one by one",
    figures=_reconciled,
)
