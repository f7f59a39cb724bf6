"""Lots and permits of the bundles are taken whole or refused with every fault; no plate stands in a refusal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from common.errors import FaultsError
from edge.driver.signs import BoardFamily
from edge.gate.plan import Direction, NoPlate, VehicleClass, parse_gate, parse_permits, plate_sha
from tests.edge.builders import START

LANE = {"lot": "north", "camera": "CAM-1", "barrier": "BAR-1"}


def gate(*lots: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"gate": {"wire": "g1-mqtt", "model": "zhenshi-camera", "lots": list(lots)} | changes}


def permit(**changes: Any) -> dict[str, Any]:
    whole = {
        "plate": "苏A12345",
        "class": "monthly",
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_to": "2026-02-01T00:00:00Z",
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def test_a_single_lane_and_lanes_by_direction_are_taken() -> None:
    lanes = [{"camera": "CAM-2", "barrier": "BAR-2", "direction": "exit"}]
    plan = parse_gate(gate(LANE, {"lot": "south", "lanes": lanes, "spaces": 40}))
    assert plan.lanes["CAM-1"].direction is Direction.BOTH
    assert plan.lanes["CAM-2"].direction is Direction.EXIT
    (posts,) = plan.posts().values()
    assert [post.barrier for post in posts] == ["BAR-1", "BAR-2"]
    assert plan.lots["south"].spaces == 40


def test_lanes_may_hang_on_wires_of_their_own() -> None:
    lanes = [{"camera": "CAM-2", "barrier": "BAR-2", "wire": "push", "model": "dahua-itc", "board": "led-aa55"}]
    plan = parse_gate(gate(LANE, {"lot": "south", "lanes": lanes, "no_plate": "ticket", "exit_grace_minutes": 20}))
    assert list(plan.posts()) == [("g1-mqtt", "zhenshi-camera"), ("push", "dahua-itc")]
    assert plan.lanes["CAM-2"].board is BoardFamily.LED_AA55
    assert (plan.lots["south"].no_plate, plan.lots["south"].exit_grace_minutes) == (NoPlate.TICKET, 20)
    assert plan.lots["north"].no_plate is NoPlate.HOLD


def test_a_site_without_a_gate_has_no_lanes() -> None:
    assert not parse_gate({"zone": "Asia/Shanghai"}).lanes


@pytest.mark.parametrize(
    ("site", "message"),
    [
        (gate(LANE, wire=None), "no wire"),
        (gate(LANE, LANE), "described twice"),
        (gate(LANE, {**LANE, "lot": "south"}), "two lanes"),
        (gate({"lot": "north"}), "no camera"),
        (gate({"lot": "north", "camera": 5}), "str"),
        (gate({**LANE, "exit_grace_minutes": 999}), "999 minutes"),
    ],
)
def test_a_broken_gate_is_refused(site: dict[str, Any], message: str) -> None:
    with pytest.raises(FaultsError, match=message):
        parse_gate(site)


def test_a_permit_holds_in_its_days_and_a_blacklisting_wins() -> None:
    barred = permit(**{"class": "blacklisted", "plate": None, "plate_sha": plate_sha("苏A12345")})
    book = parse_permits({"permits": [permit()]})
    assert book.find(" 苏a12345", "north", START) is not None
    assert book.find("苏A12345", "north", START + timedelta(days=31)) is None
    assert book.find("苏B00001", "north", START) is None
    found = parse_permits({"permits": [permit(), barred]}).find("苏A12345", "north", START)
    assert found is not None
    assert found.vehicle_class is VehicleClass.BLACKLISTED


def test_a_permit_for_one_lot_does_not_open_another() -> None:
    book = parse_permits({"permits": [permit(lots=["south"])]})
    assert book.find("苏A12345", "north", START) is None
    assert book.find("苏A12345", "south", START) is not None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"plate": None}, "exactly one"),
        ({"plate_sha": "00"}, "exactly one"),
        ({"valid_to": "2025-01-01T00:00:00Z"}, "ends before"),
        ({"valid_from": "2026-01-01T00:00:00"}, "zone"),
        ({"class": "royal"}, "royal"),
        ({"granted_minutes": -1}, "less than no minutes"),
    ],
)
def test_a_broken_permit_is_refused_without_its_plate(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FaultsError, match=message) as caught:
        parse_permits({"permits": [permit(**changes)]})
    assert "苏A12345" not in str(caught.value)
