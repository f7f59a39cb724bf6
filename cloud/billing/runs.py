"""Bill runs: the obligations of a period are drained in chunks, each rated, booked, numbered and issued in one commit.

A run writes nothing that is not due, so a second run, a second worker or a worker that comes back from the dead finds
nothing left to do. What cannot be rated becomes a case with an owner; the obligation waits, and nobody gets a zero.
The preview is the same rating and the same assembling, read-only. All chunks of a run rate by what was known when it
was approved, so that the shares of a pool come from one division.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import due as due_queries
from cloud.billing import exceptions, repository
from cloud.billing.column_run import BILL_TABLES, issue_by_column
from cloud.billing.documents import Rater
from cloud.billing.events import RunRequested
from cloud.billing.intake import Due, RunDraft, run_draft
from cloud.billing.issuing import NewBill, issue
from cloud.billing.lines import BillDraft, BillKind, documents_sha
from cloud.billing.service import RunScope, period_of
from cloud.billing.tables import AccountRow, BillingPeriodRow, ObligationRow
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.images import id_at
from cloud.ledger.issued_columns import ISSUED_TABLES
from cloud.metering.claims import claim_sessions
from cloud.metering.sessions import UsageClaim
from cloud.rating import service as rating
from cloud.rating.column_run import ColumnRating
from cloud.rating.lines import RatingException, RatingOutcome
from common.civil import Period, civil_day
from common.ids import AccountId, BillId, CommunityId, PartyId, PremisesId

CHUNK_ACCOUNTS = 2_000
# The first chunk into tables that were empty: few enough that it does not matter by which plan it is written.
FIRST_ACCOUNTS = 100
PREVIEW_ACCOUNTS = 500
WRITTEN = (*ISSUED_TABLES, *BILL_TABLES)

Place = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What is to be rated, and by what knowledge."""

    period: BillingPeriodRow
    known_at: datetime


class Preparer(Protocol):
    """The port to rating by column: readies a community's period, by what is known at an instant."""

    async def __call__(
        self, session: AsyncSession, *, community_id: CommunityId, period: Period, known_at: datetime
    ) -> ColumnRating:
        """Read the prices and split the pools."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRater:
    """What a run rates with, by the knowledge of one instant.

    `columns` is None where prices are not data of the company, so that every household is rated by value.
    """

    by_value: Rater
    known_at: datetime
    columns: ColumnRating | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkReport:
    """What one chunk did; `after` is where the next begins, None when this was the last."""

    issued: int
    waived: int
    waiting: int
    exceptions: int
    total_fen: int
    after: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPreview:
    """What a run would issue now: the documents, who waits, and everything that could not be rated."""

    bills: tuple[BillDraft, ...]
    nothing_to_charge: tuple[AccountId, ...]
    waiting: tuple[AccountId, ...]
    exceptions: tuple[RatingException, ...]
    total_fen: int
    sha: bytes


async def preview(session: AsyncSession, rate: Rater, scope: RunScope, known_at: datetime) -> RunPreview:
    """Return what a run of the scope would issue by what is known at an instant, without writing anything."""
    period = await period_of(session, scope)
    bills: list[BillDraft] = []
    nothing: list[AccountId] = []
    waiting: list[AccountId] = []
    excepted: dict[RatingException, None] = {}
    after: Place | None = None
    while True:
        rows = await repository.due(session, period, after, PREVIEW_ACCOUNTS, lock=False)
        if not rows:
            break
        draft, outcome = await _rated(session, rate, _Question(period=period, known_at=known_at), rows)
        bills += draft.bills
        nothing += draft.nothing_to_charge
        waiting += draft.waiting
        excepted |= dict.fromkeys(outcome.exceptions)
        after = _place(rows)
    return RunPreview(
        bills=tuple(bills),
        nothing_to_charge=tuple(nothing),
        waiting=tuple(waiting),
        exceptions=tuple(excepted),
        total_fen=sum(bill.total_fen for bill in bills),
        sha=documents_sha(bills),
    )


async def request_run(unit: Unit, scope: RunScope) -> None:
    """Approve a run; the worker drains it.

    Raises:
        UnknownPeriodError: there is no such period.
    """
    await period_of(unit.session, scope)
    attempt = str(unit.new_id())
    unit.record("approved", "bill_run", scope.community_id, after={"period_start": scope.period_start.isoformat()})
    unit.publish(
        RunRequested(
            community_id=scope.community_id,
            cycle=scope.cycle,
            period_start=scope.period_start,
            known_at=unit.now,
            attempt=attempt,
        )
    )


async def rater_for(
    session: AsyncSession, scope: RunScope, known_at: datetime, *, rate: Rater, prepare: Preparer | None
) -> RunRater:
    """Return what a run of the scope rates with; nothing is prepared when nothing is due.

    Raises:
        UnknownPeriodError: there is no such period.
    """
    period = await period_of(session, scope)
    if prepare is None or not await repository.due(session, period, None, 1, lock=False):
        return RunRater(by_value=rate, known_at=known_at)
    days = Period(period.period_start, period.period_end)
    columns = await prepare(session, community_id=scope.community_id, period=days, known_at=known_at)
    return RunRater(by_value=rate, known_at=known_at, columns=columns)


async def run_chunk(
    unit: Unit,
    rater: RunRater,
    scope: RunScope,
    *,
    after: Place | None,
    accounts_max: int = CHUNK_ACCOUNTS,
) -> ChunkReport:
    """Issue the documents of the next accounts that are due after a place; all of it commits, or nothing.

    The due obligations are held from the start: two runs of one period never rate the same account at once, and the one
    that waited finds it no longer due. Plain households are rated and written by column, all others by value.
    """
    period = await period_of(unit.session, scope)
    due = await due_queries.due_columns(unit.session, period, after, accounts_max)
    count = len(due["account_id"])
    if not count:
        return ChunkReport(issued=0, waived=0, waiting=0, exceptions=0, total_fen=0, after=None)
    place = id_at(due["premises_id"], -1), id_at(due["account_id"], -1)
    done = ChunkReport(issued=0, waived=0, waiting=0, exceptions=0, total_fen=0, after=place)
    left = np.ones(count, dtype=np.bool_)
    if rater.columns is not None:
        community = await estate.community(unit.session, scope.community_id)
        chunk = await issue_by_column(unit, rater.columns, period, community, due)
        done = replace(done, issued=chunk.issued, waived=chunk.waived, total_fen=chunk.total_fen)
        left = chunk.left
    accounts = [id_at(due["account_id"], int(row)) for row in np.flatnonzero(left)]
    outcome = RatingOutcome(items=(), exceptions=(), inputs=())
    if accounts:
        rows = await repository.due_at(unit.session, period, accounts)
        report, outcome = await _run_by_value(unit, rater, period, rows)
        done = replace(
            report,
            issued=done.issued + report.issued,
            waived=done.waived + report.waived,
            total_fen=done.total_fen + report.total_fen,
            after=place,
        )
    await exceptions.report(unit, scope, due["premises_id"], outcome)
    return done


async def _run_by_value(
    unit: Unit, rater: RunRater, period: BillingPeriodRow, rows: Sequence[tuple[ObligationRow, AccountRow]]
) -> tuple[ChunkReport, RatingOutcome]:
    """Rate, issue and settle due obligations one by one."""
    question = _Question(period=period, known_at=rater.known_at)
    draft, outcome = await _rated(unit.session, rater.by_value, question, rows)
    bills = await _issue(unit, period, draft, {account.account_id: obligation for obligation, account in rows})
    if outcome.inputs:
        await rating.keep(unit, period.community_id, outcome)
    report = ChunkReport(
        issued=len(bills),
        waived=len(draft.nothing_to_charge),
        waiting=len(draft.waiting),
        exceptions=len(outcome.exceptions),
        total_fen=sum(bill.draft.total_fen for bill in bills),
        after=None,
    )
    return report, outcome


async def _rated(
    session: AsyncSession, rate: Rater, question: _Question, rows: Sequence[tuple[ObligationRow, AccountRow]]
) -> tuple[RunDraft, RatingOutcome]:
    due = [
        Due(
            account_id=AccountId(account.account_id),
            premises_id=PremisesId(account.premises_id),
            party_id=PartyId(account.party_id),
        )
        for _, account in rows
    ]
    outcome = await rate(
        session,
        community_id=question.period.community_id,
        period=Period(question.period.period_start, question.period.period_end),
        known_at=question.known_at,
        premises=frozenset(account.premises_id for account in due),
    )
    return run_draft(due, outcome.items, outcome.exceptions), outcome


async def _issue(
    unit: Unit, period: BillingPeriodRow, draft: RunDraft, obligations: dict[UUID, ObligationRow]
) -> tuple[NewBill, ...]:
    community = await estate.community(unit.session, period.community_id)
    today = civil_day(unit.now, community.zone)
    bills = tuple(
        NewBill(
            bill_id=BillId(unit.new_id()),
            draft=bill,
            cycle=period.cycle,
            period=Period(period.period_start, period.period_end),
            kind=BillKind(obligations[bill.account_id].kind),
            seq=obligations[bill.account_id].seq,
            due_on=max(period.due_on, today),
        )
        for bill in draft.bills
    )
    await issue(unit, community, bills)
    claims = [claim for bill in bills for claim in _claims(bill)]
    if claims:
        await claim_sessions(unit, period.community_id, claims)
    changes = [_settled(obligations[bill.draft.account_id], bill.bill_id) for bill in bills]
    changes += [_settled(obligations[account_id], None) for account_id in draft.nothing_to_charge]
    if changes:
        await repository.settle_obligations(unit.session, period, changes)
        unit.record("settled", "billing_period", period.community_id, after={"obligations": len(changes)})
    return bills


def _settled(obligation: ObligationRow, bill_id: BillId | None) -> dict[str, object]:
    return {
        "account": obligation.account_id,
        "kind": obligation.kind,
        "seq": obligation.seq,
        "state": "issued" if bill_id else "waived",
        "bill_id": bill_id,
        "reason": None if bill_id else due_queries.NOTHING_TO_CHARGE,
    }


def _claims(bill: NewBill) -> list[UsageClaim]:
    return [
        UsageClaim(session_id=UUID(session_id), bill_id=bill.bill_id, line_n=n)
        for n, line in enumerate(bill.draft.lines, start=1)
        if (session_id := line.trace.get("session_id")) is not None
    ]


def _place(rows: Sequence[tuple[ObligationRow, AccountRow]]) -> Place:
    obligation, _ = rows[-1]
    return obligation.premises_id, obligation.account_id
