"""The records of an M-Bus telegram (EN 13757-3) as exact numbers, with `pymeterbus` as the decoder behind this door.

The package splits records and knows the unit table; it is imported when the first telegram comes, because it brings a
cipher package that no other meter needs. It accepts cut telegrams, raises whatever comes up and multiplies with
floats; so length and sum are checked before it, every record is checked to be whole after it, and numbers are made
here from the raw bytes with an exact power of ten.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from edge.protocol import mbus
from edge.protocol.values import ByteOrder, RegisterType, ValueRefusedError, bcd_low_first, number

HEADER_AT = 7
SERIAL_BYTES = 4
STATUS_BUSY = 0x01
STATUS_ERROR = 0x02
STATUS_APPLICATION = 0x03
MANUFACTURER_REST = 0x0F
MORE_FOLLOWS = 0x1F
_NEGATIVE_NIBBLE = 0xF0
_KWH_PER_JOULE = Fraction(1, 3_600_000)
_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 6: 6, 7: 8}
_REAL = 5
_BCD_BYTES = {9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
_TEXT = 13
_VIB_BYTES_MOST = 11


class Function(StrEnum):
    """What a record's value is: the present one, an extreme, or the one kept while an error stood."""

    INSTANTANEOUS = "instantaneous"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"
    ERROR_STATE = "error_state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record. `kind` and `unit` are empty where the decoder has no physical quantity for it.

    `digits` is the number as it stands in the bytes, `factor` brings it to `unit`; `qualifiers` are the bytes behind
    the unit code that change its meaning (backward flow, an average), so a qualified value is never a plain one.
    """

    function: Function
    storage: int
    tariff: int
    subunit: int
    has_extension: bool
    kind: str
    unit: str
    factor: Fraction
    qualifiers: bytes
    dib: bytes
    vib: bytes
    custom_unit: bytes
    data: bytes

    @property
    def digits(self) -> Fraction:
        """Return the number in the record's bytes.

        Raises:
            ValueRefusedError: the bytes are text, nothing, or no decimal digits.
        """
        return _digits(self.dib[0] & 0x0F, self.data)

    @property
    def raw(self) -> bytes:
        """Return the record as it came."""
        return self.dib + self.vib + self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram:
    """A telegram's header and records; `more_follows` says that the meter has another one."""

    serial: str
    maker: str
    version: int
    medium: int
    access_number: int
    status: int
    records: tuple[Record, ...]
    manufacturer_data: bytes
    more_follows: bool


def parse_telegram(frame: bytes) -> Telegram:
    """Return the records of a long frame with variable data.

    Raises:
        ValueRefusedError: the frame is damaged, cut inside a record, or not of this form.
    """
    damage = mbus.flaw(frame)
    if damage is not None:
        raise ValueRefusedError(damage.reason)
    if frame[0] != mbus.LONG_START or frame[HEADER_AT - 1] not in mbus.VARIABLE_DATA or len(frame) < HEADER_AT + 14:
        raise ValueRefusedError("no M-Bus telegram with variable data")
    low_first = frame[HEADER_AT - 1] == min(mbus.VARIABLE_DATA)
    header = frame[HEADER_AT : HEADER_AT + 12]
    serial, maker = header[:4], header[4:6]
    if low_first:
        serial, maker = serial[::-1], maker[::-1]
    decoded = _decoded(frame)
    records = tuple(_record(one) for one in decoded if one.dib.parts[0] not in {MANUFACTURER_REST, MORE_FOLLOWS})
    more_follows = any(one.dib.parts[0] == MORE_FOLLOWS for one in decoded)
    return Telegram(
        serial=serial.hex(),
        maker=maker_name(int.from_bytes(maker)),
        version=header[6],
        medium=header[7],
        access_number=header[8],
        status=header[9],
        records=records,
        manufacturer_data=_rest_behind_more(frame, len(records)) if more_follows else _rest(decoded),
        more_follows=more_follows,
    )


def split_telegrams(data: bytes) -> list[bytes]:
    """Return the frames that stand one behind another.

    Raises:
        ValueRefusedError: the bytes are not whole frames from first to last.
    """
    frames = []
    while data:
        more = mbus.missing_bytes(data)
        if more is None or more > 0:
            raise ValueRefusedError("a telegram is cut")
        frames.append(data[: len(data) + more])
        data = data[len(data) + more :]
    return frames


def maker_name(code: int) -> str:
    """Return the three letters of a maker's code."""
    return "".join(chr((code >> shift & 0x1F) + 64) for shift in (10, 5, 0))


def check_status(telegram: Telegram) -> None:
    """Check that the meter vouches for its telegram.

    An alarm of the installation (both bits) takes nothing from the registers; real meters send good ones with it.

    Raises:
        ValueRefusedError: the application is busy or in error; its registers must not be billed then.
    """
    state = telegram.status & STATUS_APPLICATION
    if state == STATUS_BUSY:
        raise ValueRefusedError("the meter says that its application is busy")
    if state == STATUS_ERROR:
        raise ValueRefusedError(f"the meter reports an application error (status {telegram.status:02x})")


def _rest(decoded: list[Any]) -> bytes:
    return b"".join(bytes(one.dataField.parts) for one in decoded if one.dib.is_manufacturer_specific)


def _rest_behind_more(frame: bytes, records: int) -> bytes:
    """Return the maker's bytes behind the promise of more, which the decoder drops; it stands after the last record."""
    content = frame[HEADER_AT + 12 : -2]
    for at, byte in enumerate(content):
        if byte == MORE_FOLLOWS:
            before = mbus.long_frame(frame[4], frame[5], frame[6 : HEADER_AT + 12] + content[:at])
            try:
                whole = len([_record(one) for one in _decoded(before)]) == records
            except ValueRefusedError:
                continue  # inside a record
            if whole:
                return content[at + 1 :]
    return b""


def _decoded(frame: bytes) -> list[Any]:
    import meterbus  # noqa: PLC0415 - 12 MiB that only an M-Bus site needs

    try:
        telegram = meterbus.load(frame)
    except (meterbus.MBusFrameDecodeError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as flaw:
        raise ValueRefusedError(f"the telegram's records cannot be told apart: {flaw}") from flaw
    return list(telegram.records)


def _record(found: Any) -> Record:
    dib, vib = bytes(found.dib.parts), bytes(found.vib.parts)
    data = bytes(found.dataField.parts)
    cut = not vib or dib[-1] & 0x80 or vib[-1] & 0x80 or not _whole(dib[0] & 0x0F, data)
    if cut or len(vib) > _VIB_BYTES_MOST:
        raise ValueRefusedError(f"the record {(dib + vib).hex()} is cut; the telegram is refused, the frame kept")
    storage, tariff, subunit = found.dib.parse_dife()
    kind, unit, factor = _meaning(found)
    return Record(
        function=list(Function)[dib[0] >> 4 & 0x03],
        storage=storage,
        tariff=tariff or 0,
        subunit=subunit or 0,
        has_extension=len(dib) > 1,
        kind=kind,
        unit=unit,
        factor=factor,
        qualifiers=vib[2:] if vib[0] in {0xFB, 0xFD} else vib[1:],
        dib=dib,
        vib=vib,
        custom_unit=bytes(found.vib.customVIF.parts),
        data=data,
    )


def _whole(form: int, data: bytes) -> bool:
    if form == _REAL:
        return len(data) == 4  # noqa: PLR2004 - a float32
    if form == _TEXT:
        return len(data) > 0
    return len(data) == (_INTEGER_BYTES | _BCD_BYTES).get(form, 0)


def _meaning(found: Any) -> tuple[str, str, Fraction]:
    """Return kind, unit and factor of a record's unit code; empty for what is no physical quantity."""
    try:
        multiplier, unit, kind, _ = found._parse_vifx()  # noqa: SLF001 - the table has no other door
        power = Fraction(10) ** round(math.log10(multiplier))
    except (LookupError, TypeError, ValueError):
        return "", "", Fraction(1)
    unit_name = str(getattr(unit, "value", unit))
    kind_name = str(getattr(kind, "name", kind)).lower().replace(" ", "_")
    meaning = _MEANINGS.get((unit_name, kind_name))
    return (meaning[0], meaning[1], power * meaning[2]) if meaning else ("", "", Fraction(1))


_MEANINGS = {
    ("Wh", "energy_wh"): ("energy", "kWh", Fraction(1, 1000)),
    ("Wh", "energy"): ("energy", "kWh", Fraction(1, 1000)),
    ("J", "energy_j"): ("energy", "kWh", _KWH_PER_JOULE),
    ("Reserved", "energy"): ("energy", "kWh", _KWH_PER_JOULE),
    ("m^3", "volume"): ("volume", "m3", Fraction(1)),
    ("W", "power_w"): ("power", "kW", Fraction(1, 1000)),
    ("W", "power"): ("power", "kW", Fraction(1, 1000)),
    ("J/h", "power_j_h"): ("power", "kW", _KWH_PER_JOULE),
    ("m^3/h", "volume_flow"): ("flow", "m3/h", Fraction(1)),
    ("m^3/min", "volume_flow_ext"): ("flow", "m3/h", Fraction(60)),
    ("m^3/s", "volume_flow_ext_s"): ("flow", "m3/h", Fraction(3600)),
    ("C", "flow_temperature"): ("flow_temperature", "degC", Fraction(1)),
    ("C", "return_temperature"): ("return_temperature", "degC", Fraction(1)),
    ("C", "external_temperature"): ("external_temperature", "degC", Fraction(1)),
    ("V", "volts"): ("voltage", "V", Fraction(1)),
    ("A", "ampere"): ("current", "A", Fraction(1)),
}
RECORD_KINDS = frozenset(kind for kind, _, _ in _MEANINGS.values())


def _digits(form: int, data: bytes) -> Fraction:
    if form in _INTEGER_BYTES:
        return Fraction(int.from_bytes(data, "little", signed=True))
    if form == _REAL:
        return number(data[::-1], RegisterType.F32, ByteOrder.ABCD)
    if form in _BCD_BYTES:
        if data[-1] & _NEGATIVE_NIBBLE == _NEGATIVE_NIBBLE:
            return Fraction(-bcd_low_first(data[:-1] + bytes([data[-1] & 0x0F])))
        return Fraction(bcd_low_first(data))
    raise ValueRefusedError("the record holds text or nothing where a number is wanted")
