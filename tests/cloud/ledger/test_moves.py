"""What moved on bill lines, by day and by where it came from."""

from __future__ import annotations

from datetime import date

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.ledger import moves
from cloud.ledger.accounts import AccountType
from cloud.ledger.journals import LineRef
from common.civil import Period
from common.ids import TenantId
from tests.cloud.charges.street import build_street
from tests.support.clock import SettableClock


async def test_a_line_is_told_by_its_charge_and_its_payments_and_is_found_by_their_days(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    street = await build_street(database, tenant, actor, clock)
    item = await street.make(street.charge())
    (bill, other, *_) = await street.issue(street.one_off(item, 60_000))
    await street.pay(bill, 1_000, date(2026, 3, 11))
    line = LineRef(bill_id=bill.summary.bill_id, n=1)
    async with database.view(tenant) as session:
        told = (await moves.moves_of(session, [line]))[line]
        paid = await moves.lines_moved(session, street.community, Period(date(2026, 3, 11), date(2026, 3, 12)))
        issued = await moves.lines_moved(session, street.community, Period(date(2026, 1, 1), date(2026, 1, 2)))
    assert [(move.other, move.fen) for move in told] == [
        (AccountType.INCOME, bill.summary.total_fen),
        (AccountType.CLEARING, -1_000),
    ]
    assert paid == {line}
    assert {line, LineRef(bill_id=other.summary.bill_id, n=1)} <= issued
