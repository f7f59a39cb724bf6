"""Sign-in, the caller himself, and the company's users, over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from cloud.identity import schemas, service
from cloud.identity.caller import Caller
from cloud.identity.callers import SESSION_COOKIE, SignedIn, require, token_of
from cloud.identity.credentials import Passwords, Token
from cloud.identity.policy import Permission, may_grant
from cloud.kit.db import Database
from cloud.kit.errors import ForbiddenError
from cloud.kit.httpapi import Page, Paging, page_of, paging
from common.ids import UserId

UserManager = Annotated[Caller, Depends(require(Permission.MANAGE_USERS))]


def build_router(database: Database, passwords: Passwords, *, secure_cookies: bool) -> APIRouter:
    """Return the endpoints of identity."""
    router = APIRouter(tags=["identity"])
    _add_session(router, database, passwords, secure_cookies=secure_cookies)
    _add_users(router, database)
    return router


def start_cookie(response: Response, token: Token, *, secure: bool) -> None:
    """Put a session into the browser: kept from scripts, and not sent along from other sites' forms."""
    age_s = int(service.SESSION_AGE.total_seconds())
    response.set_cookie(SESSION_COOKIE, token.text, max_age=age_s, httponly=True, secure=secure, samesite="lax")


def _add_session(router: APIRouter, database: Database, passwords: Passwords, *, secure_cookies: bool) -> None:
    @router.post("/session", status_code=HTTPStatus.CREATED)
    async def sign_in(
        body: schemas.SignInWithPassword | schemas.SignInWithCode, response: Response
    ) -> schemas.SessionOut:
        """Start a session by password or by one-time code."""
        if isinstance(body, schemas.SignInWithCode):
            token = await service.sign_in_with_code(database, body.code)
        else:
            token = await service.sign_in_with_password(database, passwords, body.login, body.password)
        start_cookie(response, token, secure=secure_cookies)
        return schemas.SessionOut(token=token.text)

    @router.delete("/session", status_code=HTTPStatus.NO_CONTENT)
    async def sign_out(caller: SignedIn, request: Request, response: Response) -> None:
        """End the session of this request."""
        token = token_of(request)
        if token is not None:
            await service.sign_out(database, caller, token)
        response.delete_cookie(SESSION_COOKIE)

    @router.get("/me")
    async def me(caller: SignedIn) -> schemas.MeOut:
        """Tell the caller who he is and what he may do."""
        scopes = {permission: caller.scope(permission) for permission in Permission if caller.may(permission)}
        return schemas.MeOut(
            user_id=caller.user_id,
            login=caller.login,
            display_name=caller.display_name,
            party_id=caller.party_id,
            permissions={
                permission: None if scope.everywhere else sorted(scope.communities)
                for permission, scope in scopes.items()
            },
        )

    @router.post("/me/password", status_code=HTTPStatus.NO_CONTENT)
    async def set_password(body: schemas.PasswordIn, caller: SignedIn) -> None:
        """Set the caller's own password; his sessions end."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await service.set_password(unit, passwords, caller.user_id, body.password)


def _add_users(router: APIRouter, database: Database) -> None:
    @router.get("/users")
    async def users(caller: UserManager, wanted: Annotated[Paging, Depends(paging)]) -> Page[schemas.UserOut]:
        """List the users with a role where the caller manages users, each with his roles there."""
        scope = caller.scope(Permission.MANAGE_USERS)
        async with database.view(caller.tenant) as session:
            found = await service.users(session, scope, offset=wanted.offset, limit=wanted.limit + 1)
        return page_of([schemas.UserOut.of(user) for user in found], wanted)

    @router.post("/users", status_code=HTTPStatus.CREATED)
    async def add_user(body: schemas.UserIn, caller: UserManager) -> schemas.NewUserOut:
        """Add a user and answer the code that signs him in once."""
        grants = [grant.grant() for grant in body.grants]
        if not may_grant(caller.grants, grants):
            raise ForbiddenError("you can give roles only in communities whose users you manage")
        async with database.unit(caller.tenant, caller.actor) as unit:
            user_id = await service.add_user(unit, login=body.login, display_name=body.display_name, grants=grants)
            code = await service.issue_code(unit, user_id)
        return schemas.NewUserOut(id=user_id, code=code)

    @router.post("/users/{user_id}/code", status_code=HTTPStatus.CREATED)
    async def issue_code(user_id: UUID, caller: UserManager) -> schemas.CodeOut:
        """Answer a fresh code that signs the user in once."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await service.require_manages(unit.session, caller, UserId(user_id))
            return schemas.CodeOut(code=await service.issue_code(unit, UserId(user_id)))

    @router.post("/users/{user_id}/disable", status_code=HTTPStatus.NO_CONTENT)
    async def disable(user_id: UUID, caller: UserManager) -> None:
        """Keep a user out from now on."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await service.require_manages(unit.session, caller, UserId(user_id))
            await service.disable_user(unit, UserId(user_id))

    @router.post("/users/{user_id}/grants", status_code=HTTPStatus.CREATED)
    async def grant(user_id: UUID, body: schemas.GrantIn, caller: UserManager) -> schemas.GrantOut:
        """Give a user a role."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            grant_id = await service.grant_role(unit, caller, UserId(user_id), body.grant())
        return schemas.GrantOut(id=grant_id, role=body.role, community_id=body.community_id)

    @router.delete("/grants/{grant_id}", status_code=HTTPStatus.NO_CONTENT)
    async def withdraw(grant_id: UUID, caller: UserManager) -> None:
        """Take a role back."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await service.withdraw_role(unit, caller, grant_id)
