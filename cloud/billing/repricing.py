"""A change of prices for the past, for a whole community: one adjustment for each account, made by column like a run.

    opened    which charge items, since when, and why; nothing is computed
    preview   what all documents would come to, by period, by what is known now
    approved  the preview, repeated by its hash; a worker books it in chunks and tells how far it is
    booked    every account is as the new prices say

Should and is are those of `corrections.py`, and so are the lines; only the charge items named are looked at. Plain
households are rated and compared by column, all others by value in the same chunk. Each chunk is a correction case of
its own with its documents, written with the place where the next begins: a worker that comes back goes on from there,
and what is booked again finds no difference and writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import corrections, repricing_lookups, service
from cloud.billing.adjusting import Adjustment, issue_adjustments
from cloud.billing.corrections import Cause, CorrectionPreview, CorrectionScope
from cloud.billing.documents import PastRater
from cloud.billing.errors import CaseClosedError, PreviewChangedError
from cloud.billing.events import PricesCorrected
from cloud.billing.lines import documents_sha
from cloud.billing.repriced_columns import Compared, Past, compare, lock_accounts_in, next_range
from cloud.billing.repriced_lines import adjustments_of
from cloud.billing.repriced_sums import PricePreview, Sums
from cloud.billing.service import MONTHLY
from cloud.billing.tables import CorrectionCaseRow, PriceCorrectionRow
from cloud.estate import service as estate
from cloud.estate.in_columns import PremisesRange
from cloud.kit.db import Unit
from cloud.kit.errors import NotFoundError
from cloud.kit.images import id_at
from cloud.rating.column_run import ColumnRating
from cloud.rating.repriced import prepare_periods
from cloud.tariffs import service as tariffs
from cloud.tariffs.charge import ChargeItem
from common.civil import Period
from common.errors import RefusalError
from common.ids import CaseId, ChargeItemId, CommunityId, PremisesId

CHUNK_PREMISES = 1_000
ITEMS_MAX = 20
_NO_PREMISES = PremisesId(UUID(int=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceScope:
    """Which charge items of a community are rated again, from the period that holds a day on."""

    community_id: CommunityId
    charge_items: frozenset[ChargeItemId]
    first_day: date
    cycle: str = MONTHLY


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceCorrection:
    """A change of prices and how far it is booked; sums and counts of booked documents, in fen."""

    price_correction_id: UUID
    scope: PriceScope
    reason: str
    state: str
    opened_at: datetime
    premises: int
    premises_done: int
    documents: int
    net_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A change of prices with its prices read."""

    scope: PriceScope
    past: Past
    columns: tuple[ColumnRating, ...]
    known_at: datetime


async def open_price_correction(unit: Unit, scope: PriceScope, *, reason: str) -> UUID:
    """Open a change of prices and return its id.

    Raises:
        RefusalError: no reason is given, or no charge item or too many, or one that the community has not.
    """
    if not reason.strip():
        raise RefusalError("a correction has a reason that its documents show; write what was wrong")
    if not 0 < len(scope.charge_items) <= ITEMS_MAX:
        raise RefusalError(f"a change of prices is of 1 to {ITEMS_MAX} charge items; name them")
    known = {item.charge_item_id for item in await tariffs.charge_items(unit.session, scope.community_id)}
    if not scope.charge_items <= known:
        raise RefusalError("the community has no such charge item; look at its list")
    periods = await repricing_lookups.settled_periods(unit.session, scope.community_id, scope.cycle, scope.first_day)
    if not periods:
        raise RefusalError("nothing was billed since that day; take an earlier one")
    span = Period(periods[0].start, periods[-1].end)
    payers = await estate.payers(unit.session, scope.community_id, span)
    await service.open_accounts(unit, scope.community_id, {(one.premises_id, one.party_id) for one in payers})
    row = PriceCorrectionRow(
        tenant_id=unit.tenant,
        community_id=scope.community_id,
        price_correction_id=unit.new_id(),
        charge_items=sorted(str(item) for item in scope.charge_items),
        reason=reason,
        cycle=scope.cycle,
        first_day=scope.first_day,
        state="open",
        opened_at=unit.now,
        opened_by=unit.actor.id,
        premises=0,
        premises_done=0,
        documents=0,
        net_fen=0,
    )
    unit.session.add(row)
    await unit.session.flush()
    after = {"first_day": scope.first_day.isoformat(), "charge_items": len(scope.charge_items)}
    unit.record("opened", "price_correction", row.price_correction_id, after=after)
    return row.price_correction_id


async def look(session: AsyncSession, community_id: CommunityId, price_correction_id: UUID) -> PriceCorrection:
    """Return a change of prices and how far it is.

    Raises:
        NotFoundError: the community has none of that id.
    """
    return _value(await _row(session, community_id, price_correction_id))


async def preview(
    session: AsyncSession, rate: PastRater, community_id: CommunityId, price_correction_id: UUID, known_at: datetime
) -> PricePreview:
    """Return what a change of prices comes to by what is known at an instant, without writing anything.

    Raises:
        NotFoundError: the community has none of that id.
    """
    row = await _row(session, community_id, price_correction_id)
    return await _previewed(session, rate, await _ready(session, _scope(row), known_at))


async def approve(
    unit: Unit, rate: PastRater, community_id: CommunityId, price_correction_id: UUID, *, preview_sha: bytes
) -> None:
    """Approve a change of prices as previewed; the worker books it. Approved again, it changes nothing.

    Raises:
        NotFoundError: the community has none of that id.
        CaseClosedError: it was dropped.
        PreviewChangedError: the outcome is not the one that was seen.
    """
    row = await _row(unit.session, community_id, price_correction_id, lock=True)
    if row.state == "dropped":
        raise CaseClosedError(row.state)
    if row.state != "open":
        if row.preview_sha != preview_sha:
            raise PreviewChangedError
        return
    found = await _previewed(unit.session, rate, await _ready(unit.session, _scope(row), unit.now))
    if found.sha != preview_sha:
        raise PreviewChangedError
    row.state, row.preview_sha, row.known_at = "approved", preview_sha, unit.now
    row.approved_by, row.premises = unit.actor.id, found.premises
    await unit.session.flush()
    unit.record("approved", "price_correction", row.price_correction_id, after={"net_fen": found.net_fen})
    unit.publish(PricesCorrected(community_id=community_id, price_correction_id=row.price_correction_id))


async def drop(unit: Unit, community_id: CommunityId, price_correction_id: UUID) -> None:
    """Drop a change of prices that is not wanted.

    Raises:
        NotFoundError: the community has none of that id.
        CaseClosedError: it is approved or dropped.
    """
    row = await _row(unit.session, community_id, price_correction_id, lock=True)
    if row.state != "open":
        raise CaseClosedError(row.state)
    row.state = "dropped"
    unit.record("dropped", "price_correction", row.price_correction_id)


async def ready(session: AsyncSession, community_id: CommunityId, price_correction_id: UUID) -> Ready | None:
    """Return an approved change of prices with its prices read, None when nothing is left to be booked.

    Raises:
        NotFoundError: the community has none of that id.
    """
    row = await _row(session, community_id, price_correction_id)
    if row.state != "approved" or row.known_at is None:
        return None
    return await _ready(session, _scope(row), row.known_at)


async def book_chunk(unit: Unit, rate: PastRater, change: Ready, price_correction_id: UUID) -> bool:
    """Book the next premises of an approved change of prices and return whether more follow."""
    row = await _row(unit.session, change.scope.community_id, price_correction_id, lock=True)
    if row.state != "approved":
        return False
    after = PremisesId(row.after or _NO_PREMISES)
    start = PremisesRange(community_id=change.scope.community_id, first=after, last=after)
    where = await next_range(unit.session, start, CHUNK_PREMISES)
    if where is None:
        row.state = "booked"
        unit.record("booked", "price_correction", price_correction_id, after={"documents": row.documents})
        return False
    await lock_accounts_in(unit.session, where)
    compared = await _compared(unit.session, change, where)
    by_column = await adjustments_of(unit.session, change.scope.community_id, change.past, change.columns, compared)
    by_value = await _by_value(unit.session, rate, change, compared)
    adjustments = [*by_column.adjustments, *(one for found in by_value for one in found.adjustments)]
    if adjustments:
        case = await _case(unit, change, row, adjustments)
        grounds = [*by_column.grounds, *(ground for found in by_value for ground in found.grounds)]
        await issue_adjustments(unit, change.scope.community_id, case, adjustments, grounds)
    row.after = where.last
    row.premises_done += len(compared.premises)
    row.documents += len(adjustments)
    row.net_fen += sum(one.draft.total_fen for one in adjustments)
    unit.record("advanced", "price_correction", price_correction_id, after={"premises_done": row.premises_done})
    return True


async def _ready(session: AsyncSession, scope: PriceScope, known_at: datetime) -> Ready:
    periods = await repricing_lookups.settled_periods(session, scope.community_id, scope.cycle, scope.first_day)
    columns = await prepare_periods(session, scope.community_id, periods, known_at, scope.charge_items)
    items: dict[ChargeItemId, ChargeItem] = {}
    for one in columns:
        items |= one.plan.prices.items
    past = Past(cycle=scope.cycle, periods=tuple(periods), items=items)
    return Ready(scope=scope, past=past, columns=columns, known_at=known_at)


async def _compared(session: AsyncSession, change: Ready, where: PremisesRange) -> Compared:
    rated = [await columns.rate(session, where.first, where.last) for columns in change.columns]
    return await compare(session, where, change.past, rated)


async def _by_value(
    session: AsyncSession, rate: PastRater, change: Ready, compared: Compared
) -> list[CorrectionPreview]:
    """Return what the premises that are not plain are to get."""
    if not len(compared.odd):
        return []
    scope = CorrectionScope(
        community_id=change.scope.community_id,
        premises=frozenset(PremisesId(id_at(compared.odd, n)) for n in range(len(compared.odd))),
        first_day=change.scope.first_day,
        cycle=change.scope.cycle,
        charge_items=change.scope.charge_items,
    )
    return [await corrections.computed(session, rate, scope, change.known_at)]


async def _previewed(session: AsyncSession, rate: PastRater, change: Ready) -> PricePreview:
    sums = Sums(change.past.periods)
    place = _NO_PREMISES
    while True:
        start = PremisesRange(community_id=change.scope.community_id, first=place, last=place)
        where = await next_range(session, start, CHUNK_PREMISES)
        if where is None:
            return sums.preview(change.known_at)
        compared = await _compared(session, change, where)
        sums.add(compared, await _by_value(session, rate, change, compared))
        place = where.last


async def _case(
    unit: Unit, change: Ready, row: PriceCorrectionRow, adjustments: Sequence[Adjustment]
) -> CorrectionCaseRow:
    """Note the documents of a chunk as an applied correction."""
    case = CorrectionCaseRow(
        tenant_id=unit.tenant,
        community_id=change.scope.community_id,
        case_id=CaseId(unit.new_id()),
        cause=Cause.TARIFF.value,
        reason=row.reason,
        cycle=change.scope.cycle,
        first_day=change.scope.first_day,
        premises=sorted({str(one.account.premises_id) for one in adjustments}),
        state="applied",
        opened_at=unit.now,
        opened_by=row.opened_by,
        preview_sha=documents_sha([one.draft for one in adjustments]),
        net_fen=sum(one.draft.total_fen for one in adjustments),
        known_at=change.known_at,
        approved_by=row.approved_by,
    )
    unit.session.add(case)
    await unit.session.flush()
    after = {"cause": case.cause, "net_fen": case.net_fen, "bills": len(adjustments)}
    unit.record("applied", "correction_case", case.case_id, after=after)
    return case


async def _row(
    session: AsyncSession, community_id: CommunityId, price_correction_id: UUID, *, lock: bool = False
) -> PriceCorrectionRow:
    row = await repricing_lookups.price_correction(session, price_correction_id, lock=lock)
    if row is None or row.community_id != community_id:
        raise NotFoundError("there is no such change of prices")
    return row


def _scope(row: PriceCorrectionRow) -> PriceScope:
    return PriceScope(
        community_id=row.community_id,
        charge_items=frozenset(ChargeItemId(UUID(item)) for item in row.charge_items),
        first_day=row.first_day,
        cycle=row.cycle,
    )


def _value(row: PriceCorrectionRow) -> PriceCorrection:
    return PriceCorrection(
        price_correction_id=row.price_correction_id,
        scope=_scope(row),
        reason=row.reason,
        state=row.state,
        opened_at=row.opened_at,
        premises=row.premises,
        premises_done=row.premises_done,
        documents=row.documents,
        net_fen=row.net_fen,
    )


async def listed(session: AsyncSession, community_id: CommunityId) -> tuple[PriceCorrection, ...]:
    """Return the changes of prices of a community, the newest first."""
    return tuple(_value(row) for row in await repricing_lookups.price_corrections_in(session, community_id))
