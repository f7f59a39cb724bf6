"""The words of the fleet."""

from __future__ import annotations

from enum import StrEnum


class GatewayState(StrEnum):
    """Where a gateway stands."""

    PLANNED = "planned"  # on paper, with a code to enrol it
    ENROLLED = "enrolled"
    RETIRED = "retired"  # its keys are revoked and it gets no news


class MeterKind(StrEnum):
    """How a meter gets its figures."""

    PHYSICAL = "physical"
    VIRTUAL = "virtual"  # worked out from other meters of the tree
