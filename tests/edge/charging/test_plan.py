"""Piles of a site bundle are taken whole or refused with every fault."""

from __future__ import annotations

from typing import Any

import pytest

from common.errors import FaultsError
from edge.charging.plan import OpenTo, parse_charging


def site(*piles: dict[str, Any]) -> dict[str, Any]:
    return {"wires": [{"wire": "a"}, {"wire": "b"}], "charging": {"piles": list(piles)}}


def test_piles_are_taken_with_their_wire() -> None:
    plan = parse_charging(site({"pile": "P1", "wire": "a"}, {"pile": "P2", "wire": "b", "open_to": "anyone"}))
    assert (plan.wires, plan.piles_on("b")) == (("a", "b"), ("P2",))
    assert plan.piles["P2"].open_to is OpenTo.ANYONE
    assert not parse_charging({}).piles


@pytest.mark.parametrize(
    ("piles", "message"),
    [
        ([{"pile": "P1", "wire": "a"}] * 2, "described twice"),
        ([{"pile": "P1", "wire": "a", "connectors": 0}], "connectors"),
        ([{"pile": "P1", "wire": "a", "colour": "red"}], "colour"),
        ([{"pile": "P1", "wire": "z"}], "unknown wire 'z'"),
        ([{"pile": f"P{n}", "wire": "a"} for n in range(257)], "257 piles"),
    ],
)
def test_a_broken_part_is_refused(piles: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(FaultsError, match=message):
        parse_charging(site(*piles))
