"""Checks one point, range or identifier of a profile document; companion of `edge.device.check`."""

from __future__ import annotations

from fractions import Fraction

from common.reading.reading import Quantity
from edge.device.model import (
    BYTE_ORDERS,
    QUANTITY_UNITS,
    RECORD_FUNCTIONS,
    RECORD_KINDS,
    REGISTER_SIZES,
    CounterPlace,
    Item,
    ItemPlace,
    MessagePlace,
    Place,
    Point,
    PointKind,
    ProtocolName,
    ReadableRange,
    RecordPlace,
    RegisterPlace,
    UnitCodes,
)
from edge.device.sections import Section

_REGISTER_MOST = 0xFFFF
_DATA_BYTES_MOST = 200
_POINT_ID = r"[a-z][a-z0-9_]{0,39}"
_IDENTIFIERS = {
    ProtocolName.DLT645_2007: r"[0-9a-f]{8}",
    ProtocolName.DLT645_1997: r"[0-9a-f]{4}",
    ProtocolName.CJT188: r"[0-9a-f]{4}",
}
_GROUP_BYTES = 5
_STORAGE_MOST = 1 << 41
_TARIFF_MOST = 1 << 20
_PAYLOAD_BYTES_MOST = 242
_PATH_STEPS_MOST = 8


def check_range(section: Section) -> ReadableRange:
    """Return a readable range of registers."""
    readable = ReadableRange(
        function=section.integer("function", least=3, most=4),
        first=section.integer("first", least=0, most=_REGISTER_MOST),
        last=section.integer("last", least=0, most=_REGISTER_MOST),
    )
    if readable.last < readable.first:
        section.fault("last", "lies before first", "swap the two")
    section.finish()
    return readable


def check_item(section: Section, protocol: str) -> Item:
    """Return an identifier with the size of its answer."""
    item = Item(
        identifier=_identifier(section, protocol),
        data_bytes=section.integer("data_bytes", least=1, most=_DATA_BYTES_MOST),
    )
    section.finish()
    return item


def check_point(section: Section, protocol: str) -> Point:
    """Return a point, with stand-ins where it has faults."""
    quantity = Quantity(section.choice("quantity", frozenset(Quantity)) or Quantity.POWER)
    unit_codes = UnitCodes(section.choice("unit_codes", frozenset(UnitCodes), default="none") or UnitCodes.NONE)
    place = _place(section, protocol)
    register_type = section.choice("type", frozenset(REGISTER_SIZES)) if _holds_bytes(place) else ""
    point = Point(
        id=section.text("id", pattern=_POINT_ID),
        quantity=quantity,
        place=place,
        type=register_type,
        size=_size(section, register_type, unit_codes) if register_type else 0,
        order=section.choice("order", BYTE_ORDERS, default="ABCD"),
        scale=section.decimal("scale", default="1"),
        unit=section.choice("unit", QUANTITY_UNITS[quantity]),
        kind=PointKind(section.choice("kind", frozenset(PointKind)) or PointKind.INSTANT),
        billing=section.flag("billing", default=False),
        wrap=section.decimal("wrap") if section.has("wrap") else None,
        not_available=_not_available(section),
        multiply_by=section.texts("multiply_by", default=()),
        add=section.texts("add", default=()),
        unit_codes=unit_codes,
    )
    if point.scale <= Fraction(0):
        section.fault("scale", "is not above zero", "give the factor from register to unit as decimal text")
    section.finish()
    return point


def _holds_bytes(place: Place) -> bool:
    """Return whether the place holds raw bytes, which need a type; records, JSON and counters are numbers already."""
    return isinstance(place, RegisterPlace | ItemPlace) or (isinstance(place, MessagePlace) and not place.path)


def _place(section: Section, protocol: str) -> Place:
    if protocol == ProtocolName.MODBUS:
        return RegisterPlace(
            function=section.integer("function", least=3, most=4),
            register=section.integer("register", least=0, most=_REGISTER_MOST),
        )
    if protocol == ProtocolName.MBUS:
        return _record_place(section)
    if protocol == ProtocolName.MQTT:
        return _message_place(section)
    if protocol == ProtocolName.PULSE:
        return CounterPlace()
    return ItemPlace(
        identifier=_identifier(section, protocol),
        offset=section.integer("offset", least=0, most=_DATA_BYTES_MOST, default=0),
    )


def _record_place(section: Section) -> RecordPlace:
    return RecordPlace(
        record=section.choice("record", RECORD_KINDS),
        function=section.choice("function", RECORD_FUNCTIONS, default="instantaneous"),
        storage=section.integer("storage", least=0, most=_STORAGE_MOST, default=0),
        tariff=section.integer("tariff", least=0, most=_TARIFF_MOST, default=0),
        subunit=section.integer("subunit", least=0, most=_TARIFF_MOST, default=0),
        qualifiers=bytes.fromhex(section.text("qualifiers", default="", pattern=r"([0-9a-f]{2})*")),
    )


def _message_place(section: Section) -> MessagePlace:
    if not section.has("path"):
        return MessagePlace(offset=section.integer("offset", least=0, most=_PAYLOAD_BYTES_MOST))
    path = section.texts("path")
    if not 1 <= len(path) <= _PATH_STEPS_MOST:
        section.fault("path", f"has {len(path)} steps", f"give 1 to {_PATH_STEPS_MOST} names from the outside in")
    return MessagePlace(path=path)


def _identifier(section: Section, protocol: str) -> str:
    pattern = _IDENTIFIERS.get(ProtocolName(protocol), r"[0-9a-f]+")
    return section.text("identifier", pattern=pattern)


def _size(section: Section, register_type: str, unit_codes: UnitCodes) -> int:
    """Return the bytes of the point; BCD has no size of its own, a value with a unit code has five."""
    if unit_codes is not UnitCodes.NONE:
        return _GROUP_BYTES
    fixed = REGISTER_SIZES.get(register_type, 0)
    if fixed:
        return fixed
    return section.integer("bytes", least=1, most=8)


def _not_available(section: Section) -> bytes | None:
    if not section.has("not_available"):
        return None
    return bytes.fromhex(section.text("not_available", pattern=r"([0-9a-f]{2})+"))
