"""Rating a community's period: gather once, rate in memory, keep what replays it.

The count of statements does not grow with the count of premises or meters. What cannot be rated is an exception beside
the items, never an item of zero. Rated twice from the same knowledge, the outcome is equal to the byte.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.cases import service as cases
from cloud.kit.db import Unit
from cloud.kit.errors import NotFoundError
from cloud.metering.estimates import estimates as gateway_estimates
from cloud.rating import column_inputs, estimates, metered, pools, repository, windowed
from cloud.rating.drafts import Draft
from cloud.rating.estimates import ESTIMATE_DIFFERS, checkable, difference
from cloud.rating.gathering import Wanted, desks_of, gather, with_intervals
from cloud.rating.inputs import finish
from cloud.rating.lines import Apportionment, RatingException, RatingInput, RatingOutcome
from cloud.rating.metered import rate_metered
from cloud.rating.pools import PoolPart, pool_parts, rate_pool
from cloud.rating.replay import ReplaySources, named_in, replay
from cloud.rating.scope import Desk, Scope
from cloud.rating.segments import Segment, segments_of
from cloud.rating.standing import rate_standing
from cloud.rating.visits import rate_sessions
from cloud.tariffs import service as tariffs
from cloud.tariffs.calendars import CALENDAR_CODE
from cloud.tariffs.charge import ChargeBasis
from common.civil import Period
from common.ids import CommunityId, PremisesId
from common.rating.engine import ENGINE_VERSION
from common.rating.line import RatedLine

Plan = TypeVar("Plan", Segment, PoolPart, Draft)
_BY_SEGMENT = (ChargeBasis.AREA, ChargeBasis.FLAT, ChargeBasis.METERED)


class PeriodRater:
    """Rates everything that a community's premises owe for a period, or for each of several, as known at an instant."""

    async def __call__(
        self,
        session: AsyncSession,
        *,
        community_id: CommunityId,
        period: Period,
        known_at: datetime,
        premises: Collection[PremisesId] | None = None,
    ) -> RatingOutcome:
        """Rate a period.

        Args:
            session: a view of the company.
            community_id: the community.
            period: the civil days, in the community's zone.
            known_at: prices, readings, corrections and facts recorded later are not seen.
            premises: only the items of these premises; common costs are split over all of them all the same.
        """
        (found,) = await self.each(
            session, community_id=community_id, periods=[period], known_at=known_at, premises=premises
        )
        return found

    async def each(
        self,
        session: AsyncSession,
        *,
        community_id: CommunityId,
        periods: Sequence[Period],
        known_at: datetime,
        premises: Collection[PremisesId] | None = None,
    ) -> tuple[RatingOutcome, ...]:
        """Rate several periods, the oldest first, read together; each outcome is the one of its period alone."""
        gathered = await gather(session, community_id, periods, known_at, premises)
        plans = [_planned(scope, premises) for scope in gathered.scopes]
        wanted = [_wanted(scope, plan) for scope, plan in zip(gathered.scopes, plans, strict=True)]
        desks = await desks_of(session, gathered, wanted)
        outcomes = []
        for desk, plan in zip(desks, plans, strict=True):
            metered_segments = [segment for segment in plan.segments if segment.item.basis is ChargeBasis.METERED]
            inside, moments = windowed.wanted_intervals(desk, metered_segments)
            outcomes.append(_outcome(await with_intervals(session, desk, inside, moments), plan, premises))
        return tuple(outcomes)


rate_period = PeriodRater()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """What a period is made of before anything is counted: segments, parts of pools, and what cannot be planned."""

    segments: Sequence[Segment]
    parts: Sequence[PoolPart]
    exceptions: Sequence[RatingException]


def _outcome(desk: Desk, plan: _Planned, premises: Collection[PremisesId] | None) -> RatingOutcome:
    exceptions = list(plan.exceptions)
    drafts, apportionments, pool_inputs = _rated(desk, plan.segments, plan.parts, exceptions, premises)
    items, inputs = finish(drafts)
    return RatingOutcome(
        items=items,
        exceptions=tuple(one for one in exceptions if _asked(one.premises_id, premises)),
        inputs=(*inputs, *pool_inputs),
        apportionments=apportionments,
    )


async def keep(unit: Unit, community_id: CommunityId, outcome: RatingOutcome) -> None:
    """Keep the inputs and apportionments of an outcome, so that its lines can be rated again for ever."""
    key = {"tenant_id": unit.tenant, "community_id": community_id, "recorded_at": unit.now}
    rows = [{**key, "sha": one.sha, "body": one.body, "engine_version": ENGINE_VERSION} for one in outcome.inputs]
    await repository.insert_inputs(unit.session, rows)
    splits = [
        {
            **key,
            "pool_id": one.pool_id,
            "period_start": one.period.start,
            "period_end": one.period.end,
            "input_sha": one.input_sha,
            "total_fen": one.total_fen,
        }
        for one in outcome.apportionments
    ]
    await repository.insert_apportionments(unit.session, splits)
    unit.record("kept", "rating_input", community_id, after={"inputs": len(rows), "apportionments": len(splits)})


async def check_estimates(unit: Unit, community_id: CommunityId, period: Period) -> int:
    """Raise a case for each gateway's estimate of a period that the cloud does not come to; return how many differ.

    An estimate that agrees closes the case of an earlier one that did not.
    """
    gathered = await gather(unit.session, community_id, [period], unit.now)
    (scope,) = gathered.scopes
    found = [one for one in await gateway_estimates(unit.session, community_id, period) if one.period == period]
    checked = [plan for plan in (checkable(scope, one) for one in found) if plan is not None]
    counted = [days for plan in checked for days in estimates.wanted_days(scope, plan)]
    days = {segment.service.start for plan in checked for segment in plan.segments}
    (desk,) = await desks_of(unit.session, gathered, [Wanted(counted=counted, days=days)])
    reports = [(plan, difference(desk, plan)) for plan in checked]
    differing = [report for _, report in reports if report is not None]
    for report in differing:
        await cases.raise_case(unit, report)
    agreeing = {(plan.estimate.meter_id, plan.subject) for plan, report in reports if report is None}
    for standing in await cases.open_about(unit.session, {meter_id for meter_id, _ in agreeing}):
        if standing.reason == ESTIMATE_DIFFERS and (standing.object_id, standing.subject) in agreeing:
            await cases.close_case(unit, standing.case_id, reason="gateway and cloud agree now")
    return len(differing)


async def replayed(session: AsyncSession, community_id: CommunityId, sha: str) -> tuple[RatedLine, ...]:
    """Return the lines of a kept input, rated again from its bytes: the same lines, whatever was recorded since.

    Raises:
        NotFoundError: no such input is kept.
        InvariantError: the kept bytes do not give the lines they name.
    """
    kept = await inputs(session, community_id, [sha])
    if sha not in kept:
        raise NotFoundError(f"no rating input {sha} is kept")
    body = kept[sha].body
    if column_inputs.is_columns(body):
        sources = await sources_of(session, community_id, *column_inputs.named_in(body))
        return tuple(one.line for one in column_inputs.replay(body, sources, CALENDAR_CODE))
    return replay(body, await sources_of(session, community_id, *named_in(body)), CALENDAR_CODE)


async def sources_of(
    session: AsyncSession, community_id: CommunityId, tariff_shas: Collection[str], calendar_shas: Collection[str]
) -> ReplaySources:
    """Return the tariffs and calendars that an input names by hash."""
    calendars = await inputs(session, community_id, calendar_shas)
    return ReplaySources(
        tariffs=await tariffs.revision_bodies(session, community_id, sorted(tariff_shas)),
        calendars={name: json.loads(calendar.body) for name, calendar in calendars.items()},
    )


async def inputs(session: AsyncSession, community_id: CommunityId, shas: Collection[str]) -> dict[str, RatingInput]:
    """Return kept inputs by their hash."""
    rows = await repository.inputs(session, community_id, shas)
    return {row.sha: RatingInput(sha=row.sha, body=row.body) for row in rows}


def _planned(scope: Scope, premises: Collection[PremisesId] | None) -> _Planned:
    segments: list[Segment] = []
    parts: list[PoolPart] = []
    exceptions: list[RatingException] = []
    for item in scope.prices.items.values():
        if item.basis is ChargeBasis.SHARE:
            for part in pool_parts(scope, item):
                _sort_out(part, parts, exceptions)
        elif item.basis in _BY_SEGMENT:
            for place in scope.premises:
                if _asked(place.id, premises):
                    for segment in segments_of(scope, item, place):
                        _sort_out(segment, segments, exceptions)
    return _Planned(segments=segments, parts=parts, exceptions=exceptions)


def _sort_out(found: Plan | RatingException, plans: list[Plan], exceptions: list[RatingException]) -> None:
    if isinstance(found, RatingException):
        exceptions.append(found)
    else:
        plans.append(found)


def _asked(premises_id: PremisesId | None, premises: Collection[PremisesId] | None) -> bool:
    return premises is None or premises_id is None or premises_id in premises


def _wanted(scope: Scope, plan: _Planned) -> Wanted:
    counted = [
        *(days for segment in plan.segments for days in metered.wanted_days(scope, segment) if segment.item.resource),
        *(days for part in plan.parts for days in pools.wanted_days(part)),
    ]
    days = {segment.service.start for segment in plan.segments} | {part.days.start for part in plan.parts}
    return Wanted(counted=counted, days=days)


def _rated(
    desk: Desk,
    segments: Iterable[Segment],
    parts: Iterable[PoolPart],
    exceptions: list[RatingException],
    premises: Collection[PremisesId] | None,
) -> tuple[list[Draft], tuple[Apportionment, ...], tuple[RatingInput, ...]]:
    """Rate everything that was planned; exceptions are added to those of the planning."""
    drafts: list[Draft] = []
    splits: list[Apportionment] = []
    sources: list[RatingInput] = []
    for segment in segments:
        rate_one = rate_metered if segment.item.basis is ChargeBasis.METERED else rate_standing
        for found in rate_one(desk, segment):
            _sort_out(found, drafts, exceptions)
    for part in parts:
        outcome = rate_pool(desk, part, premises)
        drafts.extend(outcome.drafts)
        exceptions.extend(outcome.exceptions)
        if outcome.split is not None and outcome.source is not None:
            splits.append(outcome.split)
            sources.append(outcome.source)
    places = {place.id: place for place in desk.scope.premises if _asked(place.id, premises)}
    for item in desk.scope.prices.items.values():
        if item.basis is ChargeBasis.PARKING:
            for found in rate_sessions(desk, item, places):
                _sort_out(found, drafts, exceptions)
    if desk.scope.calendar is not None and any(draft.request.calendar is not None for draft in drafts):
        sources.append(RatingInput(sha=desk.scope.calendar.calendar.sha, body=desk.scope.calendar.body))
    return drafts, tuple(splits), tuple(sources)
