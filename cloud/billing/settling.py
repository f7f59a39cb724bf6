"""In which order money paid ahead settles what an account owes, as each community decides; oldest first unless decided.

oldest_first          what is due first
late_charges_first    late charges, then what is due first
principal_first       what is due first, late charges last
newest_first          what is due last
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import lookups
from cloud.billing.documents import OpenLine
from cloud.billing.tables import SettlingOrderRow
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.ledger.journals import LineRef
from common.errors import ensure
from common.ids import CommunityId


class SettlingOrder(StrEnum):
    """An order of settling; see the head of this module."""

    OLDEST_FIRST = "oldest_first"
    LATE_CHARGES_FIRST = "late_charges_first"
    PRINCIPAL_FIRST = "principal_first"
    NEWEST_FIRST = "newest_first"


def settled(lines: Sequence[OpenLine], fen: int, order: SettlingOrder) -> tuple[tuple[LineRef, int], ...]:
    """Return how much of an amount settles which line, in the order decided; lines alike go by bill and number."""
    ensure(fen >= 0, "an amount to settle with is not negative")
    parts = []
    for line in _ordered(lines, order):
        part = min(fen, line.open_fen)
        if part > 0:
            parts.append((line.ref, part))
            fen -= part
    return tuple(parts)


def _ordered(lines: Sequence[OpenLine], order: SettlingOrder) -> list[OpenLine]:
    oldest = sorted(lines, key=lambda line: (line.due, line.number, line.n))
    match order:
        case SettlingOrder.OLDEST_FIRST:
            return oldest
        case SettlingOrder.NEWEST_FIRST:
            return oldest[::-1]
        case SettlingOrder.LATE_CHARGES_FIRST:
            return sorted(oldest, key=lambda line: not line.late)
        case SettlingOrder.PRINCIPAL_FIRST:
            return sorted(oldest, key=lambda line: line.late)


async def settling_order(session: AsyncSession, community_id: CommunityId) -> SettlingOrder:
    """Return the order that a community has decided on."""
    row = await lookups.settling_order(session, community_id)
    return SettlingOrder.OLDEST_FIRST if row is None else SettlingOrder(row.settling)


async def decide_order(unit: Unit, community_id: CommunityId, order: SettlingOrder) -> None:
    """Let an order hold from now on; the one that holds already changes nothing.

    Raises:
        NotFoundError: there is no such community.
    """
    await estate.community(unit.session, community_id)
    standing = await lookups.settling_order(unit.session, community_id)
    if standing is not None and standing.settling == order:
        return
    rev = 1 if standing is None else standing.rev + 1
    unit.session.add(
        SettlingOrderRow(
            tenant_id=unit.tenant,
            community_id=community_id,
            rev=rev,
            settling=order.value,
            decided_by=unit.actor.id,
            recorded_at=unit.now,
        )
    )
    await unit.session.flush()
    unit.record("decided", "settling_order", community_id, after={"order": order, "rev": rev})
