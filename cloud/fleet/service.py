"""Use cases of the fleet: gateways and their keys, bundles for them, meters and where they count.

Reads take a session, writes a unit. Nothing here signs: a bundle is signed as it leaves, by the endpoints.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.fleet import intake, repository
from cloud.fleet.kinds import GatewayState, MeterKind
from cloud.fleet.tables import (
    BundleEffectRow,
    EnrolmentCodeRow,
    GatewayBundleRow,
    GatewayHealthRow,
    GatewayRow,
    MeterInstallationRow,
    MeterRow,
)
from cloud.fleet.values import BundleEffect, Gateway, InstalledMeter, Meter, NewMeter, NewPlace
from cloud.identity.credentials import digest, new_code, plain_code
from cloud.kit import directory
from cloud.kit.db import Unit
from cloud.kit.directory import DirectoryKind
from cloud.kit.errors import ConflictError, NotFoundError
from common.civil import Period
from common.clock import to_epoch_ms
from common.ids import CommunityId, GatewayId, MeterId, PremisesId
from common.reading.reading import Resource
from common.wire import cbor
from common.wire.bundle import Body, Bundle, BundleKind
from common.wire.codec import compress, expand
from common.wire.limits import BUNDLE_UNPACKED_MAX, BUNDLES_PER_POLL_MAX
from common.wire.records import BundleEffect as ReportedEffect
from common.wire.records import Health
from common.wire.stamp import Stamp

CODE_LIFE = timedelta(days=30)
COMMAND_LIFE = timedelta(days=30)


async def create_gateway(unit: Unit, *, label: str) -> tuple[GatewayId, str]:
    """Plan a gateway and return its id and a one-time code, shown this once and kept as a hash only."""
    gateway_id = GatewayId(unit.new_id())
    unit.session.add(
        GatewayRow(
            tenant_id=unit.tenant,
            gateway_id=gateway_id,
            label=label,
            state=GatewayState.PLANNED,
            hardware=None,
            created_at=unit.now,
        )
    )
    await unit.session.flush()
    unit.record("planned", "gateway", gateway_id, after={"label": label})
    return gateway_id, await issue_code(unit, gateway_id)


async def issue_code(unit: Unit, gateway_id: GatewayId) -> str:
    """Return a fresh one-time code for a gateway; the codes issued before and not used lose their worth."""
    row = await locked_gateway(unit.session, gateway_id)
    if row.state is GatewayState.RETIRED:
        raise ConflictError(f"gateway {row.label} is retired; plan a new one")
    for stale in await repository.unused_codes(unit.session, gateway_id):
        stale.expires_at = min(stale.expires_at, unit.now)
    code = new_code()
    code_sha = digest(plain_code(code)).hex()
    unit.session.add(
        EnrolmentCodeRow(
            tenant_id=unit.tenant,
            code_sha=code_sha,
            gateway_id=gateway_id,
            expires_at=unit.now + CODE_LIFE,
            used_at=None,
            used_key_id=None,
        )
    )
    await directory.enter(unit, DirectoryKind.ENROLMENT_CODE, code_sha, gateway_id)
    unit.record("code_issued", "gateway", gateway_id)
    return code


async def gateways(session: AsyncSession) -> list[Gateway]:
    """Return every gateway of the company with its newest health, by label."""
    return [
        Gateway(
            gateway_id=row.gateway_id,
            label=row.label,
            state=row.state,
            hardware=row.hardware,
            health_at=health.at if health else None,
            counters=health.counters if health else {},
        )
        for row, health in await repository.gateways(session)
    ]


async def locked_gateway(session: AsyncSession, gateway_id: GatewayId) -> GatewayRow:
    """Return a gateway; every other unit that changes it or its streams waits until this one ends.

    Raises:
        NotFoundError: the company has no such gateway.
    """
    row = await repository.locked_gateway(session, gateway_id)
    if row is None:
        raise NotFoundError(f"there is no gateway {gateway_id}")
    return row


async def publish_bundle(
    unit: Unit,
    gateway_id: GatewayId,
    kind: BundleKind,
    body: Body,
    *,
    expires_at: datetime | None = None,
) -> int:
    """Keep the next version of a bundle for a gateway and return its number; an unchanged body makes no new version.

    Raises:
        WireError: the body holds what the wire does not carry, or is too large.
    """
    await locked_gateway(unit.session, gateway_id)
    cbor.require_plain(dict(body), f"the {kind} bundle")
    raw = cbor.encode(dict(body))
    newest = await repository.newest_bundle(unit.session, gateway_id, kind)
    body_sha = sha256(raw).digest()
    if newest is not None and newest.body_sha == body_sha and newest.expires_at == expires_at:
        return newest.version
    version = 1 if newest is None else newest.version + 1
    unit.session.add(
        GatewayBundleRow(
            tenant_id=unit.tenant,
            gateway_id=gateway_id,
            kind=kind,
            version=version,
            made_at=unit.now,
            expires_at=expires_at,
            body_sha=body_sha,
            body=compress(raw),
        )
    )
    unit.record("published", "gateway_bundle", gateway_id, after={"kind": str(kind), "version": version})
    return version


async def order_key_change(unit: Unit, gateway_id: GatewayId) -> int:
    """Publish the command that makes a gateway change its key, and return its version; a repeat orders once more.

    Raises:
        NotFoundError: the gateway is unknown here.
    """
    body = {"do": "change_key", "ordered_ms": to_epoch_ms(unit.now)}
    return await publish_bundle(unit, gateway_id, BundleKind.COMMAND, body, expires_at=unit.now + COMMAND_LIFE)


async def newer_bundles(
    session: AsyncSession, gateway_id: GatewayId, have: Mapping[str, int], now: datetime
) -> list[Bundle]:
    """Return the newest bundle of each kind that the gateway does not have, oldest made first."""
    rows = await repository.newer_bundles(session, gateway_id, have, now, BUNDLES_PER_POLL_MAX)
    return [_bundle(row) for row in rows]


async def bundle_version(
    session: AsyncSession, gateway_id: GatewayId, kind: BundleKind, version: int | None = None
) -> Bundle | None:
    """Return one version of a bundle, the newest when none is named; None when there is none."""
    if version is None:
        row = await repository.newest_bundle(session, gateway_id, kind)
    else:
        row = await repository.bundle(session, gateway_id, kind, version)
    return None if row is None else _bundle(row)


async def note_reports(
    unit: Unit,
    gateway_id: GatewayId,
    epoch: int,
    effects: Sequence[tuple[int, Stamp, ReportedEffect]],
    health: tuple[int, Stamp, Health] | None,
) -> None:
    """Keep what a gateway's batch reports about its bundles and itself; the same report again changes nothing."""
    await repository.note_effects(
        unit.session,
        [
            BundleEffectRow(
                tenant_id=unit.tenant,
                gateway_id=gateway_id,
                epoch=epoch,
                seq=seq,
                kind=effect.kind,
                version=effect.version,
                effect=effect.effect,
                detail=effect.detail,
                at=stamp.at,
            )
            for seq, stamp, effect in effects
        ],
    )
    if health is not None:
        seq, stamp, report = health
        counters = dict(report.counters)
        row = GatewayHealthRow(
            tenant_id=unit.tenant, gateway_id=gateway_id, epoch=epoch, seq=seq, at=stamp.at, counters=counters
        )
        await repository.save_health(unit.session, row)
    if effects or health is not None:
        unit.record("reported", "gateway", gateway_id, after={"effects": len(effects)})


async def bundle_effects(session: AsyncSession, gateway_id: GatewayId) -> list[BundleEffect]:
    """Return what a gateway reported about its bundles, oldest first."""
    return [
        BundleEffect(kind=row.kind, version=row.version, effect=row.effect, detail=row.detail, at=row.at)
        for row in await repository.effects(session, gateway_id)
    ]


async def add_meter(  # noqa: PLR0913 - the facts of a nameplate
    unit: Unit,
    *,
    serial: str,
    resource: Resource,
    model: str = "",
    digits: int = 6,
    multiplier_milli: int = 1000,
    kind: MeterKind = MeterKind.PHYSICAL,
) -> MeterId:
    """Add a meter by its nameplate and return its id; `multiplier_milli` turns register units into billed ones."""
    new = NewMeter(
        serial=serial, resource=resource, model=model, digits=digits, multiplier_milli=multiplier_milli, kind=kind
    )
    return (await intake.add_meters(unit, [new]))[0]


async def install_meter(
    unit: Unit,
    *,
    meter_id: MeterId,
    community_id: CommunityId,
    premises_id: PremisesId | None,
    start: date,
    parent_meter_id: MeterId | None = None,
) -> None:
    """Let a meter count for premises, or for the public area, from a civil day on; an earlier place ends that day.

    Raises:
        NotFoundError: the company has no such meter or community.
        ConflictError: the meter was placed on or after that day already.
    """
    place = NewPlace(
        meter_id=meter_id,
        community_id=community_id,
        premises_id=premises_id,
        start=start,
        parent_meter_id=parent_meter_id,
    )
    await intake.install_meters(unit, [place])


async def remove_meter(unit: Unit, community_id: CommunityId, meter_id: MeterId, end: date) -> None:
    """Let a meter of a community count nowhere from a civil day on.

    Raises:
        NotFoundError: the meter does not count in this community.
        ConflictError: the meter counts only from a later day.
    """
    place = next(iter(await repository.open_installations(unit.session, [meter_id])), None)
    if place is None or place.community_id != community_id:
        raise NotFoundError(f"meter {meter_id} does not count in community {community_id}")
    if place.starts >= end:
        raise ConflictError(f"meter {meter_id} counts since {place.starts}; choose a later day")
    place.ends = end
    unit.record("removed", "meter", meter_id, after={"end": str(end)})


async def installed_meters(
    session: AsyncSession, community_id: CommunityId, period: Period, around: Collection[PremisesId] | None = None
) -> list[InstalledMeter]:
    """Return every meter in its place during a period, by serial and start.

    With `around` only those of these premises, of the public area, and those that count below another meter.
    """
    return [_installed(*one) for one in await repository.installed(session, community_id, period, around)]


async def public_meters(session: AsyncSession, community_id: CommunityId, period: Period) -> list[InstalledMeter]:
    """Return every meter of the public area in its place during a period, by serial and start."""
    return [_installed(*one) for one in await repository.installed_in_public(session, community_id, period)]


def _installed(place: MeterInstallationRow, meter: MeterRow) -> InstalledMeter:
    return InstalledMeter(
        meter_id=meter.meter_id,
        serial=meter.serial,
        resource=meter.resource,
        community_id=place.community_id,
        premises_id=place.premises_id,
        parent_meter_id=place.parent_meter_id,
        multiplier_milli=meter.multiplier_milli,
        digits=meter.digits,
        start=place.starts,
        end=place.ends,
    )


async def meters(session: AsyncSession, meter_ids: Collection[MeterId]) -> dict[MeterId, Meter]:
    """Return meters by id; what the company does not have is left out."""
    return {row.meter_id: _meter(row) for row in await repository.meters(session, meter_ids)}


async def meter_communities(session: AsyncSession, meter_ids: Collection[MeterId]) -> dict[MeterId, CommunityId]:
    """Return the community of each meter's newest place; a meter that was never placed is left out."""
    return await repository.communities_of(session, meter_ids)


def _bundle(row: GatewayBundleRow) -> Bundle:
    raw = expand(row.body, BUNDLE_UNPACKED_MAX, "a kept bundle")
    body: Any = cbor.decode(raw, "a kept bundle")
    return Bundle(
        gateway_id=row.gateway_id,
        kind=row.kind,
        version=row.version,
        made_ms=to_epoch_ms(row.made_at),
        expires_ms=None if row.expires_at is None else to_epoch_ms(row.expires_at),
        body=body,
    )


def _meter(row: MeterRow) -> Meter:
    return Meter(
        meter_id=row.meter_id,
        serial=row.serial,
        kind=row.kind,
        resource=row.resource,
        model=row.model,
        digits=row.digits,
        multiplier_milli=row.multiplier_milli,
    )
