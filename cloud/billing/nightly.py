"""Bill runs by night: where a community has decided so, every ended period with something due is run, oldest first.

Obligations are rows, so nothing asks whether today is billing day: a night that was missed is made up for by the next,
period by period, and a case that was settled in the daytime is billed in the night. A run drains what is due and no
more, so a night after a finished run does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import lookups
from cloud.billing.events import RunRequested
from cloud.billing.service import MONTHLY
from cloud.billing.tables import RunPolicyRow
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.runner import JobContext
from cloud.kit.schedules import Schedule
from common.errors import RefusalError
from common.ids import CommunityId

NIGHTLY_RUNS = "billing.nightly"
SCHEDULE = Schedule(name="nightly_runs", kind=NIGHTLY_RUNS, at=time(2, 0))
DAYS_AFTER_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPolicy:
    """Whether a community is billed at night, and how many days after the end of a period at the earliest."""

    nightly: bool = False
    days_after: int = 1

    def __post_init__(self) -> None:
        """Check the days."""
        if not 0 <= self.days_after <= DAYS_AFTER_MAX:
            raise RefusalError(f"a period is billed 0 to {DAYS_AFTER_MAX} days after its end, not {self.days_after}")


async def policy(session: AsyncSession, community_id: CommunityId) -> RunPolicy:
    """Return what a community has decided; nothing decided means no runs by night."""
    row = await lookups.run_policy(session, community_id)
    return RunPolicy() if row is None else RunPolicy(nightly=row.nightly, days_after=row.days_after)


async def decide(unit: Unit, community_id: CommunityId, wanted: RunPolicy) -> None:
    """Let a policy hold from now on.

    Raises:
        NotFoundError: there is no such community.
    """
    await estate.community(unit.session, community_id)
    standing = await lookups.run_policy(unit.session, community_id)
    rev = 1 if standing is None else standing.rev + 1
    unit.session.add(
        RunPolicyRow(
            tenant_id=unit.tenant,
            community_id=community_id,
            rev=rev,
            nightly=wanted.nightly,
            days_after=wanted.days_after,
            decided_by=unit.actor.id,
            recorded_at=unit.now,
        )
    )
    await unit.session.flush()
    unit.record("decided", "run_policy", community_id, after={"nightly": wanted.nightly, "rev": rev})


async def run_night(unit: Unit, night: date) -> int:
    """Ask for the runs of a night, the oldest period of each community first, and return how many."""
    asked = 0
    for community in await estate.communities(unit.session):
        decided = await policy(unit.session, community.id)
        if not decided.nightly:
            continue
        ended_by = night - timedelta(days=decided.days_after)
        for period in await lookups.periods_due(unit.session, community.id, MONTHLY, ended_by):
            asked += 1
            unit.publish(
                RunRequested(
                    community_id=community.id,
                    cycle=period.cycle,
                    period_start=period.period_start,
                    known_at=unit.now,
                    attempt=f"night:{night.isoformat()}",
                )
            )
    return asked


async def ask_for_runs(context: JobContext) -> None:
    """Ask for the runs of a night, and finish, in one commit."""
    async with context.finishing_unit() as unit:
        await run_night(unit, date.fromisoformat(context.job.payload["day"]))
