"""Comparing a day of a merchant account with our book, as often as needed, and saying what is not explained.

A comparison may run again at any time: matches are added once, a break that is gone closes itself where its class
allows it, one that a person closed by name stays closed. A day is explained to 100.00 % only when no break is open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.kit.jobs import NewJob
from cloud.payments import service as payments
from cloud.reconciliation import repository, statements
from cloud.reconciliation.matching import (
    BREAK_RULES,
    BookEntry,
    Break,
    BreakClass,
    ChannelEntry,
    EntryKey,
    EntryKind,
    Figures,
    FirstAction,
    Outcome,
    figures,
    match_day,
)
from cloud.reconciliation.sides import day_of, sides_of
from cloud.reconciliation.tables import MatchRow, ReconBreakRow, StatementFileRow
from cloud.refunds import service as refunds
from common.civil import Period
from common.errors import RefusalError
from common.ids import CaseId, PaymentId

_DAY = timedelta(days=1)
_MATCH_COLUMNS = ("statement_id", "line", "object_id", "matched_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakView:
    """A break as a page lists it."""

    break_id: UUID
    day: date
    kind: BreakClass
    entry_kind: EntryKind
    number: str
    book_fen: int | None
    channel_fen: int | None
    first_action: FirstAction
    closes_itself: bool
    case_id: CaseId
    opened_at: datetime
    closed_at: datetime | None
    closing: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """How a day of a merchant account stands: two totals, what agrees, what waits, and what is not explained."""

    merchant_account_id: UUID
    day: date
    version: int
    compared_at: datetime
    book_rows: int
    book_fen: int
    channel_rows: int
    channel_fen: int
    figures: Figures
    breaks: tuple[BreakView, ...]


async def compare(unit: Unit, merchant_account_id: UUID, day: date) -> Figures:
    """Compare a day's statement in force with our book and write down what was found. Worker only: it bulk-loads.

    Raises:
        NotFoundError: the day has no usable statement.
    """
    await repository.lock_day(unit.session, merchant_account_id, day)
    file = await statements.in_force(unit.session, merchant_account_id, day)
    if file is None:
        raise NotFoundError(f"there is no usable statement of {day}; fetch it first")
    civil = day_of(day)
    lines = await repository.lines(unit.session, file.statement_id)
    sides = await sides_of(unit.session, merchant_account_id, civil, lines)
    outcome = match_day(sides, civil)
    await _keep_matches(unit, outcome)
    closed = await _keep_breaks(unit, file, outcome)
    found = figures(outcome, closed)
    booked = [entry for entry in sides.book if civil.start <= entry.at < civil.end]
    await repository.save_day(
        unit.session,
        {
            "tenant_id": unit.tenant,
            "merchant_account_id": merchant_account_id,
            "day": day,
            "statement_id": file.statement_id,
            "compared_at": unit.now,
            "book_rows": len(booked),
            "book_fen": sum(entry.fen for entry in booked),
            "channel_rows": len(lines),
            "channel_fen": sum(line[4] for line in lines),
            "matched_rows": found.matched_rows,
            "matched_fen": found.matched_fen,
            "waiting_rows": found.waiting_rows,
            "waiting_fen": found.waiting_fen,
            "open_breaks": found.open_breaks,
            "open_fen": found.open_fen,
            "explained_basis_points": found.explained_basis_points,
        },
    )
    after = {"day": day.isoformat(), "matched": found.matched_rows, "open_breaks": found.open_breaks}
    unit.record("compared", "statement_file", file.statement_id, after=after)
    return found


async def close_break(unit: Unit, break_id: UUID, *, reason: str) -> None:
    """Close a break by name: a person explains it and stands for it.

    Raises:
        NotFoundError: there is no such break.
        ConflictError: it is closed already.
        RefusalError: no reason is given.
    """
    if not reason.strip():
        raise RefusalError("a break is closed with a reason; say what was found")
    row = await repository.break_(unit.session, break_id, lock=True)
    if row is None:
        raise NotFoundError("there is no such break")
    if row.closed_at is not None:
        raise ConflictError("this break is closed already")
    await _close(unit, row, reason.strip(), by=unit.actor.id)
    unit.enqueue(compare_job(row.merchant_account_id, row.day, f"closed:{break_id}"))


async def day_report(session: AsyncSession, merchant_account_id: UUID, day: date) -> DayReport:
    """Return how a day stands.

    Raises:
        NotFoundError: the day was not compared yet.
    """
    row = await repository.day(session, merchant_account_id, day)
    if row is None:
        raise NotFoundError(f"{day} was not compared yet")
    versions = await repository.statements(session, merchant_account_id, day)
    found = await repository.breaks_of(session, merchant_account_id, day)
    return DayReport(
        merchant_account_id=merchant_account_id,
        day=day,
        version=next(file.version for file in versions if file.statement_id == row.statement_id),
        compared_at=row.compared_at,
        book_rows=row.book_rows,
        book_fen=row.book_fen,
        channel_rows=row.channel_rows,
        channel_fen=row.channel_fen,
        figures=Figures(
            matched_rows=row.matched_rows,
            matched_fen=row.matched_fen,
            waiting_rows=row.waiting_rows,
            waiting_fen=row.waiting_fen,
            open_breaks=row.open_breaks,
            open_fen=row.open_fen,
        ),
        breaks=tuple(_break_view(broken) for broken in found),
    )


async def day_reports(session: AsyncSession, span: Period) -> tuple[DayReport, ...]:
    """Return how the compared days of a span stand, all merchant accounts, the newest day first."""
    rows = await repository.days(session, span.start, span.end - _DAY)
    return tuple([await day_report(session, row.merchant_account_id, row.day) for row in rows])


def compare_job(merchant_account_id: UUID, day: date, cause: str) -> NewJob:
    """Return the job that compares a day again; `cause` tells one occasion from another."""
    return NewJob(
        kind="reconciliation.compare",
        key=f"reconciliation.compare:{merchant_account_id}:{day}:{cause}",
        payload={"merchant_account_id": str(merchant_account_id), "day": day.isoformat()},
        partition=f"recon:{merchant_account_id}",
    )


async def open_break_days(session: AsyncSession, merchant_account_id: UUID, number: str) -> tuple[date, ...]:
    """Return the days on which a number has an open break."""
    rows = await repository.open_breaks(session, merchant_account_id)
    return tuple(sorted({row.day for row in rows if row.number == number}))


async def open_break_days_of(
    session: AsyncSession, orders: Mapping[PaymentId, tuple[UUID, str]]
) -> list[tuple[PaymentId, UUID, date]]:
    """Return the days on which some payments, each of a merchant account with a number, have an open break."""
    days: dict[tuple[UUID, str], set[date]] = {}
    for merchant_account_id in sorted({account for account, _ in orders.values()}):
        for row in await repository.open_breaks(session, merchant_account_id):
            days.setdefault((merchant_account_id, row.number), set()).add(row.day)
    return [(payment_id, order[0], day) for payment_id, order in orders.items() for day in sorted(days.get(order, ()))]


async def _keep_matches(unit: Unit, outcome: Outcome) -> None:
    files = {pair.channel.statement_id for pair in outcome.matches}
    known = {(file, line) for file in files for line in await repository.matched_lines(unit.session, file)}
    fresh = [
        (pair.channel.statement_id, pair.channel.line, pair.book.object_id, unit.now)
        for pair in outcome.matches
        if (pair.channel.statement_id, pair.channel.line) not in known
    ]
    if fresh:
        await unit.load(cast("Table", MatchRow.__table__), _MATCH_COLUMNS, fresh)


async def _keep_breaks(unit: Unit, file: StatementFileRow, outcome: Outcome) -> list[EntryKey]:
    """Open the breaks that are new, close those that are gone, and return the keys that a person has closed."""
    found = {(broken.kind, broken.key): broken for broken in outcome.breaks}
    agreed = {pair.book.key for pair in outcome.matches}
    for row in await repository.open_breaks(unit.session, file.merchant_account_id):
        key = EntryKey(number=row.number, kind=row.entry_kind)
        if found.pop((row.kind, key), None) is not None:
            continue
        if key in agreed:
            await _close(unit, row, "both sides agree now", by=None)
        elif row.day == file.day and BREAK_RULES[row.kind].closes_itself:
            await _close(unit, row, f"gone in version {file.version}", by=None)
    excused = {
        (row.kind, EntryKey(number=row.number, kind=row.entry_kind), row.book_fen, row.channel_fen)
        for row in await repository.breaks_of(unit.session, file.merchant_account_id, file.day)
        if row.closed_by is not None
    }
    closed = []
    for broken in found.values():
        if (broken.kind, broken.key, _fen(broken.book), _fen(broken.channel)) in excused:
            closed.append(broken.key)
        else:
            await _open(unit, file, broken)
    return closed


async def _open(unit: Unit, file: StatementFileRow, broken: Break) -> None:
    break_id = unit.new_id()
    case_id = await cases.raise_case(unit, _report(break_id, file, broken))
    row = ReconBreakRow(
        tenant_id=unit.tenant,
        break_id=break_id,
        merchant_account_id=file.merchant_account_id,
        day=file.day,
        statement_id=file.statement_id,
        kind=broken.kind,
        entry_kind=broken.key.kind,
        number=broken.key.number,
        book_fen=_fen(broken.book),
        channel_fen=_fen(broken.channel),
        object_id=broken.book.object_id if broken.book else None,
        case_id=case_id,
        opened_at=unit.now,
    )
    unit.session.add(row)
    await unit.session.flush()
    unit.record("opened", "recon_break", break_id, after={"kind": broken.kind, "number": broken.key.number})
    if BREAK_RULES[broken.kind].first_action is FirstAction.ASK_CHANNEL:
        ask_about = payments.ask_about if broken.key.kind is EntryKind.PAYMENT else refunds.ask_about
        await ask_about(unit, broken.key.number, cause=f"break:{break_id}")


async def _close(unit: Unit, row: ReconBreakRow, closing: str, *, by: UUID | None) -> None:
    row.closed_at, row.closed_by, row.closing = unit.now, by, closing
    unit.record("closed", "recon_break", row.break_id, after={"closing": closing})
    case = await cases.case(unit.session, CaseId(row.case_id))
    if case.closed_at is None:
        await cases.close_case(unit, CaseId(row.case_id), reason=closing)


def _report(break_id: UUID, file: StatementFileRow, broken: Break) -> CaseReport:
    book, channel = _fen(broken.book), _fen(broken.channel)
    return CaseReport(
        kind=CaseKind.EXCEPTION,
        reason=broken.kind.value,
        origin="reconciliation",
        object_kind="recon_break",
        object_id=break_id,
        subject=broken.key.number,
        community_id=None,
        owner_role=OwnerRole.CASHIER,
        detail_zh=f"{file.day} 对账差异 {broken.key.number}: 本系统 {_yuan(book)}, 渠道 {_yuan(channel)}",
        detail_en=f"{file.day} break {broken.key.number}: book {_yuan(book)}, channel {_yuan(channel)}",
        figures={"fen": broken.fen},
    )


def _yuan(fen: int | None) -> str:
    return "-" if fen is None else f"{fen // 100}.{fen % 100:02d}"


def _fen(entry: BookEntry | ChannelEntry | None) -> int | None:
    return None if entry is None else entry.fen


def _break_view(row: ReconBreakRow) -> BreakView:
    rule = BREAK_RULES[row.kind]
    return BreakView(
        break_id=row.break_id,
        day=row.day,
        kind=row.kind,
        entry_kind=row.entry_kind,
        number=row.number,
        book_fen=row.book_fen,
        channel_fen=row.channel_fen,
        first_action=rule.first_action,
        closes_itself=rule.closes_itself,
        case_id=CaseId(row.case_id),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        closing=row.closing,
    )
