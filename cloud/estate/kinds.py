"""The words of the estate that are stored: kinds, roles, facts. Values only, free of the database."""

from __future__ import annotations

from enum import StrEnum


class EntityKind(StrEnum):
    """What a legal entity is to the company."""

    COMPANY = "company"
    OWNERS_COMMITTEE = "owners_committee"
    MERCHANT = "merchant"


class PremisesKind(StrEnum):
    """What premises are used as."""

    RESIDENCE = "residence"
    SHOP = "shop"
    OFFICE = "office"
    SPACE = "space"
    PUBLIC = "public"


class PartyKind(StrEnum):
    """Whether a party is a person or an organisation."""

    PERSON = "person"
    ORGANISATION = "organisation"


class Role(StrEnum):
    """What a party is to premises."""

    OWNER = "owner"
    TENANT = "tenant"
    PAYER = "payer"
    MEMBER = "member"


class Fact(StrEnum):
    """A dated fact of premises; every value is in thousandths (m², persons, households, factor, flag)."""

    AREA = "area"
    INNER_AREA = "inner_area"
    PERSONS = "persons"
    HOUSEHOLDS = "households"
    COEFFICIENT = "coefficient"
    FLOOR_WEIGHT = "floor_weight"
    VACANT = "vacant"


class AllocationBasis(StrEnum):
    """By what right a party uses a parking space."""

    OWNED = "owned"
    LEASED = "leased"
    ASSIGNED = "assigned"


class DelegationScope(StrEnum):
    """What a party lets another do for it."""

    VIEW = "view"
    PAY = "pay"
