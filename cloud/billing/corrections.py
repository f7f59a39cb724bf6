"""Corrections: what should be, by newest knowledge, less what is issued, becomes one adjustment document per account.

    should = rating again, from the first period touched to the reset of the accumulator
    is     = the sum of issued lines of those periods, by charge item, what was measured, days and component

The rule of what is overpaid: a credit lowers what is open on the line that it takes back; what it leaves paid above
that line moves in the same journal to what the account has paid ahead, in the same book. So no line is ever open below
nothing, and nobody's credit waits on a paid bill. What cannot be rated now is left as it is.

Preview and application are one computation; application refuses when its outcome is not the one that was approved.
Applied again, or opened again over the same facts, a correction finds no difference and writes no document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import repository, service
from cloud.billing.adjusting import Adjustment, issue_adjustments, releases_of
from cloud.billing.documents import Account, BillSummary, PastRater, issued_line, summary_of
from cloud.billing.errors import CaseClosedError, PreviewChangedError
from cloud.billing.intake import Payer, blocked_of, drafts_by_payer
from cloud.billing.issuing import NewBill
from cloud.billing.lines import BillDraft, BillKind, IssuedLine, LineDraft, documents_sha, in_print_order
from cloud.billing.rules import Blocked, differences, overpaid
from cloud.billing.service import MONTHLY
from cloud.billing.tables import CorrectionCaseRow
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.ledger.moves import open_on
from cloud.rating.lines import RatingException, RatingOutcome
from common.civil import Period
from common.errors import RefusalError, ensure
from common.ids import AccountId, CaseId, ChargeItemId, CommunityId, PremisesId

PREMISES_MAX = 1_000


class Cause(StrEnum):
    """Why issued bills are corrected."""

    READING = "reading"
    TARIFF = "tariff"
    ASSIGNMENT = "assignment"
    SHARE = "share"
    DISPUTE = "dispute"
    AREA = "area"
    OCCUPANCY = "occupancy"
    ESTIMATE = "estimate"
    WITHDRAWAL = "withdrawal"
    WAIVER = "waiver"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionScope:
    """How far a correction reaches: these premises, from the period that holds a day on.

    With `charge_items` only these are looked at, otherwise all.
    """

    community_id: CommunityId
    premises: frozenset[PremisesId]
    first_day: date
    cycle: str = MONTHLY
    charge_items: frozenset[ChargeItemId] | None = None

    def asks(self, charge_item_id: ChargeItemId) -> bool:
        """Return whether a charge item is looked at."""
        return self.charge_items is None or charge_item_id in self.charge_items


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionPreview:
    """Every document of a correction, what could not be rated, and the hash that approval repeats.

    `grounds` are the ratings behind the documents, kept when they are issued.
    """

    adjustments: tuple[Adjustment, ...]
    exceptions: tuple[RatingException, ...]
    net_fen: int
    sha: bytes
    grounds: tuple[RatingOutcome, ...] = field(repr=False)


async def open_correction(unit: Unit, scope: CorrectionScope, *, cause: Cause, reason: str) -> CaseId:
    """Open a correction case.

    Raises:
        RefusalError: no reason is given, or the scope names no premises or too many.
    """
    if not reason.strip():
        raise RefusalError("a correction has a reason that its documents show; write what was wrong")
    if not 0 < len(scope.premises) <= PREMISES_MAX:
        raise RefusalError(f"a correction is of 1 to {PREMISES_MAX} premises; name them, or open several")
    await service.open_accounts(unit, scope.community_id, await _payers(unit.session, scope))
    case_id = CaseId(unit.new_id())
    unit.session.add(
        CorrectionCaseRow(
            tenant_id=unit.tenant,
            community_id=scope.community_id,
            case_id=case_id,
            cause=cause.value,
            reason=reason,
            cycle=scope.cycle,
            first_day=scope.first_day,
            premises=sorted(str(premises) for premises in scope.premises),
            state="open",
            opened_at=unit.now,
            opened_by=unit.actor.id,
        )
    )
    await unit.session.flush()
    unit.record("opened", "correction_case", case_id, after={"cause": cause.value, "premises": len(scope.premises)})
    return case_id


async def preview(session: AsyncSession, rate: PastRater, case_id: CaseId, known_at: datetime) -> CorrectionPreview:
    """Return every document that the correction would issue by what is known at an instant, without writing.

    Raises:
        NotFoundError: there is no such correction.
    """
    case = await _case(session, case_id, lock=False)
    return await computed(session, rate, _scope(case), known_at)


async def apply(unit: Unit, rate: PastRater, case_id: CaseId, *, preview_sha: bytes) -> tuple[BillSummary, ...]:
    """Issue the documents of a correction as previewed, all in this unit; applied again it returns and writes nothing.

    Raises:
        NotFoundError: there is no such correction.
        CaseClosedError: it was dropped.
        PreviewChangedError: the outcome is not the approved one.
    """
    case = await _case(unit.session, case_id, lock=True)
    if case.state == "dropped":
        raise CaseClosedError(case.state)
    if case.state == "open":
        await _apply_open(unit, rate, case, preview_sha)
    elif case.preview_sha != preview_sha:
        raise PreviewChangedError
    return tuple(summary_of(row, 0) for row in await repository.documents_of_case(unit.session, case_id))


async def require_in(session: AsyncSession, case_id: CaseId, community_id: CommunityId) -> None:
    """Go on only when the correction is of the community.

    Raises:
        NotFoundError: it is not, or there is none.
    """
    case = await _case(session, case_id, lock=False)
    if case.community_id != community_id:
        raise NotFoundError("there is no such correction")


async def drop(unit: Unit, case_id: CaseId) -> None:
    """Drop a correction that is not wanted.

    Raises:
        NotFoundError: there is no such correction.
        CaseClosedError: it is applied or dropped.
    """
    case = await _case(unit.session, case_id, lock=True)
    if case.state != "open":
        raise CaseClosedError(case.state)
    case.state = "dropped"
    unit.record("dropped", "correction_case", case_id)


async def _apply_open(unit: Unit, rate: PastRater, case: CorrectionCaseRow, preview_sha: bytes) -> None:
    scope = _scope(case)
    accounts = await service.accounts_of_premises(unit.session, scope.premises)
    await service.lock_accounts(unit, [account.account_id for account in accounts])
    outcome = await computed(unit.session, rate, scope, unit.now)
    if outcome.sha != preview_sha:
        raise PreviewChangedError
    bills = await issue_adjustments(unit, scope.community_id, case, outcome.adjustments, outcome.grounds)
    await _note_first_documents(unit, scope, bills)
    approval = {
        "preview_sha": outcome.sha,
        "net_fen": outcome.net_fen,
        "known_at": unit.now,
        "approved_by": unit.actor.id,
    }
    await repository.mark_applied(unit.session, case.case_id, approval)
    unit.record("applied", "correction_case", case.case_id, after={"net_fen": outcome.net_fen, "bills": len(bills)})


async def _note_first_documents(unit: Unit, scope: CorrectionScope, bills: Sequence[NewBill]) -> None:
    """Give periods that had no obligation one that the adjustment has issued, so that no run bills them again."""
    premises = {
        account.account_id: account.premises_id
        for account in await service.accounts_of_premises(unit.session, scope.premises)
    }
    periods = await _periods(unit.session, scope)
    rows = [
        {
            "tenant_id": unit.tenant,
            "community_id": scope.community_id,
            "cycle": scope.cycle,
            "period_start": period.start,
            "account_id": bill.draft.account_id,
            "kind": BillKind.REGULAR.value,
            "seq": 1,
            "premises_id": premises[bill.draft.account_id],
            "state": "issued",
            "bill_id": bill.bill_id,
        }
        for bill in bills
        for period in periods
        if any(period.overlap(line.key.service) for line in bill.draft.lines)
    ]
    if rows:
        await repository.add_obligations(unit.session, rows)


async def computed(
    session: AsyncSession, rate: PastRater, scope: CorrectionScope, known_at: datetime
) -> CorrectionPreview:
    """Return what a scope is to get by what is known at an instant, whether or not a correction is open for it."""
    accounts = await service.accounts_of_premises(session, scope.premises)
    should: dict[AccountId, list[LineDraft]] = {account.account_id: [] for account in accounts}
    blocked: dict[AccountId, list[Blocked]] = {account.account_id: [] for account in accounts}
    exceptions: dict[RatingException, None] = {}
    periods = await _periods(session, scope)
    outcomes = (
        await rate.each(
            session, community_id=scope.community_id, periods=periods, known_at=known_at, premises=scope.premises
        )
        if periods
        else ()
    )
    grounds = dict(zip(periods, outcomes, strict=True))
    billed = await _billed(session, scope, periods, accounts)
    for period, outcome in grounds.items():
        exceptions |= dict.fromkeys(one for one in outcome.exceptions if scope.asks(one.charge_item_id))
        lines = drafts_by_payer(outcome.items)
        _refuse_unknown_payers(lines, accounts)
        for account in billed[period]:
            own = lines.get((account.premises_id, account.party_id), [])
            should[account.account_id] += [line for line in own if scope.asks(line.key.charge_item_id)]
            blocked[account.account_id] += blocked_of(outcome.exceptions, account.premises_id, period)
    issued = await _issued(session, scope, periods, accounts)
    found = {
        account.account_id: differences(
            should[account.account_id], issued.get(account.account_id, []), blocked[account.account_id]
        )
        for account in accounts
    }
    credited = {line.corrects for lines_ in found.values() for line in lines_ if line.fen < 0 and line.corrects}
    open_fen = await open_on(session, credited)
    adjustments = []
    for account in accounts:
        if found[account.account_id]:
            draft = BillDraft(account_id=account.account_id, lines=in_print_order(found[account.account_id]))
            above = overpaid(open_fen, draft.lines)
            releases = releases_of(scope.community_id, account, issued.get(account.account_id, []), above)
            adjustments.append(
                Adjustment(account=account, period=_document_period(periods, draft), draft=draft, releases=releases)
            )
    return CorrectionPreview(
        adjustments=tuple(adjustments),
        exceptions=tuple(exceptions),
        net_fen=sum(adjustment.draft.total_fen for adjustment in adjustments),
        sha=documents_sha([adjustment.draft for adjustment in adjustments]),
        grounds=tuple(
            outcome
            for period, outcome in grounds.items()
            if any(period.overlap(line.key.service) for a in adjustments for line in a.draft.lines)
        ),
    )


async def _payers(session: AsyncSession, scope: CorrectionScope) -> set[Payer]:
    periods = await _periods(session, scope)
    if not periods:
        return set()
    spans = await estate.payers(session, scope.community_id, Period(periods[0].start, periods[-1].end))
    return {(span.premises_id, span.party_id) for span in spans if span.premises_id in scope.premises}


async def _periods(session: AsyncSession, scope: CorrectionScope) -> list[Period]:
    """Return the periods from the first that the correction touches, oldest first."""
    rows = await repository.periods(session, scope.community_id)
    return [
        Period(row.period_start, row.period_end)
        for row in rows
        if row.cycle == scope.cycle and row.period_end > scope.first_day
    ]


async def _billed(
    session: AsyncSession, scope: CorrectionScope, periods: Sequence[Period], accounts: Sequence[Account]
) -> dict[Period, list[Account]]:
    """Return by period the accounts whose part is settled: what is still due is the run's, not the correction's.

    An account without an obligation counts when its premises were billed: a payer who has come to light since.
    """
    states = await repository.obligation_states(
        session, scope.community_id, scope.cycle, [period.start for period in periods], scope.premises
    )
    settled: dict[Period, list[Account]] = {}
    for period in periods:
        own = {account_id: state for account_id, _, state in states[period.start]}
        billed_premises = {premises_id for _, premises_id, state in states[period.start] if state != "due"}
        settled[period] = [
            account
            for account in accounts
            if (own.get(account.account_id, "due") != "due")
            or (account.account_id not in own and account.premises_id in billed_premises)
        ]
    return settled


async def _issued(
    session: AsyncSession, scope: CorrectionScope, periods: Sequence[Period], accounts: Sequence[Account]
) -> dict[AccountId, list[IssuedLine]]:
    if not periods:
        return {}
    by_account: dict[AccountId, list[IssuedLine]] = {}
    rows = await repository.issued_lines(
        session, [account.account_id for account in accounts], scope.cycle, periods[0].start, periods[-1].end
    )
    for account_id, line in rows:
        if not scope.asks(ChargeItemId(line.charge_item_id)):
            continue
        by_account.setdefault(AccountId(account_id), []).append(issued_line(line))
    return by_account


def _refuse_unknown_payers(lines: Mapping[Payer, Sequence[LineDraft]], accounts: Sequence[Account]) -> None:
    known = {(account.premises_id, account.party_id) for account in accounts}
    if not lines.keys() <= known:
        raise ConflictError("a payer has come to light who has no account yet; open the correction again")


def _document_period(periods: Sequence[Period], draft: BillDraft) -> Period:
    """Return the first period that a document touches."""
    touched = [period for period in periods if any(period.overlap(line.key.service) for line in draft.lines)]
    ensure(len(touched) > 0, "an adjustment touches a period of its correction")
    return touched[0]


async def _case(session: AsyncSession, case_id: CaseId, *, lock: bool) -> CorrectionCaseRow:
    row = await repository.correction(session, case_id, lock=lock)
    if row is None:
        raise NotFoundError("there is no such correction")
    return row


def _scope(case: CorrectionCaseRow) -> CorrectionScope:
    return CorrectionScope(
        community_id=case.community_id,
        premises=frozenset(PremisesId(UUID(premises)) for premises in case.premises),
        first_day=case.first_day,
        cycle=case.cycle,
    )
