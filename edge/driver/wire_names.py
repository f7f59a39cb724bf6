"""The names of the wires that a site bundle describes, for parts that hang something on one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def wires_of(site: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the wires; what is no wire has none, and is a fault of whoever parses the wires."""
    wires = site.get("wires")
    if not isinstance(wires, list | tuple):
        return frozenset()
    return frozenset(str(wire["wire"]) for wire in wires if isinstance(wire, Mapping) and "wire" in wire)
