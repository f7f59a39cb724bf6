"""A site bundle becomes a plan, or is refused with every fault named."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from common.errors import FaultsError
from common.reading.reading import Quantity
from edge.driver.outcome import WireKind
from edge.sampling.plan import parse_plan
from tests.edge.builders import meter


def site(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "zone": "Asia/Shanghai",
        "wires": [{"wire": "bus", "kind": "serial-tcp", "address": "127.0.0.1:4001"}],
        "devices": [device(1, "1"), device(2, "2")],
        "schedule": {"daily_at": "00:00", "dense_days": [{"date": "2026-02-03", "minutes": 15}]},
        "gate": {"lots": []},
    }
    return whole | changes


def device(number: int, address: str, **changes: Any) -> dict[str, Any]:
    whole = {
        "meter_id": str(meter(number)),
        "serial": f"W{number}",
        "wire": "bus",
        "profile": "water",
        "address": address,
        "resource": "water",
        "points": ["volume"],
        "multiplier_milli": 1000,
    }
    return whole | changes


def test_a_sound_bundle_becomes_a_plan() -> None:
    plan = parse_plan(site())
    assert plan.wires[0].kind is WireKind.SERIAL_TCP
    assert [item.points for item in plan.devices_on("bus")] == [(Quantity.VOLUME,), (Quantity.VOLUME,)]
    assert plan.schedule.dense == {date(2026, 2, 3): 15}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"schedule": {"daily_at": "24:00"}}, "no time of day"),
        ({"schedule": {"dense_days": [{"date": "2026-02-03", "minutes": 7}]}}, "do not divide"),
        ({"devices": [device(1, "1"), device(2, "1")]}, "given twice"),
        ({"devices": [device(1, "1"), device(1, "2")]}, "meter id is given twice"),
        ({"devices": [device(1, "1", wire="other")]}, "'other' is unknown"),
        ({"devices": [device(1, "1", points=[])]}, "no point"),
        ({"devices": [device(1, "1", multiplier_milli=0)]}, "multiplier"),
        ({"devices": [device(1, "1", points=["loudness"])]}, "loudness"),
        ({"wires": [{"wire": "bus", "kind": "pigeon", "address": "x"}]}, "pigeon"),
        ({"wires": 3}, "array"),
    ],
)
def test_a_broken_bundle_is_refused_naming_the_fault(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FaultsError, match=message):
        parse_plan(site(**changes))


def test_all_faults_are_listed_at_once() -> None:
    with pytest.raises(FaultsError) as caught:
        parse_plan(site(zone="Mars/Olympus", devices=[device(1, "1", wire="x"), device(2, "2", points=[])]))
    assert len(caught.value.faults) == 3
