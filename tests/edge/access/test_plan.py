"""Doors of a site bundle are taken whole or refused with every fault."""

from __future__ import annotations

from typing import Any

import pytest

from common.errors import FaultsError
from edge.access.plan import parse_access

DOOR: dict[str, Any] = {"door": "gate-1", "wire": "doors", "board": "405419896", "address": "127.0.0.1:60000"}


def site(*doors: dict[str, Any]) -> dict[str, Any]:
    return {"wires": [{"wire": "doors"}], "access": {"doors": list(doors)}}


def test_doors_are_taken_by_wire() -> None:
    plan = parse_access(site(DOOR, DOOR | {"door": "gate-2", "number": 2}))
    assert plan.names == ("gate-1", "gate-2")
    assert [post.number for post in plan.doors["doors"]] == [1, 2]
    assert not parse_access({}).doors


@pytest.mark.parametrize(
    ("doors", "message"),
    [
        ([DOOR, DOOR], "described twice"),
        ([DOOR, DOOR | {"door": "gate-2"}], "two doors of number 1"),
        ([DOOR | {"number": 5}], "give 1 to 4"),
        ([DOOR | {"board": "a b"}], "plate"),
        ([DOOR | {"debt": 1}], "debt"),
        ([DOOR | {"wire": "z"}], "unknown wire 'z'"),
    ],
)
def test_a_broken_part_is_refused(doors: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(FaultsError, match=message):
        parse_access(site(*doors))
