"""Adjustment documents: what an account is to get, how it is issued, and where overpaid money goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cloud.billing import repository
from cloud.billing.documents import Account
from cloud.billing.issuing import NewBill, issue
from cloud.billing.lines import BillDraft, BillKind, IssuedLine, book_of
from cloud.billing.tables import CorrectionCaseRow
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.ledger.journals import LineRef, TransferDraft
from cloud.ledger.postings import Allocation, overpaid_released
from cloud.rating import service as rating
from cloud.rating.lines import RatingOutcome
from common.civil import Period, civil_day
from common.ids import BillId, CaseId, CommunityId

ADJUSTMENT_DUE = timedelta(days=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """The document that one account is to get."""

    account: Account
    period: Period
    draft: BillDraft
    releases: tuple[TransferDraft, ...]


async def issue_adjustments(
    unit: Unit,
    community_id: CommunityId,
    case: CorrectionCaseRow,
    adjustments: Sequence[Adjustment],
    grounds: Sequence[RatingOutcome],
) -> list[NewBill]:
    """Issue the documents of a case to accounts that are locked, and keep the inputs behind them."""
    community = await estate.community(unit.session, community_id)
    due_on = civil_day(unit.now, community.zone) + ADJUSTMENT_DUE
    accounts = [adjustment.account.account_id for adjustment in adjustments]
    seqs = await repository.highest_seqs(unit.session, accounts, case.cycle, BillKind.ADJUSTMENT.value)
    bills = [
        NewBill(
            bill_id=BillId(unit.new_id()),
            draft=adjustment.draft,
            cycle=case.cycle,
            period=adjustment.period,
            kind=BillKind.ADJUSTMENT,
            seq=seqs.get(adjustment.account.account_id, 0) + 1,
            due_on=due_on,
            case_id=CaseId(case.case_id),
            releases=adjustment.releases,
        )
        for adjustment in adjustments
    ]
    await issue(unit, community, bills)
    for ground in grounds:
        if ground.inputs:
            await rating.keep(unit, community_id, ground)
    return bills


def releases_of(
    community_id: CommunityId, account: Account, issued: Sequence[IssuedLine], above: Mapping[LineRef, int]
) -> tuple[TransferDraft, ...]:
    """Return the moves of what credits leave overpaid on issued lines to what the account has paid ahead."""
    charges = {entry.ref: entry.line.charge for entry in issued}
    return tuple(
        overpaid_released(
            book_of(community_id, charges[ref]), Allocation(account_id=account.account_id, line=ref, fen=fen)
        )
        for ref, fen in above.items()
    )
