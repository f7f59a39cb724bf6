"""What the estate endpoints take and answer."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.estate.kinds import Fact, PartyKind, PremisesKind, Role
from cloud.estate.values import Community, NewPremises, Party, Premises, Relation
from common.ids import BuildingId

_INT64_MAX = (1 << 63) - 1
Milli = Annotated[int, Field(ge=0, le=_INT64_MAX, description="thousandths of the unit")]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Code = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CommunityIn(_In):
    """A community to create."""

    code: Code
    name: Name
    starts: date
    zone: Annotated[str, Field(max_length=60)] = "Asia/Shanghai"


class CommunityOut(BaseModel):
    """A community."""

    id: UUID
    code: str
    name: str
    zone: str

    @classmethod
    def of(cls, community: Community) -> CommunityOut:
        """Return what is answered for a community."""
        return cls(id=community.id, code=community.code, name=community.name, zone=community.zone_name)


class IdOut(BaseModel):
    """The id of what was just made."""

    id: UUID


class BuildingIn(_In):
    """A building to add."""

    code: Code
    name: Name


class BuildingOut(BuildingIn):
    """A building."""

    id: UUID


class PremisesIn(_In):
    """Premises to add; leave out facts that are not known."""

    label: Name
    kind: PremisesKind
    building_id: UUID | None = None
    effective_from: date
    facts: dict[Fact, Milli] = {}

    def new(self) -> NewPremises:
        """Return the premises as a value."""
        return NewPremises(
            label=self.label,
            kind=self.kind,
            building_id=None if self.building_id is None else BuildingId(self.building_id),
            effective_from=self.effective_from,
            facts=self.facts,
        )


class PremisesOut(BaseModel):
    """Premises with the facts of the day asked for; an unknown fact is absent."""

    id: UUID
    community_id: UUID
    building_id: UUID | None
    label: str
    kind: PremisesKind
    facts: dict[Fact, int]

    @classmethod
    def of(cls, premises: Premises) -> PremisesOut:
        """Return what is answered for premises."""
        return cls(
            id=premises.id,
            community_id=premises.community_id,
            building_id=premises.building_id,
            label=premises.label,
            kind=premises.kind,
            facts=dict(premises.facts),
        )


class FactIn(_In):
    """A fact of premises from a day on."""

    fact: Fact
    effective_from: date
    value_milli: Milli


class PartyIn(_In):
    """A party to add."""

    kind: PartyKind
    name: Name


class PartyOut(BaseModel):
    """A party."""

    id: UUID
    kind: PartyKind
    name: str

    @classmethod
    def of(cls, party: Party) -> PartyOut:
        """Return what is answered for a party."""
        return cls(id=party.id, kind=party.kind, name=party.name)


class RelationIn(_In):
    """What a party is to premises, from a day until another."""

    party_id: UUID
    role: Role
    starts: date
    ends: date | None = None


class RelationOut(BaseModel):
    """What a party is or was to premises."""

    party_id: UUID
    role: Role
    starts: date
    ends: date | None

    @classmethod
    def of(cls, relation: Relation) -> RelationOut:
        """Return what is answered for a relation."""
        return cls(party_id=relation.party_id, role=relation.role, starts=relation.starts, ends=relation.ends)


class SaleIn(_In):
    """Premises handed over from one party to another on a day."""

    from_party: UUID
    to_party: UUID
    day: date
