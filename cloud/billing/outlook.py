"""What a run would issue beside what the same accounts were billed last month and a year ago: who jumps out first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import lookups, runs
from cloud.billing.documents import Rater
from cloud.billing.runs import RunPreview
from cloud.billing.service import RunScope
from common.civil import nth_month
from common.ids import AccountId

YEAR_MONTHS = 12
_PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOutlook:
    """One document that would be issued, and what the account was billed before; None where it was not billed."""

    account_id: AccountId
    fen: int
    month_before_fen: int | None
    year_before_fen: int | None

    def jump_percent(self) -> int:
        """Return by how much it differs from a year before, else from the month before, in whole per cent of that."""
        before = self.year_before_fen or self.month_before_fen
        return abs(self.fen - before) * _PERCENT // before if before is not None and before > 0 else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A preview with both comparisons; accounts whose amount jumps most stand first."""

    preview: RunPreview
    accounts: tuple[AccountOutlook, ...]
    month_before_fen: int
    year_before_fen: int


async def outlook(session: AsyncSession, rate: Rater, scope: RunScope, known_at: datetime) -> Outlook:
    """Return what a run would issue now beside the month and the year before, read-only.

    Raises:
        UnknownPeriodError: there is no such period.
    """
    preview = await runs.preview(session, rate, scope, known_at)
    month = await _billed(session, scope, nth_month(scope.period_start, -1))
    year = await _billed(session, scope, nth_month(scope.period_start, -YEAR_MONTHS))
    accounts = [
        AccountOutlook(
            account_id=bill.account_id,
            fen=bill.total_fen,
            month_before_fen=month.get(bill.account_id),
            year_before_fen=year.get(bill.account_id),
        )
        for bill in preview.bills
    ]
    return Outlook(
        preview=preview,
        accounts=tuple(sorted(accounts, key=lambda one: (-one.jump_percent(), one.account_id))),
        month_before_fen=sum(month.values()),
        year_before_fen=sum(year.values()),
    )


async def _billed(session: AsyncSession, scope: RunScope, start: date) -> Mapping[UUID, int]:
    return await lookups.totals_by_account(session, scope.community_id, scope.cycle, start)
