"""The values in OCPP 1.6-J messages: registers, cards, instants. Pure.

A register is Energy.Active.Import.Register, in Wh unless it says kWh, given as a string; everything else that a pile
samples (power, temperature, one phase, the outlet of another measurand) is no register and is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from common.errors import RefusalError

REGISTER = "Energy.Active.Import.Register"
TAG_CHARACTERS_MOST = 20
WH_MOST = 10**12
_CALL, _RESULT, _ERROR = 2, 3, 4
_CALL_PARTS, _RESULT_PARTS, _ERROR_PARTS = 4, 3, 5
_KINDS = {_CALL: ("Call", _CALL_PARTS), _RESULT: ("CallResult", _RESULT_PARTS), _ERROR: ("CallError", _ERROR_PARTS)}


def register_wh(value: object) -> int:
    """Return a register in whole watt-hours.

    Raises:
        RefusalError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= WH_MOST:
        raise RefusalError(f"a register of {value!r} Wh is none; look at the pile's meter")
    return value


def energy_wh(samples: Iterable[Mapping[str, Any]]) -> int | None:
    """Return the register among some sampled values, or None when there is none.

    Raises:
        RefusalError: the register is no number.
    """
    for sample in samples:
        if sample.get("measurand", REGISTER) != REGISTER or sample.get("phase"):
            continue
        try:
            value = Decimal(str(sample.get("value", "")))
        except InvalidOperation as problem:
            raise RefusalError(f"a register of {sample.get('value')!r} is none; look at the pile's meter") from problem
        kilo = sample.get("unit") == "kWh"
        if not value.is_finite() or abs(value) > WH_MOST:
            raise RefusalError(f"a register of {value} is none; look at the pile's meter")
        return register_wh(int(value * 1000 if kilo else value))
    return None


def id_token(text: str) -> str:
    """Return a card as it is compared.

    Raises:
        RefusalError: it has no usable length.
    """
    card = text.strip().upper()
    if not 0 < len(card) <= TAG_CHARACTERS_MOST:
        raise RefusalError(f"a card of {len(card)} characters is none")
    return card


def parse_instant(text: str | None, otherwise: datetime) -> datetime:
    """Return an instant in UTC; one that is missing or no instant is taken as now, one without a zone as UTC."""
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return otherwise
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def describe_ocpp(data: bytes) -> dict[str, object]:
    """Return what a message says, in the words of the published vectors.

    Raises:
        RefusalError: it is no OCPP-J message.
    """
    try:
        message = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise RefusalError(f"no JSON ({problem})") from problem
    if not isinstance(message, list) or not message or message[0] not in _KINDS:
        raise RefusalError("no OCPP-J message: an array that begins with 2, 3 or 4 is wanted")
    kind, parts = _KINDS[message[0]]
    if len(message) != parts or not isinstance(message[1], str):
        raise RefusalError(f"a {kind} has {parts} parts, the second a text")
    described: dict[str, object] = {"type": kind, "id": message[1]}
    if message[0] == _ERROR:
        return described | {"code": message[2], "description": message[3]}
    body = message[-1]
    if not isinstance(body, dict):
        raise RefusalError(f"the payload of a {kind} is an object")
    if message[0] == _RESULT:
        return described | {"payload": body}
    return described | {"action": message[2]} | _call(str(message[2]), body)


def _call(action: str, body: Mapping[str, Any]) -> dict[str, object]:
    match action:
        case "StartTransaction":
            return {"meter_start_wh": register_wh(body.get("meterStart")), "connector": body.get("connectorId")}
        case "StopTransaction":
            return {"meter_stop_wh": register_wh(body.get("meterStop")), "transaction": body.get("transactionId")}
        case "MeterValues":
            sampled = [one for value in body.get("meterValue") or () for one in value.get("sampledValue") or ()]
            wh = energy_wh(sampled)
            return {"transaction": body.get("transactionId")} | ({} if wh is None else {"energy_wh": str(wh)})
        case _:
            return {}
