"""The named queries of identity."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.identity.tables import RoleGrantRow, SignInCodeRow, UserRow, UserSessionRow
from common.ids import CommunityId, UserId


async def user(session: AsyncSession, user_id: UserId, *, lock: bool = False) -> UserRow | None:
    """Return one of the company's users; locked against change when asked."""
    query = select(UserRow).where(UserRow.user_id == user_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def user_unlocked(session: AsyncSession, user_id: UserId) -> bool:
    """Return whether too many failures do not keep the user out at this moment of machine time."""
    query = select((UserRow.locked_until.is_(None)) | (UserRow.locked_until < func.clock_timestamp()))
    return bool(await session.scalar(query.where(UserRow.user_id == user_id)))


async def users(
    session: AsyncSession, communities: Collection[CommunityId] | None, offset: int, limit: int
) -> list[UserRow]:
    """Return users by login: all of the company, or those with a role in some of its communities."""
    query = select(UserRow).order_by(UserRow.login).offset(offset).limit(limit)
    if communities is not None:
        here = select(RoleGrantRow.user_id).where(
            RoleGrantRow.community_id.in_(communities), RoleGrantRow.withdrawn_at.is_(None)
        )
        query = query.where(UserRow.user_id.in_(here))
    return list(await session.scalars(query))


async def grants(session: AsyncSession, user_ids: list[UserId]) -> list[RoleGrantRow]:
    """Return the grants in force of some users, oldest first."""
    query = (
        select(RoleGrantRow)
        .where(RoleGrantRow.user_id.in_(user_ids), RoleGrantRow.withdrawn_at.is_(None))
        .order_by(RoleGrantRow.user_id, RoleGrantRow.granted_at, RoleGrantRow.grant_id)
    )
    return list(await session.scalars(query))


async def grant(session: AsyncSession, grant_id: UUID) -> RoleGrantRow | None:
    """Return one grant that is in force."""
    query = select(RoleGrantRow).where(RoleGrantRow.grant_id == grant_id, RoleGrantRow.withdrawn_at.is_(None))
    return await session.scalar(query.with_for_update())


async def live_session(session: AsyncSession, session_id: UUID) -> tuple[UserSessionRow, UserRow] | None:
    """Return a session that has neither ended nor expired, with its user unless he is disabled."""
    query = (
        select(UserSessionRow, UserRow)
        .join(UserRow, (UserRow.tenant_id == UserSessionRow.tenant_id) & (UserRow.user_id == UserSessionRow.user_id))
        .where(
            UserSessionRow.session_id == session_id,
            UserSessionRow.ended_at.is_(None),
            UserSessionRow.expires_at > func.clock_timestamp(),
            UserRow.disabled_at.is_(None),
        )
    )
    found = (await session.execute(query)).one_or_none()
    return None if found is None else (found[0], found[1])


async def use_code(session: AsyncSession, code_id: UUID) -> UserId | None:
    """Use up a sign-in code that is neither used nor expired, and return its user; None when it opens nothing."""
    statement = (
        update(SignInCodeRow)
        .where(
            SignInCodeRow.code_id == code_id,
            SignInCodeRow.used_at.is_(None),
            SignInCodeRow.expires_at > func.clock_timestamp(),
        )
        .values(used_at=func.clock_timestamp())
        .returning(SignInCodeRow.user_id)
    )
    return await session.scalar(statement)


async def end_sessions(session: AsyncSession, user_id: UserId) -> None:
    """End every session of a user."""
    await session.execute(
        update(UserSessionRow)
        .where(UserSessionRow.user_id == user_id, UserSessionRow.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp())
    )


async def end_session(session: AsyncSession, session_id: UUID) -> bool:
    """End one session; return whether it was running."""
    statement = (
        update(UserSessionRow)
        .where(UserSessionRow.session_id == session_id, UserSessionRow.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp())
        .returning(UserSessionRow.session_id)
    )
    return await session.scalar(statement) is not None


async def note_failure(session: AsyncSession, user_id: UserId, failures_max: int, pause: timedelta) -> None:
    """Count a wrong password; every so many of them keep the user out for a while."""
    failures = UserRow.failures + 1
    locked = case((failures % failures_max == 0, func.clock_timestamp() + pause), else_=UserRow.locked_until)
    await session.execute(
        update(UserRow).where(UserRow.user_id == user_id).values(failures=failures, locked_until=locked)
    )
