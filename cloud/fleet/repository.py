"""Named queries of the fleet. Private to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.fleet.tables import (
    BundleEffectRow,
    EnrolmentCodeRow,
    GatewayBundleRow,
    GatewayHealthRow,
    GatewayKeyRow,
    GatewayRow,
    MeterInstallationRow,
    MeterRow,
)
from common.civil import Period
from common.ids import CommunityId, GatewayId, MeterId, PremisesId
from common.wire.bundle import BundleKind


async def locked_gateway(session: AsyncSession, gateway_id: GatewayId) -> GatewayRow | None:
    """Return a gateway, locked against other units."""
    return await session.scalar(select(GatewayRow).where(GatewayRow.gateway_id == gateway_id).with_for_update())


async def gateways(session: AsyncSession) -> list[tuple[GatewayRow, GatewayHealthRow | None]]:
    """Return every gateway with its newest health, by label."""
    joined = select(GatewayRow, GatewayHealthRow).outerjoin(
        GatewayHealthRow,
        (GatewayHealthRow.tenant_id == GatewayRow.tenant_id) & (GatewayHealthRow.gateway_id == GatewayRow.gateway_id),
    )
    found = await session.execute(joined.order_by(GatewayRow.label))
    return [(gateway_row, health) for gateway_row, health in found.all()]


async def key(session: AsyncSession, key_id: bytes) -> GatewayKeyRow | None:
    """Return a key by its id."""
    return await session.scalar(select(GatewayKeyRow).where(GatewayKeyRow.key_id == key_id))


async def code(session: AsyncSession, code_sha: str) -> EnrolmentCodeRow | None:
    """Return an enrolment code by its hash, locked: it is used once."""
    return await session.scalar(select(EnrolmentCodeRow).where(EnrolmentCodeRow.code_sha == code_sha).with_for_update())


async def unused_codes(session: AsyncSession, gateway_id: GatewayId) -> Sequence[EnrolmentCodeRow]:
    """Return the codes of a gateway that nobody has used."""
    query = select(EnrolmentCodeRow).where(
        EnrolmentCodeRow.gateway_id == gateway_id, EnrolmentCodeRow.used_at.is_(None)
    )
    return (await session.scalars(query)).all()


async def newest_bundle(session: AsyncSession, gateway_id: GatewayId, kind: BundleKind) -> GatewayBundleRow | None:
    """Return the newest bundle of a kind."""
    query = select(GatewayBundleRow).where(GatewayBundleRow.gateway_id == gateway_id, GatewayBundleRow.kind == kind)
    return await session.scalar(query.order_by(GatewayBundleRow.version.desc()).limit(1))


async def bundle(
    session: AsyncSession, gateway_id: GatewayId, kind: BundleKind, version: int
) -> GatewayBundleRow | None:
    """Return one version of a bundle."""
    query = select(GatewayBundleRow).where(
        GatewayBundleRow.gateway_id == gateway_id, GatewayBundleRow.kind == kind, GatewayBundleRow.version == version
    )
    return await session.scalar(query)


async def newer_bundles(
    session: AsyncSession, gateway_id: GatewayId, have: Mapping[str, int], now: datetime, limit: int
) -> Sequence[GatewayBundleRow]:
    """Return the newest bundle of each kind that is newer than what the gateway has and not past its time."""
    newest = (
        select(GatewayBundleRow.kind, func.max(GatewayBundleRow.version))
        .where(GatewayBundleRow.gateway_id == gateway_id)
        .group_by(GatewayBundleRow.kind)
    )
    query = (
        select(GatewayBundleRow)
        .where(
            GatewayBundleRow.gateway_id == gateway_id,
            tuple_(GatewayBundleRow.kind, GatewayBundleRow.version).in_(newest),
            or_(GatewayBundleRow.expires_at.is_(None), GatewayBundleRow.expires_at > now),
        )
        .order_by(GatewayBundleRow.made_at, GatewayBundleRow.kind)
    )
    rows = (await session.scalars(query)).all()
    return [row for row in rows if row.version > have.get(row.kind, 0)][:limit]


async def note_effects(session: AsyncSession, rows: Sequence[BundleEffectRow]) -> None:
    """Append effects; what is known already stays as it is."""
    values = [
        {
            column: getattr(row, column)
            for column in ("tenant_id", "gateway_id", "epoch", "seq", "kind", "version", "effect", "detail", "at")
        }
        for row in rows
    ]
    if values:
        await session.execute(insert(BundleEffectRow).values(values).on_conflict_do_nothing())


async def effects(session: AsyncSession, gateway_id: GatewayId) -> Sequence[BundleEffectRow]:
    """Return what a gateway reported about its bundles, oldest first."""
    query = select(BundleEffectRow).where(BundleEffectRow.gateway_id == gateway_id)
    return (await session.scalars(query.order_by(BundleEffectRow.at, BundleEffectRow.seq))).all()


async def save_health(session: AsyncSession, row: GatewayHealthRow) -> None:
    """Keep a health report when it is newer than the one known."""
    values = {column: getattr(row, column) for column in ("tenant_id", "gateway_id", "epoch", "seq", "at", "counters")}
    fresh = insert(GatewayHealthRow).values(values)
    await session.execute(
        fresh.on_conflict_do_update(
            index_elements=["tenant_id", "gateway_id"],
            set_={column: fresh.excluded[column] for column in ("epoch", "seq", "at", "counters")},
            where=GatewayHealthRow.at < fresh.excluded.at,
        )
    )


async def revoke_keys(session: AsyncSession, gateway_id: GatewayId, now: datetime) -> None:
    """Revoke every key of a gateway that is not revoked yet."""
    await session.execute(
        update(GatewayKeyRow)
        .where(GatewayKeyRow.gateway_id == gateway_id, GatewayKeyRow.revoked_at.is_(None))
        .values(revoked_at=now)
    )


async def locked_meters(session: AsyncSession, meter_ids: Collection[MeterId]) -> Sequence[MeterRow]:
    """Return meters, locked against other units, in one order so that two units never wait for each other."""
    query = select(MeterRow).where(MeterRow.meter_id.in_(meter_ids)).order_by(MeterRow.meter_id)
    return (await session.scalars(query.with_for_update())).all()


async def meter_of_serial(session: AsyncSession, serial: str) -> MeterRow | None:
    """Return the meter of a nameplate number."""
    return await session.scalar(select(MeterRow).where(MeterRow.serial == serial))


async def meters(session: AsyncSession, meter_ids: Collection[MeterId]) -> Sequence[MeterRow]:
    """Return meters by their ids."""
    return (await session.scalars(select(MeterRow).where(MeterRow.meter_id.in_(meter_ids)))).all()


async def open_installations(session: AsyncSession, meter_ids: Collection[MeterId]) -> Sequence[MeterInstallationRow]:
    """Return the installations of meters that have no end."""
    query = select(MeterInstallationRow).where(
        MeterInstallationRow.meter_id.in_(meter_ids), MeterInstallationRow.ends.is_(None)
    )
    return (await session.scalars(query)).all()


async def installed(
    session: AsyncSession, community_id: CommunityId, period: Period, around: Collection[PremisesId] | None
) -> list[tuple[MeterInstallationRow, MeterRow]]:
    """Return the installations of a community that touch a period, with their meters, by serial and start.

    With `around` only those at these premises, in the public area, or below another meter.
    """
    query = _installed(community_id, period)
    if around is not None:
        at = MeterInstallationRow.premises_id
        query = query.where(or_(at.in_(around), at.is_(None), MeterInstallationRow.parent_meter_id.is_not(None)))
    return [(installation, meter_row) for installation, meter_row in (await session.execute(query)).all()]


async def installed_in_public(
    session: AsyncSession, community_id: CommunityId, period: Period
) -> list[tuple[MeterInstallationRow, MeterRow]]:
    """Return the installations in the public area that touch a period, with their meters, by serial and start."""
    query = _installed(community_id, period).where(MeterInstallationRow.premises_id.is_(None))
    return [(installation, meter_row) for installation, meter_row in (await session.execute(query)).all()]


def _installed(community_id: CommunityId, period: Period) -> Select[MeterInstallationRow, MeterRow]:
    return (
        select(MeterInstallationRow, MeterRow)
        .join(
            MeterRow,
            (MeterRow.tenant_id == MeterInstallationRow.tenant_id)
            & (MeterRow.meter_id == MeterInstallationRow.meter_id),
        )
        .where(
            MeterInstallationRow.community_id == community_id,
            MeterInstallationRow.starts < period.end,
            or_(MeterInstallationRow.ends.is_(None), MeterInstallationRow.ends > period.start),
        )
        .order_by(MeterRow.serial, MeterInstallationRow.starts)
    )


async def communities_of(session: AsyncSession, meter_ids: Collection[MeterId]) -> dict[MeterId, CommunityId]:
    """Return for each meter the community of its newest installation."""
    query = (
        select(MeterInstallationRow.meter_id, MeterInstallationRow.community_id)
        .where(MeterInstallationRow.meter_id.in_(meter_ids))
        .ext(distinct_on(MeterInstallationRow.meter_id))
        .order_by(MeterInstallationRow.meter_id, MeterInstallationRow.starts.desc())
    )
    return {row.meter_id: row.community_id for row in await session.execute(query)}
