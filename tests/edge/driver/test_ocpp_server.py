"""A real OCPP 1.6-J pile over a websocket charges at the gateway: start to seal, repeats, wrong messages, strangers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from edge.driver.ocpp_server import MESSAGE_BYTES_MOST, OcppWire
from edge.driver.outcome import WireConfig, WireKind
from edge.driver.pile_events import PileDesk, StopAnswer
from tests.edge.builders import until
from tests.edge.charging.yard import CARD, PileYard
from tests.simulation.devices.ocpp_pile import OcppPile

HOUR = timedelta(hours=1)


class Site:
    """A stage with its real port."""

    def __init__(self, folder: Path) -> None:
        self.wires: list[OcppWire] = []
        self.yard = PileYard(folder / "store.db", self.make_wire)

    def make_wire(self, wire: str, piles: Sequence[str], desk: PileDesk) -> OcppWire:
        config = WireConfig(wire=wire, kind=WireKind.OCPP, address="127.0.0.1:0")
        made = OcppWire(config, piles, desk, self.yard.clock)
        self.wires.append(made)
        return made

    @property
    def wire(self) -> OcppWire:
        return self.wires[-1]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(site.yard.stage.run())
        await until(lambda: bool(site.wires))
        async with asyncio.timeout(5):
            await site.wire.bound.wait()
        yield site
        task.cancel()
    site.yard.store.close()


async def test_a_pile_charges_from_plug_to_seal(site: Site) -> None:
    clock = site.yard.clock
    async with OcppPile("P1", site.wire.port).connected() as pile:
        assert await pile.boot() == "Accepted"
        assert (await pile.ask("Authorize", idTag=CARD))["idTagInfo"]["status"] == "Accepted"
        await pile.status("Preparing", clock.now())
        started = await pile.start(CARD, 1_000, clock.now())
        transaction = started["transactionId"]
        assert (await pile.start(CARD, 1_000, clock.now()))["transactionId"] == transaction
        await pile.status("Charging", clock.now())
        clock.advance(HOUR)
        await pile.sample(transaction, "7.250", clock.now(), unit="kWh")
        clock.advance(HOUR)
        await pile.stop(transaction, 9_000, clock.now())
        await pile.status("Finishing", clock.now())
        clock.advance(timedelta(minutes=10))
        await pile.status("Available", clock.now())
        await pile.stop(transaction, 9_000, clock.now())
    (event,) = await site.yard.sealed()
    assert (event.what, event.sample_wh) == ("ended", (1_000, 7_250, 9_000))
    assert (event.idle_to_ms or 0) - (event.idle_from_ms or 0) == 600_000


async def test_a_pile_that_was_cut_off_tells_its_end_afterwards(site: Site) -> None:
    clock = site.yard.clock
    async with OcppPile("P1", site.wire.port).connected() as pile:
        await pile.status("Charging", clock.now())
        transaction = (await pile.start(CARD, 0, clock.now()))["transactionId"]
    clock.advance(timedelta(minutes=30))
    ended = clock.now()
    clock.advance(6 * HOUR)
    async with OcppPile("P1", site.wire.port).connected() as pile:
        await pile.boot()
        await pile.status("Available", clock.now())
        await pile.stop(transaction, 3_600, ended, "PowerLoss")
    (event,) = await site.yard.sealed()
    assert (event.what, event.reason, event.sample_wh) == ("ended", "PowerLoss", (0, 3_600))
    assert event.ended_ms - event.started_ms == 30 * 60_000


async def test_remote_commands_reach_the_pile_and_an_absent_one_is_unreachable(site: Site) -> None:
    assert await site.yard.stage.remote_start("P1", 1, CARD) is StopAnswer.UNREACHABLE
    async with OcppPile("P1", site.wire.port).connected() as pile:
        await pile.boot()
        assert await site.yard.stage.remote_start("P1", 1, CARD) is StopAnswer.ACCEPTED
        transaction = (await pile.start(CARD, 0, site.yard.clock.now()))["transactionId"]
        (session_id,) = site.yard.stage.charges()
        assert await site.yard.stage.remote_stop(session_id) is StopAnswer.ACCEPTED
    assert [command for command, _ in pile.told] == ["RemoteStartTransaction", "RemoteStopTransaction"]
    assert pile.told[1][1] == {"transactionId": transaction}


@pytest.mark.parametrize(
    "message",
    [
        "no json",
        "[]",
        '[2, "x", "StartTransaction", {"connectorId": 1}]',
        '[2, "x", "StartTransaction", {"connectorId": 1, "idTag": "A", "meterStart": -5, "timestamp": "soon"}]',
        '[2, "x", "Unheard", {}]',
        '[9, "x"]',
        '{"a": 1}',
        "[" * 5_000,
    ],
)
async def test_a_wrong_message_is_refused_and_the_pile_goes_on(site: Site, message: str) -> None:
    async with OcppPile("P1", site.wire.port).connected() as pile:
        assert pile.socket is not None
        await pile.socket.send(message)
        assert "currentTime" in await pile.ask("Heartbeat")
    assert await site.yard.sealed() == []


async def test_an_oversize_message_costs_the_sender_its_connection_and_nobody_else(site: Site) -> None:
    async with OcppPile("P2", site.wire.port).connected() as other:
        async with connect(f"ws://127.0.0.1:{site.wire.port}/P1", subprotocols=["ocpp1.6"]) as socket:  # type: ignore[list-item]
            await socket.send(json.dumps([2, "x", "DataTransfer", {"data": "x" * MESSAGE_BYTES_MOST}]))
            with pytest.raises(ConnectionClosed):
                await socket.recv()
        assert "currentTime" in await other.ask("Heartbeat")


async def test_a_stranger_and_a_pile_of_another_protocol_are_turned_away(site: Site) -> None:
    with pytest.raises(InvalidStatus, match="404"):
        async with connect(f"ws://127.0.0.1:{site.wire.port}/P9", subprotocols=["ocpp1.6"]):  # type: ignore[list-item]
            pass
    with pytest.raises((ConnectionClosed, InvalidHandshake)):
        async with connect(f"ws://127.0.0.1:{site.wire.port}/P1") as socket:
            await socket.recv()
    assert site.wire.stats.refusals == 1


async def test_a_newer_connection_of_a_pile_replaces_the_older(site: Site) -> None:
    async with OcppPile("P1", site.wire.port).connected(), OcppPile("P1", site.wire.port).connected() as newer:
        assert "currentTime" in await newer.ask("Heartbeat")
