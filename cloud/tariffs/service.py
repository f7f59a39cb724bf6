"""Use cases of prices: charge items, tariff revisions, assignments, pools, and the price book that rating reads.

Every change is a new row with the day from which it holds and the instant from which it is known. A broken tariff
document is refused with all its faults and nothing is stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.tariffs import repository
from cloud.tariffs.assignment import Assignment, AssignmentBook, Effect, Target
from cloud.tariffs.book import PriceBook
from cloud.tariffs.charge import ChargeItem
from cloud.tariffs.events import tell_of_change
from cloud.tariffs.pool import PoolMethod, PoolRevision
from cloud.tariffs.tables import (
    ChargeItemRow,
    SharePoolRow,
    TariffAssignmentRow,
    TariffRevisionRow,
    TariffRow,
)
from common.errors import RefusalError, ensure
from common.ids import BuildingId, ChargeItemId, CommunityId, LegalEntityId, MeterId, TariffId
from common.tariff.compile import CompiledTariff, compile_tariff
from common.tariff.document import TariffDocument, parse_tariff
from common.tariff.revision import KnownRevision, RevisionRef


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionDraft:
    """A tariff document to be recorded; without a day of its own it holds from the day the document names."""

    community_id: CommunityId
    document: Mapping[str, object]
    effective_from: date | None = None
    basis_document: str
    decided_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentDraft:
    """A charge item to be priced (or exempted) for a target from a day on."""

    community_id: CommunityId
    charge_item_id: ChargeItemId
    target: Target
    effective_from: date
    effect: Effect = Effect.CHARGE
    tariff_id: TariffId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolDraft:
    """A common cost to be shared from a day on; `pool_id` of None makes a new pool, a meter of None ends one."""

    community_id: CommunityId
    charge_item_id: ChargeItemId
    meter_id: MeterId | None
    effective_from: date
    method: PoolMethod = PoolMethod.METER
    building_id: BuildingId | None = None
    pool_id: UUID | None = None


async def add_charge_item(unit: Unit, item: ChargeItem) -> None:
    """Add a charge item to a community.

    Raises:
        ConflictError: its code is taken.
    """
    if await repository.charge_item_by_code(unit.session, item.community_id, item.code) is not None:
        raise ConflictError(f"the charge item {item.code} exists; give the new one another code")
    unit.session.add(
        ChargeItemRow(
            tenant_id=unit.tenant,
            community_id=item.community_id,
            charge_item_id=item.charge_item_id,
            code=item.code,
            name_zh=item.name_zh,
            name_en=item.name_en,
            basis=item.basis,
            resource=item.resource,
            nature=item.nature,
            fund_class=item.fund_class,
            legal_entity_id=item.legal_entity_id,
            tax_code=item.tax_code,
            tax_rate_micro=item.tax_rate_micro,
            bears_late_charge=item.bears_late_charge,
            recorded_at=unit.now,
        )
    )
    await unit.session.flush()
    unit.record("added", "charge_item", item.charge_item_id, after={"code": item.code, "nature": item.nature})


async def record_revision(unit: Unit, draft: RevisionDraft) -> tuple[TariffId, RevisionRef]:
    """Record a tariff document as a revision of the tariff its code names, made when it is new.

    The document that holds already for the same starting day is the same revision: nothing is written.

    Raises:
        FaultsError: the document has faults; all are listed and nothing is stored.
        RefusalError: neither the draft nor the document says from which day it holds.
    """
    document = parse_tariff(draft.document)
    effective_from = draft.effective_from or document.header.effective_from
    if effective_from is None:
        raise RefusalError("the tariff says no day from which it holds; give `effective_from`")
    tariff_id = await _tariff(unit, draft.community_id, document)
    ref = await _add_revision(unit, draft, tariff_id, effective_from, document)
    return tariff_id, ref


async def withdraw_revision(
    unit: Unit, community_id: CommunityId, tariff_code: str, *, effective_from: date, basis_document: str
) -> None:
    """Withdraw what a tariff says from a day on, until its next revision.

    Raises:
        NotFoundError: the tariff has no revision that begins on the day.
    """
    tariff = await repository.tariff_by_code(unit.session, community_id, tariff_code)
    newest = (
        None
        if tariff is None
        else await repository.newest_revision(unit.session, community_id, TariffId(tariff.tariff_id), effective_from)
    )
    if newest is None:
        raise NotFoundError(f"{tariff_code} has no revision that begins on {effective_from}")
    if newest.body is None:
        return
    unit.session.add(
        TariffRevisionRow(
            tenant_id=unit.tenant,
            community_id=community_id,
            tariff_id=newest.tariff_id,
            effective_from=effective_from,
            rev=newest.rev + 1,
            body=None,
            body_sha="",
            basis_document=basis_document,
            decided_by=unit.actor.name,
            recorded_at=unit.now,
        )
    )
    after = {"effective_from": effective_from.isoformat(), "rev": newest.rev + 1}
    unit.record("withdrew", "tariff", newest.tariff_id, before={"body_sha": newest.body_sha}, after=after)
    tell_of_change(unit)


async def assign(unit: Unit, draft: AssignmentDraft) -> int:
    """Record an assignment and return its revision number.

    Raises:
        RefusalError: a charge without a tariff, or an exemption with one.
    """
    if (draft.effect is Effect.CHARGE) != (draft.tariff_id is not None):
        raise RefusalError("name a tariff to charge by, and none to exempt or to inherit")
    newest = await repository.newest_assignment_rev(
        unit.session, draft.community_id, draft.charge_item_id, draft.target, draft.effective_from
    )
    unit.session.add(
        TariffAssignmentRow(
            tenant_id=unit.tenant,
            community_id=draft.community_id,
            charge_item_id=draft.charge_item_id,
            target_kind=draft.target.kind,
            target_key=draft.target.key,
            effective_from=draft.effective_from,
            rev=newest + 1,
            effect=draft.effect,
            tariff_id=draft.tariff_id,
            recorded_at=unit.now,
        )
    )
    await unit.session.flush()
    after = {
        "target": f"{draft.target.kind}:{draft.target.key}",
        "effective_from": draft.effective_from.isoformat(),
        "effect": draft.effect,
        "tariff_id": None if draft.tariff_id is None else str(draft.tariff_id),
    }
    unit.record("assigned", "charge_item", draft.charge_item_id, after=after)
    tell_of_change(unit)
    return newest + 1


async def record_pool(unit: Unit, draft: PoolDraft) -> UUID:
    """Record a pool or a change of one, and return its id."""
    pool_id = draft.pool_id or unit.new_id()
    newest = await repository.newest_pool_rev(unit.session, draft.community_id, pool_id, draft.effective_from)
    unit.session.add(
        SharePoolRow(
            tenant_id=unit.tenant,
            community_id=draft.community_id,
            pool_id=pool_id,
            effective_from=draft.effective_from,
            rev=newest + 1,
            charge_item_id=draft.charge_item_id,
            meter_id=draft.meter_id,
            method=draft.method,
            building_id=draft.building_id,
            recorded_at=unit.now,
        )
    )
    await unit.session.flush()
    after = {"effective_from": draft.effective_from.isoformat(), "method": draft.method}
    unit.record("recorded", "share_pool", pool_id, after=after)
    return pool_id


async def tariff_coded(session: AsyncSession, community_id: CommunityId, code: str) -> TariffId:
    """Return the tariff of a community that a code names.

    Raises:
        NotFoundError: there is none.
    """
    row = await repository.tariff_by_code(session, community_id, code)
    if row is None:
        raise NotFoundError(f"there is no tariff {code} in this community")
    return TariffId(row.tariff_id)


async def charge_items(session: AsyncSession, community_id: CommunityId) -> tuple[ChargeItem, ...]:
    """Return the charge items of a community by code."""
    return tuple(_charge_item(row) for row in await repository.charge_items(session, community_id))


async def price_book(session: AsyncSession, community_id: CommunityId, known_at: datetime) -> PriceBook:
    """Return the prices of a community as known at an instant; four statements, whatever its size."""
    codes = {row.tariff_id: row.code for row in await repository.tariffs(session, community_id)}
    revisions: dict[TariffId, list[KnownRevision]] = defaultdict(list)
    compiled: dict[str, CompiledTariff] = {}
    for row in await repository.revisions(session, community_id, known_at):
        known = KnownRevision(ref=_ref(row, codes[row.tariff_id]), recorded_at=row.recorded_at)
        revisions[TariffId(row.tariff_id)].append(known)
        if row.body is not None and row.body_sha not in compiled:
            compiled[row.body_sha] = compile_tariff(parse_tariff(row.body))
    assignments = [_assignment(row) for row in await repository.assignments(session, community_id, known_at)]
    return PriceBook(
        known_at=known_at,
        items={item.charge_item_id: item for item in await charge_items(session, community_id)},
        assignments=AssignmentBook(assignments, known_at),
        revisions={tariff_id: tuple(known) for tariff_id, known in revisions.items()},
        compiled=compiled,
        pools=tuple(_pool(row) for row in await repository.pools(session, community_id, known_at)),
    )


async def revision_bodies(
    session: AsyncSession, community_id: CommunityId, shas: list[str]
) -> dict[str, Mapping[str, object]]:
    """Return tariff documents by the hash of their body, so that any bill can be rated again."""
    rows = await repository.revision_bodies(session, community_id, shas)
    return {row.body_sha: row.body for row in rows if row.body is not None}


async def _tariff(unit: Unit, community_id: CommunityId, document: TariffDocument) -> TariffId:
    known = await repository.tariff_by_code(unit.session, community_id, document.header.code)
    if known is not None:
        return TariffId(known.tariff_id)
    tariff_id = TariffId(unit.new_id())
    unit.session.add(
        TariffRow(
            tenant_id=unit.tenant,
            community_id=community_id,
            tariff_id=tariff_id,
            code=document.header.code,
            name_zh=document.header.name.zh,
            name_en=document.header.name.en,
            recorded_at=unit.now,
        )
    )
    await unit.session.flush()
    unit.record("added", "tariff", tariff_id, after={"code": document.header.code})
    return tariff_id


async def _add_revision(
    unit: Unit, draft: RevisionDraft, tariff_id: TariffId, effective_from: date, document: TariffDocument
) -> RevisionRef:
    newest = await repository.newest_revision(unit.session, draft.community_id, tariff_id, effective_from)
    if newest is not None and newest.body_sha == document.body_sha:
        return _ref(newest, document.header.code)
    row = TariffRevisionRow(
        tenant_id=unit.tenant,
        community_id=draft.community_id,
        tariff_id=tariff_id,
        effective_from=effective_from,
        rev=1 if newest is None else newest.rev + 1,
        body=_body(document),
        body_sha=document.body_sha,
        basis_document=draft.basis_document,
        decided_by=draft.decided_by,
        recorded_at=unit.now,
    )
    unit.session.add(row)
    await unit.session.flush()
    after = {"effective_from": effective_from.isoformat(), "rev": row.rev, "body_sha": row.body_sha}
    unit.record("revised", "tariff", tariff_id, after=after)
    tell_of_change(unit)
    return _ref(row, document.header.code)


def _body(document: TariffDocument) -> dict[str, object]:
    ensure(isinstance(document.body, Mapping), "a tariff document that was read is a mapping")
    return dict(document.body) if isinstance(document.body, Mapping) else {}


def _ref(row: TariffRevisionRow, code: str) -> RevisionRef:
    return RevisionRef(tariff_code=code, effective_from=row.effective_from, rev=row.rev, body_sha=row.body_sha)


def _charge_item(row: ChargeItemRow) -> ChargeItem:
    return ChargeItem(
        charge_item_id=ChargeItemId(row.charge_item_id),
        community_id=row.community_id,
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        basis=row.basis,
        resource=row.resource,
        nature=row.nature,
        fund_class=row.fund_class,
        legal_entity_id=LegalEntityId(row.legal_entity_id),
        tax_code=row.tax_code,
        tax_rate_micro=row.tax_rate_micro,
        bears_late_charge=row.bears_late_charge,
    )


def _assignment(row: TariffAssignmentRow) -> Assignment:
    return Assignment(
        charge_item_id=ChargeItemId(row.charge_item_id),
        target=Target(kind=row.target_kind, key=row.target_key),
        effective_from=row.effective_from,
        rev=row.rev,
        effect=row.effect,
        tariff_id=None if row.tariff_id is None else TariffId(row.tariff_id),
        recorded_at=row.recorded_at,
    )


def _pool(row: SharePoolRow) -> PoolRevision:
    return PoolRevision(
        pool_id=row.pool_id,
        effective_from=row.effective_from,
        rev=row.rev,
        charge_item_id=ChargeItemId(row.charge_item_id),
        meter_id=None if row.meter_id is None else MeterId(row.meter_id),
        method=row.method,
        building_id=None if row.building_id is None else BuildingId(row.building_id),
        recorded_at=row.recorded_at,
    )
