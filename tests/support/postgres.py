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


@contextmanager
def test_server() -> Iterator[TestServer]:
    """Start a server that forgets everything: no fsync, a folder under /tmp that goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-test-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder, durable=False)
    try:
        with server.hold():
            yield TestServer(server)
    finally:
        server.forget()
        shutil.rmtree(folder, ignore_errors=True)


test_server.__test__ = False  # type: ignore[attr-defined]
