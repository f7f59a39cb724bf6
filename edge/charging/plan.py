"""The charging part of a site bundle, checked or refused with every fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from common.errors import Fault, FaultsError
from edge.driver.wire_names import wires_of

PILES_MAX = 256


class OpenTo(StrEnum):
    """Who may charge at a pile: who holds a card for it, or anybody, whose charge is then settled at the office."""

    CARDS = "cards"
    ANYONE = "anyone"


class _Pile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    pile: str
    wire: str
    connectors: int = 1
    open_to: OpenTo = OpenTo.CARDS
    label: str = ""


class _Charging(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    piles: tuple[_Pile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pile:
    """One charging pile; its number is also the place that its tariff is assigned to."""

    pile: str
    wire: str
    connectors: int
    open_to: OpenTo
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingPlan:
    """The piles of a site by number."""

    piles: Mapping[str, Pile] = field(default_factory=dict)

    def piles_on(self, wire: str) -> tuple[str, ...]:
        """Return the numbers of the piles that connect to a wire."""
        return tuple(pile.pile for pile in self.piles.values() if pile.wire == wire)

    @property
    def wires(self) -> tuple[str, ...]:
        """Return the wires that piles connect to, each once."""
        return tuple(dict.fromkeys(pile.wire for pile in self.piles.values()))


def parse_charging(site: Mapping[str, Any]) -> ChargingPlan:
    """Return the piles of a site bundle's payload.

    Raises:
        FaultsError: with every fault of the payload.
    """
    try:
        document = msgspec.convert(site.get("charging") or {}, _Charging)
    except msgspec.ValidationError as error:
        fault = Fault(where="charging", what=str(error), remedy="mend the field and publish the bundle again")
        raise FaultsError("site bundle, charging", [fault]) from error
    faults = [*_faults(document), *_wire_faults(document, wires_of(site))]
    if faults:
        raise FaultsError("site bundle, charging", faults)
    piles = {
        item.pile: Pile(
            pile=item.pile, wire=item.wire, connectors=item.connectors, open_to=item.open_to, label=item.label
        )
        for item in document.piles
    }
    return ChargingPlan(piles=piles)


def _wire_faults(document: _Charging, wires: frozenset[str]) -> Iterator[Fault]:
    for item in document.piles:
        if item.wire not in wires:
            what = f"hangs on the unknown wire {item.wire!r}"
            yield Fault(where=f"pile {item.pile}", what=what, remedy=f"name one of {sorted(wires)}")


def _faults(document: _Charging) -> Iterator[Fault]:
    if len(document.piles) > PILES_MAX:
        yield Fault(where="charging", what=f"{len(document.piles)} piles", remedy=f"a gateway takes {PILES_MAX}")
    for name, count in Counter(pile.pile for pile in document.piles).items():
        if count > 1:
            yield Fault(where=f"pile {name}", what="is described twice", remedy="describe each pile once")
    for pile in document.piles:
        if not 1 <= pile.connectors <= 8:  # noqa: PLR2004 - guns of one pile
            yield Fault(where=f"pile {pile.pile}", what=f"has {pile.connectors} connectors", remedy="give 1 to 8")
