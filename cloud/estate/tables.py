"""The rows of the estate.

What can change has dates: tenure of a community, facts of premises, relations of parties. A relation is
`[starts, ends)` in civil days, open when `ends` is null. Facts of premises are only appended: the value at a day is
the one with the greatest `effective_from` not after it, and among those the greatest `rev` known by then.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud.estate.kinds import AllocationBasis, DelegationScope, EntityKind, Fact, PartyKind, PremisesKind, Role
from cloud.kit.tables import CommunityRow, Milli, TenantRow, table_flags
from common.ids import BuildingId, LegalEntityId, PartyId, PremisesId

_PREMISES_KEY = ["tenant_id", "community_id", "premises_id"]
_PREMISES = ["premises.tenant_id", "premises.community_id", "premises.premises_id"]
_COMMUNITY_KEY = ["tenant_id", "community_id"]
_COMMUNITY = ["community.tenant_id", "community.community_id"]
_ENDS_AFTER_START = "ends is null or ends > starts"


class TenantRecord(TenantRow):
    """A property management company: the tenant of the system."""

    __tablename__ = "tenant"

    code: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]
    zone: Mapped[str]
    created_at: Mapped[datetime]


class LegalEntityRow(TenantRow):
    """Who may hold money: the company itself, an owners' committee, a merchant."""

    __tablename__ = "legal_entity"

    legal_entity_id: Mapped[LegalEntityId] = mapped_column(primary_key=True)
    kind: Mapped[EntityKind]
    name: Mapped[str]
    name_key: Mapped[str]
    tax_number: Mapped[str | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"]),
    )


class CommunityRecord(CommunityRow):
    """A community (小区): the unit of bill runs."""

    __tablename__ = "community"

    code: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]
    zone: Mapped[str]
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"]),
    )


class CommunityTenureRow(CommunityRow):
    """From when to when the company manages the community."""

    __tablename__ = "community_tenure"

    starts: Mapped[date] = mapped_column(primary_key=True)
    ends: Mapped[date | None]

    __table_args__ = (
        ForeignKeyConstraint(_COMMUNITY_KEY, _COMMUNITY),
        CheckConstraint(_ENDS_AFTER_START, name="ends_after_start"),
        ExcludeConstraint(
            ("tenant_id", "="), ("community_id", "="), (text("daterange(starts, ends)"), "&&"), name="one_tenure"
        ),
    )


class BuildingRow(CommunityRow):
    """A building (楼栋)."""

    __tablename__ = "building"

    building_id: Mapped[BuildingId] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]

    __table_args__ = (
        UniqueConstraint("tenant_id", "community_id", "code"),
        ForeignKeyConstraint(_COMMUNITY_KEY, _COMMUNITY),
    )


class PremisesRow(CommunityRow):
    """Premises (房屋, 商铺, 车位): what fees are charged for. `label` is printed, such as 1-2-301."""

    __tablename__ = "premises"

    premises_id: Mapped[PremisesId] = mapped_column(primary_key=True)
    building_id: Mapped[BuildingId | None]
    label: Mapped[str]
    label_key: Mapped[str]
    kind: Mapped[PremisesKind]

    __table_args__ = (
        UniqueConstraint("tenant_id", "community_id", "label"),
        Index("ix_premises_order", "tenant_id", "community_id", "label_key"),
        ForeignKeyConstraint(_COMMUNITY_KEY, _COMMUNITY),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "building_id"],
            ["building.tenant_id", "building.community_id", "building.building_id"],
        ),
    )


class PremisesFactRow(CommunityRow):
    """A fact of premises from a day on, as known since `recorded_at`; never changed.

    It is deleted with its premises only while nobody has an account for them, when an import is taken back: the
    trigger `facts_of_billed_premises` refuses anything else.
    """

    __tablename__ = "premises_fact"

    premises_id: Mapped[PremisesId] = mapped_column(primary_key=True)
    fact: Mapped[Fact] = mapped_column(primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    rev: Mapped[int] = mapped_column(primary_key=True)
    value_milli: Mapped[Milli]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(_PREMISES_KEY, _PREMISES),
        CheckConstraint("value_milli >= 0", name="not_negative"),
        table_flags(),
    )


class PersonRow(TenantRow):
    """A human being; the only row with personal data, which other rows refer to by id."""

    __tablename__ = "person"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str]
    phone_sealed: Mapped[bytes | None]
    phone_tail: Mapped[str | None]

    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"]),)


class PartyRow(TenantRow):
    """Who can own, live, owe and pay: a person or an organisation."""

    __tablename__ = "party"

    party_id: Mapped[PartyId] = mapped_column(primary_key=True)
    kind: Mapped[PartyKind]
    name: Mapped[str]
    name_key: Mapped[str]
    person_id: Mapped[UUID | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("(kind = 'person') = (person_id is not null)", name="person_iff_person"),
        ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"]),
        ForeignKeyConstraint(["tenant_id", "person_id"], ["person.tenant_id", "person.person_id"]),
    )


class PartyPremisesRow(CommunityRow):
    """What a party is to premises, from a day until another."""

    __tablename__ = "party_premises"

    relation_id: Mapped[UUID] = mapped_column(primary_key=True)
    premises_id: Mapped[PremisesId]
    party_id: Mapped[PartyId]
    role: Mapped[Role]
    starts: Mapped[date]
    ends: Mapped[date | None]

    __table_args__ = (
        ForeignKeyConstraint(_PREMISES_KEY, _PREMISES),
        ForeignKeyConstraint(["tenant_id", "party_id"], ["party.tenant_id", "party.party_id"]),
        CheckConstraint(_ENDS_AFTER_START, name="ends_after_start"),
        Index("ix_party_premises_premises", "tenant_id", "community_id", "premises_id", "starts"),
        Index("ix_party_premises_party", "tenant_id", "party_id"),
        ExcludeConstraint(
            ("tenant_id", "="),
            ("premises_id", "="),
            (text("daterange(starts, ends)"), "&&"),
            where=text("role = 'payer'"),
            name="one_payer",
        ),
        ExcludeConstraint(
            ("tenant_id", "="),
            ("premises_id", "="),
            ("party_id", "="),
            ("role", "="),
            (text("daterange(starts, ends)"), "&&"),
            name="same_relation_once",
        ),
    )


class DelegationRow(TenantRow):
    """A party lets another see or pay its bills: a child for a parent, an agent for an owner."""

    __tablename__ = "delegation"

    delegation_id: Mapped[UUID] = mapped_column(primary_key=True)
    grantor_party_id: Mapped[PartyId]
    delegate_party_id: Mapped[PartyId]
    scope: Mapped[DelegationScope]
    starts: Mapped[date]
    ends: Mapped[date | None]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "grantor_party_id"], ["party.tenant_id", "party.party_id"]),
        ForeignKeyConstraint(["tenant_id", "delegate_party_id"], ["party.tenant_id", "party.party_id"]),
        CheckConstraint("grantor_party_id <> delegate_party_id", name="to_another"),
        CheckConstraint(_ENDS_AFTER_START, name="ends_after_start"),
        Index("ix_delegation_delegate", "tenant_id", "delegate_party_id"),
    )


class SpaceRow(CommunityRow):
    """What is particular to premises that are a parking space (车位)."""

    __tablename__ = "space"

    premises_id: Mapped[PremisesId] = mapped_column(primary_key=True)
    lot: Mapped[str]

    __table_args__ = (ForeignKeyConstraint(_PREMISES_KEY, _PREMISES),)


class SpaceAllocationRow(CommunityRow):
    """Who may use a parking space, by what right, from a day until another."""

    __tablename__ = "space_allocation"

    allocation_id: Mapped[UUID] = mapped_column(primary_key=True)
    premises_id: Mapped[PremisesId]
    party_id: Mapped[PartyId]
    basis: Mapped[AllocationBasis]
    starts: Mapped[date]
    ends: Mapped[date | None]

    __table_args__ = (
        ForeignKeyConstraint(_PREMISES_KEY, ["space.tenant_id", "space.community_id", "space.premises_id"]),
        ForeignKeyConstraint(["tenant_id", "party_id"], ["party.tenant_id", "party.party_id"]),
        CheckConstraint(_ENDS_AFTER_START, name="ends_after_start"),
        ExcludeConstraint(
            ("tenant_id", "="), ("premises_id", "="), (text("daterange(starts, ends)"), "&&"), name="one_user"
        ),
    )
