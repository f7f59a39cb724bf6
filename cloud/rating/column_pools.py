"""Common costs by column: a pool is priced by value once, then split over a whole community with one division.

The outcome is that of `pools.rate_pool`; a pool that is more than one meter, one price and one weight that everybody
has is left to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate.in_columns import ABSENT, Households, PremisesRange, households
from cloud.fleet import service as fleet
from cloud.kit.images import Ids, text_list, uuid_texts
from cloud.metering import service as metering
from cloud.metering.registers import BILLED_QUANTITY, RegisterQuestion
from cloud.metering.usage import SegmentKind, UsageSegment
from cloud.rating.column_lines import Rows, SharedPool
from cloud.rating.column_plan import ColumnPlan, NotPlain, PoolSplit, Priced, places_of
from cloud.rating.columns import Column
from cloud.rating.counted import CountedDays
from cloud.rating.pools import PoolPart, pool_source
from cloud.rating.scope import PlacedMeter
from cloud.tariffs.assignment import TargetKind
from cloud.tariffs.charge import ChargeBasis, ChargeItem
from cloud.tariffs.facts import fact_columns
from cloud.tariffs.pool import PoolMethod, PoolRevision
from common.errors import ensure
from common.ids import ChargeItemId
from common.rating.engine import rate
from common.rating.refusal import RatingRefusedError
from common.rating.request import RatingRequest
from common.tariff.formula import Name

_PRODUCT_MAX = 2**62


async def with_pools(session: AsyncSession, plan: ColumnPlan) -> ColumnPlan:
    """Return the plan with every pool that is plain, split."""
    items = [item for item in plan.prices.items.values() if item.basis is ChargeBasis.SHARE]
    if not items:
        return plan
    where = PremisesRange.whole(plan.community_id)
    homes = await households(session, where, plan.period, plan.known_at)
    pools: dict[ChargeItemId, tuple[PoolSplit, ...]] = {}
    for item in items:
        splits = await _splits(session, plan, homes, item)
        if splits is not None:
            pools[item.charge_item_id] = splits
    return replace(plan, pools=pools, homes=homes)


async def _splits(
    session: AsyncSession, plan: ColumnPlan, homes: Households, item: ChargeItem
) -> tuple[PoolSplit, ...] | None:
    own = [pool for pool in plan.prices.pools if pool.charge_item_id == item.charge_item_id]
    changes = any(plan.period.start < pool.effective_from < plan.period.end for pool in own)
    if changes or plan.prices.assignments.names(item.charge_item_id, TargetKind.PREMISES):
        return None
    splits: list[PoolSplit] = []
    for pool in plan.prices.pools_on(plan.period.start):
        if pool.charge_item_id == item.charge_item_id:
            sharers = _sharers(plan, homes, item, pool)
            if sharers is None:
                return None
            priced, rows = sharers
            if priced is None:
                continue
            split = await _split(session, plan, homes, _Pool(item=item, revision=pool, priced=priced, rows=rows))
            if split is None:
                return None
            splits.append(split)
    return tuple(splits)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pool:
    """A pool with the one price and the premises that share it."""

    item: ChargeItem
    revision: PoolRevision
    priced: Priced
    rows: Rows


def _sharers(
    plan: ColumnPlan, homes: Households, item: ChargeItem, pool: PoolRevision
) -> tuple[Priced | None, Rows] | None:
    """Return the price and the premises of a pool; None when they have no single plain price."""
    found: list[Priced] = []
    rows: list[Rows] = []
    for place, own in places_of(homes).items():
        if pool.building_id is not None and place[1] != pool.building_id:
            continue
        priced = plan.priced(item, place)
        if priced is NotPlain.BY_VALUE:
            return None
        if isinstance(priced, Priced):
            found.append(priced)
            rows.append(own)
    if any(one.revision != found[0].revision or one.tariff_id != found[0].tariff_id for one in found):
        return None
    return (found[0], np.sort(np.concatenate(rows))) if found else (None, np.zeros(0, dtype=np.intp))


async def _split(session: AsyncSession, plan: ColumnPlan, homes: Households, pool: _Pool) -> PoolSplit | None:
    meter = await _meter(session, plan, pool.revision)
    weighed = _weights(homes, pool)
    if meter is None or weighed is None:
        return None
    usage = await _usage(session, plan, meter)
    if usage is None:
        return None
    compiled = pool.priced.compiled
    calendar = plan.calendar.calendar if plan.calendar is not None and compiled.document.windows else None
    request = RatingRequest(period=plan.period, quantity_milli=usage.quantity_milli, calendar=calendar)
    try:
        line = rate(compiled, request)
    except RatingRefusedError:
        return None
    weight, scale = weighed
    total = int(weight.sum())
    if total == 0 or line.amount_fen * int(weight.max()) >= _PRODUCT_MAX:
        return None
    premises: Ids = homes.premises[pool.rows]
    texts = dict(zip(text_list(uuid_texts(premises)), fraction_texts(weight, scale), strict=True))
    part = PoolPart(
        item=pool.item,
        pool=pool.revision,
        days=plan.period,
        tariff_id=pool.priced.tariff_id,
        revision=pool.priced.revision,
        sharers=(),
        master=CountedDays(meter=meter, days=plan.period),
        subs=(),
        cuts=(plan.period.start, plan.period.end),
    )
    source = pool_source(part, request, line, texts)
    return PoolSplit(
        priced=pool.priced,
        pool=SharedPool(
            pool_id=pool.revision.pool_id,
            meter_id=meter.meter_id,
            sha=source.sha,
            pool_fen=line.amount_fen,
            weights=total,
            scale=scale,
            sharers=len(pool.rows),
            from_register=usage.from_register,
            to_register=usage.to_register,
        ),
        premises=premises,
        part_fen=largest_remainder(line.amount_fen, weight),
        weight=weight,
        estimated=usage.kind is SegmentKind.ESTIMATED,
        source=source,
    )


def largest_remainder(total: int, weights: Column) -> Column:
    """Return the parts of an amount by weight, ties to the earlier row; they sum to the amount."""
    whole = int(weights.sum())
    ensure(total >= 0 and whole > 0, "an amount is split over weights above zero")
    parts: Column = total * weights // whole
    rest = total * weights - parts * whole
    left_over = total - int(parts.sum())
    parts[np.argsort(-rest, kind="stable")[:left_over]] += 1
    ensure(int(parts.sum()) == total, "the parts of a split sum to the whole")
    return parts


def fraction_texts(counted: Column, scale: int) -> list[str]:
    """Return the text of `Fraction(value, scale)` for each value, which is not below zero."""
    common = np.gcd(counted, scale)
    tops, bottoms = (counted // common).tolist(), (scale // common).tolist()
    return [str(top) if bottom == 1 else f"{top}/{bottom}" for top, bottom in zip(tops, bottoms, strict=True)]


def _weights(homes: Households, pool: _Pool) -> tuple[Column, int] | None:
    document = pool.priced.compiled.document
    rule = document.share
    if rule is None or not rule.condition.always or not isinstance(rule.weight.tree, Name):
        return None
    fact = document.facts.get(rule.weight.tree.name)
    facts = fact_columns(homes.facts, ABSENT)
    if fact is None or rule.weight.tree.name in document.values or fact.key not in facts:
        return None
    weight = facts[fact.key][pool.rows]
    return None if bool((weight == ABSENT).any()) else (weight, fact.scale.denominator)


async def _meter(session: AsyncSession, plan: ColumnPlan, pool: PoolRevision) -> PlacedMeter | None:
    """Return the one public meter of a pool, when it stood the whole period."""
    if pool.method is not PoolMethod.METER or pool.meter_id is None:
        return None
    for one in await fleet.public_meters(session, plan.community_id, plan.period):
        stood = one.start <= plan.period.start and (one.end is None or one.end > plan.period.end)
        if one.meter_id == pool.meter_id and stood:
            return PlacedMeter(
                meter_id=one.meter_id,
                resource=one.resource,
                premises_id=None,
                multiplier_milli=one.multiplier_milli,
                digits=one.digits,
                start=one.start,
                end=one.end,
                parent_meter_id=one.parent_meter_id,
            )
    return None


async def _usage(session: AsyncSession, plan: ColumnPlan, meter: PlacedMeter) -> UsageSegment | None:
    question = RegisterQuestion(
        community_id=plan.community_id,
        meters=frozenset({meter.meter_id}),
        quantities=frozenset({BILLED_QUANTITY[meter.resource]}),
        days=frozenset({plan.period.start, plan.period.end}),
        zone=plan.zone,
        known_at=plan.known_at,
    )
    book = await metering.register_book(session, question)
    usage = book.usage(CountedDays(meter=meter, days=plan.period).span)
    return usage if isinstance(usage, UsageSegment) else None
