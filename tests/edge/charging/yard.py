"""A charging stage over a real store, with piles that a test makes speak."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from common.clock import to_epoch_ms
from common.ids import TimeOrderedIds
from common.rating.charge import Charge
from common.tariff.revision import RevisionRef
from common.wire.records import ChargingEvent
from edge.buffer.records import Lane
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.charging.plan import parse_charging
from edge.charging.service import ChargingStage
from edge.driver.cards import parse_cards
from edge.driver.pile_events import PileDesk, PileWire, StopAnswer
from tests.edge.builders import HandClock, OpenSealer, counted
from tests.edge.gate.bench import counting

SITE: dict[str, Any] = {
    "wires": [{"wire": "piles"}],
    "charging": {"piles": [{"pile": "P1", "wire": "piles"}, {"pile": "P2", "wire": "piles"}]},
}
CARD = "B4F62CEF"
CARDS: dict[str, Any] = {
    "permits": [
        {
            "card": CARD,
            "piles": ["P1"],
            "valid_from": "2026-01-01T00:00:00Z",
            "valid_to": "2026-02-01T00:00:00Z",
        }
    ]
}
REVISION = RevisionRef(tariff_code="pile", effective_from=date(2026, 1, 1), rev=2, body_sha="ab")


def fen_a_kwh(pile: str, charge: Charge) -> tuple[int, RevisionRef]:
    """One yuan a kWh and ten fen an idle minute."""
    assert pile in {"P1", "P2"}
    return charge.energy_wh // 10 + charge.idle_minutes * 10, REVISION


class SilentWire:
    """A port that nobody connects to; it remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    async def run(self) -> None:
        """Serve nobody."""

    async def remote_start(self, pile: str, connector: int, card: str) -> StopAnswer:
        self.asked.append((pile, connector, card))
        return StopAnswer.ACCEPTED

    async def remote_stop(self, pile: str, connector: int, transaction: int) -> StopAnswer:
        self.asked.append((pile, connector, transaction))
        return StopAnswer.ACCEPTED


MakeWire = Callable[[str, Sequence[str], PileDesk], PileWire]


class PileYard:
    """The stage and its store."""

    def __init__(self, path: Path, make_wire: MakeWire = lambda *_: SilentWire()) -> None:
        self.path, self.make_wire = path, make_wire
        self.clock, self.sealer = HandClock(), OpenSealer()
        self.store = self.open_store()
        self.stage = self.make_stage()

    def open_store(self) -> Store:
        store = Store.open(self.path, clock=self.clock, entropy=counted, budget=Budget(), commit_interval_s=0.001)
        store.use_sealer(self.sealer)
        return store

    def make_stage(self) -> ChargingStage:
        ids = TimeOrderedIds(self.clock.now, counting())
        stage = ChargingStage(self.store, self.clock, ids, fen_a_kwh, self.make_wire)
        stage.use(parse_charging(SITE))
        stage.use_cards(parse_cards(CARDS))
        return stage

    async def restart(self) -> None:
        """Begin anew from what is on disk."""
        self.store.close()
        self.store = self.open_store()
        self.stage = self.make_stage()
        await self.stage.load()

    def now_ms(self, after: timedelta = timedelta(0)) -> int:
        return to_epoch_ms(self.clock.now() + after)

    async def records(self) -> list[object]:
        while await self.store.seal() is not None:
            pass
        return [row.record for item in self.sealer.materials for row in item.events if row.lane is Lane.GATE]

    async def sealed(self) -> list[ChargingEvent]:
        return [record for record in await self.records() if isinstance(record, ChargingEvent)]
