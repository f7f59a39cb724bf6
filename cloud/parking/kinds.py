"""The words of parking. Values only; those of the gate are the words of the wire."""

from __future__ import annotations

from enum import StrEnum


class Act(StrEnum):
    """What happened at a lot."""

    ENTRY = "entry"
    EXIT = "exit"
    REFUSED = "refused"
    CORRECTED = "corrected"
    SETTLED = "settled"
    VOID = "void"


class StayState(StrEnum):
    """Where a stay stands; only one that has left can be charged."""

    INSIDE = "inside"
    LEFT = "left"
    VOID = "void"


class Settlement(StrEnum):
    """Who pays for a stay that has left."""

    OPEN = "open"  # not left yet, or nobody knows
    NOTHING = "nothing"  # free, covered by a permit, or void
    AT_GATE = "at_gate"  # paid at the kiosk or the exit
    ACCOUNT = "account"  # charged to a household
    UNPAID = "unpaid"  # let go without paying


class VehicleClass(StrEnum):
    """How a vehicle is charged."""

    TEMPORARY = "temporary"
    MONTHLY = "monthly"
    VIP = "vip"
    VISITOR = "visitor"
    BLACKLISTED = "blacklisted"
