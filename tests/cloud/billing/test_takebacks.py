"""Taking issued charges back: never more than stands, never what a bill run issued."""

from __future__ import annotations

from uuid import UUID

import pytest

from cloud.billing import service, takebacks
from cloud.billing.corrections import Cause
from cloud.billing.takebacks import Take
from cloud.kit.actor import Actor
from cloud.kit.db import Database, Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.ledger.journals import LineRef
from common.ids import BillId, CommunityId, TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.charges.street import build_street
from tests.support.clock import SettableClock


async def take_one(unit: Unit, community_id: CommunityId, line: LineRef) -> None:
    takes = [Take(line=line, fen=1)]
    await takebacks.take_back(unit, community_id, cause=Cause.WAIVER, reason="test", takes=takes)


async def test_a_line_is_taken_back_in_parts_up_to_what_stands_of_it(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    street = await build_street(database, tenant, actor, clock)
    item = await street.make(street.charge())
    bills = await street.issue(street.one_off(item, 60_000))
    line = LineRef(bill_id=bills[0].summary.bill_id, n=1)
    whole = bills[0].summary.total_fen
    for fen in (1_000, whole - 1_000):
        async with database.unit(tenant, actor) as unit:
            takes = [Take(line=line, fen=fen)]
            (credit,) = await takebacks.take_back(
                unit, street.community, cause=Cause.WAIVER, reason="test", takes=takes
            )
        assert credit.total_fen == -fen
    with pytest.raises(ConflictError, match="0 fen stand"):
        async with database.unit(tenant, actor) as unit:
            await take_one(unit, street.community, line)


async def test_what_a_bill_run_issued_is_not_taken_back(office: Office) -> None:
    office.set(office.site.flats[0], b.SERVICE, 0, 20_000)
    await office.bill_month(0)
    async with office.site.database.view(office.site.tenant) as session:
        (open_line,) = await service.open_lines(session, await office.account(office.site.flats[0]))
    with pytest.raises(ConflictError, match="written off"):
        async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
            await take_one(unit, office.site.community_id, open_line.ref)


async def test_a_line_that_is_nowhere_is_not_found(office: Office) -> None:
    line = LineRef(bill_id=BillId(UUID(int=5)), n=1)
    with pytest.raises(NotFoundError):
        async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
            await take_one(unit, office.site.community_id, line)
