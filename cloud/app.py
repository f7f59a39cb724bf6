"""The composition root: settings and secrets in, running parts out. Nothing else of the cloud builds them."""

from __future__ import annotations

import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from cloud import flow, migrations
from cloud.identity.credentials import Passwords
from cloud.kit.clock import business_clock
from cloud.kit.db import Database
from cloud.kit.events import router
from cloud.kit.ids import system_ids
from cloud.kit.postgres import EmbeddedPostgres
from cloud.kit.roles import APP, OWNER, WORKER
from cloud.kit.secretbox import SecretBox, decode_key
from cloud.services import Outside, Services, build_services
from cloud.settings import DatabaseSettings, Settings, secret_key_text
from common.errors import RefusalError

DATABASE_FOLDER = "database"
DATABASE_NAME = "gatehouse"
SIGNING_KEY_FILE = "signing.key"
_CHANNEL_S_MAX = 10.0
_FREE_BYTES_MIN = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A home folder whose database runs and has the schema."""

    settings: Settings
    database: DatabaseSettings


@contextmanager
def open_house(settings: Settings) -> Iterator[House]:
    """Make the database ready while the block runs: the embedded one, or somebody else's that must be migrated.

    Raises:
        RefusalError: the disk is full, the server does not start, or its schema is not ours.
    """
    if settings.database is not None:
        migrations.require_current(settings.database.owner)
        yield House(settings=settings, database=settings.database)
        return
    settings.home.mkdir(parents=True, exist_ok=True)
    _require_space(settings.home)
    with embedded(settings.home).hold() as server:
        server.create_database(DATABASE_NAME)
        found = DatabaseSettings(
            app=server.conninfo(role=APP, database=DATABASE_NAME),
            worker=server.conninfo(role=WORKER, database=DATABASE_NAME),
            owner=server.conninfo(role=OWNER, database=DATABASE_NAME),
        )
        migrations.upgrade(found.owner)
        yield House(settings=settings, database=found)


def embedded(home: Path) -> EmbeddedPostgres:
    """Return the embedded server of a home folder."""
    return EmbeddedPostgres(home / DATABASE_FOLDER)


@asynccontextmanager
async def running_services(house: House, conninfo: str) -> AsyncIterator[Services]:
    """Build the parts of a process that connects with one role; they close with the block."""
    settings = house.settings
    registry = CollectorRegistry()
    for collect in (ProcessCollector, PlatformCollector, GCCollector):
        collect(registry=registry)
    box = SecretBox(decode_key(*secret_key_text(settings.home)))
    clock = business_clock(settings.clock_file)
    database = Database(conninfo, clock=clock, ids=system_ids(clock), route=router(flow.ROUTES))
    async with httpx.AsyncClient(timeout=_CHANNEL_S_MAX, trust_env=False) as http:
        try:
            yield build_services(
                Outside(
                    database=database,
                    registry=registry,
                    http=http,
                    secret_box=box,
                    passwords=Passwords(),
                    signing_key_file=settings.home / SIGNING_KEY_FILE,
                    public_url=settings.public_url,
                    secure_cookies=settings.secure_cookies,
                    wechat_url=settings.wechat_url,
                )
            )
        finally:
            await database.close()


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        RefusalError: the port is taken, or is not ours to take.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise RefusalError(
            f"cannot listen on {host}:{port} ({error.strerror}); set another port in settings.yaml"
        ) from error
    found.listen(128)
    return found


def _require_space(home: Path) -> None:
    free = shutil.disk_usage(home).free
    if free < _FREE_BYTES_MIN:
        wanted, found = _FREE_BYTES_MIN >> 20, free >> 20
        raise RefusalError(f"the disk of {home} has {found} MiB free and the database needs {wanted}; make room")
