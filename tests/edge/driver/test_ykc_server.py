"""A real 云快充 pile over TCP charges at the gateway: start to seal, repeats, noise, strangers, remote commands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.charging.plan import parse_charging
from edge.driver.cards import parse_cards
from edge.driver.outcome import WireConfig, WireKind
from edge.driver.pile_events import PileDesk, StopAnswer
from edge.driver.ykc_server import YkcWire
from tests.edge.builders import until
from tests.edge.charging.yard import CARDS, PileYard
from tests.simulation.devices.ykc_pile import YkcPile

PILE, CARD = "20231212000010", "4711"
HOUR = timedelta(hours=1)


class Site:
    """A stage with its real port."""

    def __init__(self, folder: Path) -> None:
        self.wires: list[YkcWire] = []
        self.yard = PileYard(folder / "store.db", self.make_wire)
        self.yard.stage._quote = lambda *_: None
        self.yard.stage.use(
            parse_charging({"wires": [{"wire": "piles"}], "charging": {"piles": [{"pile": PILE, "wire": "piles"}]}})
        )
        permit: dict[str, Any] = CARDS["permits"][0] | {"card": CARD, "piles": [PILE]}
        self.yard.stage.use_cards(parse_cards({"permits": [permit]}))

    def make_wire(self, wire: str, piles: Sequence[str], desk: PileDesk) -> YkcWire:
        config = WireConfig(wire=wire, kind=WireKind.YKC, address="127.0.0.1:0")
        self.wires.append(YkcWire(config, piles, desk, self.yard.clock))
        return self.wires[-1]

    @property
    def wire(self) -> YkcWire:
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


@pytest.mark.parametrize("crc_high_first", [False, True])
async def test_a_pile_charges_from_card_to_seal_and_its_record_is_confirmed_once_stored(
    site: Site, *, crc_high_first: bool
) -> None:
    clock, begun = site.yard.clock, site.yard.clock.now()
    async with YkcPile(PILE, site.wire.port, crc_high_first).connected() as pile:
        assert await pile.login()
        transaction = await pile.ask_start(CARD)
        assert transaction is not None
        await pile.real_time(transaction, 0)
        clock.advance(HOUR)
        await pile.real_time(transaction, 71_000)
        clock.advance(HOUR)
        confirmed = await pile.record(transaction, 142_505, begun, clock.now())
        assert confirmed == transaction + b"\x00"
        clock.advance(timedelta(minutes=20))
        await pile.real_time(transaction, 142_505, state=2, plugged=False)
        assert await pile.record(transaction, 142_505, begun, begun + 2 * HOUR) == transaction + b"\x00"
    (event,) = await site.yard.sealed()
    assert (event.what, event.sample_wh, event.reason) == ("ended", (0, 7_100, 14_250), "ykc 40")
    assert (event.idle_to_ms or 0) - (event.idle_from_ms or 0) == 20 * 60_000


async def test_a_charge_that_the_pile_began_by_itself_is_told_and_not_billed(site: Site) -> None:
    now = site.yard.clock.now()
    async with YkcPile(PILE, site.wire.port).connected() as pile:
        await pile.login()
        await pile.record(bytes.fromhex("9" * 32), 5_000, now, now)
    assert [event.what for event in await site.yard.sealed()] == ["unknown"]


async def test_an_unknown_card_may_not_charge_and_an_unknown_pile_not_connect(site: Site) -> None:
    async with YkcPile(PILE, site.wire.port).connected() as pile:
        await pile.login()
        assert await pile.ask_start("99") is None
    async with YkcPile("20231212000099", site.wire.port).connected() as stranger:
        assert not await stranger.login()
    assert not site.yard.stage.charges()


async def test_remote_commands_are_answered_by_the_pile_and_an_absent_one_is_unreachable(site: Site) -> None:
    assert await site.yard.stage.remote_start(PILE, 1, CARD) is StopAnswer.UNREACHABLE
    async with YkcPile(PILE, site.wire.port).connected() as pile:
        await pile.login()
        assert await site.yard.stage.remote_start(PILE, 1, CARD) is StopAnswer.ACCEPTED
        (session_id,) = site.yard.stage.charges()
        assert await site.yard.stage.remote_stop(session_id) is StopAnswer.ACCEPTED
        pile.obeys = False
        assert await site.yard.stage.remote_stop(session_id) is StopAnswer.REFUSED


async def test_noise_and_damaged_frames_cost_their_bytes_and_not_the_connection(site: Site) -> None:
    async with YkcPile(PILE, site.wire.port).connected() as pile:
        await pile.login()
        pile.writer.write(b"\x00\xff\x68\x04\x00\x00\x00\x03\xde\xad" + b"\x16" * 30)
        assert await pile.ask_start(CARD) is not None
    assert site.wire.stats.checksum_errors >= 1


async def test_who_does_not_log_in_is_left(site: Site) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.wire.port)
    async with YkcPile(PILE, site.wire.port).connected() as pile:
        pile.writer, kept = writer, pile.writer
        await pile.say(0x03, bytes.fromhex(PILE) + b"\x01\x00")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        pile.writer = kept
    writer.close()
