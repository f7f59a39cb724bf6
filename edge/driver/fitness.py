"""A site's wires and meters held against the device models: all faults at once, each naming device and remedy.

The shape of the bundle is checked by whoever parsed it; here stands what only the models know: addresses that no
meter can have, two meters on one address, points a model lacks, protocols on wires that cannot carry them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from common.errors import Fault, FaultsError, RefusalError
from edge.device.catalogue import Catalogue
from edge.device.model import Profile, ProtocolName
from edge.driver.gate_mqtt import split_address
from edge.driver.outcome import DeviceConfig, WireConfig, WireKind
from edge.driver.questions import check_address
from edge.driver.sweep import sweep_faults

DAY_S = 86_400
_CARRIED = {
    WireKind.MODBUS_TCP: frozenset({ProtocolName.MODBUS}),
    WireKind.MQTT: frozenset({ProtocolName.MQTT}),
    WireKind.PULSE: frozenset({ProtocolName.PULSE}),
}
_LINE_PROTOCOLS = frozenset(
    {
        ProtocolName.MODBUS,
        ProtocolName.DLT645_2007,
        ProtocolName.DLT645_1997,
        ProtocolName.CJT188,
        ProtocolName.MBUS,
    }
)
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)
_PORTS_OF_OURS = frozenset({WireKind.CAMERA_HTTP, WireKind.OCPP, WireKind.YKC, WireKind.DOOR_UDP, WireKind.DOOR_TCP})
_NETWORK_KINDS = frozenset({WireKind.SERIAL_TCP, WireKind.MODBUS_TCP, WireKind.MQTT}) | _PORTS_OF_OURS


def check_site(
    wires: Iterable[WireConfig], devices: Iterable[DeviceConfig], catalogue: Catalogue, *, period_s: int = DAY_S
) -> None:
    """Check wires and meters against the device models; slots come every `period_s` seconds at the densest.

    Raises:
        FaultsError: something does not fit; all faults are listed and nothing of the site may be used.
    """
    known = {config.wire: config for config in wires}
    devices = tuple(devices)
    faults = [fault for config in known.values() for fault in _wire_faults(config)]
    places: dict[tuple[str, str, str, str], str] = {}
    for device in devices:
        where = f"device {device.serial}"
        wire = known.get(device.wire)
        if wire is None:
            faults.append(
                Fault(where=where, what=f"no wire is called {device.wire!r}", remedy="add or rename the wire")
            )
            continue
        if wire.kind is WireKind.RECORDED:
            continue
        profile = catalogue.profiles.get(device.profile)
        if profile is None:
            models = ", ".join(sorted(catalogue.profiles))
            what = f"no device model is called {device.profile!r}"
            faults.append(Fault(where=where, what=what, remedy=f"choose one of {models}"))
            continue
        faults += _device_faults(where, device, profile, wire.kind)
        channel = device.parameters.get("channel", str(profile.channel))
        place = (device.wire, profile.protocol, device.address, channel)
        if place in places:
            what = f"shares address {device.address} on wire {device.wire} with {places[place]}"
            faults.append(Fault(where=where, what=what, remedy="give one of the meters another address"))
        places.setdefault(place, device.serial)
    faults += sweep_faults(known.values(), devices, catalogue, period_s)
    if faults:
        raise FaultsError("site", faults)


def _wire_faults(config: WireConfig) -> list[Fault]:
    if config.kind not in _NETWORK_KINDS:
        return []
    try:
        split_address(config.address)
    except RefusalError as problem:
        return [Fault(where=f"wire {config.wire}", what=str(problem), remedy="write it as 192.0.2.7:502")]
    return []


def _device_faults(where: str, device: DeviceConfig, profile: Profile, kind: WireKind) -> list[Fault]:
    faults = []
    try:
        check_address(profile, device.address)
    except RefusalError as problem:
        faults.append(Fault(where=where, what=str(problem), remedy="correct the address"))
    has = {point.quantity for point in profile.points}
    lacking = sorted(set(device.points) - has)
    if lacking:
        what = f"model {profile.model} has no {', '.join(lacking)}"
        faults.append(Fault(where=where, what=what, remedy=f"choose of {', '.join(sorted(has))}"))
    if profile.protocol not in _CARRIED.get(kind, _LINE_PROTOCOLS):
        what = f"{profile.protocol} does not run over a {kind} wire"
        faults.append(Fault(where=where, what=what, remedy="put the device on a wire that carries its protocol"))
    unknown = sorted(set(device.parameters) - set(profile.parameters))
    if unknown:
        what = f"model {profile.model} has no parameter {', '.join(unknown)}"
        faults.append(Fault(where=where, what=what, remedy="remove or correct it"))
    for name, text in sorted(device.parameters.items()):
        if _DECIMAL.fullmatch(text) is None:
            what = f"parameter {name} is {text!r}, which is no plain number"
            faults.append(Fault(where=where, what=what, remedy="write it like 20 or 0.01"))
    return faults
