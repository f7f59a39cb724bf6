"""What must be known before the company is: an exact key of outside leads to a company and one of its ids.

A gateway's key, a login name, a session, a merchant account, a bill's QR. Only digests of the keys are kept and only
an exact key is answered, so the directory can be neither read nor listed. Entries are made by the company itself,
inside its unit of work.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError
from common.ids import TenantId


class DirectoryKind(StrEnum):
    """What an outside key may name."""

    LOGIN = "login"
    SIGN_IN_CODE = "sign_in_code"
    GATEWAY_KEY = "gateway_key"
    ENROLMENT_CODE = "enrolment_code"
    MERCHANT_ACCOUNT = "merchant_account"
    PAYMENT_ORDER = "payment_order"
    BILL_QR = "bill_qr"
    PAPER = "paper"


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryEntry:
    """Where an outside key leads."""

    tenant: TenantId
    object_id: UUID


async def enter(unit: Unit, kind: DirectoryKind, key: str, object_id: UUID) -> None:
    """Let an outside key lead to a thing of the unit's company; the same entry again changes nothing.

    Raises:
        ConflictError: the key already leads elsewhere.
    """
    values = {"kind": kind.value, "key": key, "object": object_id}
    entered = await unit.session.execute(text("select directory.enter(:kind, :key, :object)"), values)
    if not entered.scalar_one():
        raise ConflictError(f"this {kind.value.replace('_', ' ')} is taken; choose another")


async def withdraw(unit: Unit, kind: DirectoryKind, key: str) -> None:
    """Remove an outside key of the unit's company; an unknown key changes nothing."""
    await unit.session.execute(text("select directory.withdraw(:kind, :key)"), {"kind": kind.value, "key": key})


async def find(connection: AsyncConnection, kind: DirectoryKind, key: str) -> DirectoryEntry | None:
    """Return where an outside key leads, or None when it is unknown."""
    found = await connection.execute(
        text("select tenant_id, object_id from directory.find(:kind, :key)"), {"kind": kind.value, "key": key}
    )
    row = found.one_or_none()
    return None if row is None else DirectoryEntry(tenant=TenantId(row.tenant_id), object_id=row.object_id)
