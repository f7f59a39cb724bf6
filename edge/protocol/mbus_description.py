"""M-Bus frames in words: link frames, and telegrams record by record with the digits as they stand in the bytes."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from common.errors import RefusalError
from edge.protocol import mbus
from edge.protocol.mbus_records import Function, Record, Telegram, parse_telegram
from edge.protocol.mbus_units import medium_name, unit_name
from edge.protocol.values import ValueRefusedError

_FUNCTION_WORDS = {
    Function.INSTANTANEOUS: "Instantaneous value",
    Function.MAXIMUM: "Maximum value",
    Function.MINIMUM: "Minimum value",
    Function.ERROR_STATE: "Value during error state",
}
_LINK_WORDS = {
    mbus.SND_NKE: "SND_NKE",
    mbus.REQ_UD2: "REQ_UD2",
    mbus.REQ_UD2 | mbus.COUNT_BIT: "REQ_UD2",
    0x5A: "REQ_UD1",
    0x7A: "REQ_UD1",
}
_REAL_FORM, _TEXT_FORM = 5, 13
_DATE_CODE, _TIME_CODE = 0x6C, 0x6D
_SECOND_TIME_CODES = frozenset({0x30, 0x70})
_CODE = 0x7F
_CIRCULAR_YEAR = 80
_MANUFACTURER = {"function": "Manufacturer specific", "storage": None, "tariff": None, "unit": None}


def describe_mbus(data: bytes) -> dict[str, object]:
    """Return what one M-Bus frame says; the bytes must be the frame and nothing else.

    Raises:
        RefusalError: the frame is damaged, cut, or of a form that is not read.
    """
    more = mbus.missing_bytes(data) if data else None
    if more is None:
        raise RefusalError("no M-Bus frame starts in these bytes")
    if more:
        raise RefusalError(f"the frame lacks {more} bytes" if more > 0 else f"{-more} bytes follow the frame")
    damage = mbus.flaw(data)
    if damage is not None:
        raise RefusalError(damage.reason)
    if data[0] == mbus.ACKNOWLEDGED:
        return {"frame": "single character", "meaning": "acknowledge"}
    if data[0] == mbus.SHORT_START:
        control, address = data[1], data[2]
        word = _LINK_WORDS.get(control, "unknown request")
        meaning = f"{word} to address {address}"
        return {"frame": "short", "control": f"{control:02x}", "address": address, "meaning": meaning}
    if data[4] == mbus.SND_UD and data[6] == mbus.SELECT:
        return {"frame": "long", "control": f"{data[4]:02x}", "address": data[5], "meaning": "select by identification"}
    return _telegram(parse_telegram(data))


def _telegram(telegram: Telegram) -> dict[str, object]:
    records: list[Mapping[str, object]] = [_record(record) for record in telegram.records]
    if telegram.manufacturer_data and not telegram.more_follows:
        records.append({**_MANUFACTURER, "value": telegram.manufacturer_data.hex(" ").upper()})
    if telegram.more_follows:
        rest = telegram.manufacturer_data.hex(" ").upper()
        records.append({**_MANUFACTURER, "function": "More records follow", "value": rest})
    return {
        "id": telegram.serial.upper(),
        "manufacturer": telegram.maker,
        "version": str(telegram.version),
        "medium": medium_name(telegram.medium),
        "access_number": str(telegram.access_number),
        "status": f"{telegram.status:02X}",
        "records": records,
    }


def _record(record: Record) -> dict[str, object]:
    return {
        "function": _FUNCTION_WORDS[record.function],
        "storage": record.storage,
        "tariff": record.tariff if record.has_extension else None,
        "unit": unit_name(record.vib, record.custom_unit),
        "value": _value(record),
    }


def _value(record: Record) -> str:
    form = record.dib[0] & 0x0F
    if form == _TEXT_FORM:
        return _text(record.data)
    if _is_moment(record, form):
        return _moment(record.data)
    if form == _REAL_FORM:
        (value,) = struct.unpack("<f", record.data)
        return f"{value:f}"
    try:
        return str(record.digits)
    except ValueRefusedError:
        return record.data[::-1].hex().upper()


def _text(data: bytes) -> str:
    sent = data[::-1]
    printable = all(0x20 <= byte < 0x7F for byte in sent)  # noqa: PLR2004 - printable ASCII
    return sent.decode("ascii") if printable else sent.hex(" ").upper()


def _is_moment(record: Record, form: int) -> bool:
    code = record.vib[0] & _CODE
    if form == 2:  # noqa: PLR2004 - 16 bits
        return code == _DATE_CODE
    tariff_or_battery = record.vib[0] == 0xFD and record.vib[1] & _CODE in _SECOND_TIME_CODES  # noqa: PLR2004
    return form in {4, 6} and (code == _TIME_CODE or tariff_or_battery)


def _moment(data: bytes) -> str:
    """Return a date or time as its fields say it, also where they make no date (2000-00-00, a due day in 2127)."""
    if len(data) == 2:  # noqa: PLR2004 - a date
        return _date(data[0], data[1], 2000)
    if len(data) == 4:  # noqa: PLR2004 - date, hour and minute
        if data[0] & 0x80:
            return "1900-01-00T00:00:00"
        year = (data[2] >> 5) | (data[3] & 0xF0) >> 1
        century = (data[1] & 0x60) >> 5 or int(year <= _CIRCULAR_YEAR)
        day = _date(data[2], data[3], 1900 + 100 * century)
        return f"{day}T{data[1] & 0x1F:02d}:{data[0] & 0x3F:02d}:00"
    if data[1] & 0x80:
        return "1900-01-00T00:00:00"
    return f"{_date(data[3], data[4], 2000)}T{data[2] & 0x1F:02d}:{data[1] & 0x3F:02d}:{data[0] & 0x3F:02d}"


def _date(low: int, high: int, century: int) -> str:
    year = century + ((low & 0xE0) >> 5 | (high & 0xF0) >> 1)
    return f"{year:04d}-{high & 0x0F:02d}-{low & 0x1F:02d}"
