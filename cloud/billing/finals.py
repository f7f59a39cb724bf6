"""The last bill of a party that moves out: what it owes for the days of a period until it left, before the period ends.

It stands in the monthly cycle and fills the obligation of its period, so no run bills the same days again, and later
corrections of those days reach it like any other bill. What cannot be rated stops it: unknown is never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from cloud.billing import repository
from cloud.billing.documents import Account, Rater
from cloud.billing.intake import drafts_by_payer
from cloud.billing.issuing import IssuedBill, NewBill, issue
from cloud.billing.lines import BillDraft, BillKind, in_print_order
from cloud.billing.service import MONTHLY
from cloud.billing.tables import BillingPeriodRow
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError
from cloud.metering.claims import claim_sessions
from cloud.metering.sessions import UsageClaim
from cloud.rating import service as rating
from cloud.rating.lines import RatingException
from common.civil import Period, civil_day
from common.ids import BillId, CommunityId


class UnratedError(ConflictError):
    """Something of the last days could not be rated."""

    def __init__(self, exceptions: tuple[RatingException, ...]) -> None:
        self.exceptions = exceptions
        said = "; ".join(one.detail_en for one in exceptions)
        super().__init__(f"the last days cannot be billed yet: {said}. Enter what is missing, then settle")


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalDays:
    """The days of a period that are billed last, with the period they are of."""

    period: BillingPeriodRow
    days: Period


async def issue_final(unit: Unit, rate: Rater, account: Account, gone_on: date) -> IssuedBill | None:
    """Bill an account for its days until it left, or return None when they are billed or nothing is owed for them.

    Raises:
        ConflictError: an earlier period is still to be billed.
        UnratedError: something of the last days could not be rated.
    """
    last = await _last_days(unit, account, gone_on)
    if last is None:
        return None
    outcome = await rate(
        unit.session,
        community_id=account.community_id,
        period=last.days,
        known_at=unit.now,
        premises=frozenset({account.premises_id}),
    )
    if outcome.exceptions:
        raise UnratedError(outcome.exceptions)
    lines = drafts_by_payer(outcome.items).get((account.premises_id, account.party_id), [])
    if not lines:
        await _settle(unit, last.period, account, None)
        return None
    community = await estate.community(unit.session, account.community_id)
    draft = BillDraft(account_id=account.account_id, lines=in_print_order(lines))
    bill = NewBill(
        bill_id=BillId(unit.new_id()),
        draft=draft,
        cycle=MONTHLY,
        period=Period(last.period.period_start, last.period.period_end),
        kind=BillKind.FINAL,
        seq=1,
        due_on=civil_day(unit.now, community.zone),
    )
    (issued,) = await issue(unit, community, [bill])
    await _claim_sessions(unit, account.community_id, bill)
    if outcome.inputs:
        await rating.keep(unit, account.community_id, outcome)
    await _settle(unit, last.period, account, bill.bill_id)
    return issued


async def _last_days(unit: Unit, account: Account, gone_on: date) -> FinalDays | None:
    """Return the days of the unbilled period in which the account left; earlier periods must be billed."""
    found: FinalDays | None = None
    for row in await repository.periods(unit.session, account.community_id):
        if row.cycle != MONTHLY or row.period_start >= gone_on:
            continue
        states = await repository.obligation_states(
            unit.session, account.community_id, MONTHLY, [row.period_start], [account.premises_id]
        )
        own = [state for account_id, _, state in states[row.period_start] if account_id == account.account_id]
        if own != ["due"]:
            continue
        if row.period_end < gone_on:
            raise ConflictError(f"the period from {row.period_start} is still to be billed; run it first, then settle")
        found = FinalDays(period=row, days=Period(row.period_start, min(gone_on, row.period_end)))
    return found


async def _settle(unit: Unit, period: BillingPeriodRow, account: Account, bill_id: BillId | None) -> None:
    change = {
        "account": account.account_id,
        "kind": BillKind.REGULAR.value,
        "seq": 1,
        "state": "issued" if bill_id else "waived",
        "bill_id": bill_id,
        "reason": None if bill_id else "nothing_to_charge",
    }
    await repository.settle_obligations(unit.session, period, [change])
    unit.record("settled", "obligation", account.account_id, after={"state": change["state"]})


async def _claim_sessions(unit: Unit, community_id: CommunityId, bill: NewBill) -> None:
    claims = [
        UsageClaim(session_id=UUID(named), bill_id=bill.bill_id, line_n=n)
        for n, line in enumerate(bill.draft.lines, start=1)
        if (named := line.trace.get("session_id")) is not None
    ]
    if claims:
        await claim_sessions(unit, community_id, claims)
