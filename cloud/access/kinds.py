"""The words of access. Values only."""

from __future__ import annotations

from enum import StrEnum


class PlaceKind(StrEnum):
    """What a card opens."""

    DOOR = "door"
    PILE = "pile"


class ChargeState(StrEnum):
    """What became of a charge at a pile."""

    CHARGED = "charged"  # a household's usage
    NOBODY = "nobody"  # no permit names a household: a person decides
    STRAY = "stray"  # an end without a charge, or after it was sealed: a person decides
