"""The rows of the fleet.

A gateway belongs to a company and may serve several of its communities; a meter is placed in one community at a time
by dated installations. Of an enrolment code only the hash is kept. Bundles and effects are only appended; a bundle is
kept unsigned and signed as it leaves, which gives the same bytes each time.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud.fleet.kinds import GatewayState, MeterKind
from cloud.kit.tables import CommunityRow, Milli, TenantRow, table_flags
from common.ids import GatewayId, MeterId, PremisesId
from common.reading.reading import Resource
from common.wire.bundle import BundleKind

_GATEWAY_KEY = ["tenant_id", "gateway_id"]
_GATEWAY = ["gateway.tenant_id", "gateway.gateway_id"]


class GatewayRow(TenantRow):
    """A gateway (网关)."""

    __tablename__ = "gateway"

    gateway_id: Mapped[GatewayId] = mapped_column(primary_key=True)
    label: Mapped[str]
    state: Mapped[GatewayState]
    hardware: Mapped[str | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("tenant_id", "label"),
        ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"]),
    )


class GatewayKeyRow(TenantRow):
    """A public key of a gateway. Several may be valid at once, so that a change of key loses nothing on its way."""

    __tablename__ = "gateway_key"

    key_id: Mapped[bytes] = mapped_column(primary_key=True)
    gateway_id: Mapped[GatewayId]
    public_key: Mapped[bytes]
    enrolled_at: Mapped[datetime]
    not_after: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(_GATEWAY_KEY, _GATEWAY),
        Index("ix_gateway_key_gateway", "tenant_id", "gateway_id"),
        CheckConstraint("octet_length(public_key) = 32 and octet_length(key_id) = 16", name="lengths"),
    )


class EnrolmentCodeRow(TenantRow):
    """A one-time code, by its hash."""

    __tablename__ = "enrolment_code"

    code_sha: Mapped[str] = mapped_column(primary_key=True)
    gateway_id: Mapped[GatewayId]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_key_id: Mapped[bytes | None]

    __table_args__ = (
        ForeignKeyConstraint(_GATEWAY_KEY, _GATEWAY),
        CheckConstraint("(used_at is null) = (used_key_id is null)", name="used_by_a_key"),
    )


class GatewayBundleRow(TenantRow):
    """One version of one kind of bundle for one gateway: the packed, unsigned content."""

    __tablename__ = "gateway_bundle"

    gateway_id: Mapped[GatewayId] = mapped_column(primary_key=True)
    kind: Mapped[BundleKind] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    body_sha: Mapped[bytes]
    body: Mapped[bytes]

    __table_args__ = (
        ForeignKeyConstraint(_GATEWAY_KEY, _GATEWAY),
        CheckConstraint("version >= 1", name="version_from_one"),
        table_flags(append_only=True),
    )


class BundleEffectRow(TenantRow):
    """What a gateway reported about a bundle; its place in the gateway's own order makes it unique."""

    __tablename__ = "bundle_effect"

    gateway_id: Mapped[GatewayId] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    version: Mapped[int]
    effect: Mapped[str]
    detail: Mapped[str]
    at: Mapped[datetime]

    __table_args__ = (ForeignKeyConstraint(_GATEWAY_KEY, _GATEWAY), table_flags(append_only=True))


class GatewayHealthRow(TenantRow):
    """The newest health report of a gateway."""

    __tablename__ = "gateway_health"

    gateway_id: Mapped[GatewayId] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    seq: Mapped[int]
    at: Mapped[datetime]
    counters: Mapped[dict[str, Any]]

    __table_args__ = (ForeignKeyConstraint(_GATEWAY_KEY, _GATEWAY),)


class MeterRow(TenantRow):
    """A meter (表计) by its nameplate. `digits` is the count of whole digits after which its register rolls over."""

    __tablename__ = "meter"

    meter_id: Mapped[MeterId] = mapped_column(primary_key=True)
    serial: Mapped[str]
    kind: Mapped[MeterKind]
    resource: Mapped[Resource]
    model: Mapped[str]
    digits: Mapped[int]
    multiplier_milli: Mapped[Milli]
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("tenant_id", "serial"),
        ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"]),
        CheckConstraint("multiplier_milli > 0", name="multiplier_positive"),
        CheckConstraint("digits between 1 and 15", name="digits_sane"),
    )


class MeterInstallationRow(CommunityRow):
    """Where a meter counts, from a civil day on; `premises_id` null means the public area."""

    __tablename__ = "meter_installation"

    installation_id: Mapped[UUID] = mapped_column(primary_key=True)
    meter_id: Mapped[MeterId]
    premises_id: Mapped[PremisesId | None]
    parent_meter_id: Mapped[MeterId | None]
    starts: Mapped[date]
    ends: Mapped[date | None]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "meter_id"], ["meter.tenant_id", "meter.meter_id"]),
        ForeignKeyConstraint(["tenant_id", "parent_meter_id"], ["meter.tenant_id", "meter.meter_id"]),
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "premises_id"],
            ["premises.tenant_id", "premises.community_id", "premises.premises_id"],
        ),
        CheckConstraint("ends is null or ends > starts", name="ends_after_start"),
        CheckConstraint("parent_meter_id is null or parent_meter_id <> meter_id", name="not_its_own_parent"),
        ExcludeConstraint(
            ("tenant_id", "="), ("meter_id", "="), (text("daterange(starts, ends)"), "&&"), name="one_place"
        ),
        Index("ix_meter_installation_premises", "tenant_id", "community_id", "premises_id"),
    )
