"""What is going on in a community: open cases, vehicles in the lots, runs under way, corrections, the audit log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.insights.figures import AuditEntry, CaseCount, CorrectionEntry, LotOccupancy
from common.ids import CaseId, CommunityId

AUDIT_ROWS_MAX = 10_000

_CASES = text("""
    select kind, reason, count(*) as open from open_case
     where closed_at is null and community_id = :community
     group by kind, reason order by count(*) desc, kind, reason
""")
_LOTS = text("""
    select l.lot, l.spaces,
           (select count(*) from parking_session s
             where (s.tenant_id, s.community_id, s.lot) = (l.tenant_id, l.community_id, l.lot)
               and s.state = 'inside') as inside
      from parking_lot l where l.community_id = :community order by l.lot
""")
_RUNNING = text("""
    select exists (select from job
                    where kind = 'billing.run' and key like :prefix and state in ('ready', 'leased'))
""")
_CORRECTIONS = text("""
    select case_id, cause, reason, first_day, state, opened_at, net_fen, jsonb_array_length(premises) as premises,
           (select count(*) from bill b where (b.tenant_id, b.community_id, b.case_id)
                                           = (c.tenant_id, c.community_id, c.case_id)) as documents
      from correction_case c
     where community_id = :community
     order by case_id desc offset :offset limit :limit
""")
_AUDIT = text("""
    select audit_id, at, actor_kind, actor_name, action, object_kind, object_id, before, after
      from audit
     where (cast(:actor as text) is null or actor_name = :actor)
       and (cast(:action as text) is null or action = :action)
       and (cast(:object_kind as text) is null or object_kind = :object_kind)
       and (cast(:object_id as uuid) is null or object_id = :object_id)
       and (cast(:since as timestamptz) is null or at >= :since)
       and (cast(:until as timestamptz) is null or at < :until)
     order by audit_id desc offset :offset limit :limit
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuestion:
    """Which deeds are wanted; None asks for all. `until` is not included."""

    actor: str | None = None
    action: str | None = None
    object_kind: str | None = None
    object_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


async def open_cases(session: AsyncSession, community_id: CommunityId) -> tuple[CaseCount, ...]:
    """Return how many cases are open, by kind and reason, the most first."""
    found = await session.execute(_CASES, {"community": community_id})
    return tuple(CaseCount(kind=row.kind, reason=row.reason, open=row.open) for row in found)


async def occupancy(session: AsyncSession, community_id: CommunityId) -> tuple[LotOccupancy, ...]:
    """Return how many vehicles stand in each lot now."""
    found = await session.execute(_LOTS, {"community": community_id})
    return tuple(LotOccupancy(lot=row.lot, inside=row.inside, spaces=row.spaces) for row in found)


async def run_under_way(session: AsyncSession, community_id: CommunityId, cycle: str, start: date) -> bool:
    """Return whether a bill run of a period waits for a worker or is in the hands of one."""
    prefix = f"bill_run:{community_id}:{cycle}:{start.isoformat()}:%"
    return bool((await session.execute(_RUNNING, {"prefix": prefix})).scalar_one())


async def corrections(
    session: AsyncSession, community_id: CommunityId, *, offset: int, limit: int
) -> tuple[CorrectionEntry, ...]:
    """Return the corrections of a community, the newest first."""
    found = await session.execute(_CORRECTIONS, {"community": community_id, "offset": offset, "limit": limit})
    return tuple(
        CorrectionEntry(
            case_id=CaseId(row.case_id),
            cause=row.cause,
            reason=row.reason,
            first_day=row.first_day,
            state=row.state,
            opened_at=row.opened_at,
            premises=row.premises,
            documents=row.documents,
            net_fen=row.net_fen,
        )
        for row in found
    )


async def audit_log(
    session: AsyncSession, question: AuditQuestion, *, offset: int, limit: int
) -> tuple[AuditEntry, ...]:
    """Return deeds of the whole company, the newest first."""
    values = {
        "actor": question.actor,
        "action": question.action,
        "object_kind": question.object_kind,
        "object_id": question.object_id,
        "since": question.since,
        "until": question.until,
        "offset": offset,
        "limit": min(limit, AUDIT_ROWS_MAX),
    }
    return tuple(
        AuditEntry(
            audit_id=row.audit_id,
            at=row.at,
            actor_kind=row.actor_kind,
            actor_name=row.actor_name,
            action=row.action,
            object_kind=row.object_kind,
            object_id=row.object_id,
            before=_text(row.before),
            after=_text(row.after),
        )
        for row in await session.execute(_AUDIT, values)
    )


def _text(figures: Mapping[str, Any] | None) -> str | None:
    return None if figures is None else json.dumps(figures, ensure_ascii=False, sort_keys=True)
