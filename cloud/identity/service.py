"""Use cases of identity: users and their grants, signing in by password or one-time code, sessions.

Signing in starts before the company is known: the directory leads from login or code to it. A refused sign-in never
says what was wrong, and takes as long as any other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.identity import repository
from cloud.identity.caller import Caller
from cloud.identity.credentials import Passwords, Token, digest, new_code, new_token, plain_code
from cloud.identity.policy import Grant, Scope, may_grant, visible_grants
from cloud.identity.tables import RoleGrantRow, SignInCodeRow, UserRow, UserSessionRow
from cloud.kit import directory
from cloud.kit.actor import Actor, system_actor
from cloud.kit.db import Database, Unit
from cloud.kit.directory import DirectoryKind
from cloud.kit.errors import ConflictError, ForbiddenError, MalformedError, NotFoundError, UnauthenticatedError
from common.ids import PartyId, UserId

SESSION_AGE = timedelta(hours=12)
CODE_AGE = timedelta(days=7)
FAILURES_MAX = 8
PAUSE_AFTER_FAILURES = timedelta(minutes=15)
LOGIN_LENGTH_MAX = 60
_NOT_SIGNED_IN = "this does not sign anybody in; check it, or ask for a new one-time code"
_DOOR = system_actor("sign-in")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    """A user as a manager sees him."""

    id: UserId
    login: str
    display_name: str
    disabled: bool
    grants: tuple[tuple[UUID, Grant], ...]


async def add_user(
    unit: Unit, *, login: str, display_name: str, grants: Collection[Grant], party_id: PartyId | None = None
) -> UserId:
    """Add somebody who can sign in once he gets a code, with his grants.

    Raises:
        MalformedError: the login cannot be one.
        ConflictError: the login is taken.
    """
    name = _login(login)
    user_id = UserId(unit.new_id())
    await directory.enter(unit, DirectoryKind.LOGIN, name, user_id)
    unit.session.add(
        UserRow(
            tenant_id=unit.tenant,
            user_id=user_id,
            login=name,
            display_name=display_name,
            party_id=party_id,
            failures=0,
            created_at=unit.now,
        )
    )
    await unit.session.flush()
    for grant in grants:
        _add_grant(unit, user_id, grant)
    unit.record("added", "app_user", user_id, after={"login": name, "roles": [grant.role.value for grant in grants]})
    return user_id


async def issue_code(unit: Unit, user_id: UserId) -> str:
    """Return a fresh code that signs the user in once; it is told now and never again.

    Raises:
        NotFoundError: the company has no such user.
    """
    await _user(unit.session, user_id)
    code, code_id = new_code(), unit.new_id()
    unit.session.add(
        SignInCodeRow(
            tenant_id=unit.tenant, code_id=code_id, user_id=user_id, expires_at=func.clock_timestamp() + CODE_AGE
        )
    )
    await directory.enter(unit, DirectoryKind.SIGN_IN_CODE, code, code_id)
    unit.record("issued a sign-in code", "app_user", user_id)
    return code


async def require_manages(session: AsyncSession, caller: Caller, user_id: UserId) -> None:
    """Go on only when the caller manages users wherever this user has a role: a code for him is his power.

    Raises:
        NotFoundError: the company has no such user.
        ForbiddenError: the user has a role where the caller does not manage users.
    """
    if await repository.user(session, user_id) is None:
        raise NotFoundError(f"there is no user {user_id}")
    held = await repository.grants(session, [user_id])
    if not may_grant(caller.grants, [Grant(role=row.role, community_id=row.community_id) for row in held]):
        raise ForbiddenError("this user has roles in communities whose users you do not manage")


async def grant_role(unit: Unit, caller: Caller, user_id: UserId, grant: Grant) -> UUID:
    """Give a user a role, where the caller manages users himself, and return the grant's id.

    Raises:
        ForbiddenError: the caller does not manage users there.
        ConflictError: the user has the role there already.
    """
    if not may_grant(caller.grants, [grant]):
        raise ForbiddenError("you can give roles only in communities whose users you manage")
    await _user(unit.session, user_id)
    held = await repository.grants(unit.session, [user_id])
    if any((row.role, row.community_id) == (grant.role, grant.community_id) for row in held):
        raise ConflictError(f"the user is {grant.role.value} there already")
    grant_id = _add_grant(unit, user_id, grant)
    unit.record("granted", "role_grant", grant_id, after={"user": str(user_id), "role": grant.role.value})
    return grant_id


async def withdraw_role(unit: Unit, caller: Caller, grant_id: UUID) -> None:
    """Take a role back, where the caller manages users himself.

    Raises:
        NotFoundError: no such grant is in force.
        ForbiddenError: the caller does not manage users there.
    """
    row = await repository.grant(unit.session, grant_id)
    if row is None:
        raise NotFoundError("no such grant is in force")
    if not may_grant(caller.grants, [Grant(role=row.role, community_id=row.community_id)]):
        raise ForbiddenError("you can take roles back only in communities whose users you manage")
    row.withdrawn_at = unit.now
    unit.record("withdrew", "role_grant", grant_id, before={"user": str(row.user_id), "role": row.role.value})


async def disable_user(unit: Unit, user_id: UserId) -> None:
    """Keep a user out from now on and end his sessions; his deeds stay under his name."""
    row = await _user(unit.session, user_id)
    row.disabled_at = unit.now
    await repository.end_sessions(unit.session, user_id)
    unit.record("disabled", "app_user", user_id)


async def set_password(unit: Unit, passwords: Passwords, user_id: UserId, password: str) -> None:
    """Set a user's password and end his other sessions."""
    hashed = await passwords.hash(password)
    row = await _user(unit.session, user_id)
    row.password_hash = hashed
    await repository.end_sessions(unit.session, user_id)
    unit.record("set a password", "app_user", user_id)


async def users(session: AsyncSession, scope: Scope, *, offset: int = 0, limit: int = 50) -> list[UserView]:
    """Return the users by login whom somebody sees who manages those of a scope, with the grants they hold there."""
    rows = await repository.users(session, None if scope.everywhere else scope.communities, offset, limit)
    held = await repository.grants(session, [row.user_id for row in rows])
    return [_view(row, [grant for grant in held if grant.user_id == row.user_id], scope) for row in rows]


async def sign_in_with_code(database: Database, code: str) -> Token:
    """Use up a one-time code and start a session.

    Raises:
        UnauthenticatedError: the code is unknown, used or expired, or its user is disabled.
    """
    async with database.directory() as connection:
        found = await directory.find(connection, DirectoryKind.SIGN_IN_CODE, plain_code(code))
    if found is None:
        raise UnauthenticatedError(_NOT_SIGNED_IN)
    async with database.unit(found.tenant, _DOOR) as unit:
        user_id = await repository.use_code(unit.session, found.object_id)
        user = None if user_id is None else await repository.user(unit.session, user_id)
        if user is None or user.disabled_at is not None:
            raise UnauthenticatedError(_NOT_SIGNED_IN)
        await directory.withdraw(unit, DirectoryKind.SIGN_IN_CODE, plain_code(code))
        return _start_session(unit, user)


async def sign_in_with_password(database: Database, passwords: Passwords, login: str, password: str) -> Token:
    """Start a session for a login and its password.

    Raises:
        UnauthenticatedError: they do not go together, or too many wrong ones were tried lately.
    """
    async with database.directory() as connection:
        found = await directory.find(connection, DirectoryKind.LOGIN, login.strip().casefold())
    if found is None:
        await passwords.verify(None, password)
        raise UnauthenticatedError(_NOT_SIGNED_IN)
    user_id = UserId(found.object_id)
    async with database.view(found.tenant) as session:
        user = await repository.user(session, user_id)
        unlocked = await repository.user_unlocked(session, user_id)
    right = await passwords.verify(None if user is None else user.password_hash, password)
    async with database.unit(found.tenant, _DOOR) as unit:
        user = await repository.user(unit.session, user_id, lock=True)
        signed_in = right and unlocked and user is not None and user.disabled_at is None
        if signed_in and user is not None:
            user.failures, user.locked_until = 0, None
            return _start_session(unit, user)
        await repository.note_failure(unit.session, user_id, FAILURES_MAX, PAUSE_AFTER_FAILURES)
        unit.record("was refused sign-in", "app_user", user_id)
    raise UnauthenticatedError(_NOT_SIGNED_IN)


async def recognise(session: AsyncSession, token: Token) -> Caller | None:
    """Return whose session a token opens, with the grants in force now; None when it opens none."""
    found = await repository.live_session(session, token.session_id)
    if found is None or not token.opens(found[0].secret_sha):
        return None
    user = found[1]
    held = await repository.grants(session, [user.user_id])
    return Caller(
        tenant=token.tenant,
        user_id=user.user_id,
        login=user.login,
        display_name=user.display_name,
        party_id=user.party_id,
        grants=tuple(Grant(role=row.role, community_id=row.community_id) for row in held),
    )


async def sign_out(database: Database, caller: Caller, token: Token) -> None:
    """End the session of a token; a session that has ended already stays so."""
    async with database.unit(caller.tenant, caller.actor) as unit:
        await repository.end_session(unit.session, token.session_id)
        unit.record("signed out", "user_session", token.session_id)


def _start_session(unit: Unit, user: UserRow) -> Token:
    token = new_token(unit.tenant, unit.new_id())
    unit.session.add(
        UserSessionRow(
            tenant_id=unit.tenant,
            session_id=token.session_id,
            user_id=user.user_id,
            secret_sha=digest(token.secret),
            expires_at=func.clock_timestamp() + SESSION_AGE,
        )
    )
    unit.actor = Actor(kind="user", id=user.user_id, name=user.login)
    unit.record("signed in", "user_session", token.session_id)
    return token


def _add_grant(unit: Unit, user_id: UserId, grant: Grant) -> UUID:
    grant_id = unit.new_id()
    unit.session.add(
        RoleGrantRow(
            tenant_id=unit.tenant,
            grant_id=grant_id,
            user_id=user_id,
            role=grant.role,
            community_id=grant.community_id,
            granted_at=unit.now,
        )
    )
    return grant_id


async def _user(session: AsyncSession, user_id: UserId) -> UserRow:
    row = await repository.user(session, user_id, lock=True)
    if row is None:
        raise NotFoundError(f"there is no user {user_id}")
    return row


def _login(text: str) -> str:
    login = text.strip().casefold()
    if not 0 < len(login) <= LOGIN_LENGTH_MAX or any(mark.isspace() for mark in login):
        raise MalformedError(f"a login has 1 to {LOGIN_LENGTH_MAX} characters and no spaces")
    return login


def _view(row: UserRow, held: Collection[RoleGrantRow], scope: Scope) -> UserView:
    grants = {grant.grant_id: Grant(role=grant.role, community_id=grant.community_id) for grant in held}
    seen = visible_grants(scope, grants.values())
    return UserView(
        id=row.user_id,
        login=row.login,
        display_name=row.display_name,
        disabled=row.disabled_at is not None,
        grants=tuple((grant_id, grant) for grant_id, grant in grants.items() if grant in seen),
    )
