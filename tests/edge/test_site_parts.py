"""One gateway with everything at a building's doors, from bundles on board to real devices, without any cloud."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from common.errors import FaultsError
from common.wire.batch import PersonalItem
from common.wire.records import AccessEvent, ChargingEvent, ParkingEvent
from tests.edge.builders import until
from tests.edge.driver.test_camera_http import zhenshi
from tests.edge.test_app import SITE, make_home, put_on_board, records_of, running
from tests.simulation.devices.door_board import UhppoteBoard
from tests.simulation.devices.ocpp_pile import OcppPile

CARD = 4711


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def site(cameras: int, piles: int, board: int) -> dict[str, Any]:
    wires = [
        *SITE["wires"],
        {"wire": "cameras", "kind": "camera-http", "address": f"127.0.0.1:{cameras}"},
        {"wire": "piles", "kind": "ocpp", "address": f"127.0.0.1:{piles}"},
        {"wire": "doors", "kind": "door-udp", "address": f"127.0.0.1:{free_port()}"},
    ]
    lane = {"camera": "CAM-1", "barrier": "BAR-1", "direction": "entry"}
    door = {"door": "gate-1", "wire": "doors", "board": "405419896", "address": f"127.0.0.1:{board}", "number": 1}
    return SITE | {
        "wires": wires,
        "gate": {"wire": "cameras", "model": "zhenshi-http", "lots": [{"lot": "north", "lanes": [lane]}]},
        "charging": {"piles": [{"pile": "P1", "wire": "piles"}]},
        "access": {"doors": [door]},
    }


async def test_a_car_a_charge_and_a_card_are_served_from_what_is_on_board(tmp_path: Path) -> None:
    settings = make_home(tmp_path)
    cameras, piles = free_port(), free_port()
    board = await UhppoteBoard(serial=405419896).start()
    permit = {
        "card": str(CARD),
        "doors": ["gate-1"],
        "piles": ["P1"],
        "valid_from": "2025-01-01T00:00:00Z",
        "valid_to": "2030-01-01T00:00:00Z",
    }
    await put_on_board(settings, site=site(cameras, piles, board.port), access={"permits": [permit]})
    async with running(settings) as gateway, httpx.AsyncClient() as http:
        await until(lambda: board.listener is not None)
        answer = await http.post(f"http://127.0.0.1:{cameras}/push/CAM-1", content=zhenshi())
        assert answer.json()["Response_AlarmInfoPlate"]["info"] == "ok"
        async with OcppPile("P1", piles).connected() as pile:
            assert await pile.boot() == "Accepted"
            now = gateway.gate._clock.now()
            started = await pile.start(str(CARD), 0, now)
            assert started["idTagInfo"]["status"] == "Accepted"
            await pile.stop(started["transactionId"], 5_000, now)
        board.swipe(1, CARD)
        await until(lambda: gateway.access.stats.swipes == 1)
        board.swipe(1, CARD)
        await until(lambda: board.opened == [1])
        assert gateway.gate.occupancy() == {"north": 1}
    board.stop()
    records = await records_of(settings)
    kinds = [type(record) for record in records]
    assert kinds.count(ParkingEvent) == 1
    assert kinds.count(ChargingEvent) == 1
    assert [one.decision for one in records if isinstance(one, AccessEvent)] == ["refused", "open"]
    plates = {one.value for one in records if isinstance(one, PersonalItem) and one.kind == "plate"}
    assert len(plates) == 1


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"access": {"doors": [{"door": "d", "wire": "doors", "debt": 1}]}}, "access"),
        ({"charging": {"piles": [{"pile": "P1", "wire": "nowhere"}]}}, "unknown wire"),
        ({"gate": {"lots": [{"lot": "north", "camera": "C", "barrier": "B"}]}}, "no wire and model"),
    ],
)
async def test_a_site_with_a_fault_in_one_part_is_refused_whole(
    tmp_path: Path, part: dict[str, Any], words: str
) -> None:
    settings = make_home(tmp_path)
    await put_on_board(settings, site=site(free_port(), free_port(), 1))
    async with running(settings) as gateway:
        await until(lambda: gateway.versions.get("site") == 1)
        with pytest.raises(FaultsError, match=words):
            await gateway.apply("site", site(free_port(), free_port(), 1) | part)
        assert list(gateway.charging.piles) == ["P1"]
        assert gateway.gate.occupancy() == {"north": 0}
