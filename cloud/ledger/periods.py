"""Closing a period of a book: its days are sealed, and what stood on it is kept, so that nobody can date into it.

What is found out later goes into the open period, with a reference to what it corrects. Periods are closed in order and
once; closing the same period again returns what was kept.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError
from cloud.ledger import closing, lookups, reports, repository
from cloud.ledger.accounts import AccountType
from cloud.ledger.reports import TrialBalance, TrialLine
from cloud.ledger.tables import BookCloseRow
from cloud.tariffs.charge import FundClass
from common.civil import Period
from common.errors import RefusalError, ensure
from common.ids import CommunityId, LegalEntityId

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedPeriod:
    """A closed period with the trial balance at its end, and the hash over it."""

    community_id: CommunityId
    period: Period
    lines: tuple[TrialLine, ...]
    sha: bytes
    closed_at: datetime
    closed_by: UUID

    @property
    def debit_fen(self) -> int:
        """Return the sum of debits up to the end of the period."""
        return sum(line.debit_fen for line in self.lines)


async def close_period(unit: Unit, community_id: CommunityId, period: Period) -> ClosedPeriod:
    """Seal every day of a period and keep its trial balance.

    Raises:
        ConflictError: it is not over everywhere, does not follow the last closed one, or its days were sealed past it.
    """
    known = [one for one in await closed_periods(unit.session, community_id) if one.period.end >= period.end]
    for one in known:
        if one.period == period:
            return one
        raise ConflictError(f"the book is closed through {one.period.end - _DAY} already")
    before = await lookups.newest_close(unit.session, community_id)
    if before is not None and before.period_end != period.start:
        raise ConflictError(f"the period that follows begins on {before.period_end}; close it first")
    last = period.end - _DAY
    sealed = await repository.sealed_through(unit.session, community_id)
    while sealed is None or sealed < last:
        if await closing.seal_through(unit, community_id, last) == 0:
            break  # a book without a movement has nothing to seal
        sealed = await repository.sealed_through(unit.session, community_id)
    balance = await reports.trial_balance(unit.session, community_id, last)
    return await _keep(unit, period, balance)


async def closed_periods(session: AsyncSession, community_id: CommunityId) -> tuple[ClosedPeriod, ...]:
    """Return the closed periods of a book, the oldest first."""
    return tuple(_closed(row) for row in await lookups.closes(session, community_id))


async def check_closed(session: AsyncSession, community_id: CommunityId) -> tuple[str, ...]:
    """Return in words every closed period whose kept balance is not what its journals come to now."""
    wrong: list[str] = []
    for one in await closed_periods(session, community_id):
        now = await reports.trial_balance(session, community_id, one.period.end - _DAY)
        if _sha(now.lines) != one.sha or _sha(one.lines) != one.sha:
            wrong.append(f"the period {one.period} does not come to what was kept at its close")
    return tuple(wrong)


async def _keep(unit: Unit, period: Period, balance: TrialBalance) -> ClosedPeriod:
    if period.start >= period.end:
        raise RefusalError("a period has at least one day")
    ensure(balance.debit_fen == balance.credit_fen, "debits and credits of a book are equal")
    row = BookCloseRow(
        tenant_id=unit.tenant,
        community_id=balance.community_id,
        period_start=period.start,
        period_end=period.end,
        debit_fen=balance.debit_fen,
        credit_fen=balance.credit_fen,
        lines=[_plain(line) for line in balance.lines],
        lines_sha=_sha(balance.lines),
        closed_at=unit.now,
        closed_by=unit.actor.id,
    )
    unit.session.add(row)
    await unit.session.flush()
    after = {"period": str(period), "debit_fen": balance.debit_fen}
    unit.record("closed", "book", balance.community_id, after=after)
    return _closed(row)


def _plain(line: TrialLine) -> list[str | int]:
    return [
        str(line.legal_entity_id),
        line.fund_class.value,
        line.type.value,
        line.accounts,
        line.debit_fen,
        line.credit_fen,
    ]


def _sha(lines: tuple[TrialLine, ...]) -> bytes:
    return hashlib.sha256(json.dumps([_plain(line) for line in lines]).encode()).digest()


def _closed(row: BookCloseRow) -> ClosedPeriod:
    return ClosedPeriod(
        community_id=row.community_id,
        period=Period(row.period_start, row.period_end),
        lines=tuple(
            TrialLine(
                legal_entity_id=LegalEntityId(UUID(entity)),
                fund_class=FundClass(fund),
                type=AccountType(kind),
                accounts=accounts,
                debit_fen=debit,
                credit_fen=credit,
            )
            for entity, fund, kind, accounts, debit, credit in row.lines
        ),
        sha=row.lines_sha,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
    )
