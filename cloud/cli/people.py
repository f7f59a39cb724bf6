"""The commands that add the first company and the people who sign in; one-time codes are printed once."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from cloud.app import running_services
from cloud.estate import service as estate
from cloud.house import open_house
from cloud.identity import service as identity
from cloud.identity.policy import Grant, RoleName
from cloud.kit import directory
from cloud.kit.actor import system_actor
from cloud.kit.directory import DirectoryKind
from cloud.kit.errors import NotFoundError
from cloud.services import Services
from cloud.settings import read_settings
from common.ids import TenantId, UserId

Answer = TypeVar("Answer")
_ACTOR = system_actor("command line")


def add_company(options: argparse.Namespace) -> None:
    """Add a company with a manager of all of it."""

    async def act(services: Services) -> str:
        tenant = TenantId(services.database.new_id())
        async with services.database.unit(tenant, _ACTOR) as unit:
            await estate.create_tenant(unit, code=options.code, name=options.name)
            grant = Grant(role=RoleName.MANAGER, community_id=None)
            user_id = await identity.add_user(unit, login=options.login, display_name=options.login, grants=[grant])
            return await identity.issue_code(unit, user_id)

    _tell_code(options, _run(options, act))


def add_user(options: argparse.Namespace) -> None:
    """Add a user of all communities to the company of an existing login."""

    async def act(services: Services) -> str:
        tenant, _ = await _find(services, options.like)
        async with services.database.unit(tenant, _ACTOR) as unit:
            grant = Grant(role=RoleName(options.role), community_id=None)
            user_id = await identity.add_user(unit, login=options.login, display_name=options.login, grants=[grant])
            return await identity.issue_code(unit, user_id)

    _tell_code(options, _run(options, act))


def new_code(options: argparse.Namespace) -> None:
    """Print a fresh one-time code of a login."""

    async def act(services: Services) -> str:
        tenant, user_id = await _find(services, options.login)
        async with services.database.unit(tenant, _ACTOR) as unit:
            return await identity.issue_code(unit, user_id)

    _tell_code(options, _run(options, act))


def _run(options: argparse.Namespace, act: Callable[[Services], Awaitable[Answer]]) -> Answer:
    with open_house(read_settings(options.home)) as house:

        async def run() -> Answer:
            async with running_services(house, house.database.app) as services:
                return await act(services)

        return asyncio.run(run())


async def _find(services: Services, login: str) -> tuple[TenantId, UserId]:
    async with services.database.directory() as connection:
        found = await directory.find(connection, DirectoryKind.LOGIN, login.strip().casefold())
    if found is None:
        raise NotFoundError(f"nobody has the login {login}")
    return found.tenant, UserId(found.object_id)


def _tell_code(options: argparse.Namespace, code: str) -> None:
    sys.stdout.write(f"{options.login}: one-time code {code}\n")


_ROLES = [role.value for role in RoleName if role is not RoleName.RESIDENT]
_LOGIN: dict[str, Any] = {"help": "the name to sign in with"}
COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], None], str, dict[str, dict[str, Any]]]] = {
    "add-company": (
        add_company,
        "add a company and its first manager",
        {"code": {"help": "short code of the company"}, "name": {"help": "its full name"}, "login": _LOGIN},
    ),
    "add-user": (
        add_user,
        "add a user to a company",
        {
            "login": _LOGIN,
            "--role": {"choices": _ROLES, "required": True},
            "--like": {"required": True, "help": "a login of the same company"},
        },
    ),
    "code": (new_code, "print a fresh one-time code", {"login": _LOGIN}),
}
