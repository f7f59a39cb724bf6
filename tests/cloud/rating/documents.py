"""Tariff documents of the rating tests, with round prices that are easy to check by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]


def _tariff(code: str, unit: str, **body: Any) -> Document:
    name = {"zh": code, "en": code}
    return {"format": "gatehouse-tariff/1", "code": code, "name": name, "unit": unit, **body}


def area_fee(price: str = "2.00") -> Document:
    """Return a fee per square metre and month, prorated by days of the month."""
    charge = {"key": "area", "quantity": "area", "per": "month", "price": price}
    return _tariff("area-fee", "m2", charges=[charge])


def electricity(prices: tuple[str, str, str] = ("0.50", "0.55", "0.80")) -> Document:
    """Return three tiers over the calendar year."""
    charge = {"key": "energy", "tiers": {"bounds": ["2160", "4200"]}, "prices": list(prices)}
    return _tariff("electricity", "kWh", accumulate={"over": "year"}, charges=[charge])


def water() -> Document:
    """Return one price per cubic metre."""
    return _tariff("water", "m3", charges=[{"key": "water", "price": "3.00"}])


def public_energy(weight: str = "area") -> Document:
    """Return one price per kilowatt-hour, shared by weight."""
    return _tariff("public-energy", "kWh", charges=[{"key": "energy", "price": "0.5588"}], share={"weight": weight})


def parking() -> Document:
    """Return a price per started hour, without a free time."""
    session = {"blocks": [{"every": 60, "price": "5.00"}]}
    return _tariff("parking", "min", session=session)


def time_of_use(**body: Any) -> Document:
    """Return a peak and a valley price by the hours of the day."""
    windows = [{"name": "peak", "times": ["08:00-22:00"]}, {"name": "valley", "times": ["22:00-08:00"]}]
    charge = {"key": "energy", "by_window": {"peak": "0.60", "valley": "0.30"}}
    code = str(body.pop("code", "time-of-use"))
    return _tariff(code, "kWh", **{"windows": windows, "charges": [charge], **body})
