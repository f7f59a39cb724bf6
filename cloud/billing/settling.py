"""In which order money settles what an account owes, as each community decides; oldest first unless decided.

It holds for payments as for money paid ahead, inside one book: money of two funds or companies is never mixed.

oldest_first          what is due first
late_charges_first    late charges, then what is due first
principal_first       what is due first, late charges last
newest_first          what is due last
items_first           the charge items the community put first, in its order, then what is due first
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import lookups
from cloud.billing.documents import OpenLine
from cloud.billing.tables import SettlingOrderRow
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.ledger.journals import LineRef
from common.errors import RefusalError, ensure
from common.ids import CommunityId

ITEMS_MAX = 50


class SettlingOrder(StrEnum):
    """An order of settling; see the head of this module."""

    OLDEST_FIRST = "oldest_first"
    LATE_CHARGES_FIRST = "late_charges_first"
    PRINCIPAL_FIRST = "principal_first"
    NEWEST_FIRST = "newest_first"
    ITEMS_FIRST = "items_first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """An order as decided; `items` are codes of charge items, the first settled at the front."""

    order: SettlingOrder = SettlingOrder.OLDEST_FIRST
    items: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that items are named where they count, each once.

        Raises:
            RefusalError: they are missing, or one is named twice.
        """
        if self.order is SettlingOrder.ITEMS_FIRST and not self.items:
            raise RefusalError("name the charge items that are settled first, by their codes")
        if len(set(self.items)) != len(self.items):
            raise RefusalError("a charge item is named twice; name each once")


def settled(lines: Sequence[OpenLine], fen: int, settling: Settling) -> tuple[tuple[LineRef, int], ...]:
    """Return how much of an amount settles which line, in the order decided; lines alike go by bill and number."""
    ensure(fen >= 0, "an amount to settle with is not negative")
    parts = []
    for line in ordered(lines, settling):
        part = min(fen, line.open_fen)
        if part > 0:
            parts.append((line.ref, part))
            fen -= part
    return tuple(parts)


def ordered(lines: Sequence[OpenLine], settling: Settling) -> list[OpenLine]:
    """Return lines in the order in which money settles them."""
    oldest = sorted(lines, key=lambda line: (line.due, line.number, line.n))
    match settling.order:
        case SettlingOrder.OLDEST_FIRST:
            return oldest
        case SettlingOrder.NEWEST_FIRST:
            return oldest[::-1]
        case SettlingOrder.LATE_CHARGES_FIRST:
            return sorted(oldest, key=lambda line: not line.late)
        case SettlingOrder.PRINCIPAL_FIRST:
            return sorted(oldest, key=lambda line: line.late)
        case SettlingOrder.ITEMS_FIRST:
            ranks = {code: rank for rank, code in enumerate(settling.items)}
            return sorted(oldest, key=lambda line: ranks.get(line.charge_code, len(ranks)))


async def settling_order(
    session: AsyncSession, community_id: CommunityId, known_at: datetime | None = None
) -> Settling:
    """Return the order that a community has decided on, now or as it stood at an instant."""
    row = await lookups.settling_order(session, community_id, known_at)
    return Settling() if row is None else _settling(row)


async def decide_order(unit: Unit, community_id: CommunityId, settling: Settling) -> None:
    """Let an order hold from now on; the one that holds already changes nothing.

    Raises:
        NotFoundError: there is no such community.
    """
    await estate.community(unit.session, community_id)
    standing = await lookups.settling_order(unit.session, community_id)
    if standing is not None and _settling(standing) == settling:
        return
    rev = 1 if standing is None else standing.rev + 1
    unit.session.add(
        SettlingOrderRow(
            tenant_id=unit.tenant,
            community_id=community_id,
            rev=rev,
            settling=settling.order.value,
            items=list(settling.items),
            decided_by=unit.actor.id,
            recorded_at=unit.now,
        )
    )
    await unit.session.flush()
    unit.record("decided", "settling_order", community_id, after={"order": settling.order, "rev": rev})


def _settling(row: SettlingOrderRow) -> Settling:
    return Settling(order=SettlingOrder(row.settling), items=tuple(row.items))
