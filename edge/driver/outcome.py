"""What the rest of the gateway sees of a wire: device and wire descriptions, read outcomes, the wire port.

Invariants: a read never raises for what a meter or a line does wrong, it returns an outcome whose failures say so;
a value is only ever given for bytes that answered the very question asked; the raw bytes travel with the outcome.
This module knows no protocol and does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

import msgspec

from common.errors import ensure
from common.ids import MeterId
from common.money.amount import INT64_MAX, check_int64
from common.reading.reading import Quantity, Resource


class WireKind(StrEnum):
    """How a wire is reached; the words of the site bundle."""

    SERIAL = "serial"
    SERIAL_TCP = "serial-tcp"
    MODBUS_TCP = "modbus-tcp"
    MQTT = "mqtt"
    PULSE = "pulse"
    RECORDED = "recorded"
    CAMERA_HTTP = "camera-http"  # plate cameras that push to a port of ours
    OCPP = "ocpp"  # charging piles that connect to a port of ours
    YKC = "ykc"
    DOOR_UDP = "door-udp"  # boards that are spoken to from a port of ours
    DOOR_TCP = "door-tcp"


class FailureKind(StrEnum):
    """Why a block of a device gave no value."""

    TIMEOUT = "timeout"  # nothing that answers the question came in time
    REFUSED = "refused"  # the device said no (exception code, error word)
    BAD_FRAME = "bad_frame"  # bytes came, but only damaged ones
    BAD_VALUE = "bad_value"  # a sound frame whose value must not be billed; raw bytes are kept
    LINK_LOST = "link_lost"  # the line itself is gone and is being reopened
    BACKED_OFF = "backed_off"  # not asked: the device failed lately and its next probe is not due


@dataclass(frozen=True, slots=True, kw_only=True)
class WireConfig:
    """One wire of the site bundle.

    `address` is a device path (serial, pulse), `host:port` (serial-tcp, modbus-tcp, mqtt) or a file path (recorded).
    """

    wire: str
    kind: WireKind
    address: str
    baud: int = 2400
    parity: str = "even"
    echo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceConfig:
    """One meter of the site bundle: where it is, which profile reads it and which points are wanted.

    `address` is the protocol's own: a unit id in decimal for Modbus, the digits of the nameplate for DL/T 645 and
    CJ/T 188. Values are read before the multiplier; `parameters` are the profile's own (transformer ratios).
    """

    meter_id: MeterId
    serial: str
    wire: str
    profile: str
    address: str
    resource: Resource
    points: tuple[Quantity, ...]
    label: str = ""
    multiplier_milli: int = 1000
    parameters: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that something is asked of the device."""
        ensure(len(self.points) > 0, f"device {self.serial} is asked for no point")


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One question on the wire and the raw bytes that answered it; the evidence behind a value."""

    request: bytes
    response: bytes


class PointValue(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a meter: the raw bytes of its register and its value in milli-units before the multiplier."""

    quantity: Quantity
    raw: bytes
    value_milli: int
    exchange: Exchange

    def __post_init__(self) -> None:
        """Check the 64-bit range."""
        if not -INT64_MAX <= self.value_milli <= INT64_MAX:
            check_int64(self.value_milli, "point value")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFailure:
    """Points that could not be read, and why; `detail` is for a technician and names device and remedy."""

    kind: FailureKind
    points: tuple[Quantity, ...]
    detail: str
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOutcome:
    """What one read of one device gave: each wanted point is either in `points` or in one of `failures`."""

    meter_id: MeterId
    points: tuple[PointValue, ...] = ()
    failures: tuple[ReadFailure, ...] = ()

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Return the distinct exchanges behind the points, in the order asked."""
        return tuple(dict.fromkeys(point.exchange for point in self.points))

    @property
    def request(self) -> bytes:
        """Return the bytes of all questions that gave points, one after another."""
        return b"".join(exchange.request for exchange in self.exchanges)

    @property
    def response(self) -> bytes:
        """Return the bytes of all answers that gave points, one after another."""
        return b"".join(exchange.response for exchange in self.exchanges)


@dataclass(slots=True, kw_only=True)
class WireStats:
    """Counters of one wire since start; the owner counts, metrics read."""

    exchanges: int = 0
    answers: int = 0
    timeouts: int = 0
    late_frames: int = 0
    foreign_frames: int = 0
    noise_bytes: int = 0
    checksum_errors: int = 0
    refusals: int = 0
    bad_values: int = 0
    backed_off: int = 0
    reconnects: int = 0


class Wire(Protocol):
    """The owner of one wire with meters; reads of one wire queue behind each other."""

    @property
    def config(self) -> WireConfig:
        """Return the description the wire was built from."""
        ...

    @property
    def stats(self) -> WireStats:
        """Return the live counters of the wire."""
        ...

    async def read(self, device: DeviceConfig) -> ReadOutcome:
        """Read the device's points; bounded in time by the profile, never raises for line or meter faults."""
        ...

    async def close(self) -> None:
        """Release the line; a later read opens it again."""
        ...


@runtime_checkable
class ListeningWire(Protocol):
    """A wire whose meters speak or tick unasked; somebody must listen between two reads."""

    async def listen(self, devices: Iterable[DeviceConfig]) -> None:
        """Listen to the devices until cancelled; never raises for what a line or a meter does wrong."""
        ...
