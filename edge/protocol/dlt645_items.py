"""Identifiers of DL/T 645 in words: names, formats and units for people who look at frames.

The reading of meters does not use this table: a profile states what it reads. Items whose format no public source
settles are left out, so their data is shown raw instead of wrongly.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.protocol.dlt645 import Edition

_PHASES = ((1, "A"), (2, "B"), (3, "C"))
_TARIFFS = range(1, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One value behind an identifier: its name, its bytes, how many decimals it has, its unit, and whether signed."""

    name: str
    size: int
    decimals: int
    unit: str
    signed: bool = False


def _energy(name: str) -> Item:
    return Item(name=name, size=4, decimals=2, unit="kWh")


def _power(name: str, unit: str) -> Item:
    return Item(name=name, size=3, decimals=4, unit=unit, signed=True)


def _with_block(prefix: str, suffix: str, items: list[Item], first: int) -> dict[str, tuple[Item, ...]]:
    """Return single identifiers `prefix` nn `suffix` and the FF block of all of them."""
    singles = {f"{prefix}{first + n:02x}{suffix}": (item,) for n, item in enumerate(items)}
    return {**singles, f"{prefix}ff{suffix}": tuple(items)}


def _energies(kind: str) -> list[Item]:
    return [_energy(f"{kind}, total"), *(_energy(f"{kind}, tariff {n}") for n in _TARIFFS)]


def _phases(quantity: str, size: int, decimals: int, unit: str, *, signed: bool = False) -> list[Item]:
    return [
        Item(name=f"phase {phase} {quantity}", size=size, decimals=decimals, unit=unit, signed=signed)
        for _, phase in _PHASES
    ]


def _items_2007() -> dict[str, tuple[Item, ...]]:
    items: dict[str, tuple[Item, ...]] = {}
    for code, kind in (
        ("00", "combined active energy"),
        ("01", "forward active energy"),
        ("02", "reverse active energy"),
    ):
        items |= _with_block(f"00{code}", "00", _energies(kind), 0)
    items["00000000"] = (Item(name="combined active energy, total", size=4, decimals=2, unit="kWh", signed=True),)
    items |= _with_block("0201", "00", _phases("voltage", 2, 1, "V"), 1)
    items |= _with_block("0202", "00", _phases("current", 3, 3, "A", signed=True), 1)
    for code, quantity, unit in (
        ("03", "active power", "kW"),
        ("04", "reactive power", "kvar"),
        ("05", "apparent power", "kVA"),
    ):
        powers = [
            _power(f"total {quantity}", unit),
            *(_power(f"phase {phase} {quantity}", unit) for _, phase in _PHASES),
        ]
        items |= _with_block(f"02{code}", "00", powers, 0)
    factors = [
        Item(name=f"{whose} power factor", size=2, decimals=3, unit="", signed=True)
        for whose in ("total", *(f"phase {phase}" for _, phase in _PHASES))
    ]
    items |= _with_block("0206", "00", factors, 0)
    items["02800002"] = (Item(name="frequency", size=2, decimals=2, unit="Hz"),)
    items["00900100"] = (_energy("remaining energy"),)
    items["00900200"] = (Item(name="remaining money", size=4, decimals=2, unit="yuan"),)
    return items


def _items_1997() -> dict[str, tuple[Item, ...]]:
    items = _with_block("90", "", _energies("forward active energy"), 0x10)
    items = {("901f" if key == "90ff" else key): value for key, value in items.items()}
    items["9020"] = (_energy("reverse active energy, total"),)
    for n, phase in _PHASES:
        items[f"b61{n}"] = (Item(name=f"phase {phase} voltage", size=2, decimals=0, unit="V"),)
        items[f"b62{n}"] = (Item(name=f"phase {phase} current", size=2, decimals=2, unit="A"),)
    items["b630"] = (Item(name="total active power", size=3, decimals=4, unit="kW"),)
    return items


ITEMS = {Edition.Y2007: _items_2007(), Edition.Y1997: _items_1997()}
