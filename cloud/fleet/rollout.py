"""A site configuration on its way: the difference before it goes, one gateway first, the rest after it reports good.

    edit ──difference──► publish to one ──its trial (edge/downlink)──► good ──► the rest takes the shared sections
                              └── refused or rolled back: the gateway runs its last good one; the office sees why
    roll back = publish the last good one again, as a newer version

There is no other state than the bundles and the effects that gateways report, so a page can be closed at any step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.fleet import repository, service
from cloud.fleet.kinds import GatewayState
from cloud.fleet.values import BundleEffect
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, MalformedError
from common.ids import GatewayId, MeterId
from common.reading.reading import Resource
from common.wire.bundle import BundleKind
from common.wire.commissioning import MeterProposal

SHARED = ("zone", "schedule")  # what means the same in every building; wires and meters are a building's own
GOOD = "good"
TEXT_BYTES_MAX = 2 * 1024 * 1024
CHANGES_MAX = 200
_NAMED = {"wires": "wire", "devices": "serial"}
SiteBody = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference of two configurations: where, and both sides as text; an empty side is not there."""

    where: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a gateway stands with its configuration: its newest version, what was reported of it, its last good one."""

    version: int
    effect: str
    detail: str
    good_version: int

    @property
    def is_good(self) -> bool:
        """Return whether the newest version proved itself."""
        return self.version > 0 and self.effect == GOOD


def standing_of(version: int, effects: Sequence[BundleEffect]) -> Standing:
    """Return where a gateway stands by what it reported of its site bundles, oldest first."""
    told = [effect for effect in effects if effect.kind == BundleKind.SITE]
    newest = next((effect for effect in reversed(told) if effect.version == version), None)
    good = max((effect.version for effect in told if effect.effect == GOOD), default=0)
    return Standing(
        version=version,
        effect="" if newest is None else newest.effect,
        detail="" if newest is None else newest.detail,
        good_version=good,
    )


def difference(before: SiteBody, after: SiteBody) -> tuple[Change, ...]:
    """Return what changes from one configuration to another, wires and meters by their names, bounded."""
    changes: list[Change] = []
    for section in sorted(before.keys() | after.keys()):
        old, new = before.get(section), after.get(section)
        name = _NAMED.get(section)
        if name is None:
            old_parts, new_parts = {section: old}, {section: new}
        else:
            old_parts, new_parts = ({f"{section} {one.get(name)}": one for one in side or ()} for side in (old, new))
        changes += [
            Change(where=where, before=_text(old_parts.get(where)), after=_text(new_parts.get(where)))
            for where in sorted(old_parts.keys() | new_parts.keys())
            if old_parts.get(where) != new_parts.get(where)
        ]
    return tuple(changes[:CHANGES_MAX])


def parse_site(text: str) -> dict[str, Any]:
    """Return a configuration written as YAML.

    Raises:
        MalformedError: it is none; the gateway checks the rest and refuses what it cannot run.
    """
    if len(text.encode()) > TEXT_BYTES_MAX:
        raise MalformedError(f"the configuration is larger than {TEXT_BYTES_MAX} bytes")
    try:
        body = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise MalformedError(f"the configuration is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(body, dict) or not isinstance(body.get("zone"), str):
        raise MalformedError("the configuration names no zone, such as `zone: Asia/Shanghai`")
    for section, name in _NAMED.items():
        parts = body.get(section, [])
        if not isinstance(parts, list) or not all(isinstance(one, dict) and name in one for one in parts):
            raise MalformedError(f"{section} is no list whose parts each have a `{name}`")
    plain: dict[str, Any] = _plain(body)
    return plain


def site_text(body: SiteBody) -> str:
    """Return a configuration as YAML."""
    return yaml.safe_dump(dict(body), allow_unicode=True, sort_keys=False, width=100)


async def site(session: AsyncSession, gateway_id: GatewayId) -> tuple[int, dict[str, Any]]:
    """Return version and content of a gateway's newest site bundle; 0 and nothing before the first."""
    newest = await service.bundle_version(session, gateway_id, BundleKind.SITE)
    return (0, {}) if newest is None else (newest.version, dict(newest.body))


async def standing(session: AsyncSession, gateway_id: GatewayId) -> Standing:
    """Return where a gateway stands with its configuration."""
    row = await repository.newest_bundle(session, gateway_id, BundleKind.SITE)
    effects = await service.bundle_effects(session, gateway_id)
    return standing_of(0 if row is None else row.version, effects)


async def publish_site(unit: Unit, gateway_id: GatewayId, body: SiteBody, *, base: int) -> int:
    """Send a configuration to one gateway, where it runs on trial first; return its version.

    Raises:
        NotFoundError: there is no such gateway.
        ConflictError: it is retired, or somebody published since version `base`.
    """
    gateway = await service.locked_gateway(unit.session, gateway_id)
    if gateway.state is GatewayState.RETIRED:
        raise ConflictError(f"gateway {gateway.label} is retired; its keys are revoked")
    version, _ = await site(unit.session, gateway_id)
    if version != base:
        raise ConflictError(f"somebody published version {version} meanwhile; look at it and begin again")
    return await service.publish_bundle(unit, gateway_id, BundleKind.SITE, body)


async def roll_back(unit: Unit, gateway_id: GatewayId) -> int:
    """Publish the last configuration before the newest that the gateway found good, as a new version.

    Raises:
        ConflictError: no earlier one was good.
    """
    await service.locked_gateway(unit.session, gateway_id)
    version, body = await site(unit.session, gateway_id)
    effects = await service.bundle_effects(unit.session, gateway_id)
    good = sorted(
        {
            one.version
            for one in effects
            if one.kind == BundleKind.SITE and one.effect == GOOD and one.version < version
        },
        reverse=True,
    )
    for earlier in good:
        before = await service.bundle_version(unit.session, gateway_id, BundleKind.SITE, earlier)
        if before is not None and dict(before.body) != body:
            return await publish_site(unit, gateway_id, before.body, base=version)
    raise ConflictError("no earlier configuration of this gateway was reported good; publish a mended one")


def carried(source: SiteBody, target: SiteBody) -> dict[str, Any]:
    """Return a gateway's configuration with the shared sections of another's."""
    kept = {name: value for name, value in target.items() if name not in SHARED}
    return {name: source[name] for name in SHARED if name in source} | kept


async def carry(unit: Unit, source: GatewayId, targets: Mapping[GatewayId, int]) -> int:
    """Send the shared sections of a gateway that found them good to others; `targets` are their versions as looked at.

    Raises:
        ConflictError: the source has not reported its newest configuration good, or a target changed meanwhile.
    """
    stood = await standing(unit.session, source)
    if not stood.is_good:
        raise ConflictError("the first gateway has not reported this configuration good; wait for its trial")
    _, shared = await site(unit.session, source)
    sent = 0
    for gateway_id in sorted(targets):
        _, body = await site(unit.session, gateway_id)
        wanted = carried(shared, body)
        if body and wanted != body:
            await publish_site(unit, gateway_id, wanted, base=targets[gateway_id])
            sent += 1
    return sent


async def accept_proposal(unit: Unit, gateway_id: GatewayId, proposal: MeterProposal) -> MeterId:
    """Take a meter that a technician found into the fleet and the gateway's configuration; return its id.

    A meter that is known by its number stays that meter. Where it counts is decided apart, when it is placed.

    Raises:
        ConflictError: the gateway has no such wire, or the address is taken by another meter.
    """
    version, body = await site(unit.session, gateway_id)
    if proposal.wire not in {wire["wire"] for wire in body.get("wires", ())}:
        raise ConflictError(f"the gateway's configuration has no wire {proposal.wire}; add it first")
    known = await repository.meter_of_serial(unit.session, proposal.serial)
    meter_id = known.meter_id if known is not None else await _add(unit, proposal)
    devices = [dict(device) for device in body.get("devices", ()) if device["meter_id"] != str(meter_id)]
    place = (proposal.wire, proposal.address)
    if place in {(device["wire"], device["address"]) for device in devices}:
        raise ConflictError(f"address {proposal.address} on wire {proposal.wire} is another meter's already")
    devices.append(
        {
            "meter_id": str(meter_id),
            "serial": proposal.serial,
            "wire": proposal.wire,
            "profile": proposal.profile,
            "address": proposal.address,
            "resource": proposal.resource,
            "points": list(proposal.points),
            "label": proposal.label,
            "multiplier_milli": proposal.multiplier_milli,
        }
    )
    await publish_site(unit, gateway_id, {**body, "devices": devices}, base=version)
    return meter_id


async def _add(unit: Unit, proposal: MeterProposal) -> MeterId:
    try:
        resource = Resource(proposal.resource)
    except ValueError as error:
        raise MalformedError(f"resource {proposal.resource!r} is not known here; update the cloud") from error
    added = await service.add_meter(
        unit,
        serial=proposal.serial,
        resource=resource,
        model=proposal.profile,
        multiplier_milli=proposal.multiplier_milli,
    )
    await unit.session.flush()
    return added


def _text(part: object) -> str:
    if part is None or isinstance(part, str):
        return part or ""
    return yaml.safe_dump(part, allow_unicode=True, sort_keys=True, default_flow_style=True, width=100).strip()


def _plain(value: Any) -> Any:
    """Return the same with dates as text: what the wire does not carry is written as people wrote it."""
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)
