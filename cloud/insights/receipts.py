"""What came in and went out of a community's money accounts, by channel, method, fund and item; and its cash shifts.

Every movement of the book between a money account (clearing, cash, bank) and any other kind stands in one row, with its
sign, so the rows of some days sum to what the book says those accounts moved by. Nothing is left out and nothing twice:
what has no payment behind it, such as a channel's fee, has no channel and stands under its route.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.payments.channel import Channel, Method
from cloud.tariffs.charge import FundClass
from common.civil import Period, midnight
from common.ids import CommunityId

SHIFTS_MAX = 500
# Routes by which money comes from payers; the mirror of each takes it back to them.
FROM_PAYERS = frozenset({"receipt", "prepay", "deposit_in", "suspend"})
TO_PAYERS = frozenset({"refund", "deposit_out", "return"})

_MOVES = text("""
    with money as (
        select ledger_account_id from ledger_account
         where community_id = :community and type in ('clearing', 'cash', 'bank')
    )
    select j.business_date as day, coalesce(p.channel, r.channel) as channel, coalesce(p.method, r.method) as method,
           case when coalesce(p.channel, r.channel) in ('wechat', 'alipay', 'unionpay')
                then coalesce(p.sub_method, r.sub_method) else '' end as sub_method,
           case when m.ledger_account_id is null then t.credit_class else t.debit_class end as fund,
           t.route, coalesce(l.charge_code, '') as code, coalesce(l.name_zh, '') as name_zh,
           coalesce(l.name_en, '') as name_en, count(*) as moves,
           sum(case when m.ledger_account_id is null then -t.fen else t.fen end)::bigint as fen
      from journal j
      join transfer t on (t.tenant_id, t.community_id, t.journal_id) = (j.tenant_id, j.community_id, j.journal_id)
           and t.kind in ('posted', 'post')
      left join money m on m.ledger_account_id = t.debit_id
      left join money n on n.ledger_account_id = t.credit_id
      left join payment p on j.document_kind = 'payment' and p.community_id = j.community_id
           and p.payment_id = j.document_id
      left join refund b on j.document_kind = 'refund' and b.community_id = j.community_id
           and b.refund_id = j.document_id
      left join payment r on r.community_id = b.community_id and r.payment_id = b.payment_id
      left join bill_line l on l.community_id = t.community_id and l.bill_id = t.bill_id and l.n = t.line_n
     where j.community_id = :community and j.business_date >= :start and j.business_date < :end
       and (m.ledger_account_id is null) <> (n.ledger_account_id is null)
     group by 1, 2, 3, 4, 5, 6, 7, 8, 9
     order by 1, 2, 3, 4, 5, 6, 7, 8, 9
""")
_SHIFTS = text("""
    select s.cash_shift_id, x.name as box, coalesce(u.display_name, '') as cashier, s.opened_at, s.closed_at,
           s.opening_fen, s.expected_fen, s.counted_fen, s.reason
      from cash_shift s
      join cash_box x on x.community_id = s.community_id and x.cash_box_id = s.cash_box_id
      left join app_user u on u.user_id = s.cashier_id
     where s.community_id = :community and s.opened_at >= :since and s.opened_at < :until
     order by s.opened_at, s.cash_shift_id
     limit :wanted
""")
_TAKEN = text("""
    select cash_shift_id, channel, method, count(*) as payments, sum(amount_fen)::bigint as fen
      from payment where community_id = :community and cash_shift_id = any(:shifts)
     group by 1, 2, 3 order by 1, 2, 3
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyMove:
    """What moved on a day by one way for one item; `fen` is negative where money went out.

    `sub_method` is what an online channel said of where the money came from, empty for the others.
    """

    day: date
    channel: Channel | None
    method: Method | None
    fund_class: FundClass
    route: str
    item_code: str
    name_zh: str
    name_en: str
    moves: int
    fen: int
    sub_method: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Received from payers, given back to them, everything else; together what the money accounts moved by."""

    received_fen: int = 0
    given_back_fen: int = 0
    other_fen: int = 0

    @property
    def net_fen(self) -> int:
        """Return what the money accounts moved by."""
        return self.received_fen + self.given_back_fen + self.other_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenByWay:
    """What a shift took by one way."""

    channel: Channel
    method: Method
    payments: int
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftSummary:
    """A cashier's shift with what was taken by each way; expected, counted and difference are None while it is open."""

    cash_shift_id: UUID
    box: str
    cashier: str
    opened_at: datetime
    closed_at: datetime | None
    opening_fen: int
    expected_fen: int | None
    counted_fen: int | None
    reason: str
    taken: tuple[TakenByWay, ...]

    @property
    def difference_fen(self) -> int | None:
        """Return by how much the count is above the book, negative below."""
        if self.counted_fen is None or self.expected_fen is None:
            return None
        return self.counted_fen - self.expected_fen


async def money_moves(session: AsyncSession, community_id: CommunityId, days: Period) -> tuple[MoneyMove, ...]:
    """Return every movement of the money accounts on some days of the book, by day and way."""
    found = await session.execute(_MOVES, {"community": community_id, "start": days.start, "end": days.end})
    return tuple(
        MoneyMove(
            day=row.day,
            channel=None if row.channel is None else Channel(row.channel),
            method=None if row.method is None else Method(row.method),
            fund_class=FundClass(row.fund),
            route=row.route,
            item_code=row.code,
            name_zh=row.name_zh,
            name_en=row.name_en,
            moves=row.moves,
            fen=row.fen,
            sub_method=row.sub_method,
        )
        for row in found
    )


async def shift_summaries(
    session: AsyncSession, community_id: CommunityId, days: Period, zone: ZoneInfo
) -> tuple[ShiftSummary, ...]:
    """Return the shifts that were opened on some days, each with what it took by way."""
    asked = {
        "community": community_id,
        "since": midnight(days.start, zone),
        "until": midnight(days.end, zone),
        "wanted": SHIFTS_MAX,
    }
    shifts = (await session.execute(_SHIFTS, asked)).all()
    taken: dict[UUID, list[TakenByWay]] = defaultdict(list)
    ids = [row.cash_shift_id for row in shifts]
    for row in await session.execute(_TAKEN, {"community": community_id, "shifts": ids}):
        way = TakenByWay(channel=Channel(row.channel), method=Method(row.method), payments=row.payments, fen=row.fen)
        taken[row.cash_shift_id].append(way)
    return tuple(
        ShiftSummary(
            cash_shift_id=row.cash_shift_id,
            box=row.box,
            cashier=row.cashier,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
            opening_fen=row.opening_fen,
            expected_fen=row.expected_fen,
            counted_fen=row.counted_fen,
            reason=row.reason,
            taken=tuple(taken[row.cash_shift_id]),
        )
        for row in shifts
    )


def totals(moves: Iterable[MoneyMove]) -> Totals:
    """Return what was received, given back, and moved otherwise."""
    received = given_back = other = 0
    for move in moves:
        if move.route in FROM_PAYERS:
            received += move.fen
        elif move.route in TO_PAYERS:
            given_back += move.fen
        else:
            other += move.fen
    return Totals(received_fen=received, given_back_fen=given_back, other_fen=other)


def grouped(
    moves: Sequence[MoneyMove], key: Callable[[MoneyMove], tuple[object, ...]]
) -> Mapping[tuple[object, ...], Totals]:
    """Return the totals of some movements for each key, in the order of its first movement."""
    found: dict[tuple[object, ...], list[MoneyMove]] = {}
    for move in moves:
        found.setdefault(key(move), []).append(move)
    return {name: totals(those) for name, those in found.items()}
