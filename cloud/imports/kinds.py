"""The words of imports. Values only."""

from __future__ import annotations

from enum import StrEnum


class ImportKind(StrEnum):
    """What a table holds."""

    ESTATE = "estate"
    METERS = "meters"
    OPENINGS = "openings"
    READINGS = "readings"


class ImportState(StrEnum):
    """Where an import stands."""

    APPLIED = "applied"
    UNDONE = "undone"


class MadeKind(StrEnum):
    """What an import made, in the order in which it must be taken back from last to first."""

    BUILDING = "building"
    PREMISES = "premises"
    PARTY = "party"
    METER = "meter"
    READING = "reading"
    OPENING_BILL = "opening_bill"
    OPENING_AHEAD = "opening_ahead"
