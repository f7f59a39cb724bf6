"""A device model as checked values: what it measures, where its registers lie, how fast it answers.

Invariants: everything here came from a YAML file through `edge.device.check`, so a new model needs no code; numbers
are exact (scales are fractions, never floats); the words of types and byte orders are those of the protocol codecs,
which turn bytes into numbers. This module knows no wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from common.reading.reading import Quantity


class ProtocolName(StrEnum):
    """The protocols a profile can be written for."""

    MODBUS = "modbus"
    DLT645_2007 = "dlt645-2007"
    DLT645_1997 = "dlt645-1997"
    CJT188 = "cjt188"
    MBUS = "mbus"
    MQTT = "mqtt"
    PULSE = "pulse"
    ZHENSHI_MQTT = "zhenshi-mqtt"


class PointKind(StrEnum):
    """What a point's value does over time."""

    CUMULATIVE = "cumulative"
    INSTANT = "instant"


class UnitCodes(StrEnum):
    """Where a CJ/T 188 value carries its unit code; `detect` is for heat meters, which differ."""

    NONE = "none"
    AFTER = "after"
    DETECT = "detect"


class Mark(StrEnum):
    """Where a recording comes from; a derived one proves nothing about the meter."""

    CAPTURED = "captured"
    DOCUMENTED = "documented"
    TEST_SUITE = "test-suite"
    DERIVED = "derived"


REGISTER_SIZES: Mapping[str, int] = {
    "u16": 2,
    "s16": 2,
    "u32": 4,
    "s32": 4,
    "u64": 8,
    "s64": 8,
    "f32": 4,
    "f64": 8,
    "bcd": 0,
    "bcd_low_first": 0,
    "bcd_low_first_signed": 0,
}
RECORD_KINDS = frozenset(
    {
        "energy", "volume", "power", "flow", "flow_temperature", "return_temperature", "external_temperature",
        "voltage", "current",
    }
)  # fmt: skip
RECORD_FUNCTIONS = frozenset({"instantaneous", "maximum", "minimum", "error_state"})
TIME_FORMS = frozenset({"rfc3339", "unix_s", "unix_ms"})
PAYLOAD_CODINGS = frozenset({"base64", "hex"})
BYTE_ORDERS = frozenset({"ABCD", "CDAB", "BADC", "DCBA"})
QUANTITY_UNITS: Mapping[Quantity, frozenset[str]] = {
    Quantity.ENERGY_FORWARD: frozenset({"kWh"}),
    Quantity.ENERGY_REVERSE: frozenset({"kWh"}),
    Quantity.ENERGY_T1: frozenset({"kWh"}),
    Quantity.ENERGY_T2: frozenset({"kWh"}),
    Quantity.ENERGY_T3: frozenset({"kWh"}),
    Quantity.ENERGY_T4: frozenset({"kWh"}),
    Quantity.VOLUME: frozenset({"m3"}),
    Quantity.HEAT_ENERGY: frozenset({"kWh", "GJ"}),
    Quantity.POWER: frozenset({"kW"}),
    Quantity.VOLTAGE: frozenset({"V"}),
    Quantity.CURRENT: frozenset({"A"}),
    Quantity.FLOW: frozenset({"m3/h"}),
    Quantity.TEMPERATURE: frozenset({"degC"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPlace:
    """A Modbus register: function code and address as sent, counted from 0."""

    function: int
    register: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPlace:
    """A DL/T 645 or CJ/T 188 identifier, and the byte of its data at which the value starts."""

    identifier: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPlace:
    """An M-Bus record: what it counts, and which of the records of that kind it is.

    The unit code's power of ten is no part of the place: meters of one model differ in it, so it is taken from the
    telegram. `qualifiers` are the bytes behind the unit code; a record that has others is another record.
    """

    record: str
    function: str = "instantaneous"
    storage: int = 0
    tariff: int = 0
    subunit: int = 0
    qualifiers: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePlace:
    """A value of an MQTT message: the path of its JSON value, or the byte of the binary payload at which it starts."""

    path: tuple[str, ...] = ()
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterPlace:
    """The pulses that the gateway itself has counted."""


Place = RegisterPlace | ItemPlace | RecordPlace | MessagePlace | CounterPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of the model. `scale` turns the register's number into `unit`; `size` is in bytes.

    `multiply_by` and `add` name parameters: transformer ratios and pulse weights, and the dial a counter began with.
    """

    id: str
    quantity: Quantity
    place: Place
    type: str
    size: int
    order: str
    scale: Fraction
    unit: str
    kind: PointKind
    billing: bool
    wrap: Fraction | None = None
    not_available: bytes | None = None
    multiply_by: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    unit_codes: UnitCodes = UnitCodes.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadableRange:
    """Registers that may be read in one question without an exception; both ends included."""

    function: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An identifier that the meter answers, with the count of data bytes that a right answer has."""

    identifier: str
    data_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The line settings the maker ships."""

    baud: int
    parity: str
    stop_bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The model's pace in milliseconds: time-out, longest answer ever, rest between questions."""

    answer_ms: int
    longest_ms: int
    gap_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """Something the technician sets per device, such as a transformer ratio; decimal text."""

    name: str
    default: str
    help_zh: str
    help_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One exchange and what it must decode to: values by point id, or the kind of failure."""

    name: str
    mark: Mark
    source: str
    request: bytes
    response: bytes
    values: Mapping[str, str]
    failure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateTopics:
    """How a plate camera with a barrier output speaks over MQTT; `{serial}` stands for the camera's number."""

    event: str
    command: str
    reply: str
    plate_encoding: str
    open_output: int
    open_value: int
    open_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """How a meter that speaks MQTT is heard.

    `topics` hold `{address}` and parameters in braces. The paths say where a message carries a key of its own (the
    same key twice is one message), its time (`time_form`), whose it is and its binary payload (`payload_coding`).
    A value is given for `fresh_for_s` seconds after it came.
    """

    topics: tuple[str, ...]
    fresh_for_s: int
    key: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    time_form: str = ""
    identity: tuple[str, ...] = ()
    payload: tuple[str, ...] = ()
    payload_coding: str = ""
    port: tuple[str, ...] = ()
    port_number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A checked device model.

    `registers_most` bounds one question, `gap_most` the unwanted registers inside it, and `stretch` is how many
    registers more make a question of another length (two for meters that refuse odd counts). `channel` tells inputs
    of one module apart, which are meters of their own at one address. `maker` is the three letters an M-Bus meter
    must state, `tariff_total` the point to which the tariffs of its block must add up, `debounce_ms` how long a
    pulse input must rest between two pulses.
    """

    model: str
    revision: int
    vendor: str
    products: tuple[str, ...]
    resource: str
    protocol: ProtocolName
    link: Link
    timing: Timing
    points: tuple[Point, ...]
    ranges: tuple[ReadableRange, ...] = ()
    items: tuple[Item, ...] = ()
    registers_most: int = 60
    gap_most: int = 8
    stretch: int = 1
    meter_type: int = 0
    answers_with_wildcard: bool = False
    channel: int = 0
    maker: str = ""
    messages: Messages | None = None
    debounce_ms: int = 0
    step_most_per_hour: Fraction | None = None
    tariff_total: Point | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    gate: GateTopics | None = None
    quality: Mapping[str, str] = field(default_factory=dict)
    recordings: tuple[Recording, ...] = ()

    def point(self, point_id: str) -> Point:
        """Return the point of an id; the profile was checked, so an unknown id is our own mistake."""
        return next(point for point in self.points if point.id == point_id)

    def points_of(self, quantities: tuple[Quantity, ...]) -> tuple[Point, ...]:
        """Return, for each quantity the model has, its first listed point."""
        first: dict[Quantity, Point] = {}
        for point in self.points:
            first.setdefault(point.quantity, point)
        return tuple(first[quantity] for quantity in quantities if quantity in first)
