"""Documents that no bill run makes: one-off charges, late charges, final bills, balances brought in.

Each stands in a cycle of its own, whose key is the act behind it: the same act issues each account at most one
document, however often it is tried. Bill runs and corrections of the monthly cycle never see them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from cloud.billing import repository
from cloud.billing.issuing import IssuedBill, NewBill, issue
from cloud.billing.lines import BillDraft, BillKind
from cloud.billing.service import MONTHLY, lock_accounts
from cloud.estate.values import Community
from cloud.kit.db import Unit
from common.civil import Period
from common.errors import ensure
from common.ids import BillId

CYCLE_LENGTH_MAX = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Special:
    """Why documents are issued: the act that names their cycle, the days they are about, and when they are due."""

    cycle: str
    kind: BillKind
    period: Period
    due_on: date

    def __post_init__(self) -> None:
        """Check that the act is none of a bill run or a correction."""
        ensure(self.cycle != MONTHLY, "the monthly cycle is of bill runs")
        ensure(0 < len(self.cycle) <= CYCLE_LENGTH_MAX, "a cycle has a name of bounded length")
        ensure(self.kind not in {BillKind.REGULAR, BillKind.ADJUSTMENT}, "runs and corrections issue these")


async def issue_special(
    unit: Unit, community: Community, special: Special, drafts: Sequence[BillDraft]
) -> tuple[IssuedBill, ...]:
    """Issue one document to each account, in the order given; accounts that have theirs are left out.

    The accounts are locked until the unit ends.
    """
    if not drafts:
        return ()
    await lock_accounts(unit, [draft.account_id for draft in drafts])
    have = await repository.highest_seqs(
        unit.session, [draft.account_id for draft in drafts], special.cycle, special.kind.value
    )
    fresh = [draft for draft in drafts if draft.account_id not in have]
    if not fresh:
        return ()
    row = {
        "tenant_id": unit.tenant,
        "community_id": community.id,
        "cycle": special.cycle,
        "period_start": special.period.start,
        "period_end": special.period.end,
        "due_on": max(special.due_on, special.period.start),
        "created_at": unit.now,
    }
    if await repository.add_period(unit.session, row):
        unit.record("created", "billing_period", community.id, after={"cycle": special.cycle})
    bills = [
        NewBill(
            bill_id=BillId(unit.new_id()),
            draft=draft,
            cycle=special.cycle,
            period=special.period,
            kind=special.kind,
            seq=1,
            due_on=special.due_on,
        )
        for draft in fresh
    ]
    return await issue(unit, community, bills)
