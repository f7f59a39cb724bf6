"""Builds the owner of a network with door boards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from common.errors import RefusalError
from edge.driver.door_events import DoorPost, DoorWire
from edge.driver.door_fcard import FcardWire
from edge.driver.door_uhppote import UhppoteWire
from edge.driver.outcome import WireConfig, WireKind


def build_door_wire(wires: Mapping[str, WireConfig], name: str, posts: Iterable[DoorPost]) -> DoorWire:
    """Return the wire of some doors.

    Raises:
        RefusalError: there is no such wire, or door boards do not speak over its kind.
    """
    if name not in wires:
        raise RefusalError(f"access: wire {name!r} is unknown; name one of {sorted(wires)}")
    config = wires[name]
    if config.kind is WireKind.DOOR_UDP:
        return UhppoteWire(config, posts)
    if config.kind is WireKind.DOOR_TCP:
        return FcardWire(config, posts)
    raise RefusalError(f"wire {name}: no door boards run over {config.kind}; make it a door-udp or door-tcp wire")
