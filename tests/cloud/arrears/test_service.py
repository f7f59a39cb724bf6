"""Relief: asked by one, decided by another, booked once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from cloud.arrears import late, service
from cloud.arrears.values import Relief, ReliefKind, ReliefState, ReliefWish, RelievedLine
from cloud.billing.documents import BillView
from cloud.kit.actor import Actor
from cloud.kit.errors import ConflictError, ForbiddenError, NotFoundError
from cloud.ledger import reports
from cloud.ledger.accounts import AccountType
from cloud.ledger.auditing import audit
from cloud.ledger.journals import LineRef
from common.errors import RefusalError
from common.ids import AccountId, BillId
from tests.cloud.charges.street import Street

CHIEF = Actor(kind="user", id=UUID(int=2), name="chief")


def wish(street: Street, view: BillView, kind: ReliefKind, fen: int) -> ReliefWish:
    line = LineRef(bill_id=view.summary.bill_id, n=1)
    return ReliefWish(
        relief_id=street.database.new_id(),
        account_id=view.account.account_id,
        kind=kind,
        lines=(RelievedLine(line=line, fen=fen),),
        reason="困难家庭",
    )


async def ask(street: Street, what: ReliefWish) -> Relief:
    async with street.database.unit(street.tenant, street.actor) as unit:
        return await service.ask(unit, what)


async def decide(street: Street, relief_id: UUID, *, grants: bool, who: Actor = CHIEF) -> Relief:
    async with street.database.unit(street.tenant, who) as unit:
        return await service.decide(unit, relief_id, grants=grants)


async def late_bill(street: Street) -> BillView:
    street.clock.set(datetime(2026, 4, 15, 12, tzinfo=UTC))
    async with street.database.unit(street.tenant, street.actor) as unit:
        bills = await late.charge(unit, street.community, date(2026, 4, 15))
    return await street.bill(bills[0].bill_id)


async def test_a_late_charge_is_waived_by_a_credit_that_names_it(street: Street, debts: list[BillView]) -> None:
    assert len(debts) == 6
    bill = await late_bill(street)
    what = wish(street, bill, ReliefKind.WAIVER, 1_000)
    await ask(street, what)
    assert (await decide(street, what.relief_id, grants=True)).state is ReliefState.GRANTED
    again = await street.bill(bill.summary.bill_id)
    assert again.lines[0].open_fen == 1_250
    assert len(again.lines[0].corrected_by) == 1
    async with street.database.view(street.tenant) as session:
        assert (await audit(session, street.community)).breaches == ()


async def test_a_debt_is_written_off_against_the_company_that_loses_it(street: Street, debts: list[BillView]) -> None:
    what = wish(street, debts[0], ReliefKind.WRITE_OFF, 60_000)
    await ask(street, what)
    await decide(street, what.relief_id, grants=True)
    assert (await street.bill(debts[0].summary.bill_id)).lines[0].open_fen == 40_000
    async with street.database.view(street.tenant) as session:
        lost = await reports.statement(session, street.entity, [AccountType.WRITE_OFF])
        assert (await audit(session, street.community)).breaches == ()
    assert [line.amount_fen for line in lost] == [60_000]


async def test_refused_relief_moves_nothing_and_is_final(street: Street, debts: list[BillView]) -> None:
    what = wish(street, debts[0], ReliefKind.WRITE_OFF, 60_000)
    await ask(street, what)
    assert (await decide(street, what.relief_id, grants=False)).state is ReliefState.REFUSED
    assert (await street.bill(debts[0].summary.bill_id)).lines[0].open_fen == 100_000
    with pytest.raises(ConflictError, match="already"):
        await decide(street, what.relief_id, grants=True)


async def test_whoever_asked_does_not_decide(street: Street, debts: list[BillView]) -> None:
    what = wish(street, debts[0], ReliefKind.WRITE_OFF, 60_000)
    await ask(street, what)
    with pytest.raises(ForbiddenError):
        await decide(street, what.relief_id, grants=True, who=street.actor)


async def test_what_was_paid_in_between_cannot_be_relieved(street: Street, debts: list[BillView]) -> None:
    what = wish(street, debts[0], ReliefKind.WRITE_OFF, 60_000)
    await ask(street, what)
    await street.pay(debts[0], 50_000, date(2026, 3, 20))
    with pytest.raises(ConflictError, match="50000 fen are open"):
        await decide(street, what.relief_id, grants=True)


async def test_asking_twice_is_one_wish_and_with_other_content_is_refused(
    street: Street, debts: list[BillView]
) -> None:
    what = wish(street, debts[0], ReliefKind.WRITE_OFF, 60_000)
    assert await ask(street, what) == await ask(street, what)
    other = ReliefWish(
        relief_id=what.relief_id, account_id=what.account_id, kind=what.kind, lines=what.lines, reason="other"
    )
    with pytest.raises(ConflictError, match="other content"):
        await ask(street, other)


async def test_a_line_of_somebody_else_is_not_found(street: Street, debts: list[BillView]) -> None:
    stranger = debts[1]
    line = LineRef(bill_id=debts[0].summary.bill_id, n=1)
    what = ReliefWish(
        relief_id=street.database.new_id(),
        account_id=stranger.account.account_id,
        kind=ReliefKind.WRITE_OFF,
        lines=(RelievedLine(line=line, fen=1),),
        reason="r",
    )
    with pytest.raises(NotFoundError):
        await ask(street, what)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [((), "r"), (((1, 0),), "r"), (((1, 5), (1, 5)), "r"), (((1, 5),), " "), (((1, 5),), "x" * 501)],
)
def test_a_wish_that_cannot_be_is_refused(lines: tuple[tuple[int, int], ...], reason: str) -> None:
    with pytest.raises(RefusalError):
        ReliefWish(
            relief_id=UUID(int=1),
            account_id=AccountId(UUID(int=2)),
            kind=ReliefKind.WAIVER,
            lines=tuple(RelievedLine(line=LineRef(bill_id=BillId(UUID(int=3)), n=n), fen=fen) for n, fen in lines),
            reason=reason,
        )
