"""A missing register estimated by a person's decision, where the rules of the community allow it.

The rules say for each resource how many days may be estimated in a row; until somebody decided them, none. An estimate
is a revision of the reading with the mark of one, so every bill line that rests on it says so; method and figures are
kept beside it. A reading that stands is never estimated over: it is corrected.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.fleet import service as fleet
from cloud.fleet.values import InstalledMeter
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.metering import estimate_rows, repository
from cloud.metering.corrections import REASON_LENGTH_MAX, Correction, revise_reading
from cloud.metering.filling_rules import (
    DAYS_ESTIMATED_MAX,
    WORDS,
    Known,
    Lookup,
    Method,
    Proposal,
    asked_days,
    last_sure,
    proposals,
    sure,
)
from cloud.metering.registers import BILLED_QUANTITY, RegisterQuestion
from cloud.metering.service import register_book
from cloud.metering.tables import EstimateRuleRow, ReadingEstimateRow
from common.civil import Period, civil_day, midnight
from common.errors import RefusalError
from common.ids import CommunityId, MeterId
from common.reading.reading import Quality, Resource

_ONE_DAY = timedelta(days=1)
# The reason of the revision names the method in front of the person's own words.
REASON_MAX = REASON_LENGTH_MAX - 60


class NotAllowedError(ConflictError):
    """The rules of the community do not allow this estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateWish:
    """The register of a midnight that a person decides to estimate.

    `value_milli` is what was proposed and seen, before the multiplier; with the method of agreement, what was agreed.
    """

    community_id: CommunityId
    meter_id: MeterId
    day: date
    method: Method
    value_milli: int
    reason: str

    def __post_init__(self) -> None:
        """Check that a reason is given."""
        if not self.reason.strip() or len(self.reason) > REASON_MAX:
            raise RefusalError(f"an estimate needs a reason of at most {REASON_MAX} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What may be done about the register of a meter at a midnight: the last sure one, and what each method says."""

    meter: InstalledMeter
    day: date
    days_max: int
    standing: bool
    last: Known | None
    proposals: tuple[Proposal, ...]

    @property
    def allowed(self) -> bool:
        """Return whether the rules and the registers allow an estimate."""
        return not self.standing and self.last is not None and (self.day - self.last.day).days <= self.days_max


async def rules(session: AsyncSession, community_id: CommunityId) -> dict[Resource, int]:
    """Return how many days in a row may be estimated, of each resource; 0 where nobody decided otherwise."""
    decided = await estimate_rows.rules(session, community_id)
    return dict.fromkeys(Resource, 0) | {row.resource: row.days_max for row in decided}


async def decide_rule(unit: Unit, community_id: CommunityId, resource: Resource, days_max: int) -> None:
    """Decide how many days in a row may be estimated; 0 forbids it. The same again writes nothing.

    Raises:
        RefusalError: that many days are never estimated.
        NotFoundError: there is no such community.
    """
    if not 0 <= days_max <= DAYS_ESTIMATED_MAX:
        raise RefusalError(f"0 to {DAYS_ESTIMATED_MAX} days may be estimated in a row")
    await estate.community(unit.session, community_id)
    decided = {row.resource: row for row in await estimate_rows.rules(unit.session, community_id)}
    standing = decided.get(resource)
    if standing is not None and standing.days_max == days_max:
        return
    rev = 1 if standing is None else standing.rev + 1
    unit.session.add(
        EstimateRuleRow(
            tenant_id=unit.tenant,
            community_id=community_id,
            resource=resource,
            rev=rev,
            days_max=days_max,
            decided_by=unit.actor.id,
            recorded_at=unit.now,
        )
    )
    unit.record("decided", "estimate_rule", community_id, after={"resource": resource.value, "days_max": days_max})


async def outlook(
    session: AsyncSession, community_id: CommunityId, meter_id: MeterId, day: date, known_at: datetime
) -> Outlook:
    """Return what may be estimated for a meter at the midnight that begins a day.

    Raises:
        NotFoundError: no such meter counts there on that day.
        RefusalError: the day lies ahead.
    """
    community = await estate.community(session, community_id)
    if day > civil_day(known_at, community.zone):
        raise RefusalError("the day lies ahead; wait for its reading")
    meter = await _placed(session, community, meter_id, day)
    at = await _lookup(session, community, meter, day, known_at)
    last = last_sure(at, day, meter.start)
    return Outlook(
        meter=meter,
        day=day,
        days_max=(await rules(session, community_id))[meter.resource],
        standing=sure(at, day) is not None,
        last=last,
        proposals=() if last is None else tuple(proposals(at, day, last, meter.digits)),
    )


async def decide(unit: Unit, wish: EstimateWish) -> int:
    """Let an estimate stand for a missing register and return its revision; the same again writes nothing.

    Raises:
        NotAllowedError: the rules do not allow it, or no register stands before it.
        ConflictError: a reading stands there, or the method now says another value.
        RefusalError: the agreed value is below the register before.
    """
    seen = await outlook(unit.session, wish.community_id, wish.meter_id, wish.day, unit.now)
    basis = dict(_basis(seen, wish))
    words_zh, words_en = WORDS[wish.method]
    community = await estate.community(unit.session, wish.community_id)
    correction = Correction(
        community_id=wish.community_id,
        meter_id=wish.meter_id,
        quantity=BILLED_QUANTITY[seen.meter.resource],
        read_at=midnight(wish.day, community.zone),
        value_milli=wish.value_milli,
        quality=Quality.ESTIMATED,
        reason=f"估读（{words_zh} {words_en}）：{wish.reason.strip()}",
    )
    newest = await repository.newest_revision(
        unit.session, wish.community_id, wish.meter_id, correction.quantity, correction.read_at
    )
    rev = await revise_reading(unit, correction)
    if newest is not None and newest.rev == rev:
        return rev
    await unit.session.flush()
    row = ReadingEstimateRow(
        tenant_id=unit.tenant,
        community_id=wish.community_id,
        meter_id=wish.meter_id,
        quantity=correction.quantity,
        read_at=correction.read_at,
        rev=rev,
        day=wish.day,
        method=wish.method,
        value_milli=wish.value_milli,
        basis=basis,
        reason=wish.reason.strip(),
        decided_by=unit.actor.id,
        recorded_at=unit.now,
    )
    unit.session.add(row)
    after = {"day": wish.day.isoformat(), "method": wish.method.value, "value_milli": wish.value_milli}
    unit.record("estimated", "reading", wish.meter_id, after=after)
    return rev


def _basis(seen: Outlook, wish: EstimateWish) -> dict[str, int | str]:
    if seen.standing:
        raise ConflictError("a reading stands there; correct it instead of estimating it")
    if seen.last is None or not seen.allowed:
        raise NotAllowedError(
            f"the rules let {seen.days_max} days in a row of {seen.meter.resource.value} be estimated,"
            f" and the last sure reading is {'unknown' if seen.last is None else f'of {seen.last.day}'};"
            " read the meter, or decide other rules"
        )
    if wish.method is Method.AGREED:
        if not seen.last.value_milli <= wish.value_milli < 10**seen.meter.digits * 1_000:
            raise RefusalError("the agreed register lies below the one before it, or above what the dial can show")
        return {"last_day": seen.last.day.isoformat(), "last_milli": seen.last.value_milli}
    made = next((one for one in seen.proposals if one.method is wish.method), None)
    if made is None:
        raise NotAllowedError("this method has nothing to rest on here; choose another")
    if made.value_milli != wish.value_milli:
        raise ConflictError("the method now says another value; look at it again")
    return dict(made.basis)


async def _placed(session: AsyncSession, community: Community, meter_id: MeterId, day: date) -> InstalledMeter:
    placed = await fleet.installed_meters(session, community.id, Period(day - _ONE_DAY, day + _ONE_DAY))
    own = [meter for meter in placed if meter.meter_id == meter_id]
    if not own:
        raise NotFoundError(f"there is no such meter in this community on {day}")
    return own[-1]


async def _lookup(
    session: AsyncSession, community: Community, meter: InstalledMeter, day: date, known_at: datetime
) -> Lookup:
    quantity = BILLED_QUANTITY[meter.resource]
    question = RegisterQuestion(
        community_id=community.id,
        meters=frozenset({meter.meter_id}),
        quantities=frozenset({quantity}),
        days=asked_days(day),
        zone=community.zone,
        known_at=known_at,
    )
    book = await register_book(session, question)
    return lambda one: book.at(meter.meter_id, quantity, one)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """An estimate that was decided; `trued` says that a true reading has taken its place since."""

    meter_id: MeterId
    day: date
    read_at: datetime
    method: Method
    value_milli: int
    reason: str
    decided_by: UUID
    recorded_at: datetime
    trued: bool


async def estimated(
    session: AsyncSession, community_id: CommunityId, *, offset: int = 0, limit: int = 50
) -> tuple[Estimated, ...]:
    """Return the estimates of a community, the newest first."""
    return tuple(
        Estimated(
            meter_id=MeterId(row.meter_id),
            day=row.day,
            read_at=row.read_at,
            method=row.method,
            value_milli=row.value_milli,
            reason=row.reason,
            decided_by=row.decided_by,
            recorded_at=row.recorded_at,
            trued=newest != row.rev,
        )
        for row, newest in await estimate_rows.estimates(session, community_id, offset, limit)
    )


async def was_trued(session: AsyncSession, community_id: CommunityId, meter_id: MeterId, day: date) -> bool:
    """Return whether an estimate of a meter at a midnight has given way to a later value."""
    return await estimate_rows.trued(session, community_id, meter_id, day)
