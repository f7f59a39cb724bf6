"""What gateways estimated, for the comparison with the bill: the same code priced both, so they must agree."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.metering import repository
from common.civil import Period
from common.ids import CommunityId, MeterId
from common.tariff.revision import RevisionRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A gateway's estimate of one charge of one meter; `revision` is the last it used, `usage_milli` its own count."""

    meter_id: MeterId
    charge_code: str
    period: Period
    usage_milli: int
    amount_fen: int
    revision: RevisionRef


async def estimates(session: AsyncSession, community_id: CommunityId, ending_in: Period) -> tuple[Estimate, ...]:
    """Return the newest estimate of each meter, charge and period whose last day lies inside some days."""
    return tuple(
        Estimate(
            meter_id=MeterId(row.meter_id),
            charge_code=row.charge_code,
            period=Period(row.period_start, row.period_end),
            usage_milli=row.usage_milli,
            amount_fen=row.amount_fen,
            revision=RevisionRef(
                tariff_code=row.tariff_code,
                effective_from=row.tariff_from,
                rev=row.tariff_rev,
                body_sha=row.tariff_sha,
            ),
        )
        for row in await repository.provisional_lines(session, community_id, ending_in)
    )
