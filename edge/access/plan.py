"""The access part of a site bundle, checked or refused with every fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from common.errors import Fault, FaultsError
from edge.driver.door_events import DoorPost
from edge.driver.wire_names import wires_of

DOORS_MAX = 512
_NUMBERS = range(1, 5)


class _Door(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    door: str
    wire: str
    board: str
    address: str
    number: int = 1


class _Access(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    doors: tuple[_Door, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPlan:
    """The doors of a site by wire."""

    doors: Mapping[str, tuple[DoorPost, ...]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all doors."""
        return tuple(post.door for posts in self.doors.values() for post in posts)


def parse_access(site: Mapping[str, Any]) -> AccessPlan:
    """Return the doors of a site bundle's payload.

    Raises:
        FaultsError: with every fault of the payload.
    """
    try:
        document = msgspec.convert(site.get("access") or {}, _Access)
    except msgspec.ValidationError as error:
        fault = Fault(where="access", what=str(error), remedy="mend the field and publish the bundle again")
        raise FaultsError("site bundle, access", [fault]) from error
    faults = [*_faults(document), *_wire_faults(document, wires_of(site))]
    if faults:
        raise FaultsError("site bundle, access", faults)
    doors: dict[str, tuple[DoorPost, ...]] = {}
    for item in document.doors:
        post = DoorPost(door=item.door, board=item.board, address=item.address, number=item.number)
        doors[item.wire] = (*doors.get(item.wire, ()), post)
    return AccessPlan(doors=doors)


def _wire_faults(document: _Access, wires: frozenset[str]) -> Iterator[Fault]:
    for item in document.doors:
        if item.wire not in wires:
            what = f"hangs on the unknown wire {item.wire!r}"
            yield Fault(where=f"door {item.door}", what=what, remedy=f"name one of {sorted(wires)}")


def _faults(document: _Access) -> Iterator[Fault]:
    if len(document.doors) > DOORS_MAX:
        yield Fault(where="access", what=f"{len(document.doors)} doors", remedy=f"a gateway takes {DOORS_MAX}")
    for name, count in Counter(door.door for door in document.doors).items():
        if count > 1:
            yield Fault(where=f"door {name}", what="is described twice", remedy="describe each door once")
    for place, count in Counter((door.board, door.number) for door in document.doors).items():
        if count > 1:
            what = f"board {place[0]} has two doors of number {place[1]}"
            yield Fault(where="access", what=what, remedy="give each door its own number on the board")
    for door in document.doors:
        if door.number not in _NUMBERS:
            what = f"has number {door.number} on its board"
            yield Fault(where=f"door {door.door}", what=what, remedy="give 1 to 4")
        if not door.board.isascii() or not door.board.isalnum():
            what = f"names the board {door.board!r}"
            yield Fault(where=f"door {door.door}", what=what, remedy="give the number on its plate")
