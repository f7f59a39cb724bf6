"""A home folder and its database: made ready for the block that works in it, whether served or only looked at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cloud import migrations
from cloud.kit.postgres import EmbeddedPostgres
from cloud.kit.roles import APP, OWNER, WORKER
from cloud.settings import DatabaseSettings, Settings
from common.errors import RefusalError

DATABASE_FOLDER = "database"
DATABASE_NAME = "gatehouse"
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


def _require_space(home: Path) -> None:
    free = shutil.disk_usage(home).free
    if free < _FREE_BYTES_MIN:
        wanted, found = _FREE_BYTES_MIN >> 20, free >> 20
        raise RefusalError(f"the disk of {home} has {found} MiB free and the database needs {wanted}; make room")
