"""`gatehouse ledger export`: the book of one community as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.cli.ledger import exported, main
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from common.errors import RefusalError
from common.ids import TenantId
from tests.cloud.charges.street import build_street
from tests.support import api
from tests.support.clock import SettableClock


async def test_the_book_of_a_community_is_written_in_either_form(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor, clock: SettableClock, tmp_path: Path
) -> None:
    street = await build_street(database, tenant, actor, clock)
    item = await street.make(street.charge())
    await street.issue(street.one_off(item, 600))
    async with api.running_services(worker_database, tmp_path) as services:
        text, count = await exported(services, "STREET", "csv", None)
        beans, transactions = await exported(services, "STREET", "beancount", None)
        with pytest.raises(RefusalError, match="0 communities"):
            await exported(services, "NOWHERE", "csv", None)
    assert (count, transactions, text.count("\n")) == (6, 6, 7)
    assert beans.startswith('option "title" "长街"')


@pytest.mark.parametrize(
    "words",
    [["export", "--home", "x"], ["export", "--home", "x", "--community", "c", "--format", "pdf"], []],
)
def test_a_command_that_is_not_whole_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert "usage: gatehouse ledger" in capsys.readouterr().err
