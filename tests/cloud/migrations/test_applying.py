"""The short way of a start that finds the newest schema agrees with alembic."""

from __future__ import annotations

import pytest
from alembic.script import ScriptDirectory

from cloud import migrations
from cloud.kit.roles import OWNER
from cloud.migrations.applying import scripts
from common.errors import RefusalError
from tests.support.postgres import TestServer


def test_the_newest_revision_by_file_name_is_the_head_of_alembic() -> None:
    assert migrations.newest() == ScriptDirectory.from_config(scripts()).get_current_head()


def test_a_database_with_the_newest_schema_is_let_in_and_left_alone(server: TestServer, database_name: str) -> None:
    conninfo = server.server.conninfo(role=OWNER, database=database_name)
    migrations.require_current(conninfo)
    migrations.upgrade(conninfo)
    migrations.require_current(conninfo)


def test_a_database_without_a_schema_is_refused_with_the_command_that_mends_it(server: TestServer) -> None:
    with pytest.raises(RefusalError, match=r"at revision None.*gatehouse cloud migrate"):
        migrations.require_current(server.server.conninfo(role=OWNER))
