"""Due obligations in columns: in order, from a place on, held; settled only while they are due."""

from __future__ import annotations

from uuid import UUID

from cloud.billing import due
from cloud.billing.service import period_of
from cloud.kit.images import id_at
from tests.cloud.hamlet import HOUSEHOLDS, Hamlet


async def test_due_obligations_come_in_order_and_go_on_after_a_place(hamlet: Hamlet) -> None:
    async with hamlet.database.unit(hamlet.tenant, hamlet.actor) as unit:
        period = await period_of(unit.session, hamlet.scope)
        first = await due.due_columns(unit.session, period, None, 5)
        place = id_at(first["premises_id"], -1), id_at(first["account_id"], -1)
        rest = await due.due_columns(unit.session, period, place, 100)
        everybody = await due.obliged(unit.session, period)
    seen = [UUID(str(id_at(part["premises_id"], n))) for part in (first, rest) for n in range(len(part["plain"]))]
    assert seen == sorted(hamlet.premises)
    assert len(everybody["party_id"]) == HOUSEHOLDS
    assert bool(first["plain"].all())


async def test_an_obligation_is_settled_once(hamlet: Hamlet) -> None:
    async with hamlet.database.unit(hamlet.tenant, hamlet.actor) as unit:
        period = await period_of(unit.session, hamlet.scope)
        found = await due.due_columns(unit.session, period, None, 3)
        settled = [await due.settle_columns(unit.session, period, found["account_id"], None) for _ in range(2)]
        left = await due.due_columns(unit.session, period, None, 100)
        unit.record("waived", "billing_period", hamlet.community_id)
    assert settled == [3, 0]
    assert len(left["plain"]) == HOUSEHOLDS - 3
