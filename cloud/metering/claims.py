"""Use cases of one-shot usage: store a finished session once, let one bill line charge it once, show what is owed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError
from cloud.metering import repository
from cloud.metering.sessions import SessionSource, UsageClaim, UsageSession
from cloud.metering.tables import UsageClaimRow, UsageSessionRow
from common.civil import Period
from common.ids import CommunityId, PremisesId


async def record_session(unit: Unit, session: UsageSession) -> bool:
    """Store a finished session; return False when it is stored already."""
    if await repository.usage_session(unit.session, session.community_id, session.session_id) is not None:
        return False
    unit.session.add(
        UsageSessionRow(
            tenant_id=unit.tenant,
            community_id=session.community_id,
            session_id=session.session_id,
            kind=session.kind,
            place=session.place,
            premises_id=session.premises_id,
            started_at=session.started_at,
            ended_at=session.ended_at,
            ended_day=session.ended_day,
            permit_id=session.permit_id,
            facts=dict(session.facts),
            sources=[[str(one.gateway_id), one.epoch, one.sequence] for one in session.sources],
            recorded_at=unit.now,
        )
    )
    unit.record("stored", "usage_session", session.session_id, after={"kind": session.kind, "place": session.place})
    return True


async def claim_sessions(unit: Unit, community_id: CommunityId, claims: Sequence[UsageClaim]) -> None:
    """Tie sessions to the bill lines that charge them; the same claims again change nothing.

    Raises:
        ConflictError: another bill line charges one of the sessions already.
    """
    wanted = {claim.session_id: (claim.bill_id, claim.line_n) for claim in claims}
    for row in await repository.claims_of(unit.session, community_id, wanted.keys()):
        if wanted.pop(row.session_id) != (row.bill_id, row.line_n):
            raise ConflictError("a session is charged on another bill already; rate the period again")
    for session_id, (bill_id, line_n) in wanted.items():
        unit.session.add(
            UsageClaimRow(
                tenant_id=unit.tenant,
                community_id=community_id,
                session_id=session_id,
                bill_id=bill_id,
                line_n=line_n,
                recorded_at=unit.now,
            )
        )
        unit.record("claimed", "usage_session", session_id, after={"bill_id": str(bill_id), "line_n": line_n})


async def sessions_ended(
    session: AsyncSession, community_id: CommunityId, days: Period, known_at: datetime
) -> tuple[UsageSession, ...]:
    """Return the sessions that ended on some civil days, as known at an instant."""
    rows = await repository.sessions_ended(session, community_id, days, known_at)
    return tuple(_session(row) for row in rows)


async def session_of(session: AsyncSession, community_id: CommunityId, session_id: UUID) -> UsageSession | None:
    """Return a session by its id, or None."""
    row = await repository.usage_session(session, community_id, session_id)
    return None if row is None else _session(row)


async def unclaimed_sessions(
    session: AsyncSession, community_id: CommunityId, before: date
) -> tuple[UsageSession, ...]:
    """Return the sessions that ended before a day and that no bill line has charged: what is still owed."""
    return tuple(_session(row) for row in await repository.sessions_unclaimed(session, community_id, before))


async def claimed_ids(
    session: AsyncSession, community_id: CommunityId, session_ids: Collection[UUID]
) -> frozenset[UUID]:
    """Return those of some sessions that a bill line charges."""
    return frozenset(row.session_id for row in await repository.claims_of(session, community_id, session_ids))


def _session(row: UsageSessionRow) -> UsageSession:
    return UsageSession(
        session_id=row.session_id,
        community_id=row.community_id,
        kind=row.kind,
        place=row.place,
        premises_id=PremisesId(row.premises_id),
        started_at=row.started_at,
        ended_at=row.ended_at,
        ended_day=row.ended_day,
        permit_id=row.permit_id,
        facts=row.facts,
        sources=tuple(
            SessionSource(gateway_id=UUID(gateway_id), epoch=epoch, sequence=sequence)
            for gateway_id, epoch, sequence in row.sources
        ),
    )
