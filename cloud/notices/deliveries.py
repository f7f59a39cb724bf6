"""The delivery of a notice beside the inbox: planned once, in the unit that tells it, read by who looks after it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.db import Unit
from cloud.notices import addresses, repository
from cloud.notices.kinds import DeliveryState, Way
from cloud.notices.tables import DeliveryRow, NoticeRow
from common.ids import PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is known of a delivery; `shown` is its address masked."""

    way: Way
    shown: str
    state: DeliveryState
    attempts: int
    reason: str
    next_at: datetime | None
    accepted_at: datetime | None
    ended_at: datetime | None


async def plan(unit: Unit, notice: NoticeRow) -> Way | None:
    """Plan the delivery of a notice by its reader's way; None where he has none, or the company no account for it."""
    address = await addresses.address_of(unit.session, PartyId(notice.party_id))
    if address is None:
        return None
    account = await repository.open_message_account(unit.session, address.way)
    if account is None:
        return None
    unit.session.add(
        DeliveryRow(
            tenant_id=unit.tenant,
            community_id=notice.community_id,
            notice_id=notice.notice_id,
            message_account_id=account.message_account_id,
            way=address.way,
            address_sealed=address.sealed,
            shown=address.shown,
            state=DeliveryState.WAITING,
            attempts=0,
            asked=0,
            reference="",
            reason="",
            planned_at=unit.now,
        )
    )
    return address.way


async def deliveries_of(session: AsyncSession, notice_ids: Collection[UUID]) -> Mapping[UUID, Delivery]:
    """Return what became of the deliveries of some notices."""
    return {
        row.notice_id: Delivery(
            way=row.way,
            shown=row.shown,
            state=row.state,
            attempts=row.attempts,
            reason=row.reason,
            next_at=row.next_at,
            accepted_at=row.accepted_at,
            ended_at=row.ended_at,
        )
        for row in await repository.deliveries_of(session, notice_ids)
    }
