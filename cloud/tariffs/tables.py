"""Rows of charge items, tariffs, their revisions and assignments. Private to the domain.

Revisions and assignments have a start and a revision number and no end, so overlaps cannot be written down. What holds
on a day, as known at an instant, is the greatest start not after the day, then the greatest revision recorded by then.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import CommunityRow, Micro, TenantRow, table_flags
from cloud.tariffs.assignment import Effect, TargetKind
from cloud.tariffs.charge import ChargeBasis, FundClass, Nature
from cloud.tariffs.pool import PoolMethod
from common.reading.reading import Resource

_TARIFF = ["tariff.tenant_id", "tariff.community_id", "tariff.tariff_id"]
_CHARGE_ITEM = ["charge_item.tenant_id", "charge_item.community_id", "charge_item.charge_item_id"]
_COMMUNITY = ["community.tenant_id", "community.community_id"]


class ChargeItemRow(CommunityRow):
    """A charge item of a community."""

    __tablename__ = "charge_item"

    charge_item_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    basis: Mapped[ChargeBasis]
    resource: Mapped[Resource | None]
    nature: Mapped[Nature]
    fund_class: Mapped[FundClass]
    legal_entity_id: Mapped[UUID]
    tax_code: Mapped[str]
    tax_rate_micro: Mapped[Micro]
    bears_late_charge: Mapped[bool]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("tenant_id", "community_id", "code"),
        CheckConstraint("(basis = 'metered') = (resource is not null)", name="metered_names_resource"),
        CheckConstraint("tax_rate_micro between 0 and 999999", name="tax_rate"),
        CheckConstraint("(fund_class = 'deposit') <= (nature = 'liability')", name="deposit_is_liability"),
        ForeignKeyConstraint(["tenant_id", "community_id"], _COMMUNITY),
        ForeignKeyConstraint(
            ["tenant_id", "legal_entity_id"], ["legal_entity.tenant_id", "legal_entity.legal_entity_id"]
        ),
        table_flags(),
    )


class TariffRow(CommunityRow):
    """A tariff: a name under which revisions follow each other."""

    __tablename__ = "tariff"

    tariff_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("tenant_id", "community_id", "code"),
        ForeignKeyConstraint(["tenant_id", "community_id"], _COMMUNITY),
        table_flags(),
    )


class TariffRevisionRow(CommunityRow):
    """What a tariff says from a day on; a body of NULL withdraws the revision it supersedes."""

    __tablename__ = "tariff_revision"

    tariff_id: Mapped[UUID] = mapped_column(primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    rev: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    body_sha: Mapped[str]
    basis_document: Mapped[str]
    decided_by: Mapped[str]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("rev >= 1", name="rev"),
        CheckConstraint("(body is null) = (body_sha = '')", name="sha_iff_body"),
        ForeignKeyConstraint(["tenant_id", "community_id", "tariff_id"], _TARIFF),
        table_flags(append_only=True),
    )


class TariffAssignmentRow(CommunityRow):
    """Which tariff prices a charge item for a target from a day on."""

    __tablename__ = "tariff_assignment"

    charge_item_id: Mapped[UUID] = mapped_column(primary_key=True)
    target_kind: Mapped[TargetKind] = mapped_column(primary_key=True)
    target_key: Mapped[str] = mapped_column(primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    rev: Mapped[int] = mapped_column(primary_key=True)
    effect: Mapped[Effect]
    tariff_id: Mapped[UUID | None]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("rev >= 1", name="rev"),
        CheckConstraint("(effect = 'charge') = (tariff_id is not null)", name="tariff_iff_charge"),
        CheckConstraint("(target_kind = 'community') = (target_key = '')", name="key_names_target"),
        ForeignKeyConstraint(["tenant_id", "community_id", "charge_item_id"], _CHARGE_ITEM),
        ForeignKeyConstraint(["tenant_id", "community_id", "tariff_id"], _TARIFF),
        table_flags(append_only=True),
    )


class SharePoolRow(CommunityRow):
    """A common cost and who shares it, from a day on; a meter of NULL ends the pool."""

    __tablename__ = "share_pool"

    pool_id: Mapped[UUID] = mapped_column(primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    rev: Mapped[int] = mapped_column(primary_key=True)
    charge_item_id: Mapped[UUID]
    meter_id: Mapped[UUID | None]
    method: Mapped[PoolMethod]
    building_id: Mapped[UUID | None]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("rev >= 1", name="rev"),
        ForeignKeyConstraint(["tenant_id", "community_id", "charge_item_id"], _CHARGE_ITEM),
        table_flags(append_only=True),
    )


class CalendarRevisionRow(TenantRow):
    """The working days and holidays of one year, as an authority announced them."""

    __tablename__ = "calendar_revision"

    calendar_code: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    rev: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]
    body_sha: Mapped[str]
    basis_document: Mapped[str]
    recorded_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("rev >= 1", name="rev"), table_flags(append_only=True))
