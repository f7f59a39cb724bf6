"""JSON messages of MQTT meters in words: the few shapes that are published with their meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping

from common.errors import RefusalError
from edge.protocol.json_message import Number, find, number_at, parse_message, payload_at, text_at

_TASMOTA = {"energy_kwh": "Total", "power_w": "Power", "voltage_v": "Voltage", "current_a": "Current"}
_SHELLY = {"power_w": "act_power", "voltage_v": "voltage", "current_a": "current"}
_SHELLY_CHANNEL = re.compile(r"em1?:([0-9]{1,2})", re.ASCII)


def describe_tasmota(data: bytes) -> dict[str, object]:
    """Return the energy block of a Tasmota SENSOR message; a list per phase stays a list.

    Raises:
        RefusalError: the message is none, or holds no energy.
    """
    energy = find(parse_message(data), ["ENERGY"])
    if not isinstance(energy, Mapping):
        raise RefusalError("the message holds no ENERGY")
    return {name: _plain(energy[key]) for name, key in _TASMOTA.items() if key in energy}


def describe_shelly(data: bytes) -> dict[str, object]:
    """Return the channels of a Shelly EM status, in the order of their numbers.

    Raises:
        RefusalError: the message is none, or holds no channel.
    """
    document = parse_message(data)
    found = {int(match[1]): channel for name, channel in document.items() if (match := _SHELLY_CHANNEL.fullmatch(name))}
    if not found:
        raise RefusalError("the message holds no em or em1 channel")
    channels = []
    for _, channel in sorted(found.items()):
        values = {name: number_at(channel, [key]) for name, key in _SHELLY.items()}
        channels.append({name: value[0] for name, value in values.items() if value is not None})
    return {"channels": channels}


def describe_chirpstack(data: bytes) -> dict[str, object]:
    """Return whose uplink it is, its counters and its payload, and the decoded object where a codec made one.

    Raises:
        RefusalError: the message is none, or no uplink.
    """
    document = parse_message(data)
    dev_eui = text_at(document, ["deviceInfo", "devEui"])
    if dev_eui is None:
        raise RefusalError("the message is no ChirpStack v4 uplink: it names no deviceInfo.devEui")
    described: dict[str, object] = {"dev_eui": dev_eui, "dedup": text_at(document, ["deduplicationId"])}
    for name, key in (("f_cnt", "fCnt"), ("f_port", "fPort")):
        count = number_at(document, [key])
        if count is not None:
            described[name] = int(count[1])
    payload = payload_at(document, ["data"], "base64")
    if payload is not None:
        described["payload_hex"] = payload.hex()
    decoded = find(document, ["object"])
    return described | ({} if decoded is None else {"object": _plain(decoded)})


def _plain(value: object) -> object:
    """Return a value with its numbers as whole numbers or decimal text."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _whole(value: object) -> object:
    if isinstance(value, Number) and value.text.lstrip("-").isdigit():
        return int(value.exact())
    return _plain(value)
