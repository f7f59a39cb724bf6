"""One chunk of a bill run by column: rated columns become journals, numbers, bills, lines and settled obligations.

Everything is written by binary COPY in the unit of the chunk, journals first and numbers last; the database compares
companies and references set by set. Households that are not plain are left due here, for the by-value road.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cloud.billing import due as due_queries
from cloud.billing import repository
from cloud.billing.column_bills import (
    BILL_COLUMNS,
    LINE_COLUMNS,
    BillIds,
    Issue,
    Pattern,
    batch_of,
    bill_images,
    line_image,
    patterns,
)
from cloud.billing.events import BillsIssued
from cloud.billing.lines import BillKind
from cloud.billing.rules import number_prefix
from cloud.billing.tables import BillingPeriodRow, BillLineRow, BillRow
from cloud.estate.in_columns import NOBODY
from cloud.estate.values import Community
from cloud.kit.db import Unit
from cloud.kit.images import Columns, Ids, id_at, id_list
from cloud.kit.tables import table_of
from cloud.ledger.issued_columns import post_issued
from cloud.rating import service as rating
from cloud.rating.column_lines import Flags, LineColumns, Rows
from cloud.rating.column_rating import RatedColumns
from cloud.rating.column_run import ColumnRating
from common.civil import Period, civil_day
from common.errors import ensure
from common.ids import AccountId, BillId, PremisesId

_BILLS, _LINES = (table_of(row) for row in (BillRow, BillLineRow))
BILL_TABLES = (_BILLS, _LINES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChunk:
    """What a chunk did by column; `left` marks the due obligations that are to be rated by value."""

    issued: int
    waived: int
    total_fen: int
    left: Flags


async def issue_by_column(
    unit: Unit, columns: ColumnRating, period: BillingPeriodRow, community: Community, due: Columns
) -> ColumnChunk:
    """Issue the bills of the plain households among some due obligations, which are held."""
    first, last = (PremisesId(id_at(due["premises_id"], position)) for position in (0, -1))
    rated = await columns.rate(unit.session, first, last)
    plain, homes = _plain(rated, due)
    accounts: Ids = np.zeros(len(rated.homes.premises), dtype=due["account_id"].dtype)
    accounts[homes] = due["account_id"][plain]
    asked = np.zeros(len(accounts), dtype=np.bool_)
    asked[homes] = True
    groups = [group.taken(asked[group.rows]) for group in rated.groups]
    groups = [group for group in groups if len(group.rows)]
    charged = np.zeros(len(accounts), dtype=np.bool_)
    for group in groups:
        charged[group.rows] = True
    chunk = _Chunk(unit, columns, period, community)
    total_fen = await chunk.issue(groups, rated.homes.premises, accounts, charged)
    waived = accounts[asked & ~charged]
    if len(waived):
        settled = await due_queries.settle_columns(unit.session, period, waived, None)
        ensure(settled == len(waived), "an obligation that is held is still due")
        unit.record("waived", "billing_period", community.id, after={"obligations": settled})
    return ColumnChunk(issued=int(charged.sum()), waived=len(waived), total_fen=total_fen, left=~plain)


def _plain(rated: RatedColumns, due: Columns) -> tuple[Flags, Rows]:
    """Return which due obligations are of plain households, and the household of each of those."""
    premises = rated.homes.premises
    place = np.minimum(np.searchsorted(premises, due["premises_id"]), max(len(premises) - 1, 0))
    found = premises[place] == due["premises_id"]
    plain: Flags = due["plain"] & found & ~rated.odd[place]
    payers = rated.homes.payers[place]
    plain &= (payers == due["party_id"]) & (payers != NOBODY)
    return plain, place[plain]


class _Chunk:
    """The documents of one chunk."""

    def __init__(self, unit: Unit, columns: ColumnRating, period: BillingPeriodRow, community: Community) -> None:
        self._unit = unit
        self._columns = columns
        self._period = period
        self._community = community

    async def issue(self, groups: list[LineColumns], premises: Ids, accounts: Ids, charged: Flags) -> int:
        """Write the bills of all charged households and return their sum."""
        count = int(charged.sum())
        if not count:
            return 0
        unit, period, community = self._unit, self._period, self._community
        input_sha, kept = self._columns.outcome(premises, groups)
        today = civil_day(unit.now, community.zone)
        issue = Issue(
            tenant=unit.tenant,
            community_id=community.id,
            cycle=period.cycle,
            period=Period(period.period_start, period.period_end),
            issued_at=unit.now,
            issued_on=today,
            due_on=max(period.due_on, today),
            input_sha=input_sha,
        )
        made = patterns(groups, len(premises))
        ids = BillIds(accounts=accounts[charged], bills=unit.new_ids(count))
        batches = [batch_of(issue, pattern, ids) for pattern in made]
        await post_issued(unit, community.id, today, f"bill_{BillKind.REGULAR}", batches)
        await self._write(issue, made, ids)
        settled = await due_queries.settle_columns(unit.session, period, ids.accounts, ids.bills)
        ensure(settled == count, "an obligation that is held is still due")
        await rating.keep(unit, community.id, kept)
        total_fen = sum(int(pattern.total_fen.sum()) for pattern in made)
        self._tell(ids, total_fen)
        return total_fen

    async def _write(self, issue: Issue, made: tuple[Pattern, ...], ids: BillIds) -> None:
        unit, community = self._unit, self._community
        prefix = number_prefix(community.code, BillKind.REGULAR, issue.issued_on.year)
        first = await repository.take_numbers(unit.session, unit.tenant, community.id, prefix, len(ids.bills))
        bills = [image for pattern in made for image in bill_images(issue, pattern, ids, prefix, first)]
        await unit.load_images(_BILLS, BILL_COLUMNS, bills)
        lines = [line_image(issue, pattern, ids) for pattern in made]
        await unit.load_images(_LINES, LINE_COLUMNS, lines)

    def _tell(self, ids: BillIds, total_fen: int) -> None:
        after = {"documents": len(ids.bills), "total_fen": total_fen, "last_bill": str(id_at(ids.bills, -1))}
        self._unit.record("issued", "bill", id_at(ids.bills, 0), after=after)
        self._unit.publish(
            BillsIssued(
                community_id=self._community.id,
                bill_ids=tuple(BillId(one) for one in id_list(ids.bills)),
                account_ids=tuple(AccountId(one) for one in id_list(ids.accounts)),
            )
        )
