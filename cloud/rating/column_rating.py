"""Rating whole ranges of households by column: read columns, price them, and name those that need the by-value road.

A household is plain when one party owes for the whole period, no assignment names it or its meter alone, nothing ended
a session there, and each of its meters stood the whole time with a plain register at every midnight that matters.
Everything else is `odd` and left alone here, so no rule of exceptions stands twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate.in_columns import ABSENT, NOBODY, Households, PremisesRange, households, with_payers
from cloud.fleet.in_columns import RESOURCES, placed_meters
from cloud.kit.images import Columns, Ids, day_number, ids_of
from cloud.metering.in_columns import Midnights, Registers, RegisterSheet, corrected_meters, registers_at
from cloud.metering.registers import BILLED_QUANTITY
from cloud.metering.usage import HELD
from cloud.rating.column_lines import (
    FACT,
    PART_FEN,
    PRIOR,
    QUANTITY,
    WEIGHT,
    WINDOW,
    Flags,
    LineColumns,
    RegisterColumns,
    Rows,
)
from cloud.rating.column_plan import BY_SEGMENT, ColumnPlan, NotPlain, PoolSplit, Priced, places_of
from cloud.rating.columns import NO_PRICE, WINDOW_PREFIX, Column, ColumnTariff
from cloud.rating.windowed import window_quantities
from cloud.tariffs.assignment import TargetKind
from cloud.tariffs.charge import ChargeBasis, ChargeItem
from cloud.tariffs.facts import fact_columns
from common.errors import RefusalError
from common.measure.quantity import MILLI
from common.reading.reading import Quality, Quantity
from common.tariff.document import TariffDocument

_REGISTER_MAX = 2**42  # registers up to here are scaled within 64 bits; a larger one is rated by value
_MULTIPLIER_MAX = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedColumns:
    """The plain lines of a range of households, by charge code; `odd` marks the households to be rated by value."""

    homes: Households
    odd: Flags
    groups: tuple[LineColumns, ...]


class _Desk:
    """The columns of one range while its charge items are rated one after another."""

    def __init__(
        self, plan: ColumnPlan, homes: Households, meters: Columns, registers: RegisterSheet, odd: Flags
    ) -> None:
        self.plan = plan
        self.registers = registers
        self.homes = homes
        self.meters = meters
        self.meter_rows = np.searchsorted(homes.premises, meters["premises_id"])
        self.odd = odd
        self.facts = fact_columns(homes.facts, ABSENT)
        self.places = places_of(homes)


def _midnights(plan: ColumnPlan) -> Midnights:
    """Return every midnight at which the plan may look at a register."""
    tariffs = plan.prices.compiled.values()
    quantities = {
        BILLED_QUANTITY[item.resource]
        for item in plan.prices.items.values()
        if item.basis is ChargeBasis.METERED and item.resource is not None
    }
    for tariff in tariffs:
        quantities.update(window_quantities(tariff, plan.period).values())
    spans = (tariff.document.accumulation.span_of(plan.period.start) for tariff in tariffs)
    return Midnights(
        community_id=plan.community_id,
        quantities=frozenset({Quantity.VOLUME, *quantities}),
        days=frozenset({plan.period.start, plan.period.end, *(span.start for span in spans if span is not None)}),
        zone=plan.zone,
        known_at=plan.known_at,
    )


async def rate_columns(
    session: AsyncSession, plan: ColumnPlan, where: PremisesRange, sessions: Iterable[UUID]
) -> RatedColumns:
    """Rate the plain households of a range.

    Args:
        session: a view or unit of the company.
        plan: the community and period.
        where: the households.
        sessions: premises with sessions in the period; these are rated by value.
    """
    homes = await _homes(session, plan, where)
    meters = await placed_meters(session, where, plan.reach)
    named = [UUID(key) for key in plan.prices.assignments.named(TargetKind.PREMISES)]
    odd = (homes.payers == NOBODY) | np.isin(homes.premises, ids_of([*named, *sessions]))
    registers = await registers_at(session, _midnights(plan), meters["meter_id"])
    desk = _Desk(plan, homes, meters, registers, odd)
    await _mark_corrected(session, desk)
    groups: list[LineColumns] = []
    for item in sorted(plan.prices.items.values(), key=lambda one: one.code):
        if item.basis is ChargeBasis.SHARE:
            groups += _shares(desk, item)
        elif item.basis in BY_SEGMENT:
            for priced, rows in _classes(desk, item):
                group = _group(desk, item, priced, rows)
                if group is not None:
                    groups.append(group)
    kept = [group.taken(~desk.odd[group.rows]) for group in groups]
    return RatedColumns(homes=homes, odd=desk.odd, groups=tuple(group for group in kept if len(group.rows)))


async def _homes(session: AsyncSession, plan: ColumnPlan, where: PremisesRange) -> Households:
    """Return the premises of a range: those read for the pools, but who owes may have changed since."""
    known = None if plan.homes is None else plan.homes.between(where)
    if known is None or not len(known.premises):
        return await households(session, where, plan.period, plan.known_at)
    return await with_payers(session, known, where, plan.period)


async def _mark_corrected(session: AsyncSession, desk: _Desk) -> None:
    """Mark the households of a meter that was corrected, rolled over, or has a price of its own."""
    plan = desk.plan
    corrected = await corrected_meters(session, plan.community_id, plan.reach, plan.zone, plan.known_at)
    priced_apart = ids_of([UUID(key) for key in plan.prices.assignments.named(TargetKind.METER)])
    touched = np.isin(desk.meters["meter_id"], np.concatenate([corrected, priced_apart]))
    desk.odd[desk.meter_rows[touched]] = True


def _classes(desk: _Desk, item: ChargeItem) -> list[tuple[Priced, Rows]]:
    """Return the households that a charge item charges, by price; those whose price is not plain become odd."""
    found: dict[tuple[UUID, str], tuple[Priced, list[Rows]]] = {}
    for place, rows in desk.places.items():
        priced = desk.plan.priced(item, place)
        if priced is NotPlain.BY_VALUE:
            desk.odd[rows] = True
        elif isinstance(priced, Priced):
            found.setdefault((priced.tariff_id, priced.revision.body_sha), (priced, []))[1].append(rows)
    return [(priced, np.sort(np.concatenate(rows))) for priced, rows in found.values()]


def _group(desk: _Desk, item: ChargeItem, priced: Priced, rows: Rows) -> LineColumns | None:
    tariff = desk.plan.column_tariff(priced)
    if tariff is None:
        desk.odd[rows] = True
        return None
    rows = rows[~desk.odd[rows]]
    if item.basis is ChargeBasis.METERED:
        return _metered(desk, item, priced, tariff, rows)
    return _standing(desk, item, priced, tariff, rows)


def _standing(desk: _Desk, item: ChargeItem, priced: Priced, tariff: ColumnTariff, rows: Rows) -> LineColumns | None:
    columns = _fact_columns(desk, priced.compiled.document, tariff, rows)
    area = desk.facts["area_milli"][rows] if item.basis is ChargeBasis.AREA else None
    if columns is None:
        desk.odd[rows] = True
        return None
    known = np.ones(len(rows), dtype=np.bool_) if area is None else area != ABSENT
    known &= _all_known(columns, len(rows))
    desk.odd[rows[~known]] = True
    nothing = np.zeros(len(rows), dtype=np.int64)
    line = _line(desk, item, priced, rows, area)
    return _amounts(desk, tariff, line.taken(known), {name: c[known] for name, c in columns.items()}, nothing[known])


def _metered(desk: _Desk, item: ChargeItem, priced: Priced, tariff: ColumnTariff, rows: Rows) -> LineColumns | None:
    plan = desk.plan
    rows, at = _sole_meters(desk, item, rows, plan.tier_year_start(priced) or plan.period.start)
    meters: Ids = desk.meters["meter_id"][at]
    multiplier = desk.meters["multiplier_milli"][at]
    quantity = BILLED_QUANTITY[RESOURCES[int(desk.meters["resource"][at[0]]) - 1]] if len(at) else Quantity.VOLUME
    counted = _Counter(desk, meters, multiplier)
    start, end = plan.period.start, plan.period.end
    usage = counted.between(quantity, start, end)
    tier_start = plan.tier_year_start(priced)
    prior = np.zeros(len(rows), dtype=np.int64) if tier_start is None else counted.between(quantity, tier_start, start)
    columns = {"usage": usage}
    request: dict[str, Column] = {QUANTITY: usage, PRIOR: prior}
    windows = window_quantities(priced.compiled, plan.period)
    if windows:
        del request[QUANTITY]
        for name, register in windows.items():
            columns[f"{WINDOW_PREFIX}{name}"] = request[f"{WINDOW}{name}"] = counted.between(register, start, end)
        billed = sum((columns[f"{WINDOW_PREFIX}{name}"] for name in windows), np.zeros_like(usage))
    else:
        billed = usage
    others = _fact_columns(desk, priced.compiled.document, tariff, rows, given=columns.keys())
    if others is None:
        desk.odd[rows] = True
        return None
    good = counted.good & _all_known(others, len(rows))
    desk.odd[rows[~good]] = True
    line = _line(desk, item, priced, rows, billed)
    line = replace(
        line,
        request={**line.request, **request},
        estimated=counted.estimated(quantity, start, end),
        meters=meters,
        registers=counted.registers(quantity, start, end),
    )
    chosen = {name: column[good] for name, column in {**columns, **others}.items()}
    return _amounts(desk, tariff, line.taken(good), chosen, prior[good])


class _Counter:
    """What some meters counted between midnights; `good` stays True where every register asked for was plain."""

    def __init__(self, desk: _Desk, meters: Ids, multiplier: Column) -> None:
        self._desk = desk
        self._meters = meters
        self._multiplier = multiplier
        self._read: dict[tuple[Quantity, date], Registers] = {}
        self.good = multiplier < _MULTIPLIER_MAX

    def between(self, quantity: Quantity, start: date, end: date) -> Column:
        first, last = self._scaled(quantity, start), self._scaled(quantity, end)
        counted = last - first
        self.good &= counted >= 0
        usage: Column = np.maximum(counted, 0)
        return usage

    def _scaled(self, quantity: Quantity, day: date) -> Column:
        if (quantity, day) not in self._read:
            self._read[quantity, day] = self._desk.registers.at(quantity, day, self._meters)
        read = self._read[quantity, day]
        self.good &= read.known & (read.quality & int(HELD) == 0) & (read.value_milli < _REGISTER_MAX)
        scaled: Column = (read.value_milli * self._multiplier + MILLI // 2) // MILLI
        return scaled

    def registers(self, quantity: Quantity, start: date, end: date) -> RegisterColumns:
        first, last = self._read[quantity, start], self._read[quantity, end]
        return RegisterColumns(
            quantity=quantity,
            start=start,
            end=end,
            from_milli=first.value_milli,
            from_quality=first.quality,
            from_rev=first.rev,
            to_milli=last.value_milli,
            to_quality=last.quality,
            to_rev=last.rev,
        )

    def estimated(self, quantity: Quantity, start: date, end: date) -> Flags:
        quality = self._read[quantity, start].quality | self._read[quantity, end].quality
        found: Flags = (quality & int(Quality.ESTIMATED)) != 0
        return found


def _sole_meters(desk: _Desk, item: ChargeItem, rows: Rows, since: date) -> tuple[Rows, Rows]:
    """Return the households with one meter for a charge item that stood the whole time, and where that meter is."""
    number = 0 if item.resource is None else RESOURCES.index(item.resource) + 1
    own = np.flatnonzero(desk.meters["resource"] == number)
    homes = desk.meter_rows[own]
    count = np.bincount(homes, minlength=len(desk.odd))
    stood = (desk.meters["starts"][own] <= day_number(since)) & (
        desk.meters["ends"][own] > day_number(desk.plan.period.end)
    )
    meter_of = np.full(len(desk.odd), -1, dtype=np.intp)
    meter_of[homes[stood]] = own[stood]
    plain = (count[rows] == 1) & (meter_of[rows] >= 0)
    desk.odd[rows[~plain]] = True
    return rows[plain], meter_of[rows[plain]]


def _fact_columns(
    desk: _Desk, document: TariffDocument, tariff: ColumnTariff, rows: Rows, given: Iterable[str] = ()
) -> Mapping[str, Column] | None:
    """Return the columns of facts that a tariff stands on, in milli-units; None when it asks for something else."""
    columns: dict[str, Column] = {}
    for name in tariff.names - set(given):
        fact = document.facts.get(name)
        if fact is None or name in document.values or fact.key not in desk.facts or MILLI % fact.scale.denominator:
            return None
        values = desk.facts[fact.key][rows]
        columns[name] = np.where(values == ABSENT, ABSENT, values * (MILLI // fact.scale.denominator))
    return columns


def _all_known(columns: Mapping[str, Column], size: int) -> Flags:
    known = np.ones(size, dtype=np.bool_)
    for column in columns.values():
        known &= column != ABSENT
    return known


def _line(desk: _Desk, item: ChargeItem, priced: Priced, rows: Rows, quantity: Column | None) -> LineColumns:
    """Return lines that are not priced yet."""
    calendar = desk.plan.calendar if priced.compiled.document.windows else None
    nothing = np.zeros(len(rows), dtype=np.int64)
    return LineColumns(
        item=item,
        tariff_id=priced.tariff_id,
        revision=priced.revision,
        period=desk.plan.period,
        rows=rows,
        fen=nothing,
        price_micro=nothing,
        estimated=np.zeros(len(rows), dtype=np.bool_),
        request={f"{FACT}{key}": column[rows] for key, column in desk.facts.items()},
        quantity_milli=quantity,
        calendar_sha=None if calendar is None else calendar.calendar.sha,
    )


def _amounts(
    desk: _Desk, tariff: ColumnTariff, line: LineColumns, columns: Mapping[str, Column], prior: Column
) -> LineColumns | None:
    try:
        fen = tariff.amounts(columns, prior)
    except RefusalError:
        desk.odd[line.rows] = True
        return None
    return replace(line, fen=fen, price_micro=tariff.single_prices(columns, prior))


def _shares(desk: _Desk, item: ChargeItem) -> list[LineColumns]:
    """Return the parts of a charge item's pools that the range takes; where no split is plain, all are odd."""
    splits = desk.plan.pools.get(item.charge_item_id)
    if splits is None:
        desk.odd[:] = True
        return []
    return [_share(desk, item, split) for split in splits]


def _share(desk: _Desk, item: ChargeItem, split: PoolSplit) -> LineColumns:
    rows = np.flatnonzero(np.isin(desk.homes.premises, split.premises))
    at = np.searchsorted(split.premises, desk.homes.premises[rows])
    return LineColumns(
        item=item,
        tariff_id=split.priced.tariff_id,
        revision=split.priced.revision,
        period=desk.plan.period,
        rows=rows,
        fen=split.part_fen[at],
        price_micro=np.full(len(rows), NO_PRICE, dtype=np.int64),
        estimated=np.full(len(rows), split.estimated, dtype=np.bool_),
        request={PART_FEN: split.part_fen[at], WEIGHT: split.weight[at]},
        pool=split.pool,
    )
