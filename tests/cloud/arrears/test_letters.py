"""A letter of arrears: what is overdue and undisputed on its day, once a day, never changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from secrets import token_bytes
from uuid import UUID

import pytest

from cloud.arrears import letters
from cloud.billing.documents import BillView
from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.kit.errors import ConflictError, NotFoundError
from common.ids import AccountId
from tests.cloud.charges.street import Street


async def write(street: Street, view: BillView) -> tuple[letters.ArrearsLetter, ...]:
    async with street.database.unit(street.tenant, street.actor) as unit:
        made = await letters.make(unit, AccountId(view.account.account_id), token_bytes)
        unit.record("asked for", "arrears_letter", view.account.account_id)
    return made


async def test_what_is_overdue_is_written_once_a_day_with_the_day_it_was_due(
    street: Street, debts: list[BillView]
) -> None:
    with pytest.raises(ConflictError):
        await write(street, debts[0])
    street.clock.set(datetime(2026, 4, 15, 4, tzinfo=UTC))
    (made,) = await write(street, debts[0])
    (line,) = made.lines
    assert (made.total_fen, line.fen, line.due, line.number) == (
        100_000,
        100_000,
        date(2026, 3, 1),
        debts[0].summary.number,
    )
    assert await write(street, debts[0]) == (made,)
    async with street.database.view(street.tenant) as session:
        assert await letters.letter(session, made.letter_id) == made
        with pytest.raises(NotFoundError):
            await letters.letter(session, UUID(int=1))
    street.clock.advance(days=1)
    (next_day,) = await write(street, debts[0])
    assert next_day.letter_id != made.letter_id
    assert next_day.pay_token == made.pay_token


async def test_nobody_is_written_to_about_what_he_disputes(street: Street, debts: list[BillView]) -> None:
    street.clock.set(datetime(2026, 4, 15, 4, tzinfo=UTC))
    async with street.database.unit(street.tenant, street.actor) as unit:
        await cases.raise_case(
            unit,
            CaseReport(
                kind=CaseKind.DISPUTE,
                reason="bill_disputed",
                origin="test",
                object_kind="bill",
                object_id=debts[0].summary.bill_id,
                community_id=street.community,
                owner_role=OwnerRole.MANAGER,
                detail_zh="有异议",
                detail_en="disputed",
            ),
        )
    with pytest.raises(ConflictError):
        await write(street, debts[0])
