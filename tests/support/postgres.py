"""One private PostgreSQL for a test session, and fresh migrated databases from a template in it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from cloud import migrations
from cloud.kit.postgres import EmbeddedPostgres
from cloud.kit.roles import OWNER

TEMPLATE = "template_gatehouse"
_MEMORY = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of our own in it
_ROOM = 1 << 30


class TestServer:
    """A running server with one migrated template database."""

    __test__ = False

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self._numbers = count(1)
        server.create_database(TEMPLATE)
        migrations.upgrade(server.conninfo(role=OWNER, database=TEMPLATE))

    @contextmanager
    def fresh_database(self) -> Iterator[str]:
        """Copy the template for one test and drop the copy afterwards."""
        name = f"test_{next(self._numbers)}"
        self.server.create_database(name, template=TEMPLATE)
        try:
            yield name
        finally:
            self.server.drop_database(name)


def _fast_folder() -> Path | None:
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM:
        return _MEMORY
    return None  # the system's own folder for temporary files


@contextmanager
def test_server(*, durable: bool = False) -> Iterator[TestServer]:  # noqa: PT028 - no test, in spite of its name
    """Start a server that forgets everything: no fsync, a folder in memory where there is room, gone with the block.

    A durable one waits for the disk, for benches that measure it.
    """
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-test-", dir=None if durable else _fast_folder()))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder, durable=durable)
    try:
        with server.hold():
            yield TestServer(server)
    finally:
        server.forget()
        shutil.rmtree(folder, ignore_errors=True)


test_server.__test__ = False  # type: ignore[attr-defined]
