"""The wires and devices of a site bundle, checked against the device models: all faults at once, with remedies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from common.errors import Fault, FaultsError, RefusalError
from common.ids import MeterId
from common.reading.reading import Quantity, Resource
from edge.device.catalogue import Catalogue
from edge.device.profile import Profile, ProtocolName
from edge.device.sections import Section
from edge.driver.gate_mqtt import split_address
from edge.driver.outcome import DeviceConfig, WireConfig, WireKind
from edge.driver.questions import check_address

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}"
_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_BAUD_MOST = 115_200
_LINE_KINDS = frozenset({WireKind.SERIAL, WireKind.SERIAL_TCP})
_NETWORK_KINDS = frozenset({WireKind.SERIAL_TCP, WireKind.MODBUS_TCP, WireKind.MQTT})
_MULTIPLIER_MOST = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteWires:
    """The checked wires and meters of a site."""

    wires: tuple[WireConfig, ...]
    devices: tuple[DeviceConfig, ...]

    def devices_on(self, wire: str) -> tuple[DeviceConfig, ...]:
        """Return the devices of one wire, in the bundle's order."""
        return tuple(device for device in self.devices if device.wire == wire)


def parse_site_wires(body: Mapping[str, object], catalogue: Catalogue) -> SiteWires:
    """Return the `wires` and `devices` of a site bundle; other keys of the bundle are not looked at.

    Raises:
        FaultsError: the bundle has faults; all of them are listed and nothing of it may be used.
    """
    faults: list[Fault] = []
    document = {"wires": body.get("wires", []), "devices": body.get("devices", [])}
    root = Section(document, "", faults)
    wires = [_wire(section) for section in root.sections("wires")]
    devices = [_device(section) for section in root.sections("devices")]
    if not faults:
        _check_wires(wires, root)
        _check_devices(wires, devices, catalogue, root)
    if faults:
        raise FaultsError("site bundle", faults)
    return SiteWires(wires=tuple(wires), devices=tuple(devices))


def _wire(section: Section) -> WireConfig:
    config = WireConfig(
        wire=section.text("wire", pattern=_NAME),
        kind=WireKind(section.choice("kind", frozenset(WireKind)) or WireKind.SERIAL),
        address=section.text("address"),
        baud=section.integer("baud", least=300, most=_BAUD_MOST, default=2400),
        parity=section.choice("parity", frozenset({"none", "even", "odd"}), default="even"),
        echo=section.flag("echo", default=False),
    )
    section.finish()
    return config


def _device(section: Section) -> DeviceConfig:
    points = tuple(Quantity(name) for name in _known_points(section))
    meter_id = section.text("meter_id", pattern=_UUID)
    config = DeviceConfig(
        meter_id=MeterId(UUID(meter_id or "0" * 32)),
        serial=section.text("serial", pattern=_NAME),
        wire=section.text("wire", pattern=_NAME),
        profile=section.text("profile"),
        address=section.text("address"),
        resource=Resource(section.choice("resource", frozenset(Resource)) or Resource.ELECTRICITY),
        points=points or (Quantity.ENERGY_FORWARD,),
        label=section.text("label", default="", pattern=r".*"),
        multiplier_milli=section.integer("multiplier_milli", least=1, most=_MULTIPLIER_MOST, default=1000),
        parameters=section.text_map("parameters"),
    )
    section.finish()
    return config


def _known_points(section: Section) -> list[str]:
    known = frozenset(Quantity)
    names = section.texts("points")
    for name in names:
        if name not in known:
            section.fault("points", f"{name!r} is no quantity", f"choose of {', '.join(sorted(known))}")
    if not names:
        section.fault("points", "is empty", "name at least one quantity")
    return [name for name in names if name in known]


def _check_wires(wires: list[WireConfig], root: Section) -> None:
    seen: set[str] = set()
    for n, config in enumerate(wires):
        if config.wire in seen:
            root.fault(f"wires[{n}].wire", f"{config.wire!r} stands twice", "give each wire a name of its own")
        seen.add(config.wire)
        if config.kind in _NETWORK_KINDS:
            try:
                split_address(config.address)
            except RefusalError as problem:
                root.fault(f"wires[{n}].address", str(problem), "write host:port")


def _check_devices(wires: list[WireConfig], devices: list[DeviceConfig], catalogue: Catalogue, root: Section) -> None:
    kinds = {config.wire: config.kind for config in wires}
    places: dict[tuple[str, str, str], str] = {}
    meters: set[MeterId] = set()
    for n, device in enumerate(devices):
        where = f"devices[{n}]"
        if device.meter_id in meters:
            root.fault(f"{where}.meter_id", f"meter {device.meter_id} stands twice", "remove one of the entries")
        meters.add(device.meter_id)
        if device.wire not in kinds:
            root.fault(f"{where}.wire", f"{device.wire!r} is no wire of this site", "add the wire or correct the name")
            continue
        if kinds[device.wire] is WireKind.RECORDED:
            continue
        profile = catalogue.profiles.get(device.profile)
        if profile is None:
            known = ", ".join(sorted(catalogue.profiles))
            root.fault(f"{where}.profile", f"no device model is called {device.profile!r}", f"choose one of {known}")
            continue
        _check_against_profile(where, device, profile, kinds[device.wire], root)
        place = (device.wire, profile.protocol, device.address)
        if place in places:
            what = f"{device.serial} and {places[place]} share address {device.address} on {device.wire}"
            root.fault(f"{where}.address", what, "give one of the meters another address")
        places[place] = device.serial


def _check_against_profile(where: str, device: DeviceConfig, profile: Profile, kind: WireKind, root: Section) -> None:
    try:
        check_address(profile, device.address)
    except RefusalError as problem:
        root.fault(f"{where}.address", str(problem), "correct it as on the meter")
    has = {point.quantity for point in profile.points}
    for quantity in device.points:
        if quantity not in has:
            root.fault(f"{where}.points", f"model {profile.model} has no {quantity}", f"choose of {_listed(has)}")
    fits = kind in _LINE_KINDS or (kind is WireKind.MODBUS_TCP and profile.protocol is ProtocolName.MODBUS)
    if not fits or profile.protocol is ProtocolName.ZHENSHI_MQTT:
        root.fault(f"{where}.wire", f"{profile.protocol} does not run over a {kind} wire", "put it on a fitting wire")
    unknown = sorted(set(device.parameters) - set(profile.parameters))
    if unknown:
        root.fault(f"{where}.parameters", f"{unknown} are not of model {profile.model}", "remove or correct them")


def _listed(quantities: set[Quantity]) -> str:
    return ", ".join(sorted(quantities))
