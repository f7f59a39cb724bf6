"""Opening, passing on and closing cases. Reporting the same open case again changes nothing but its history."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.cases import repository
from cloud.cases.case import Case, CaseDeed, CaseEvent, CaseFilter, CaseReport, OwnerRole
from cloud.cases.tables import CaseEventRow, CaseRow
from cloud.kit.db import Unit
from cloud.kit.errors import BusyError, ConflictError, NotFoundError
from common.errors import RefusalError
from common.ids import CaseId, CommunityId

WORK_LIST_MAX = 500


async def raise_case(unit: Unit, report: CaseReport) -> CaseId:
    """Open a case, or note a sighting of the one that is open for the same object, and return its id."""
    known = await repository.open_for(unit.session, report)
    if known is None:
        row = _opened(unit, report)
        if await repository.insert_unless_open(unit.session, row):
            unit.session.add(_event(unit, row.case_id, 1, CaseDeed.OPENED, report.detail_en, report.figures))
            unit.record("opened", "open_case", row.case_id, after={"kind": report.kind, "reason": report.reason})
            return CaseId(row.case_id)
        known = await repository.open_for(unit.session, report)
    if known is None:
        raise BusyError("the case was closed at this very moment; report it again")
    case_id = CaseId(known.case_id)
    if known.detail_en != report.detail_en:
        known.detail_zh, known.detail_en = report.detail_zh, report.detail_en
        _note(unit, known, CaseDeed.SEEN_AGAIN, report.detail_en, report.figures)
        unit.record("seen again", "open_case", case_id, after={"reason": report.reason})
    return case_id


async def close_case(unit: Unit, case_id: CaseId, *, reason: str) -> None:
    """Close a case for a reason that stays in its history.

    Raises:
        NotFoundError: there is no such case.
        ConflictError: it is closed already.
        RefusalError: no reason is given.
    """
    if not reason.strip():
        raise RefusalError("a case is closed with a reason; say what was found or done")
    row = await _open_row(unit, case_id)
    row.closed_at, row.closed_by, row.closing_reason = unit.now, unit.actor.id, reason
    _note(unit, row, CaseDeed.CLOSED, reason)
    unit.record("closed", "open_case", case_id, after={"reason": reason})


async def close_settled(unit: Unit, object_id: UUID, *, reason_code: str, subject: str, because: str) -> int:
    """Close the open cases of one reason and subject about an object, whose cause is gone; return how many."""
    rows = [
        row
        for row in await repository.open_for_objects(unit.session, [object_id])
        if row.reason == reason_code and row.subject == subject
    ]
    for row in rows:
        await close_case(unit, CaseId(row.case_id), reason=because)
    return len(rows)


async def assign_case(unit: Unit, case_id: CaseId, *, owner_role: OwnerRole, owner_id: UUID | None) -> None:
    """Give a case to a role, or to one person of it.

    Raises:
        NotFoundError: there is no such case.
        ConflictError: it is closed already.
    """
    row = await _open_row(unit, case_id)
    before = {"owner_role": row.owner_role, "owner_id": str(row.owner_id) if row.owner_id else None}
    row.owner_role, row.owner_id = owner_role, owner_id
    after = {"owner_role": owner_role, "owner_id": str(owner_id) if owner_id else None}
    _note(unit, row, CaseDeed.ASSIGNED, owner_role)
    unit.record("assigned", "open_case", case_id, before=before, after=after)


async def note_on_case(unit: Unit, case_id: CaseId, *, note: str) -> None:
    """Add a remark to an open case.

    Raises:
        NotFoundError: there is no such case.
        ConflictError: it is closed already.
        RefusalError: the remark is empty.
    """
    if not note.strip():
        raise RefusalError("an empty remark says nothing; write what you found")
    row = await _open_row(unit, case_id)
    _note(unit, row, CaseDeed.NOTED, note)
    unit.record("noted", "open_case", case_id)


async def case(session: AsyncSession, case_id: CaseId) -> Case:
    """Return a case.

    Raises:
        NotFoundError: there is no such case.
    """
    row = await repository.one(session, case_id)
    if row is None:
        raise NotFoundError("there is no such case")
    return _case(row)


async def case_history(session: AsyncSession, case_id: CaseId) -> tuple[CaseEvent, ...]:
    """Return what happened to a case, oldest first."""
    return tuple(
        CaseEvent(at=row.at, deed=row.deed, actor_name=row.actor_name, note=row.note, figures=row.figures)
        for row in await repository.history(session, case_id)
    )


async def open_cases(
    session: AsyncSession,
    communities: Collection[CommunityId] | None = None,
    *,
    offset: int = 0,
    limit: int = WORK_LIST_MAX,
) -> tuple[Case, ...]:
    """Return open cases, oldest first: those of the communities named, or all with None."""
    return await work_list(session, CaseFilter(communities=communities), offset=offset, limit=limit)


async def work_list(
    session: AsyncSession, wanted: CaseFilter, *, offset: int = 0, limit: int = WORK_LIST_MAX
) -> tuple[Case, ...]:
    """Return the open cases that a filter lets through, oldest first."""
    return tuple(_case(row) for row in await repository.open_cases(session, wanted, offset, limit))


async def open_about(session: AsyncSession, object_ids: Collection[UUID]) -> tuple[Case, ...]:
    """Return the open cases about some objects, oldest first."""
    return tuple(_case(row) for row in await repository.open_for_objects(session, object_ids))


async def count_open(session: AsyncSession, community_id: CommunityId) -> int:
    """Return how many cases of a community are open."""
    return await repository.count_open(session, community_id)


async def _open_row(unit: Unit, case_id: CaseId) -> CaseRow:
    row = await repository.locked(unit.session, case_id)
    if row is None:
        raise NotFoundError("there is no such case")
    if row.closed_at is not None:
        raise ConflictError("the case is closed; open a new one if there is something new")
    return row


def _opened(unit: Unit, report: CaseReport) -> CaseRow:
    return CaseRow(
        tenant_id=unit.tenant,
        case_id=unit.new_id(),
        community_id=report.community_id,
        kind=report.kind,
        reason=report.reason,
        origin=report.origin,
        object_kind=report.object_kind,
        object_id=report.object_id,
        subject=report.subject,
        owner_role=report.owner_role,
        owner_id=None,
        detail_zh=report.detail_zh,
        detail_en=report.detail_en,
        opened_at=unit.now,
        closed_at=None,
        closed_by=None,
        closing_reason=None,
        event_count=1,
    )


def _note(unit: Unit, row: CaseRow, deed: CaseDeed, note: str, figures: Mapping[str, int | str] | None = None) -> None:
    row.event_count += 1
    unit.session.add(_event(unit, row.case_id, row.event_count, deed, note, figures or {}))


def _event(
    unit: Unit, case_id: UUID, number: int, deed: CaseDeed, note: str, figures: Mapping[str, int | str]
) -> CaseEventRow:
    return CaseEventRow(
        tenant_id=unit.tenant,
        case_id=case_id,
        n=number,
        at=unit.now,
        deed=deed,
        actor_id=unit.actor.id,
        actor_name=unit.actor.name,
        note=note,
        figures=dict(figures),
    )


def _case(row: CaseRow) -> Case:
    return Case(
        case_id=CaseId(row.case_id),
        community_id=None if row.community_id is None else CommunityId(row.community_id),
        kind=row.kind,
        reason=row.reason,
        origin=row.origin,
        object_kind=row.object_kind,
        object_id=row.object_id,
        subject=row.subject,
        owner_role=row.owner_role,
        owner_id=row.owner_id,
        detail_zh=row.detail_zh,
        detail_en=row.detail_en,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        closing_reason=row.closing_reason,
    )
