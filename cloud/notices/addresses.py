"""By which way a person wants to be told, and at which address: sealed at rest, shown only masked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.db import Unit
from cloud.kit.secretbox import SecretBox
from cloud.notices import repository
from cloud.notices.kinds import Way
from cloud.notices.provider_accounts import is_mailbox
from common.errors import RefusalError
from common.ids import PartyId, TenantId

_PHONE = re.compile(r"1[3-9][0-9]{9}")
_OPEN_ID = re.compile(r"[A-Za-z0-9_-]{6,128}")
_HEAD, _TAIL = 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyAddress:
    """Where a party is told beside its inbox; `shown` is the address masked."""

    way: Way
    shown: str
    sealed: bytes = field(repr=False)


async def address_of(session: AsyncSession, party_id: PartyId) -> PartyAddress | None:
    """Return where a party wants to be told, None for the inbox alone."""
    row = await repository.address_of(session, party_id)
    return None if row is None else PartyAddress(way=row.way, shown=row.shown, sealed=row.address_sealed)


async def set_address(unit: Unit, box: SecretBox, party_id: PartyId, way: Way | None, text: str) -> None:
    """Keep where a party wants to be told from now on; no way means the inbox alone, and the address is forgotten.

    Raises:
        RefusalError: the text is no address of this way.
    """
    if way is None:
        await repository.forget_address(unit.session, party_id)
        unit.record("withdrew", "notice_address", party_id)
        return
    address = checked(way, text)
    values = {
        "tenant_id": unit.tenant,
        "party_id": party_id,
        "way": way,
        "address_sealed": box.seal(unit.tenant, purpose(party_id), address.encode()),
        "shown": shown(way, address),
        "changed_at": unit.now,
    }
    await repository.set_address(unit.session, values)
    unit.record("wished", "notice_address", party_id, after={"way": way.value})


def opened(box: SecretBox, tenant: TenantId, party_id: UUID, sealed: bytes) -> str:
    """Return an address, opened for the letter that goes there."""
    return box.open(tenant, purpose(party_id), sealed).decode()


def checked(way: Way, text: str) -> str:
    """Return an address in its plain form.

    Raises:
        RefusalError: it is none of this way.
    """
    plain = text.strip()
    if way is Way.SMS:
        plain = re.sub(r"[\s-]", "", plain).removeprefix("+86")
        good = _PHONE.fullmatch(plain) is not None
    elif way is Way.MAIL:
        good = is_mailbox(plain)
    else:
        good = _OPEN_ID.fullmatch(plain) is not None
    if not good:
        raise RefusalError("this is no address of the chosen way: a mobile number, a mail address or a WeChat id")
    return plain


def shown(way: Way, address: str) -> str:
    """Return an address as it may be shown."""
    if way is Way.SMS:
        return f"{address[:_HEAD]}****{address[-_TAIL:]}"
    if way is Way.MAIL:
        name, _, host = address.rpartition("@")
        return f"{name[:1]}***@{host}"
    return f"{address[:_HEAD]}***"


def purpose(party_id: UUID) -> str:
    """Return what an address is sealed for."""
    return f"notice_address:{party_id}"
