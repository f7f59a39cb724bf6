"""Which tariff prices a charge item for one place on one day: the narrowest target that says something wins.

    meter > premises > kind of premises > building > community

`inherit` says nothing and lets the next wider target speak; `exempt` says that nothing is charged, on purpose. Where no
target speaks, the charge item does not apply to the place. Pure decisions; no database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from common.ids import ChargeItemId, TariffId


class TargetKind(StrEnum):
    """What an assignment points at."""

    COMMUNITY = "community"
    BUILDING = "building"
    PREMISES_KIND = "premises_kind"
    PREMISES = "premises"
    METER = "meter"
    LOT = "lot"


class Effect(StrEnum):
    """What an assignment says about its target."""

    CHARGE = "charge"
    EXEMPT = "exempt"
    INHERIT = "inherit"


_NARROWEST_FIRST = (
    TargetKind.METER,
    TargetKind.LOT,
    TargetKind.PREMISES,
    TargetKind.PREMISES_KIND,
    TargetKind.BUILDING,
    TargetKind.COMMUNITY,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A thing an assignment points at; `key` is its id or kind, empty for the whole community."""

    kind: TargetKind
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One dated assignment of a charge item; `tariff_id` is set when the effect is to charge."""

    charge_item_id: ChargeItemId
    target: Target
    effective_from: date
    rev: int
    effect: Effect
    tariff_id: TariffId | None
    recorded_at: datetime


class AssignmentBook:
    """All assignments of a community as known at one instant, looked up by charge item, target and day."""

    def __init__(self, assignments: Iterable[Assignment], known_at: datetime) -> None:
        self._by_target: dict[tuple[ChargeItemId, Target], list[Assignment]] = {}
        self._kinds: dict[ChargeItemId, list[TargetKind]] = {}
        for assignment in sorted(assignments, key=lambda one: (one.effective_from, one.rev)):
            if assignment.recorded_at <= known_at:
                self._by_target.setdefault((assignment.charge_item_id, assignment.target), []).append(assignment)
        for item, target in self._by_target:
            kinds = self._kinds.setdefault(item, [])
            if target.kind not in kinds:
                kinds.append(target.kind)
                kinds.sort(key=_NARROWEST_FIRST.index)

    def assigned(self, charge_item_id: ChargeItemId, targets: Iterable[Target], day: date) -> Assignment | None:
        """Return the assignment that decides for a place on a day, or None where the charge item does not apply.

        `targets` are all targets that hold the place, in any order.
        """
        kinds = self._kinds.get(charge_item_id, ())
        named = [target for target in targets if target.kind in kinds]
        for target in named if len(named) == 1 else sorted(named, key=lambda one: kinds.index(one.kind)):
            said = self._said(charge_item_id, target, day)
            if said is not None and said.effect is not Effect.INHERIT:
                return said
        return None

    def changes(self, charge_item_id: ChargeItemId, targets: Iterable[Target]) -> frozenset[date]:
        """Return the days on which some assignment of the charge item for these targets begins."""
        kinds = self._kinds.get(charge_item_id, ())
        return frozenset(
            assignment.effective_from
            for target in targets
            if target.kind in kinds
            for assignment in self._by_target.get((charge_item_id, target), ())
        )

    def named(self, kind: TargetKind) -> frozenset[str]:
        """Return the keys of all targets of a kind that some assignment names."""
        return frozenset(target.key for _, target in self._by_target if target.kind is kind)

    def names(self, charge_item_id: ChargeItemId, kind: TargetKind) -> bool:
        """Return whether some assignment of a charge item names a target of a kind."""
        return any(item == charge_item_id and target.kind is kind for item, target in self._by_target)

    def tariffs_of(self, charge_item_ids: Collection[ChargeItemId]) -> frozenset[TariffId]:
        """Return every tariff that some assignment of the charge items ever named."""
        return frozenset(
            assignment.tariff_id
            for (item, _), assignments in self._by_target.items()
            for assignment in assignments
            if item in charge_item_ids and assignment.tariff_id is not None
        )

    def _said(self, charge_item_id: ChargeItemId, target: Target, day: date) -> Assignment | None:
        said = [one for one in self._by_target.get((charge_item_id, target), ()) if one.effective_from <= day]
        return said[-1] if said else None
