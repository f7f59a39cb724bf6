"""The meters of one simulated line: bytes of a master in, bytes of the meters out; no I/O and no clock of its own.

Several protocols may share the line, as on a real one: a request is found by its own sum or CRC, what is none is
dropped byte by byte, and who is not asked is silent. A register outside the model's readable ranges is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from edge.cli.simulated_mbus import identity, telegram
from edge.cli.simulated_values import item_bytes, register_bytes
from edge.device.model import Profile, ProtocolName, RegisterPlace
from edge.driver.outcome import DeviceConfig
from edge.driver.questions import EDITIONS
from edge.protocol import cjt188, dlt645, mbus
from edge.protocol.cjt188 import Cjt188
from edge.protocol.dlt645 import IDENTIFIER_BYTES, Dlt645
from edge.protocol.modbus_rtu import EXCEPTION_FLAG, REGISTERS_MOST, crc16, crc_holds
from edge.protocol.summed_frame import ANSWER_FLAG, ERROR_FLAG

PENDING_BYTES_MOST = 600
REGISTER_REQUEST_BYTES = 8
_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS = 1, 2
_NO_SUCH_DATA = 0x02
_READS = frozenset({3, 4})
_SELECT_CONTROLS = frozenset({0x53, 0x73})
_IDENTITY_AT = 7
_FIRST_REGISTERS = {ProtocolName.DLT645_2007: dlt645.READ_2007, ProtocolName.DLT645_1997: dlt645.READ_1997}
Taken = tuple[int, bytes]


@dataclass(slots=True)
class SimulatedMeter:
    """A meter of the site file and its model."""

    device: DeviceConfig
    profile: Profile


@dataclass(slots=True)
class SimulatedLine:
    """What stands on one line."""

    meters: Sequence[SimulatedMeter]
    _pending: bytearray = field(default_factory=bytearray)
    _selected: SimulatedMeter | None = None

    def feed(self, data: bytes, now: datetime) -> bytes:
        """Take bytes of the master and return what the meters say to them, nothing when nobody is asked."""
        self._pending += data
        del self._pending[:-PENDING_BYTES_MOST]
        answers, at = b"", 0
        while at < len(self._pending):
            taken = self._request_at(bytes(self._pending[at:]), now)
            if taken is None:
                at += 1
                continue
            length, answer = taken
            del self._pending[: at + length]
            answers, at = answers + answer, 0
        return answers

    def registers(self, unit: int, body: bytes, now: datetime) -> bytes:
        """Return a unit's answer to a read of registers, function first and without a CRC; nothing for silence."""
        meters = [
            one
            for one in self.meters
            if one.profile.protocol is ProtocolName.MODBUS and one.device.address == str(unit)
        ]
        if not meters:
            return b""
        function, start, count = body[0], int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
        if function not in _READS:
            return bytes([function | EXCEPTION_FLAG, _ILLEGAL_FUNCTION])
        readable = any(
            one.function == function and one.first <= start and start + count - 1 <= one.last
            for meter in meters
            for one in meter.profile.ranges
        )
        if not readable or not 1 <= count <= REGISTERS_MOST:
            return bytes([function | EXCEPTION_FLAG, _ILLEGAL_ADDRESS])
        image = bytearray(2 * count)
        for meter in meters:
            _paint(image, meter, function, start, now)
        return bytes([function, len(image)]) + bytes(image)

    def _request_at(self, rest: bytes, now: datetime) -> Taken | None:
        spoken = {one.profile.protocol for one in self.meters}
        readers: list[tuple[bool, Callable[[bytes, datetime], Taken | None]]] = [
            (bool(spoken & EDITIONS.keys()), self._dlt645),
            (ProtocolName.CJT188 in spoken, self._cjt188),
            (ProtocolName.MBUS in spoken, self._mbus),
            (ProtocolName.MODBUS in spoken, self._modbus),
        ]
        taken = (reader(rest, now) for present, reader in readers if present)
        return next((one for one in taken if one is not None), None)

    def _modbus(self, rest: bytes, now: datetime) -> Taken | None:
        frame = rest[:REGISTER_REQUEST_BYTES]
        if len(frame) < REGISTER_REQUEST_BYTES or not crc_holds(frame):
            return None
        body = self.registers(frame[0], frame[1:-2], now)
        answer = frame[:1] + body
        return len(frame), answer + crc16(answer) if body else b""

    def _dlt645(self, rest: bytes, now: datetime) -> Taken | None:
        frame = _whole(rest, Dlt645().expect)
        parts = None if frame is None else dlt645.parse_frame(frame)
        if frame is None or not isinstance(parts, dlt645.Frame):
            return None
        spoken = [one for one in self.meters if one.profile.protocol in EDITIONS]
        meter = _addressed(spoken, parts.address)
        if meter is None:
            return len(frame), b""
        address = dlt645.pack_address(meter.device.address)
        if parts.control == dlt645.READ_ADDRESS:
            return len(frame), dlt645.build_frame(address, parts.control | ANSWER_FLAG, address)
        edition = EDITIONS[meter.profile.protocol]
        asked = parts.data[: IDENTIFIER_BYTES[edition]]
        data = item_bytes(meter.device, meter.profile, asked[::-1].hex(), now)
        if parts.control != _FIRST_REGISTERS[meter.profile.protocol] or data is None:
            refusal = bytes([_NO_SUCH_DATA])
            return len(frame), dlt645.build_frame(address, parts.control | ANSWER_FLAG | ERROR_FLAG, refusal)
        return len(frame), dlt645.build_frame(address, parts.control | ANSWER_FLAG, asked + data)

    def _cjt188(self, rest: bytes, now: datetime) -> Taken | None:
        frame = _whole(rest, Cjt188().expect)
        parts = None if frame is None else cjt188.parse_frame(frame)
        if frame is None or not isinstance(parts, cjt188.Frame):
            return None
        spoken = [one for one in self.meters if one.profile.protocol is ProtocolName.CJT188]
        meter = _addressed(spoken, parts.address)
        if meter is None or parts.meter_type not in {meter.profile.meter_type, cjt188.ANY_TYPE}:
            return len(frame), b""
        echo = parts.payload[: cjt188.IDENTIFIER_BYTES + 1]
        data = b"" if parts.control == cjt188.READ_ADDRESS else None
        if parts.control == cjt188.READ_DATA:
            data = item_bytes(meter.device, meter.profile, echo[: cjt188.IDENTIFIER_BYTES].hex(), now)
        control = parts.control | ANSWER_FLAG
        payload = echo + data if data is not None else echo[-1:] + bytes([_NO_SUCH_DATA])
        said = cjt188.Frame(
            meter_type=meter.profile.meter_type,
            address=meter.device.address,
            control=control if data is not None else control | ERROR_FLAG,
            payload=payload,
        )
        return len(frame), cjt188.build_frame(said)

    def _mbus(self, rest: bytes, now: datetime) -> Taken | None:
        frame = _whole(rest, mbus.missing_bytes)
        if frame is None or frame[0] == mbus.ACKNOWLEDGED or mbus.flaw(frame) is not None:
            return None
        spoken = [one for one in self.meters if one.profile.protocol is ProtocolName.MBUS]
        acknowledged = bytes([mbus.ACKNOWLEDGED])
        if frame[0] == mbus.LONG_START:
            selecting = frame[4] in _SELECT_CONTROLS and frame[5:_IDENTITY_AT] == bytes([mbus.SELECTED, mbus.SELECT])
            wanted = frame[_IDENTITY_AT : _IDENTITY_AT + 8]
            self._selected = next((one for one in spoken if selecting and _is_selected(one, wanted)), None)
            return len(frame), acknowledged if self._selected else b""
        control, primary = frame[1], frame[2]
        meter = (
            self._selected
            if primary == mbus.SELECTED
            else next((one for one in spoken if mbus.parse_address(one.device.address).primary == primary), None)
        )
        if meter is None:
            return len(frame), b""
        if control & ~mbus.COUNT_BIT == mbus.REQ_UD2:
            address = mbus.parse_address(meter.device.address)
            return len(frame), telegram(meter.device, meter.profile, address, now)
        return len(frame), acknowledged


def _whole(rest: bytes, missing: Callable[[bytes], int | None]) -> bytes | None:
    """Return the frame that begins here if it is there to its end."""
    end = 1
    while end <= len(rest):
        lacking = missing(rest[:end])
        if lacking is None:
            return None
        if lacking == 0:
            return rest[:end]
        end += lacking
    return None


def _addressed(meters: Sequence[SimulatedMeter], address: str) -> SimulatedMeter | None:
    """Return the meter of an address; the wildcard means the only one on the line."""
    if set(address.lower()) == {"a"}:
        return meters[0] if len(meters) == 1 else None
    return next((one for one in meters if one.device.address == address), None)


def _is_selected(meter: SimulatedMeter, wanted: bytes) -> bool:
    """Return whether a selection means the meter; F stands for any digit, FF for any byte."""
    own = identity(meter.device, meter.profile, mbus.parse_address(meter.device.address))
    digits = zip(own[:4].hex(), wanted[:4].hex(), strict=True)
    rest = zip(own[4:], wanted[4:], strict=True)
    return all(asked in {"f", mine} for mine, asked in digits) and all(asked in {0xFF, mine} for mine, asked in rest)


def _paint(image: bytearray, meter: SimulatedMeter, function: int, start: int, now: datetime) -> None:
    for point in meter.profile.points:
        place = point.place
        if not isinstance(place, RegisterPlace) or place.function != function:
            continue
        raw = register_bytes(meter.device, meter.profile, point, now)
        for at, byte in enumerate(raw, start=2 * (place.register - start)):
            if 0 <= at < len(image):
                image[at] = byte
