"""Frames in words: what a technician sees for bytes typed in, and what the published vectors state.

Values are decimal text, never floats. A frame that must be refused raises with the reason; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from common.errors import RefusalError
from edge.protocol import cjt188, dlt645
from edge.protocol.cjt188_description import describe_cjt188
from edge.protocol.codec import Noise
from edge.protocol.dlt645 import Edition
from edge.protocol.dlt645_description import describe_dlt645
from edge.protocol.mbus_description import describe_mbus
from edge.protocol.message_description import describe_chirpstack, describe_shelly, describe_tasmota
from edge.protocol.modbus_description import describe_modbus_rtu
from edge.protocol.site_description import SITE_DESCRIBERS

FrameT = TypeVar("FrameT")
Described = Mapping[str, object]


def describe(protocol: str, data: bytes) -> Described:
    """Return the parts and values of the first sound frame in the bytes.

    Raises:
        RefusalError: the protocol is not known, no sound frame is there, or its value must not be used.
    """
    if protocol not in DESCRIBERS:
        raise RefusalError(f"protocol {protocol!r} is not known; choose one of {', '.join(sorted(DESCRIBERS))}")
    return DESCRIBERS[protocol](data)


def first_frame(
    data: bytes, missing_bytes: Callable[[bytes], int | None], parse: Callable[[bytes], FrameT | Noise]
) -> FrameT:
    """Return the first sound frame in the bytes, stepping by one byte past what is none.

    Raises:
        RefusalError: there is none; the reason is that of the last candidate.
    """
    reason = "no frame starts in these bytes"
    for start in range(len(data)):
        more = missing_bytes(data[start:])
        if more is None:
            continue
        if more > 0:
            reason = f"the frame at byte {start} lacks {more} bytes" if reason.startswith("no frame") else reason
            continue
        parsed = parse(data[start : len(data) + more])
        if not isinstance(parsed, Noise):
            return parsed
        reason = parsed.reason
    raise RefusalError(reason)


def _dlt645(edition: Edition) -> Callable[[bytes], Described]:
    def describe_first(data: bytes) -> Described:
        return describe_dlt645(first_frame(data, dlt645.missing_bytes, dlt645.parse_frame), edition)

    return describe_first


def _cjt188(data: bytes) -> Described:
    return describe_cjt188(first_frame(data, cjt188.missing_bytes, cjt188.parse_frame))


DESCRIBERS: Mapping[str, Callable[[bytes], Described]] = {
    "ChirpStack v4 event/up": describe_chirpstack,
    "Shelly gen2 EM1 status": describe_shelly,
    "Tasmota tele/SENSOR": describe_tasmota,
    "DL/T645-2007": _dlt645(Edition.Y2007),
    "DL/T645-1997": _dlt645(Edition.Y1997),
    "CJ/T188": _cjt188,
    "M-Bus": describe_mbus,
    "Modbus-RTU": describe_modbus_rtu,
    **SITE_DESCRIBERS,
}
