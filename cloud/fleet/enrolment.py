"""How a gateway becomes ours and stays it: enrolment with a one-time code, change of keys, revocation.

The gateway makes its key and never gives it away; a code binds the public half to the gateway it was issued for. A key
that is unknown, revoked or expired signs nothing that the cloud accepts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.fleet import repository, service
from cloud.fleet.kinds import GatewayState
from cloud.fleet.tables import GatewayKeyRow
from cloud.fleet.values import GatewayKey
from cloud.identity.credentials import digest, plain_code
from cloud.kit import directory
from cloud.kit.db import Database, Unit
from cloud.kit.directory import DirectoryKind
from cloud.kit.errors import ForbiddenError
from common.ids import GatewayId, TenantId
from common.wire.bundle import BundleKind, Certificate, certificate_body
from common.wire.requests import EnrolmentRequest, RotationRequest
from common.wire.sequence import Key
from common.wire.signing import key_id_of

KEY_OVERLAP = timedelta(days=400)  # the old key still signs what was sealed before a box was off for a year


async def enrol(unit: Unit, request: EnrolmentRequest, cloud_keys: Mapping[bytes, bytes]) -> GatewayId:
    """Bind a gateway's own key to the gateway its code was issued for, and make its certificate.

    The same key with the same code again changes nothing, so a lost answer can be asked for once more.

    Raises:
        ForbiddenError: the code is used, expired or unknown.
    """
    row = await repository.code(unit.session, digest(plain_code(request.code)).hex())
    key_id = key_id_of(request.public_key)
    if row is None:
        raise ForbiddenError("this enrolment code is unknown; check the letters or ask for a new one")
    if row.used_key_id == key_id:
        return row.gateway_id
    if row.used_at is not None:
        raise ForbiddenError("this enrolment code was used before; ask for a new one")
    if unit.now >= row.expires_at:
        raise ForbiddenError("this enrolment code is past its time; ask for a new one")
    gateway = await service.locked_gateway(unit.session, row.gateway_id)
    gateway.state, gateway.hardware = GatewayState.ENROLLED, request.hardware
    row.used_at, row.used_key_id = unit.now, key_id
    await _add_key(unit, gateway.gateway_id, request.public_key)
    await _publish_certificate(unit, gateway.gateway_id, request.public_key, cloud_keys)
    unit.record("enrolled", "gateway", gateway.gateway_id, after={"key_id": key_id.hex()})
    return gateway.gateway_id


async def rotate_key(
    unit: Unit, signer: GatewayKey, request: RotationRequest, cloud_keys: Mapping[bytes, bytes]
) -> None:
    """Take a gateway's new key in; the old one goes on for a while. The same change again changes nothing.

    Raises:
        ForbiddenError: the request names another gateway than its signer, or the new key is another gateway's.
    """
    if request.gateway_id != signer.gateway_id:
        raise ForbiddenError(f"the key belongs to gateway {signer.gateway_id}, not to {request.gateway_id}")
    await service.locked_gateway(unit.session, signer.gateway_id)
    new_key_id = key_id_of(request.public_key)
    known = await repository.key(unit.session, new_key_id)
    if known is not None:
        if known.gateway_id != signer.gateway_id:
            raise ForbiddenError("the new key is another gateway's; a key is never shared")
        return
    old = await repository.key(unit.session, signer.key_id)
    if old is not None:
        end = unit.now + KEY_OVERLAP
        old.not_after = end if old.not_after is None else min(old.not_after, end)
    await _add_key(unit, signer.gateway_id, request.public_key)
    await _publish_certificate(unit, signer.gateway_id, request.public_key, cloud_keys)
    unit.record("key_rotated", "gateway", signer.gateway_id, after={"key_id": new_key_id.hex()})


async def revoke(unit: Unit, gateway_id: GatewayId) -> None:
    """Stop accepting anything signed with the gateway's keys. Its barrier goes on opening for people inside."""
    row = await service.locked_gateway(unit.session, gateway_id)
    row.state = GatewayState.RETIRED
    await repository.revoke_keys(unit.session, gateway_id, unit.now)
    unit.record("revoked", "gateway", gateway_id)


async def find_key(database: Database, key_id: bytes) -> GatewayKey | None:
    """Return the key that a gateway names, of whichever company; None when nobody enrolled it."""
    async with database.directory() as connection:
        entry = await directory.find(connection, DirectoryKind.GATEWAY_KEY, key_id.hex())
    if entry is None:
        return None
    async with database.view(entry.tenant) as session:
        row = await repository.key(session, key_id)
    return None if row is None else _key(entry.tenant, row)


async def key_of(session: AsyncSession, tenant: TenantId, key_id: bytes) -> GatewayKey | None:
    """Return a key as the unit of work sees it at this moment."""
    row = await repository.key(session, key_id)
    return None if row is None else _key(tenant, row)


async def company_of_code(database: Database, code: str) -> TenantId | None:
    """Return the company that issued an enrolment code, or None."""
    async with database.directory() as connection:
        code_sha = digest(plain_code(code)).hex()
        entry = await directory.find(connection, DirectoryKind.ENROLMENT_CODE, code_sha)
    return None if entry is None else entry.tenant


async def _add_key(unit: Unit, gateway_id: GatewayId, public_key: bytes) -> None:
    key_id = key_id_of(public_key)
    unit.session.add(
        GatewayKeyRow(
            tenant_id=unit.tenant,
            key_id=key_id,
            gateway_id=gateway_id,
            public_key=public_key,
            enrolled_at=unit.now,
            not_after=None,
            revoked_at=None,
        )
    )
    await directory.enter(unit, DirectoryKind.GATEWAY_KEY, key_id.hex(), gateway_id)


async def _publish_certificate(
    unit: Unit, gateway_id: GatewayId, public_key: bytes, cloud_keys: Mapping[bytes, bytes]
) -> None:
    certificate = Certificate(gateway_id=gateway_id, public_key=public_key, not_after_ms=None, cloud_keys=cloud_keys)
    await service.publish_bundle(unit, gateway_id, BundleKind.CERTIFICATE, certificate_body(certificate))


def _key(tenant: TenantId, row: GatewayKeyRow) -> GatewayKey:
    return GatewayKey(
        tenant=tenant,
        gateway_id=row.gateway_id,
        key_id=row.key_id,
        public_key=row.public_key,
        standing=Key(revoked=row.revoked_at is not None, not_after=row.not_after),
    )
