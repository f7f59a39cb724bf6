"""What is issued beside what should be, in columns: which accounts of a range of premises a change of prices touches.

Both sides are laid out by premises, period and charge item. Premises whose past is plain are compared here: one account
owes for a period and its obligation is settled, and every issued line is of that account, of the whole period and of
what is measured now. All other premises are `odd`, for the by-value road of `corrections.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

import numpy as np
import numpy.typing as npt
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate.in_columns import PremisesRange
from cloud.kit.bulk import read_columns
from cloud.kit.images import ID, Columns, Ids, Integers, day_number, ids_of
from cloud.rating.column_lines import Flags, LineColumns, Rows
from cloud.rating.column_rating import RatedColumns
from cloud.tariffs.charge import ChargeItem
from common.civil import Period
from common.ids import ChargeItemId, PremisesId

NOTHING = bytes(ID.itemsize)
_RANGE = text("""
    select premises_id from premises where community_id = :community and premises_id > :after
     order by premises_id limit :wanted
""")
_LOCK = text("""
    select from account where community_id = :community and premises_id between :first and :last
     order by account_id for update
""")
_SETTLED: LiteralString = """
    select o.premises_id, o.account_id, a.party_id, o.period_start, o.state <> 'due' as settled,
           o.kind = 'regular' and o.seq = 1 as regular
      from obligation o
      join account a on (a.tenant_id, a.community_id, a.account_id) = (o.tenant_id, o.community_id, o.account_id)
     where o.community_id = {community} and o.cycle = {cycle} and o.premises_id between {first} and {last}
       and o.period_start = any({starts}::date[])
"""
_ISSUED: LiteralString = """
    select a.premises_id, b.account_id, l.bill_id, l.n, l.charge_item_id,
           case when l.subject ~ '^[0-9a-f-]{{36}}$' then l.subject::uuid else {nothing}::uuid end as subject,
           l.service_start, l.service_end, l.fen, coalesce(l.quantity_milli, 0) as quantity_milli,
           coalesce(l.corrects_bill_id, {nothing}::uuid) as corrects_bill_id, coalesce(l.corrects_n, 0) as corrects_n,
           (l.subject = '' or l.subject ~ '^[0-9a-f-]{{36}}$') and l.component = 'charge'
             and concat_ws('|', l.charge_item_id, l.charge_code, l.name_zh, l.name_en, l.basis, l.nature, l.fund_class,
                           l.legal_entity_id, l.tax_code, l.tax_rate_micro, l.bears_late_charge::text)
                 = any({charges}::text[]) as same
      from account a
      join bill b on (b.tenant_id, b.account_id) = (a.tenant_id, a.account_id) and b.community_id = a.community_id
      join bill_line l on (l.tenant_id, l.community_id, l.bill_id) = (b.tenant_id, b.community_id, b.bill_id)
     where a.community_id = {community} and a.premises_id between {first} and {last} and b.cycle = {cycle}
       and l.charge_item_id = any({items}::uuid[]) and l.service_start < {end} and l.service_end > {start}
     order by b.issued_at, b.number, l.n
"""
_ISSUED_TYPES: Mapping[str, npt.DTypeLike] = {
    "premises_id": ID,
    "account_id": ID,
    "bill_id": ID,
    "n": ">i8",
    "charge_item_id": ID,
    "subject": ID,
    "service_start": ">i4",
    "service_end": ">i4",
    "fen": ">i8",
    "quantity_milli": ">i8",
    "corrects_bill_id": ID,
    "corrects_n": ">i8",
    "same": "?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is compared: the settled periods of a cycle, oldest first, and the charge items whose prices changed."""

    cycle: str
    periods: tuple[Period, ...]
    items: Mapping[ChargeItemId, ChargeItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A key whose sum is not what it should be: a row of a group, and the issued lines of the key in their order."""

    account: bytes
    premises: bytes
    period: int
    group: LineColumns
    at: int
    was_fen: int
    issued: Sequence[int]

    @property
    def now_fen(self) -> int:
        """Return what should be."""
        return int(self.group.fen[self.at])


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The differences of plain premises in the order of premises and period, and the premises that are not plain."""

    premises: Ids
    differences: tuple[Difference, ...]
    issued: Columns
    odd: Ids


async def next_range(session: AsyncSession, where: PremisesRange, wanted: int) -> PremisesRange | None:
    """Return the premises that follow the first of a range, itself left out; None when there are none."""
    values = {"community": where.community_id, "after": where.first, "wanted": wanted}
    found = list(await session.scalars(_RANGE, values))
    if not found:
        return None
    return PremisesRange(community_id=where.community_id, first=PremisesId(found[0]), last=PremisesId(found[-1]))


async def lock_accounts_in(session: AsyncSession, where: PremisesRange) -> None:
    """Lock every account of a range in id order until the unit ends."""
    await session.execute(_LOCK, where.values())


async def compare(session: AsyncSession, where: PremisesRange, past: Past, rated: Sequence[RatedColumns]) -> Compared:
    """Return how what is issued for a range of premises differs from what it was rated to, period by period."""
    starts = [period.start for period in past.periods]
    values = {**where.values(), "cycle": past.cycle}
    obliged = await read_columns(
        session,
        _SETTLED,
        {**values, "starts": starts},
        {"premises_id": ID, "account_id": ID, "party_id": ID, "period_start": ">i4", "settled": "?", "regular": "?"},
    )
    issued = await read_columns(
        session,
        _ISSUED,
        {
            **values,
            "nothing": UUID(int=0),
            "charges": [_facts(item) for item in past.items.values()],
            "items": list(past.items),
            "start": past.periods[0].start,
            "end": past.periods[-1].end,
        },
        _ISSUED_TYPES,
    )
    return _Comparison(past, rated, obliged, issued).outcome()


def _facts(item: ChargeItem) -> str:
    facts = (item.charge_item_id, item.code, item.name_zh, item.name_en, item.basis.value, item.nature.value)
    more = (item.fund_class.value, item.legal_entity_id, item.tax_code, item.tax_rate_micro)
    said = "|".join(str(fact) for fact in (*facts, *more, "true" if item.bears_late_charge else "false"))
    return said.replace("%", "%%")  # as a text inside a statement that has places for values


class _Comparison:
    """One range while it is compared; premises are rows in the order of their ids."""

    def __init__(self, past: Past, rated: Sequence[RatedColumns], obliged: Columns, issued: Columns) -> None:
        self._past = past
        self._rated = rated
        self._issued = issued
        self._premises: Ids = rated[0].homes.premises
        self._odd: Flags = np.zeros(len(self._premises), dtype=np.bool_)
        for one in rated:
            self._odd |= one.odd
        self._codes = {item: n for n, item in enumerate(sorted(past.items))}
        self._accounts = [self._accounts_of(k, obliged) for k in range(len(past.periods))]

    def _accounts_of(self, k: int, obliged: Columns) -> tuple[Ids, Flags]:
        """Return who owes for each premises in a period, and whether it is settled; nobody where that is not plain."""
        count = len(self._premises)
        own = np.flatnonzero(obliged["period_start"] == day_number(self._past.periods[k].start))
        rows = np.searchsorted(self._premises, obliged["premises_id"][own])
        times = np.bincount(rows, minlength=count)
        payers = self._rated[k].homes.payers
        good = obliged["regular"][own] & (obliged["party_id"][own] == payers[rows]) & (times[rows] == 1)
        self._odd[rows[~good]] = True
        accounts: Ids = np.zeros(count, dtype=ID)
        settled: Flags = np.zeros(count, dtype=np.bool_)
        accounts[rows[good]] = obliged["account_id"][own][good]
        settled[rows[good]] = obliged["settled"][own][good]
        return accounts, settled

    def outcome(self) -> Compared:
        """Return what differs."""
        sums, lines = self._sorted_issued()
        found: list[tuple[int, Difference]] = []
        charged = np.zeros_like(sums, dtype=np.bool_)
        for k, rated in enumerate(self._rated):
            for group in rated.groups:
                charged[group.rows, k, self._codes[group.item.charge_item_id]] = True
        unasked = lines.keys() - {tuple(key) for key in np.argwhere(charged).tolist()}
        self._odd[[row for row, _, _ in unasked]] = True
        for k, rated in enumerate(self._rated):
            accounts, settled = self._accounts[k]
            for group in rated.groups:
                code = self._codes[group.item.charge_item_id]
                self._odd[group.rows[self._other_subject(group, k, code, lines)]] = True
                differs = settled[group.rows] & (sums[group.rows, k, code] != group.fen)
                found += self._found(k, group, np.flatnonzero(differs), accounts, (sums, lines))
        odd = frozenset(np.flatnonzero(self._odd).tolist())
        kept = [(row, one) for row, one in found if row not in odd]
        kept.sort(key=lambda pair: (pair[0], pair[1].period))
        return Compared(
            premises=self._premises,
            differences=tuple(one for _, one in kept),
            issued=self._issued,
            odd=self._premises[self._odd],
        )

    def _sorted_issued(self) -> tuple[Integers, dict[tuple[int, int, int], list[int]]]:
        """Return the issued sums by premises, period and charge item, and the lines behind each."""
        issued, periods = self._issued, self._past.periods
        sums: Integers = np.zeros((len(self._premises), len(periods), len(self._codes)), dtype=np.int64)
        rows = np.searchsorted(self._premises, issued["premises_id"])
        of_period = np.full(len(rows), -1, dtype=np.intp)
        plain = issued["same"].copy()
        for k, period in enumerate(periods):
            own = (issued["service_start"] == day_number(period.start)) & (
                issued["service_end"] == day_number(period.end)
            )
            accounts, settled = self._accounts[k]
            of_period[own] = k
            plain[own] &= (issued["account_id"][own] == accounts[rows[own]]) & settled[rows[own]]
        plain &= of_period >= 0
        self._odd[rows[~plain]] = True
        codes = np.zeros(len(rows), dtype=np.intp)
        for item, code in self._codes.items():
            codes[issued["charge_item_id"] == ids_of([item])[0]] = code
        np.add.at(sums, (rows[plain], of_period[plain], codes[plain]), issued["fen"][plain])
        lines: dict[tuple[int, int, int], list[int]] = {}
        for at in np.flatnonzero(plain).tolist():
            lines.setdefault((int(rows[at]), int(of_period[at]), int(codes[at])), []).append(at)
        return sums, lines

    def _other_subject(
        self, group: LineColumns, k: int, code: int, lines: Mapping[tuple[int, int, int], list[int]]
    ) -> Rows:
        """Return where a group has issued lines about something else than what is measured now."""
        subjects = subjects_of(group)
        own = self._issued["subject"]
        return np.array(
            [
                at
                for at, row in enumerate(group.rows.tolist())
                if any(own[line] != subjects[at] for line in lines.get((row, k, code), ()))
            ],
            dtype=np.intp,
        )

    def _found(
        self,
        k: int,
        group: LineColumns,
        places: Rows,
        accounts: Ids,
        issued: tuple[Integers, Mapping[tuple[int, int, int], list[int]]],
    ) -> list[tuple[int, Difference]]:
        sums, lines = issued
        code = self._codes[group.item.charge_item_id]
        rows = group.rows[places].tolist()
        return [
            (
                row,
                Difference(
                    account=bytes(accounts[row]),
                    premises=bytes(self._premises[row]),
                    period=k,
                    group=group,
                    at=at,
                    was_fen=int(sums[row, k, code]),
                    issued=lines.get((row, k, code), ()),
                ),
            )
            for at, row in zip(places.tolist(), rows, strict=True)
        ]


def subjects_of(group: LineColumns) -> Ids:
    """Return what each line of a group is about, as an id; nothing where nothing is measured."""
    if group.pool is not None:
        return np.repeat(ids_of([group.pool.meter_id]), len(group.rows))
    if group.meters is None:
        return np.zeros(len(group.rows), dtype=ID)
    return group.meters
