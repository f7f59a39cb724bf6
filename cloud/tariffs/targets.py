"""Which targets of an assignment hold a place. Pure."""

from __future__ import annotations

from cloud.estate.values import Premises
from cloud.tariffs.assignment import Target, TargetKind
from common.ids import MeterId


def targets_of(premises: Premises) -> tuple[Target, ...]:
    """Return every target that holds some premises."""
    targets = [
        Target(kind=TargetKind.COMMUNITY),
        Target(kind=TargetKind.PREMISES_KIND, key=premises.kind),
        Target(kind=TargetKind.PREMISES, key=str(premises.id)),
    ]
    if premises.building_id is not None:
        targets.append(Target(kind=TargetKind.BUILDING, key=str(premises.building_id)))
    return tuple(targets)


def meter_target(meter_id: MeterId) -> Target:
    """Return the target of one meter."""
    return Target(kind=TargetKind.METER, key=str(meter_id))


def lot_target(lot: str) -> Target:
    """Return the target of one car park."""
    return Target(kind=TargetKind.LOT, key=lot)
