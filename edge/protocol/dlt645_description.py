"""DL/T 645 frames in words: address, control, identifier and values as decimal text."""

from __future__ import annotations

from datetime import datetime

from edge.protocol import dlt645
from edge.protocol.dlt645 import Edition, Frame
from edge.protocol.dlt645_items import ITEMS, Item
from edge.protocol.summed_frame import ANSWER_FLAG, ERROR_FLAG
from edge.protocol.values import ValueRefusedError, bcd_low_first, bcd_low_first_signed, decimal_text

_CENTURY = 2000
_READ_FOLLOWING = 0x12
_BROADCAST_TIME = 0x08
_RELAY = 0x1C
_RELAY_REQUEST_BYTES = 16
_TIME_BYTES = 6
_RELAY_WORDS = {
    0x1A: "trip",
    0x1B: "allow closing",
    0x1C: "close",
    0x2A: "alarm on",
    0x2B: "alarm off",
    0x3A: "keep powered",
    0x3B: "end keep powered",
}


def describe_dlt645(frame: Frame, edition: Edition) -> dict[str, object]:
    """Return what a sound frame says.

    Raises:
        ValueRefusedError: a value is not BCD, or the data does not fit its identifier.
    """
    head: dict[str, object] = {
        "address": frame.address,
        "control": f"{frame.control:02x}",
        "length": len(frame.data),
    }
    if frame.control & ERROR_FLAG:
        return head | _error(frame, edition)
    function = frame.control & dlt645.FUNCTION_MASK
    if edition is Edition.Y2007 and function == dlt645.READ_ADDRESS:
        return head | _address(frame)
    if function == _BROADCAST_TIME:
        return head | {"meaning": "broadcast time", "time": _time_text(frame.data)}
    if edition is Edition.Y2007 and function == _RELAY:
        return head | _relay(frame)
    return head | _item(frame, edition)


def _error(frame: Frame, edition: Edition) -> dict[str, object]:
    if len(frame.data) != 1:
        raise ValueRefusedError(f"an error answer holds one byte, not {len(frame.data)}")
    word = frame.data[0]
    error: dict[str, object] = {"error_word": f"{word:02x}"}
    if edition is Edition.Y2007:
        error["error_bits"] = [name for bit, name in enumerate(dlt645.ERROR_BITS) if word >> bit & 1]
    return error


def _address(frame: Frame) -> dict[str, object]:
    if not frame.control & ANSWER_FLAG:
        return {"meaning": "read communication address"}
    return {"meaning": "communication address", "address_in_data": frame.data[::-1].hex()}


def _relay(frame: Frame) -> dict[str, object]:
    data = frame.data
    if frame.control & ANSWER_FLAG:
        return {"meaning": "relay control accepted"}
    if len(data) != _RELAY_REQUEST_BYTES:
        return {"meaning": "relay control, encrypted or of another form", "data": data.hex()}
    return {
        "meaning": f"relay control: {_RELAY_WORDS.get(data[8], 'unknown')}",
        "password_level": f"{data[0]:02x}",
        "password": data[1:4][::-1].hex(),
        "operator": data[4:8][::-1].hex(),
        "n1": f"{data[8]:02x}",
        "n2": f"{data[9]:02x}",
        "valid_until": _time_text(data[10:]),
    }


def _item(frame: Frame, edition: Edition) -> dict[str, object]:
    size = dlt645.IDENTIFIER_BYTES[edition]
    if len(frame.data) < size:
        return {"data": frame.data.hex()} if frame.data else {}
    identifier = frame.data[:size][::-1].hex()
    data = frame.data[size:]
    described: dict[str, object] = {"di": identifier}
    if frame.control & dlt645.FUNCTION_MASK == _READ_FOLLOWING and len(data) == 1:
        return described | {"sequence": data[0]}
    if not frame.control & ANSWER_FLAG or not data:
        items = ITEMS[edition].get(identifier)
        return described | ({"meaning": f"read {items[0].name}"} if items else {})
    return described | _values(identifier, data, edition)


def _values(identifier: str, data: bytes, edition: Edition) -> dict[str, object]:
    items = ITEMS[edition].get(identifier)
    if items is None:
        return {"data": data.hex()}
    if len(data) % items[0].size or len(data) > sum(item.size for item in items):
        raise ValueRefusedError(f"{len(data)} data bytes do not fit identifier {identifier}")
    values = []
    for item in items:
        if not data:
            break
        values.append(_value(item, data[: item.size]))
        data = data[item.size :]
    return {"values": values}


def _value(item: Item, raw: bytes) -> dict[str, object]:
    digits = bcd_low_first_signed(raw) if item.signed else bcd_low_first(raw)
    value: dict[str, object] = {
        "name": item.name,
        "value": decimal_text(digits, item.decimals),
        "unit": item.unit,
        "bytes": item.size,
        "decimals": item.decimals,
    }
    return value | ({"signed": True} if digits < 0 else {})


def _time_text(raw: bytes) -> str | None:
    """Return ss mm hh DD MM YY as ISO text, or None when the bytes are no time."""
    if len(raw) != _TIME_BYTES:
        return None
    try:
        second, minute, hour, day, month, year = (bcd_low_first(raw[n : n + 1]) for n in range(_TIME_BYTES))
        moment = datetime(_CENTURY + year, month, day, hour, minute, second)  # noqa: DTZ001 - the meter states no zone
    except (ValueRefusedError, ValueError):
        return None
    return moment.isoformat()
