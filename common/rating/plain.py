"""The plain form of a rated line: what is stored beside the bill line, sent by the gateway, and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

from common.civil import Period
from common.errors import InvariantError
from common.money.amount import CURRENCIES
from common.rating.line import Component, ComponentKind, RatedLine
from common.tariff.canonical import Json
from common.tariff.model import Words


def line_to_plain(line: RatedLine) -> dict[str, Json]:
    """Return the line as plain data for canonical JSON."""
    return {
        "tariff_code": line.tariff_code,
        "body_sha": line.body_sha,
        "plan": _words(line.plan),
        "currency": line.currency.code,
        "period": [line.period.start.isoformat(), line.period.end.isoformat()],
        "amount_fen": line.amount_fen,
        "components": [component_to_plain(component) for component in line.components],
        "input_sha": line.input_sha,
        "engine_version": line.engine_version,
        "exact": str(line.exact),
        "carried_milli": line.carried_milli,
    }


def component_to_plain(component: Component) -> dict[str, Json]:
    """Return one component as plain data."""
    return {
        "kind": str(component.kind),
        "key": component.key,
        "charge": component.charge,
        "label": _words(component.label),
        "amount": str(component.amount),
        "fen": component.fen,
        "quantity": None if component.quantity is None else str(component.quantity),
        "unit": component.unit,
        "price_micro": component.price_micro,
        "labels": dict(component.labels),
    }


def line_from_plain(plain: Mapping[str, object]) -> RatedLine:
    """Return the line that plain data stands for.

    Raises:
        InvariantError: the data is not what `line_to_plain` wrote.
    """
    start, end = _sequence(plain["period"])
    return RatedLine(
        tariff_code=_text(plain["tariff_code"]),
        body_sha=_text(plain["body_sha"]),
        plan=_read_words(plain["plan"]),
        currency=CURRENCIES[_text(plain["currency"])],
        period=Period(date.fromisoformat(_text(start)), date.fromisoformat(_text(end))),
        amount_fen=_integer(plain["amount_fen"]),
        components=tuple(component_from_plain(_mapping(item)) for item in _sequence(plain["components"])),
        input_sha=_text(plain["input_sha"]),
        engine_version=_integer(plain["engine_version"]),
        exact=Fraction(_text(plain["exact"])),
        carried_milli=_integer(plain["carried_milli"]),
    )


def component_from_plain(plain: Mapping[str, object]) -> Component:
    """Return the component that plain data stands for.

    Raises:
        InvariantError: the data is not what `component_to_plain` wrote.
    """
    quantity, price = plain["quantity"], plain["price_micro"]
    return Component(
        kind=ComponentKind(_text(plain["kind"])),
        key=_text(plain["key"]),
        charge=_text(plain["charge"]),
        label=_read_words(plain["label"]),
        amount=Fraction(_text(plain["amount"])),
        fen=_integer(plain["fen"]),
        quantity=None if quantity is None else Fraction(_text(quantity)),
        unit=_text(plain["unit"]),
        price_micro=None if price is None else _integer(price),
        labels={name: _text(value) for name, value in _mapping(plain["labels"]).items()},
    )


def _words(words: Words) -> dict[str, Json]:
    return {"zh": words.zh, "en": words.en}


def _read_words(value: object) -> Words:
    words = _mapping(value)
    return Words(zh=_text(words["zh"]), en=_text(words["en"]))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvariantError(f"{value!r} stands where a rated line holds text")
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise InvariantError(f"{value!r} stands where a rated line holds a whole number")
    return value


def _sequence(value: object) -> Sequence[object]:
    if not isinstance(value, (list, tuple)):
        raise InvariantError(f"{value!r} stands where a rated line holds a list")
    return value


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InvariantError(f"{value!r} stands where a rated line holds fields")
    return value
