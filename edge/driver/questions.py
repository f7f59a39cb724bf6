"""From a device's description and a block of its read plan to the protocol's question."""

from __future__ import annotations

import re

from common.errors import RefusalError
from edge.device.model import Profile, ProtocolName
from edge.device.plan import ItemBlock, RegisterBlock
from edge.protocol import cjt188, dlt645, mbus
from edge.protocol.cjt188 import ItemQuestion
from edge.protocol.dlt645 import Edition, IdentifierQuestion
from edge.protocol.modbus_rtu import UNIT_MOST, RegisterQuestion

EDITIONS = {ProtocolName.DLT645_2007: Edition.Y2007, ProtocolName.DLT645_1997: Edition.Y1997}
_TOPIC_NAME = re.compile(r"[^+#/\s\x00][^+#\s\x00]{0,99}")
_INPUT = re.compile(r"0|[1-9][0-9]{0,2}", re.ASCII)
_UNIT = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)


def check_address(profile: Profile, address: str) -> None:
    """Check that an address fits the profile's protocol.

    Raises:
        RefusalError: it does not.
    """
    if profile.protocol is ProtocolName.MODBUS:
        modbus_unit(address)
    elif profile.protocol in EDITIONS:
        dlt645.pack_address(address)
    elif profile.protocol is ProtocolName.CJT188:
        cjt188.pack_address(address)
    elif profile.protocol is ProtocolName.MBUS:
        mbus.parse_address(address)
    elif profile.protocol is ProtocolName.PULSE and _INPUT.fullmatch(address) is None:
        raise RefusalError(f"pulse input {address!r} is no line number of a chip; give 0..999")
    elif profile.protocol is ProtocolName.MQTT and _TOPIC_NAME.fullmatch(address) is None:
        raise RefusalError(f"MQTT name {address!r} is no part of a topic; copy it from the device, without + or #")


def modbus_unit(address: str) -> int:
    """Return the unit id of an address text.

    Raises:
        RefusalError: it is no unit id.
    """
    if _UNIT.fullmatch(address) is None or int(address) > UNIT_MOST:
        raise RefusalError(
            f"Modbus address {address!r} is not a unit id of 1..{UNIT_MOST}; read it on the meter's menu"
        )
    return int(address)


def register_questions(block: RegisterBlock, address: str) -> tuple[RegisterQuestion, ...]:
    """Return the block's question, and the one of another length that also gives it, if there is one."""
    unit = modbus_unit(address)
    counts = dict.fromkeys((block.count, block.stretched_count))
    return tuple(
        RegisterQuestion(unit=unit, function=block.function, start=block.start, count=count) for count in counts
    )


def identifier_question(profile: Profile, block: ItemBlock, address: str) -> IdentifierQuestion:
    """Return the DL/T 645 question of a block."""
    return IdentifierQuestion(
        address=address,
        identifier=block.identifier,
        edition=EDITIONS[profile.protocol],
        accept_wildcard_answer=profile.answers_with_wildcard,
    )


def item_question(profile: Profile, block: ItemBlock, address: str, serial: int) -> ItemQuestion:
    """Return the CJ/T 188 question of a block."""
    return ItemQuestion(meter_type=profile.meter_type, address=address, identifier=block.identifier, serial=serial)


def data_bytes_of(block: RegisterBlock | ItemBlock) -> int:
    """Return how many data bytes the longest right answer to a block has."""
    return 2 * block.stretched_count if isinstance(block, RegisterBlock) else block.data_bytes
