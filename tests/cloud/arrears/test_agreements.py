"""Instalments: exact sums, approved by another person, kept or broken by what is paid, silent while kept."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.arrears import agreements, late, letters
from cloud.arrears.values import Agreement, AgreementState, AgreementWish, LateRule
from cloud.billing.documents import BillView
from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.kit.actor import Actor
from cloud.kit.errors import ConflictError, ForbiddenError, NotFoundError
from common.errors import RefusalError
from tests.cloud.charges.street import Street

CHIEF = Actor(kind="user", id=UUID(int=2), name="chief")
NOW = datetime(2026, 3, 20, 4, tzinfo=UTC)
FIRST = date(2026, 3, 31)


def wish(street: Street, bill: BillView, **changes: object) -> AgreementWish:
    fields: dict[str, object] = {
        "agreement_id": street.database.new_id(),
        "account_id": bill.account.account_id,
        "parts": 3,
        "first_on": FIRST,
        "late_rule": LateRule.FORGIVEN_IF_KEPT,
        "reason": "失业",
    }
    return AgreementWish(**(fields | changes))  # type: ignore[arg-type]


async def propose(street: Street, what: AgreementWish) -> Agreement:
    async with street.database.unit(street.tenant, street.actor) as unit:
        return await agreements.propose(unit, what)


async def decide(street: Street, one: Agreement, *, grants: bool = True, who: Actor = CHIEF) -> Agreement:
    async with street.database.unit(street.tenant, who) as unit:
        return await agreements.decide(unit, one.agreement_id, grants=grants)


async def agreed(street: Street, bill: BillView, **changes: object) -> Agreement:
    street.clock.set(NOW)
    return await decide(street, await propose(street, wish(street, bill, **changes)))


async def look(street: Street, one: Agreement, today: date) -> AgreementState:
    street.clock.set(datetime(today.year, today.month, today.day, 4, tzinfo=UTC))
    async with street.database.unit(street.tenant, street.actor) as unit:
        return (await agreements.look(unit, one.agreement_id, today)).state


async def late_fen(street: Street, bill: BillView, through: date) -> int:
    async with street.database.view(street.tenant) as session:
        found = await late.preview(session, street.community, through, street.clock.now())
    return sum(one.total_fen for one in found.charges if one.account.account_id == bill.account.account_id)


@given(total=st.integers(2, 10**12), parts=st.integers(2, 36), day=st.dates(date(2024, 1, 1), date(2030, 12, 31)))
def test_instalments_sum_to_the_debt_differ_by_a_fen_at_most_and_fall_a_month_apart(
    total: int, parts: int, day: date
) -> None:
    if total < parts:
        with pytest.raises(RefusalError):
            agreements.plan_of(total, parts, day)
        return
    plan = agreements.plan_of(total, parts, day)
    assert sum(one.fen for one in plan) == total
    assert max(one.fen for one in plan) - min(one.fen for one in plan) <= 1
    months = [one.due_on.year * 12 + one.due_on.month for one in plan]
    assert months == list(range(months[0], months[0] + parts))
    assert all(one.due_on.day <= day.day for one in plan)


async def test_a_proposal_covers_what_is_overdue_in_dates_and_exact_sums(street: Street, debts: list[BillView]) -> None:
    street.clock.set(NOW)
    found = await propose(street, wish(street, debts[0]))
    assert (found.state, found.total_fen) == (AgreementState.ASKED, 100_000)
    assert [(one.due_on, one.fen) for one in found.plan] == [
        (date(2026, 3, 31), 33_334),
        (date(2026, 4, 30), 33_333),
        (date(2026, 5, 31), 33_333),
    ]


async def test_the_same_proposal_twice_is_one_and_a_second_beside_it_is_refused(
    street: Street, debts: list[BillView]
) -> None:
    street.clock.set(NOW)
    what = wish(street, debts[0])
    assert await propose(street, what) == await propose(street, what)
    with pytest.raises(ConflictError, match="other content"):
        await propose(street, wish(street, debts[0], agreement_id=what.agreement_id, parts=4))
    with pytest.raises(ConflictError, match="已有分期"):
        await propose(street, wish(street, debts[0]))


async def test_whoever_proposed_does_not_approve_and_a_decision_is_final(street: Street, debts: list[BillView]) -> None:
    street.clock.set(NOW)
    one = await propose(street, wish(street, debts[0]))
    with pytest.raises(ForbiddenError):
        await decide(street, one, who=street.actor)
    assert (await decide(street, one, grants=False)).state is AgreementState.REFUSED
    with pytest.raises(ConflictError, match="already"):
        await decide(street, one)
    again = await propose(street, wish(street, debts[0]))
    async with street.database.unit(street.tenant, street.actor) as unit:
        assert (await agreements.withdraw(unit, again.agreement_id)).state is AgreementState.WITHDRAWN
    with pytest.raises(ConflictError, match="already"):
        await decide(street, again)


async def test_what_cannot_be_agreed_is_refused(street: Street, debts: list[BillView]) -> None:
    street.clock.set(NOW)
    for first_on in (date(2026, 3, 20), date(2026, 3, 1), date(2026, 9, 1)):
        with pytest.raises(RefusalError, match="首期"):
            await propose(street, wish(street, debts[0], first_on=first_on))
    for changes in ({"parts": 1}, {"parts": 37}, {"reason": " "}):
        with pytest.raises(RefusalError):
            wish(street, debts[0], **changes)
    await street.pay(debts[0], 100_000, date(2026, 3, 19))
    with pytest.raises(ConflictError, match="没有可分期"):
        await propose(street, wish(street, debts[0]))
    late_one = await propose(street, wish(street, debts[1]))
    street.clock.set(datetime(2026, 4, 10, tzinfo=UTC))
    with pytest.raises(ConflictError, match="首期日期已过"):
        await decide(street, late_one)
    async with street.database.view(street.tenant) as session:
        with pytest.raises(NotFoundError):
            await agreements.agreement(session, UUID(int=9))


async def test_a_disputed_bill_is_not_part_of_an_agreement(street: Street, debts: list[BillView]) -> None:
    street.clock.set(NOW)
    report = CaseReport(
        kind=CaseKind.DISPUTE,
        reason="disputed",
        origin="test",
        object_kind="bill",
        object_id=debts[0].summary.bill_id,
        community_id=street.community,
        owner_role=OwnerRole.MANAGER,
        detail_zh="争议",
        detail_en="disputed",
    )
    async with street.database.unit(street.tenant, street.actor) as unit:
        await cases.raise_case(unit, report)
    with pytest.raises(ConflictError, match="没有可分期"):
        await propose(street, wish(street, debts[0]))


async def test_paid_in_time_it_stands_and_at_the_end_it_is_kept(street: Street, debts: list[BillView]) -> None:
    one = await agreed(street, debts[0])
    assert await look(street, one, date(2026, 4, 3)) is AgreementState.AGREED
    await street.pay(debts[0], 33_334, date(2026, 4, 3))
    assert await look(street, one, date(2026, 4, 4)) is AgreementState.AGREED
    await street.pay(debts[0], 66_666, date(2026, 4, 20))
    assert await look(street, one, date(2026, 4, 21)) is AgreementState.KEPT
    assert await late_fen(street, debts[0], date(2026, 6, 1)) == 0
    assert await late_fen(street, debts[1], date(2026, 6, 1)) > 0


async def test_an_instalment_missed_beyond_its_grace_by_one_fen_breaks_it(
    street: Street, debts: list[BillView]
) -> None:
    one = await agreed(street, debts[0])
    await street.pay(debts[0], 33_333, date(2026, 4, 1))
    assert await look(street, one, date(2026, 4, 3)) is AgreementState.AGREED
    assert await look(street, one, date(2026, 4, 4)) is AgreementState.BROKEN
    assert await look(street, one, date(2026, 4, 5)) is AgreementState.BROKEN
    async with street.database.view(street.tenant) as session:
        (case,) = await cases.open_cases(session)
    assert case.reason == "instalment_broken"


async def test_while_kept_no_letter_and_no_late_charge_and_when_broken_both_as_if_it_had_never_been(
    street: Street, debts: list[BillView]
) -> None:
    without = await late_fen(street, debts[0], date(2026, 4, 10))
    one = await agreed(street, debts[0])
    assert await late_fen(street, debts[0], date(2026, 4, 10)) == 0
    async with street.database.view(street.tenant) as session:
        assert await letters.overdue(session, debts[0].account.account_id, date(2026, 3, 25)) == {}
    assert await look(street, one, date(2026, 4, 10)) is AgreementState.BROKEN
    assert await late_fen(street, debts[0], date(2026, 4, 10)) == without
    async with street.database.view(street.tenant) as session:
        assert await letters.overdue(session, debts[0].account.account_id, date(2026, 4, 10))


async def test_where_the_agreement_says_so_late_charges_go_on(street: Street, debts: list[BillView]) -> None:
    without = await late_fen(street, debts[0], date(2026, 4, 1))
    await agreed(street, debts[0], late_rule=LateRule.CHARGED)
    assert await late_fen(street, debts[0], date(2026, 4, 1)) == without > 0


async def test_agreements_stand_in_the_lists_of_their_account_and_community(
    street: Street, debts: list[BillView]
) -> None:
    one = await agreed(street, debts[0])
    async with street.database.view(street.tenant) as session:
        assert await agreements.of_accounts(session, [one.account_id]) == (one,)
        assert await agreements.in_community(session, street.community) == (one,)
