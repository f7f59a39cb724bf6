"""Signing in and out, codes, passwords, grants, against a real database."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import text

from cloud.estate import service as estate
from cloud.identity import service as identity
from cloud.identity.caller import Caller
from cloud.identity.credentials import Passwords, Token, parse_token
from cloud.identity.policy import Grant, Permission, RoleName, Scope
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError, ForbiddenError, MalformedError, NotFoundError, UnauthenticatedError
from common.ids import CommunityId, TenantId, UserId
from tests.support.api import CHEAP, add_person
from tests.support.clock import SettableClock

PASSWORDS = Passwords(CHEAP)
PASSWORD = "correct horse battery"  # noqa: S105 - a test's own
EVERYWHERE = Scope(everywhere=True, communities=frozenset())


async def who(database: Database, token: Token) -> Caller | None:
    async with database.view(token.tenant) as session:
        return await identity.recognise(session, token)


async def machine_time_passes(database: Database, tenant: TenantId, table: str, days: int) -> None:
    column = {"user_session": "expires_at", "sign_in_code": "expires_at", "app_user": "locked_until"}[table]
    async with database.unit(tenant, Actor(kind="system", id=UUID(int=0), name="time")) as unit:
        statement = f"update {table} set {column} = {column} - make_interval(days => {days})"  # noqa: S608 - constants
        await unit.session.execute(text(statement))
        unit.record("aged", table, UUID(int=0))


async def manager(
    database: Database, tenant: TenantId, community: CommunityId | None = None, login: str = "boss"
) -> Caller:
    code = await add_person(database, tenant, login, RoleName.MANAGER, community)
    found = await who(database, await identity.sign_in_with_code(database, code))
    assert found is not None
    return found


async def a_community(database: Database, tenant: TenantId, actor: Actor, code: str) -> CommunityId:
    async with database.unit(tenant, actor) as unit:
        return await estate.create_community(unit, code=code, name=code, starts=unit.now.date())


async def test_a_code_signs_in_once_and_the_session_knows_its_user(database: Database, tenant: TenantId) -> None:
    code = await add_person(database, tenant, "Anna", RoleName.CASHIER)
    token = await identity.sign_in_with_code(database, f" {code.lower()} ")
    found = await who(database, token)
    assert found is not None
    assert (found.tenant, found.login, found.may(Permission.TAKE_CASH)) == (tenant, "anna", True)
    with pytest.raises(UnauthenticatedError):
        await identity.sign_in_with_code(database, code)


@pytest.mark.parametrize("code", ["", "AAAAA-AAAAA-AAAAA", "x" * 100, "' or 1=1 --"])
async def test_an_unknown_code_is_refused(database: Database, tenant: TenantId, code: str) -> None:
    await add_person(database, tenant, "anna", RoleName.CASHIER)
    with pytest.raises(UnauthenticatedError):
        await identity.sign_in_with_code(database, code)


async def test_codes_and_sessions_end_by_machine_time_and_business_time_does_not_touch_them(
    database: Database, tenant: TenantId, clock: SettableClock
) -> None:
    token = await identity.sign_in_with_code(database, await add_person(database, tenant, "anna", RoleName.CASHIER))
    late = await add_person(database, tenant, "bao", RoleName.CASHIER)
    clock.advance(days=400)
    assert await who(database, token) is not None
    await machine_time_passes(database, tenant, "user_session", 1)
    await machine_time_passes(database, tenant, "sign_in_code", 8)
    assert await who(database, token) is None
    with pytest.raises(UnauthenticatedError):
        await identity.sign_in_with_code(database, late)


async def test_a_session_ends_when_its_user_signs_out_or_is_disabled(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    for login, end in (("anna", "sign out"), ("bao", "disable")):
        token = await identity.sign_in_with_code(database, await add_person(database, tenant, login, RoleName.CASHIER))
        caller = await who(database, token)
        assert caller is not None
        if end == "sign out":
            await identity.sign_out(database, caller, token)
        else:
            async with database.unit(tenant, actor) as unit:
                await identity.disable_user(unit, caller.user_id)
        assert await who(database, token) is None


async def test_a_token_with_a_wrong_secret_or_another_company_opens_nothing(
    database: Database, tenant: TenantId, other_tenant: TenantId
) -> None:
    token = await identity.sign_in_with_code(database, await add_person(database, tenant, "anna", RoleName.CASHIER))
    forged = Token(tenant=tenant, session_id=token.session_id, secret="A" * 43)
    moved = Token(tenant=other_tenant, session_id=token.session_id, secret=token.secret)
    assert await who(database, forged) is None
    assert await who(database, moved) is None
    assert parse_token(token.text) == token
    assert parse_token(token.text + "x") is None
    assert parse_token("") is None


async def test_a_password_signs_in_until_too_many_wrong_ones_were_tried(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    caller = await manager(database, tenant)
    async with database.unit(tenant, actor) as unit:
        await identity.set_password(unit, PASSWORDS, caller.user_id, PASSWORD)
    await identity.sign_in_with_password(database, PASSWORDS, "BOSS", PASSWORD)
    for _ in range(identity.FAILURES_MAX):
        with pytest.raises(UnauthenticatedError):
            await identity.sign_in_with_password(database, PASSWORDS, "boss", "wrong" + PASSWORD)
    with pytest.raises(UnauthenticatedError):
        await identity.sign_in_with_password(database, PASSWORDS, "boss", PASSWORD)
    await machine_time_passes(database, tenant, "app_user", 1)
    await identity.sign_in_with_password(database, PASSWORDS, "boss", PASSWORD)


async def test_a_login_without_password_and_an_unknown_login_are_refused_alike(
    database: Database, tenant: TenantId
) -> None:
    await add_person(database, tenant, "anna", RoleName.CASHIER)
    messages = set()
    for login in ("anna", "nobody"):
        with pytest.raises(UnauthenticatedError) as refused:
            await identity.sign_in_with_password(database, PASSWORDS, login, PASSWORD)
        messages.add(str(refused.value))
    assert len(messages) == 1


async def test_a_new_password_ends_the_sessions_of_before(database: Database, tenant: TenantId, actor: Actor) -> None:
    token = await identity.sign_in_with_code(database, await add_person(database, tenant, "anna", RoleName.CASHIER))
    caller = await who(database, token)
    assert caller is not None
    async with database.unit(tenant, actor) as unit:
        await identity.set_password(unit, PASSWORDS, caller.user_id, PASSWORD)
    assert await who(database, token) is None


@pytest.mark.parametrize("password", ["", "too short", "x" * 201])
async def test_a_password_has_a_length(database: Database, tenant: TenantId, actor: Actor, password: str) -> None:
    caller = await manager(database, tenant)
    with pytest.raises(MalformedError, match="a password has"):
        async with database.unit(tenant, actor) as unit:
            await identity.set_password(unit, PASSWORDS, caller.user_id, password)


async def test_a_login_is_one_persons_in_all_companies(
    database: Database, tenant: TenantId, other_tenant: TenantId
) -> None:
    await add_person(database, tenant, "anna", RoleName.CASHIER)
    for company in (tenant, other_tenant):
        with pytest.raises(ConflictError, match="login is taken"):
            await add_person(database, company, " ANNA", RoleName.CASHIER)


@pytest.mark.parametrize("login", ["", "  ", "two words", "x" * 61])
async def test_a_login_that_cannot_be_one_is_refused(database: Database, tenant: TenantId, login: str) -> None:
    with pytest.raises(MalformedError, match="a login has"):
        await add_person(database, tenant, login, RoleName.CASHIER)


async def test_roles_are_given_and_taken_where_the_giver_manages_users(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    garden, lane = [await a_community(database, tenant, actor, code) for code in ("garden", "lane")]
    local = await manager(database, tenant, garden)
    async with database.unit(tenant, actor) as unit:
        clerk = await identity.add_user(unit, login="clerk", display_name="clerk", grants=[])
    wanted = Grant(role=RoleName.CASHIER, community_id=garden)
    async with database.unit(tenant, local.actor) as unit:
        grant_id = await identity.grant_role(unit, local, clerk, wanted)
    for refused, error in (
        (wanted, ConflictError),
        (Grant(role=RoleName.CASHIER, community_id=lane), ForbiddenError),
        (Grant(role=RoleName.MANAGER, community_id=None), ForbiddenError),
    ):
        with pytest.raises(error):
            async with database.unit(tenant, local.actor) as unit:
                await identity.grant_role(unit, local, clerk, refused)
    async with database.unit(tenant, local.actor) as unit:
        await identity.withdraw_role(unit, local, grant_id)
    with pytest.raises(NotFoundError):
        async with database.unit(tenant, local.actor) as unit:
            await identity.withdraw_role(unit, local, grant_id)
    async with database.view(tenant) as session:
        grants = {user.login: user.grants for user in await identity.users(session, EVERYWHERE)}
    assert grants["clerk"] == ()


async def test_a_local_manager_sees_those_with_a_role_in_his_community_and_their_roles_there(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    garden, lane = [await a_community(database, tenant, actor, code) for code in ("garden", "lane")]
    local = await manager(database, tenant, garden, "local")
    await manager(database, tenant, lane, "elsewhere")
    await manager(database, tenant, None, "chief")
    both = [Grant(role=RoleName.CASHIER, community_id=place) for place in (garden, lane)]
    async with database.unit(tenant, actor) as unit:
        await identity.add_user(unit, login="clerk", display_name="clerk", grants=both)
        await identity.add_user(unit, login="nobody", display_name="nobody", grants=[])
    async with database.view(tenant) as session:
        seen = await identity.users(session, local.scope(Permission.MANAGE_USERS))
        everybody = await identity.users(session, EVERYWHERE)
    assert {user.login: [grant for _, grant in user.grants] for user in seen} == {
        "clerk": both[:1],
        "local": [Grant(role=RoleName.MANAGER, community_id=garden)],
    }
    assert {"chief", "clerk", "elsewhere", "local", "nobody"} <= {user.login for user in everybody}


async def test_a_local_manager_cannot_take_over_somebody_with_more_power(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    garden = await a_community(database, tenant, actor, "garden")
    local = await manager(database, tenant, garden, "local")
    chief = await manager(database, tenant, None, "chief")
    async with database.view(tenant) as session:
        await identity.require_manages(session, chief, local.user_id)
        with pytest.raises(ForbiddenError):
            await identity.require_manages(session, local, chief.user_id)
        with pytest.raises(NotFoundError):
            await identity.require_manages(session, chief, UserId(UUID(int=404)))
