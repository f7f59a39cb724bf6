"""The gate part of a site bundle and the permits bundle, checked or refused with every fault.

A permit names a plate in clear or by its SHA-256; either way it stays on the gateway and never enters a log.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from common.errors import Fault, FaultsError
from edge.driver.gate_events import Post
from edge.driver.signs import BoardFamily

LOTS_MAX = 64
EXIT_GRACE_MINUTES = 15  # the way from the kiosk to the exit, where a lot says nothing else
EXIT_GRACE_MINUTES_MAX = 240
PERMITS_MAX = 50_000


class Direction(StrEnum):
    """Which way cars pass a camera; `both` enters a car without a session and lets out one that has one."""

    ENTRY = "entry"
    EXIT = "exit"
    BOTH = "both"


class UnpaidExit(StrEnum):
    """What a lot does with a car that owes: hold it until it paid, or open and leave the fee to the cloud."""

    HOLD = "hold"
    OPEN = "open"


class NoPlate(StrEnum):
    """What a lot does with a car whose plate nobody can read: wait for a person, or let it in on a ticket code."""

    HOLD = "hold"
    TICKET = "ticket"


class VehicleClass(StrEnum):
    """How a vehicle is charged."""

    TEMPORARY = "temporary"
    MONTHLY = "monthly"
    VIP = "vip"
    VISITOR = "visitor"
    BLACKLISTED = "blacklisted"


class _Lane(msgspec.Struct, kw_only=True):
    camera: str
    barrier: str
    direction: Direction = Direction.BOTH
    wire: str | None = None
    model: str | None = None
    board: BoardFamily | None = None
    user: str | None = None
    password: str | None = None


class _Lot(msgspec.Struct, kw_only=True):
    lot: str
    camera: str | None = None
    barrier: str | None = None
    lanes: tuple[_Lane, ...] = ()
    spaces: int | None = None
    unpaid_exit: UnpaidExit = UnpaidExit.HOLD
    no_plate: NoPlate = NoPlate.HOLD
    exit_grace_minutes: int = EXIT_GRACE_MINUTES


class _Gate(msgspec.Struct, kw_only=True):
    wire: str | None = None
    model: str | None = None
    lots: tuple[_Lot, ...] = ()


class _Permit(msgspec.Struct, kw_only=True):
    permit_class: VehicleClass = msgspec.field(name="class")
    valid_from: datetime
    valid_to: datetime
    plate: str | None = None
    plate_sha: str | None = None
    premises_id: UUID | None = None
    charge_to_account: bool = False
    lots: tuple[str, ...] = ()
    space: str | None = None
    granted_minutes: int = 0


class _Permits(msgspec.Struct, kw_only=True):
    permits: tuple[_Permit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLane:
    """One camera with the barrier it stands at; `board` is the family of the display behind the camera, if any."""

    lot: str
    camera: str
    barrier: str
    direction: Direction
    wire: str = ""
    model: str = ""
    board: BoardFamily | None = None
    login: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """One car park; `spaces` is None when its places are not counted."""

    lot: str
    spaces: int | None
    unpaid_exit: UnpaidExit
    no_plate: NoPlate = NoPlate.HOLD
    exit_grace_minutes: int = EXIT_GRACE_MINUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePlan:
    """The lots of a site and the lanes by camera; each lane names the wire and the model of its camera."""

    lots: Mapping[str, Lot] = field(default_factory=dict)
    lanes: Mapping[str, GateLane] = field(default_factory=dict)

    def posts(self) -> Mapping[tuple[str, str], tuple[Post, ...]]:
        """Return the cameras with what belongs to them, by wire and model."""
        posts: dict[tuple[str, str], tuple[Post, ...]] = {}
        for lane in self.lanes.values():
            key = lane.wire, lane.model
            post = Post(camera=lane.camera, barrier=lane.barrier, board=lane.board, login=lane.login)
            posts[key] = (*posts.get(key, ()), post)
        return posts


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """What a plate may do, where and how long; an empty `lots` means all of them.

    Plates that share a `space` share its one place: the second car inside is charged as a temporary one.
    `granted_minutes` are those of a visitor's coupon.
    """

    vehicle_class: VehicleClass
    valid_from: datetime
    valid_to: datetime
    premises_id: UUID | None
    charge_to_account: bool
    lots: tuple[str, ...]
    space: str | None = None
    granted_minutes: int = 0

    @property
    def covers(self) -> bool:
        """Return whether the permit itself pays for the stay."""
        return self.vehicle_class in {VehicleClass.MONTHLY, VehicleClass.VIP}

    def holds(self, lot: str, instant: datetime) -> bool:
        """Return whether the permit is in force; its last instant is not included."""
        return self.valid_from <= instant < self.valid_to and (not self.lots or lot in self.lots)


class PermitBook:
    """Permits by plate; a plate without one is a temporary vehicle."""

    def __init__(self, permits: Mapping[str, tuple[Permit, ...]]) -> None:
        self._permits = permits

    def find(self, plate: str, lot: str, instant: datetime) -> Permit | None:
        """Return the permit in force; a blacklisting wins over any other."""
        held = [permit for permit in self._permits.get(plate_sha(plate), ()) if permit.holds(lot, instant)]
        barred = (permit for permit in held if permit.vehicle_class is VehicleClass.BLACKLISTED)
        return next(barred, held[0] if held else None)


def plate_sha(plate: str) -> str:
    """Return the name of a plate in the permit book."""
    return hashlib.sha256(plate.strip().upper().encode()).hexdigest()


def parse_gate(site: Mapping[str, Any]) -> GatePlan:
    """Return the gate of a site bundle's payload.

    Raises:
        FaultsError: with every fault of the payload.
    """
    document = _convert(site.get("gate") or {}, _Gate, "site bundle, gate")
    faults = list(_gate_faults(document))
    if faults:
        raise FaultsError("site bundle, gate", faults)
    lanes = [
        GateLane(
            lot=lot.lot,
            camera=lane.camera,
            barrier=lane.barrier,
            direction=lane.direction,
            wire=lane.wire or document.wire or "",
            model=lane.model or document.model or "",
            board=lane.board,
            login=None if lane.user is None else (lane.user, lane.password or ""),
        )
        for lot in document.lots
        for lane in _lanes(lot)
    ]
    return GatePlan(
        lots={lot.lot: _lot(lot) for lot in document.lots},
        lanes={lane.camera: lane for lane in lanes},
    )


def parse_permits(body: Mapping[str, Any]) -> PermitBook:
    """Return the permits of a permits bundle.

    Raises:
        FaultsError: with every fault of the payload; plates are not repeated in it.
    """
    document = _convert(body, _Permits, "permits bundle")
    faults = list(_permit_faults(document))
    if faults:
        raise FaultsError("permits bundle", faults)
    permits: dict[str, tuple[Permit, ...]] = {}
    for item in document.permits:
        name = item.plate_sha or plate_sha(item.plate or "")
        permit = Permit(
            vehicle_class=item.permit_class,
            valid_from=item.valid_from,
            valid_to=item.valid_to,
            premises_id=item.premises_id,
            charge_to_account=item.charge_to_account,
            lots=item.lots,
            space=item.space,
            granted_minutes=item.granted_minutes,
        )
        permits[name] = (*permits.get(name, ()), permit)
    return PermitBook(permits)


def _lot(lot: _Lot) -> Lot:
    return Lot(
        lot=lot.lot,
        spaces=lot.spaces,
        unpaid_exit=lot.unpaid_exit,
        no_plate=lot.no_plate,
        exit_grace_minutes=lot.exit_grace_minutes,
    )


def _lanes(lot: _Lot) -> tuple[_Lane, ...]:
    single = (_Lane(camera=lot.camera, barrier=lot.barrier),) if lot.camera and lot.barrier else ()
    return (*single, *lot.lanes)


def _gate_faults(document: _Gate) -> Iterator[Fault]:
    yield from _lane_faults(document)
    if len(document.lots) > LOTS_MAX:
        yield Fault(where="gate", what=f"{len(document.lots)} lots", remedy=f"a gateway takes {LOTS_MAX}")
    for name, count in Counter(lot.lot for lot in document.lots).items():
        if count > 1:
            yield Fault(where=f"lot {name}", what="is described twice", remedy="describe each lot once")
    for lot in document.lots:
        if not 0 <= lot.exit_grace_minutes <= EXIT_GRACE_MINUTES_MAX:
            what = f"gives {lot.exit_grace_minutes} minutes to reach the exit"
            yield Fault(where=f"lot {lot.lot}", what=what, remedy=f"give 0 to {EXIT_GRACE_MINUTES_MAX}")
        if not _lanes(lot):
            yield Fault(where=f"lot {lot.lot}", what="has no camera with a barrier", remedy="name at least one lane")


def _lane_faults(document: _Gate) -> Iterator[Fault]:
    lanes = [lane for lot in document.lots for lane in _lanes(lot)]
    for lane in lanes:
        if not (lane.wire or document.wire) or not (lane.model or document.model):
            what = "has no wire and model of its camera"
            yield Fault(where=f"camera {lane.camera}", what=what, remedy="name the wire and the camera model")
    for camera, count in Counter(lane.camera for lane in lanes).items():
        if count > 1:
            yield Fault(where=f"camera {camera}", what="stands at two lanes", remedy="give each lane its own camera")


def _permit_faults(document: _Permits) -> Iterator[Fault]:
    if len(document.permits) > PERMITS_MAX:
        yield Fault(where="permits", what=f"{len(document.permits)} permits", remedy=f"send at most {PERMITS_MAX}")
    for number, permit in enumerate(document.permits, 1):
        where = f"permit {number}"
        if (permit.plate is None) == (permit.plate_sha is None):
            yield Fault(where=where, what="names not exactly one of plate and plate_sha", remedy="name one of them")
        if permit.valid_from.tzinfo is None or permit.valid_to.tzinfo is None:
            yield Fault(where=where, what="has an instant without a zone", remedy="write instants in UTC with Z")
        if permit.granted_minutes < 0:
            yield Fault(where=where, what="grants less than no minutes", remedy="give 0 or more granted_minutes")
        if permit.valid_from.tzinfo and permit.valid_to.tzinfo and permit.valid_from >= permit.valid_to:
            yield Fault(where=where, what="ends before it begins", remedy="correct valid_from and valid_to")


def _convert(body: Mapping[str, Any], shape: Any, subject: str) -> Any:
    try:
        return msgspec.convert(dict(body), shape)
    except msgspec.ValidationError as error:
        fault = Fault(where=subject, what=str(error), remedy="mend the field and publish the bundle again")
        raise FaultsError(subject, [fault]) from error
