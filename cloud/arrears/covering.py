"""Which debts an agreement to pay by instalments covers: those are not dunned, and late charges follow its rule. Reads.

While an agreement is in force nobody is reminded of its debts and no letter counts them. Late charges on them are
left alone where the agreement forgives them, for as long as it is in force and for good once it was kept; when it is
broken they are charged from the due day, as if it had never been.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.arrears import repository
from cloud.arrears.tables import AgreementRow
from cloud.arrears.values import AgreementState, LateRule
from cloud.ledger.journals import LineRef
from common.ids import AccountId, BillId


async def covered(session: AsyncSession, account_ids: Collection[AccountId]) -> set[LineRef]:
    """Return the lines of some accounts that an agreement in force covers."""
    rows = await repository.agreements_of(session, account_ids, {AgreementState.AGREED})
    return {line for row in rows for line in lines_of(row)}


async def without_late_charge(session: AsyncSession, account_ids: Collection[AccountId]) -> set[LineRef]:
    """Return the lines of some accounts on which an agreement that is in force, or was kept, forgives late charges."""
    states = {AgreementState.AGREED, AgreementState.KEPT}
    rows = await repository.agreements_of(session, account_ids, states)
    return {line for row in rows if row.late_rule is LateRule.FORGIVEN_IF_KEPT for line in lines_of(row)}


async def broken(session: AsyncSession, account_ids: Collection[AccountId]) -> dict[BillId, tuple[UUID, datetime]]:
    """Return the bills of some accounts whose agreement was broken, with the newest such agreement and when."""
    rows = await repository.agreements_of(session, account_ids, {AgreementState.BROKEN})
    return {
        line.bill_id: (row.agreement_id, row.ended_at)
        for row in sorted(rows, key=lambda one: one.asked_at)
        if row.ended_at is not None
        for line in lines_of(row)
    }


def lines_of(row: AgreementRow) -> tuple[LineRef, ...]:
    """Return the lines that an agreement covers."""
    return tuple(LineRef(bill_id=BillId(UUID(bill_id)), n=n) for bill_id, n, _ in row.lines)
