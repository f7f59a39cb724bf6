"""Taking a table in: all its faults at once, a preview, all of it or nothing, and the way back for the whole of it.

The same file is taken in once while it stands. Taking an import back undoes what it made from last to first, in one
unit of work; where something refers to any of it by now, all of it stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import forgetting as estate_forgetting
from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.fleet import forgetting as fleet_forgetting
from cloud.imports import making, openings, repository
from cloud.imports.columns import Record, read_records
from cloud.imports.kinds import ImportKind, ImportState, MadeKind
from cloud.imports.making import Made, Standing
from cloud.imports.openings import Opening
from cloud.imports.sheets import read_table
from cloud.imports.tables import ImportMadeRow, ImportRunRow
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.metering.corrections import Correction, revise_reading
from common.errors import Fault, FaultsError
from common.ids import CommunityId, MeterId
from common.reading.reading import Quantity

LIST_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that was sent, for a community and a kind of import."""

    community_id: CommunityId
    kind: ImportKind
    file_name: str
    content: bytes

    @property
    def sha(self) -> bytes:
        """Return the SHA-256 of the file."""
        return hashlib.sha256(self.content).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPreview:
    """What taking a file in would make, or every fault of it; with a single fault nothing would be made."""

    rows: int
    faults: tuple[Fault, ...]
    counts: Mapping[str, int]
    sha: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRun:
    """An import as it stands."""

    import_id: UUID
    kind: ImportKind
    file_name: str
    rows: int
    state: ImportState
    applied_at: datetime
    undone_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """A file that was read and compared with what stands."""

    known: Standing
    records: tuple[Record, ...]
    openings: tuple[Opening, ...]
    faults: tuple[Fault, ...]
    rows: int


async def preview(session: AsyncSession, upload: Upload, now: datetime) -> ImportPreview:
    """Return what a file would make, with all its faults, read-only.

    Raises:
        TooLargeError: the file is too large.
        MalformedError: it is no table.
    """
    checked = await _checked(session, upload, now)
    return ImportPreview(
        rows=checked.rows, faults=checked.faults, counts=_counts(upload.kind, checked.records), sha=upload.sha
    )


async def apply(unit: Unit, import_id: UUID, upload: Upload) -> ImportRun:
    """Take a file in, all of it or nothing; the same import again is the same.

    Raises:
        FaultsError: the file has faults; all are listed.
        ConflictError: the same file stands already, or the id stands for another file.
    """
    known = await repository.run(unit.session, import_id)
    if known is not None:
        if known.file_sha != upload.sha:
            raise ConflictError("this import was made of another file; begin a new one")
        return _run(known)
    twin = await repository.standing(unit.session, upload.community_id, upload.kind, upload.sha)
    if twin is not None:
        raise ConflictError(
            f"this very file was taken in at {twin.applied_at:%Y-%m-%d %H:%M} UTC; take that back first"
        )
    checked = await _checked(unit.session, upload, unit.now)
    if checked.faults:
        raise FaultsError(upload.file_name, checked.faults)
    row = ImportRunRow(
        tenant_id=unit.tenant,
        community_id=upload.community_id,
        import_id=import_id,
        kind=upload.kind,
        file_name=upload.file_name,
        file_sha=upload.sha,
        rows=checked.rows,
        state=ImportState.APPLIED,
        applied_at=unit.now,
        applied_by=unit.actor.id,
    )
    unit.session.add(row)
    await unit.session.flush()
    made = await _made(unit, import_id, upload.kind, checked)
    unit.session.add_all(
        ImportMadeRow(
            tenant_id=unit.tenant,
            community_id=upload.community_id,
            import_id=import_id,
            n=n,
            kind=one.kind,
            object_id=one.object_id,
            detail=dict(one.detail),
        )
        for n, one in enumerate(made, start=1)
    )
    unit.record("imported", "import_run", import_id, after={"kind": upload.kind, "rows": checked.rows})
    return _run(row)


async def undo(unit: Unit, import_id: UUID) -> ImportRun:
    """Take a whole import back.

    Raises:
        NotFoundError: there is no such import.
        ConflictError: it was taken back before, or something refers to what it made.
        GuardError: money paid ahead that it brought in was used.
    """
    row = await repository.run(unit.session, import_id, lock=True)
    if row is None:
        raise NotFoundError("there is no such import")
    if row.state is ImportState.UNDONE:
        raise ConflictError("this import was taken back already")
    community = await estate.community(unit.session, CommunityId(row.community_id))
    made = list(await repository.made(unit.session, import_id))[::-1]
    for kind, group in groupby(made, key=lambda one: one.kind):
        await _unmake(unit, community, kind, list(group))
    row.state, row.undone_at, row.undone_by = ImportState.UNDONE, unit.now, unit.actor.id
    unit.record("taken back", "import_run", import_id, after={"things": len(made)})
    return _run(row)


async def imports(session: AsyncSession, community_id: CommunityId) -> tuple[ImportRun, ...]:
    """Return up to `LIST_MAX` imports of a community, the newest first."""
    return tuple(_run(row) for row in await repository.runs(session, community_id, LIST_MAX))


async def require_in(session: AsyncSession, import_id: UUID, community_id: CommunityId) -> None:
    """Go on only when an import is of the community.

    Raises:
        NotFoundError: it is not, or there is none.
    """
    row = await repository.run(session, import_id)
    if row is None or row.community_id != community_id:
        raise NotFoundError("there is no such import")


async def _checked(session: AsyncSession, upload: Upload, now: datetime) -> _Checked:
    community = await estate.community(session, upload.community_id)
    table = read_table(upload.content, upload.file_name)
    records, faults = read_records(upload.kind, table.rows)
    known = await making.standing(session, community, now)
    found = [*faults, *making.faults_of(upload.kind, records, known)]
    opened: list[Opening] = []
    if upload.kind is ImportKind.OPENINGS:
        opened, more = await openings.openings_of(session, records, known)
        found += more
    return _Checked(known=known, records=records, openings=tuple(opened), faults=tuple(found), rows=len(table.rows))


async def _made(unit: Unit, import_id: UUID, kind: ImportKind, checked: _Checked) -> list[Made]:
    match kind:
        case ImportKind.ESTATE:
            return await making.make_estate(unit, checked.records, checked.known)
        case ImportKind.METERS:
            return await making.make_meters(unit, checked.records, checked.known)
        case ImportKind.READINGS:
            return await making.make_readings(unit, checked.records, checked.known)
        case ImportKind.OPENINGS:
            return await openings.make_openings(unit, import_id, checked.openings, checked.known.community)


async def _unmake(unit: Unit, community: Community, kind: MadeKind, rows: list[ImportMadeRow]) -> None:
    ids = [row.object_id for row in rows]
    match kind:
        case MadeKind.BUILDING:
            await estate_forgetting.forget_buildings(unit, ids)
        case MadeKind.PREMISES:
            await estate_forgetting.forget_premises(unit, ids)
        case MadeKind.PARTY:
            await estate_forgetting.forget_parties(unit, ids)
        case MadeKind.METER:
            await fleet_forgetting.forget_meters(unit, ids)
        case MadeKind.READING | MadeKind.OPENING_BILL | MadeKind.OPENING_AHEAD:
            for row in rows:
                await _reverse(unit, community, row)


async def _reverse(unit: Unit, community: Community, row: ImportMadeRow) -> None:
    """Undo what is never deleted by its mirror: a withdrawn reading, a journal the other way."""
    if row.kind is MadeKind.READING:
        await _withdraw_reading(unit, community, row)
    elif row.kind is MadeKind.OPENING_BILL:
        await openings.undo_debt(unit, row.import_id, row.object_id, community)
    else:
        await openings.undo_ahead(unit, (row.import_id, row.n), row.object_id, row.detail, community)


async def _withdraw_reading(unit: Unit, community: Community, row: ImportMadeRow) -> None:
    correction = Correction(
        community_id=community.id,
        meter_id=MeterId(row.object_id),
        quantity=Quantity(row.detail["quantity"]),
        read_at=datetime.fromisoformat(row.detail["read_at"]),
        value_milli=None,
        reason="导入撤回 import taken back",
    )
    await revise_reading(unit, correction)
    await unit.session.flush()


def _counts(kind: ImportKind, records: tuple[Record, ...]) -> Mapping[str, int]:
    if kind is not ImportKind.ESTATE:
        return {kind.value: len(records)}
    owners = sum("owner" in record.values for record in records)
    buildings = len({record.values["building"] for record in records if "building" in record.values})
    return {"premises": len(records), "owners": owners, "buildings": buildings}


def _run(row: ImportRunRow) -> ImportRun:
    return ImportRun(
        import_id=row.import_id,
        kind=row.kind,
        file_name=row.file_name,
        rows=row.rows,
        state=row.state,
        applied_at=row.applied_at,
        undone_at=row.undone_at,
    )
