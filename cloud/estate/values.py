"""What the estate tells other domains: communities, premises with their facts of a day, who pays when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from cloud.estate.kinds import Fact, PartyKind, PremisesKind, Role
from common.civil import Period
from common.ids import BuildingId, CommunityId, PartyId, PremisesId


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """A community and the zone in which its civil days are counted."""

    id: CommunityId
    code: str
    name: str
    zone_name: str

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone."""
        return ZoneInfo(self.zone_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """A building of a community."""

    id: BuildingId
    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """Premises with the facts that hold on one day; a fact that is not known is absent, never zero.

    All facts are in thousandths of their unit: m², persons, households, a factor of one.
    """

    id: PremisesId
    community_id: CommunityId
    building_id: BuildingId | None
    label: str
    kind: PremisesKind
    facts: Mapping[Fact, int]

    @property
    def area_milli(self) -> int | None:
        """Return the built-up area in thousandths of a square metre, or None when unknown."""
        return self.facts.get(Fact.AREA)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPremises:
    """Premises to add, with the facts known of them from a day on.

    `label` is as printed, such as 1-2-301, and unique in the community. Leave out facts that are not known.
    """

    label: str
    kind: PremisesKind
    effective_from: date
    building_id: BuildingId | None = None
    facts: Mapping[Fact, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewParty:
    """A party to add; of a telephone number only the last digits are kept."""

    kind: PartyKind
    name: str
    phone_tail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerSpan:
    """The days of a period in which one party owes what the premises cause; `[start, end)`."""

    premises_id: PremisesId
    party_id: PartyId
    start: date
    end: date

    @property
    def period(self) -> Period:
        """Return the days as a period."""
        return Period(self.start, self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """What a party is to premises; open when `ends` is None."""

    premises_id: PremisesId
    party_id: PartyId
    role: Role
    starts: date
    ends: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who can own, live, owe and pay."""

    id: PartyId
    kind: PartyKind
    name: str
