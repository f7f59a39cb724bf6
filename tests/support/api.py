"""The API of a test's database, called in process, as one person or another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from cloud.api import build_api
from cloud.documents.printer import Printer
from cloud.identity import service as identity
from cloud.identity.credentials import Passwords
from cloud.identity.policy import Grant, RoleName
from cloud.kit.actor import system_actor
from cloud.kit.db import Database
from cloud.kit.secretbox import KEY_BYTES, SecretBox
from cloud.payments.providers import ChannelUrls
from cloud.services import Outside, Services, build_services
from common.ids import CommunityId, PartyId, TenantId

HOST = "http://gatehouse.test"
_NOWHERE = "http://127.0.0.1:9"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@asynccontextmanager
async def running_api(database: Database, folder: Path, passwords: Passwords | None = None) -> AsyncIterator[FastAPI]:
    """Build the whole application over a database; keys are made in the folder."""
    async with running_services(database, folder, passwords) as services:
        yield build_api(services)


@asynccontextmanager
async def running_services(
    database: Database, folder: Path, passwords: Passwords | None = None
) -> AsyncIterator[Services]:
    """Build the services of a process over a database; nothing outside is reachable."""
    printer = Printer()
    async with httpx.AsyncClient(timeout=1.0, trust_env=False) as http:
        yield build_services(
            Outside(
                database=database,
                registry=CollectorRegistry(),
                http=http,
                secret_box=SecretBox(bytes(KEY_BYTES)),
                passwords=passwords or Passwords(CHEAP),
                printer=printer,
                signing_key_file=folder / "signing.key",
                public_url=HOST,
                secure_cookies=False,
                channel_urls=ChannelUrls(wechat=_NOWHERE, alipay=_NOWHERE, unionpay=_NOWHERE),
            )
        )
    printer.close()


@asynccontextmanager
async def client(app: FastAPI, token: str = "") -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of the application that carries a session, or none."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers) as opened:
        yield opened


async def add_person(
    database: Database,
    tenant: TenantId,
    login: str,
    role: RoleName,
    community: CommunityId | None = None,
    *,
    party: PartyId | None = None,
) -> str:
    """Add a user with one role and return his one-time code."""
    async with database.unit(tenant, system_actor("test")) as unit:
        grants = [Grant(role=role, community_id=community)]
        user_id = await identity.add_user(unit, login=login, display_name=login, grants=grants, party_id=party)
        return await identity.issue_code(unit, user_id)


async def signed_in(
    database: Database,
    tenant: TenantId,
    login: str,
    role: RoleName,
    community: CommunityId | None = None,
    *,
    party: PartyId | None = None,
) -> str:
    """Add a user with one role, sign him in, and return his session token."""
    code = await add_person(database, tenant, login, role, community, party=party)
    return (await identity.sign_in_with_code(database, code)).text
