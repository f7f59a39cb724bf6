"""The named queries of notices; private to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.notices.kinds import Way
from cloud.notices.tables import DeliveryRow, MessageAccountRow, NoticeAddressRow, NoticeRow, NoticeWishRow


async def add_notice(session: AsyncSession, values: Mapping[str, Any]) -> bool:
    """Add a notice unless its key is taken; return whether it was added."""
    statement = (
        insert(NoticeRow)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["tenant_id", "key"])
        .returning(NoticeRow.notice_id)
    )
    return await session.scalar(statement) is not None


async def notice(session: AsyncSession, notice_id: UUID, *, lock: bool = False) -> NoticeRow | None:
    """Return a notice, held for this unit with `lock`."""
    query = select(NoticeRow).where(NoticeRow.notice_id == notice_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def keys_taken(session: AsyncSession, keys: Collection[str]) -> set[str]:
    """Return those keys that have a notice."""
    return set(await session.scalars(select(NoticeRow.key).where(NoticeRow.key.in_(keys))))


async def notices_of(session: AsyncSession, party_id: UUID, limit: int) -> Sequence[NoticeRow]:
    """Return what a party was told or will be, the newest first."""
    query = select(NoticeRow).where(NoticeRow.party_id == party_id)
    return (await session.scalars(query.order_by(NoticeRow.written_at.desc(), NoticeRow.key).limit(limit))).all()


async def notices_in(session: AsyncSession, community_id: UUID, limit: int, offset: int) -> Sequence[NoticeRow]:
    """Return the notices of a community, the newest first."""
    query = select(NoticeRow).where(NoticeRow.community_id == community_id)
    query = query.order_by(NoticeRow.written_at.desc(), NoticeRow.key).limit(limit).offset(offset)
    return (await session.scalars(query)).all()


async def wish_of(session: AsyncSession, party_id: UUID) -> NoticeWishRow | None:
    """Return how a party wants to be told."""
    return await session.scalar(select(NoticeWishRow).where(NoticeWishRow.party_id == party_id))


async def set_wish(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Keep how a party wants to be told."""
    statement = insert(NoticeWishRow).values(**values)
    changed = {name: statement.excluded[name] for name in ("language", "quiet_from", "quiet_to", "changed_at")}
    await session.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "party_id"], set_=changed))


async def address_of(session: AsyncSession, party_id: UUID) -> NoticeAddressRow | None:
    """Return where a party wants to be told."""
    return await session.scalar(select(NoticeAddressRow).where(NoticeAddressRow.party_id == party_id))


async def set_address(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Keep where a party wants to be told."""
    statement = insert(NoticeAddressRow).values(**values)
    changed = {name: statement.excluded[name] for name in ("way", "address_sealed", "shown", "changed_at")}
    await session.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "party_id"], set_=changed))


async def forget_address(session: AsyncSession, party_id: UUID) -> None:
    """Forget where a party wanted to be told."""
    await session.execute(delete(NoticeAddressRow).where(NoticeAddressRow.party_id == party_id))


async def message_accounts(session: AsyncSession) -> Sequence[MessageAccountRow]:
    """Return the company's accounts at providers, the newest first."""
    return (await session.scalars(select(MessageAccountRow).order_by(MessageAccountRow.opened_at.desc()))).all()


async def message_account(session: AsyncSession, account_id: UUID) -> MessageAccountRow | None:
    """Return an account at a provider."""
    return await session.scalar(select(MessageAccountRow).where(MessageAccountRow.message_account_id == account_id))


async def open_message_account(session: AsyncSession, way: Way) -> MessageAccountRow | None:
    """Return the account by which messages of a way go out."""
    query = select(MessageAccountRow).where(MessageAccountRow.way == way, MessageAccountRow.closed_at.is_(None))
    return await session.scalar(query)


async def delivery(session: AsyncSession, notice_id: UUID, *, lock: bool = False) -> DeliveryRow | None:
    """Return the delivery of a notice, held for this unit with `lock`."""
    query = select(DeliveryRow).where(DeliveryRow.notice_id == notice_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def deliveries_of(session: AsyncSession, notice_ids: Collection[UUID]) -> Sequence[DeliveryRow]:
    """Return the deliveries of some notices."""
    return (await session.scalars(select(DeliveryRow).where(DeliveryRow.notice_id.in_(notice_ids)))).all()
