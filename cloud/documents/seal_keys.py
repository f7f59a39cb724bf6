"""Which key seals for a legal person: the first made at need, then exchanged by a person, warned of before it expires.

A key that was exchanged seals no more; its certificate stays, so what it sealed stays verifiable. A key in software
is made here with a certificate that signs itself; a key that a keeper has (a token or a seal service, whichever the
settings name) comes with the certificate of whoever issued it, and the keeper proves that it has that key. A
certificate out of its time seals nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.documents import repository
from cloud.documents.errors import KeeperError, SealKeyError
from cloud.documents.signer import (
    KeptSigner,
    KeyKeeper,
    SealKey,
    Signer,
    SoftwareSigner,
    name_of,
    new_key,
    valid_between,
)
from cloud.documents.tables import SealKeyRow
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.errors import NotFoundError
from cloud.kit.secretbox import SecretBox
from common.ids import LegalEntityId, TenantId

PURPOSE = "seal key"
WARNING = timedelta(days=60)
EXPIRING = "seal_key_expiring"
CHALLENGE_BYTES = 32
PEM_LENGTH_MAX = 20_000
_LABEL_MAX = 100
_SERIAL_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyView:
    """A key as a person sees it; `token_label` is its label at its keeper, empty for a key in software."""

    seal_key_id: UUID
    legal_entity_id: LegalEntityId
    certificate: bytes
    token_label: str
    made_at: datetime
    expires_at: datetime
    retired_at: datetime | None

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the certificate in hex, by which others know it."""
        return sha256(self.certificate).hexdigest()


async def keys(session: AsyncSession) -> tuple[KeyView, ...]:
    """Return every key that seals or has sealed for the company, oldest first."""
    return tuple(_view(row) for row in await repository.keys(session))


async def key_for(
    unit: Unit, box: SecretBox, entity: LegalEntityId, random_bytes: Callable[[int], bytes]
) -> SealKeyRow:
    """Return the key in use of a legal person, making one in software when there is none.

    Raises:
        SealKeyError: its certificate is not valid now.
    """
    row = await repository.key_in_use(unit.session, entity)
    if row is None:
        return await _made(unit, box, entity, random_bytes)
    _require_valid(row.certificate, unit.now)
    return row


async def exchange(unit: Unit, box: SecretBox, entity: LegalEntityId, random_bytes: Callable[[int], bytes]) -> KeyView:
    """Let a new key in software seal for a legal person from now on, and retire the one in use.

    Raises:
        NotFoundError: the company has no such legal person.
    """
    await _retire(unit, entity)
    return _view(await _made(unit, box, entity, random_bytes))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptKey:
    """A key at a keeper: its label there, and its certificate in DER."""

    label: str
    certificate: bytes


async def adopt(unit: Unit, keeper: KeyKeeper | None, entity: LegalEntityId, key: KeptKey, challenge: bytes) -> KeyView:
    """Let a key of the keeper seal for a legal person from now on, and retire the one in use.

    Raises:
        NotFoundError: the company has no such legal person.
        SealKeyError: the certificate is not valid now, or is not of that key.
        KeeperError: none is set up, it refuses, or it has no such key.
        BusyError: the keeper did not answer; nothing was changed.
    """
    if not 0 < len(key.label.strip()) <= _LABEL_MAX:
        raise SealKeyError("a key in a token or at a seal service has a label; write it as it is shown there")
    if keeper is None:
        raise KeeperError("no seal token and no seal service is set up; name one of them in settings.yaml and restart")
    await _name(unit, entity)
    _require_valid(key.certificate, unit.now)
    await keeper.confirm(key.certificate, key.label.strip(), challenge)
    await _retire(unit, entity)
    return _view(await _added(unit, entity, key.certificate, private_key_sealed=b"", token_label=key.label.strip()))


def signer_of(row: SealKeyRow, tenant: TenantId, box: SecretBox, keeper: KeyKeeper | None) -> Signer:
    """Return what seals with a key.

    Raises:
        KeeperError: a keeper has the key and none is set up here.
    """
    if not row.token_label:
        private = box.open(tenant, PURPOSE, row.private_key_sealed)
        return SoftwareSigner(SealKey(certificate=row.certificate, private_key=private))
    if keeper is None:
        raise KeeperError(
            f"the seal key {row.token_label} is not kept here; name its token or service in settings.yaml and restart"
        )
    return KeptSigner(keeper, row.certificate, row.token_label)


async def warn(unit: Unit) -> int:
    """Open a case for every key in use whose certificate ends soon, and return how many there are."""
    found = [_view(row) for row in await repository.keys(unit.session) if row.retired_at is None]
    ending = [key for key in found if key.expires_at - unit.now <= WARNING]
    for key in ending:
        await cases.raise_case(unit, _ending(key))
    return len(ending)


async def _retire(unit: Unit, entity: LegalEntityId) -> None:
    row = await repository.key_in_use(unit.session, entity, lock=True)
    if row is None:
        return
    row.retired_at = unit.now
    await unit.session.flush()
    unit.record("retired", "seal_key", row.seal_key_id, after={"certificate_sha": row.certificate_sha.hex()})
    for case in await cases.open_about(unit.session, [row.seal_key_id]):
        if case.reason == EXPIRING:
            await cases.close_case(unit, case.case_id, reason="another key seals now")


async def _made(unit: Unit, box: SecretBox, entity: LegalEntityId, random_bytes: Callable[[int], bytes]) -> SealKeyRow:
    serial = int.from_bytes(random_bytes(_SERIAL_BYTES), "big") >> 1 | 1
    key = new_key(await _name(unit, entity), unit.now, serial)
    sealed = box.seal(unit.tenant, PURPOSE, key.private_key)
    return await _added(unit, entity, key.certificate, private_key_sealed=sealed, token_label="")


async def _added(
    unit: Unit, entity: LegalEntityId, certificate: bytes, *, private_key_sealed: bytes, token_label: str
) -> SealKeyRow:
    fingerprint = SealKey(certificate=certificate, private_key=b"").fingerprint
    row = SealKeyRow(
        tenant_id=unit.tenant,
        seal_key_id=unit.new_id(),
        legal_entity_id=entity,
        certificate=certificate,
        certificate_sha=fingerprint,
        private_key_sealed=private_key_sealed,
        token_label=token_label,
        made_at=unit.now,
        retired_at=None,
    )
    unit.session.add(row)
    await unit.session.flush()
    after = {"certificate_sha": fingerprint.hex(), "token_label": token_label}
    unit.record("made", "seal_key", row.seal_key_id, after=after)
    return row


async def _name(unit: Unit, entity: LegalEntityId) -> str:
    name = (await estate.entity_names(unit.session)).get(entity)
    if name is None:
        raise NotFoundError("the company has no such legal person")
    return name


def _require_valid(certificate: bytes, now: datetime) -> None:
    begins, ends = valid_between(certificate)
    if not begins <= now < ends:
        raise SealKeyError(
            f"the certificate of {name_of(certificate)} seals from {begins.date()} to {ends.date()}; exchange the key"
        )


def _view(row: SealKeyRow) -> KeyView:
    return KeyView(
        seal_key_id=row.seal_key_id,
        legal_entity_id=LegalEntityId(row.legal_entity_id),
        certificate=row.certificate,
        token_label=row.token_label,
        made_at=row.made_at,
        expires_at=valid_between(row.certificate)[1],
        retired_at=row.retired_at,
    )


def _ending(key: KeyView) -> CaseReport:
    name, day = name_of(key.certificate), key.expires_at.date()
    return CaseReport(
        kind=CaseKind.ALARM,
        reason=EXPIRING,
        origin="documents",
        object_kind="seal_key",
        object_id=key.seal_key_id,
        community_id=None,
        owner_role=OwnerRole.MANAGER,
        detail_zh=f"{name} 的电子印章证书将于 {day} 到期, 到期后不能再盖章, 请更换印章密钥",
        detail_en=f"the seal certificate of {name} ends on {day} and seals nothing after it; exchange the seal key",
    )
