"""A gate over a real store with a camera that says what a test gives it, at a lot of one lane or of several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from copy import deepcopy
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from common.ids import TimeOrderedIds
from common.rating.request import Visit
from common.tariff.revision import RevisionRef
from common.wire.records import ParkingEvent
from edge.buffer.records import Lane
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.driver.gate_events import BarrierAnswer, PlateColour, PlateSeen
from edge.driver.signs import Sign
from edge.gate.plan import GateLane, parse_gate
from edge.gate.rules import Ruling, Stay
from edge.gate.service import Gate
from tests.edge.builders import HandClock, OpenSealer, counted

SITE: dict[str, Any] = {
    "gate": {
        "wire": "g1-mqtt",
        "model": "zhenshi-camera",
        "lots": [{"lot": "north", "camera": "CAM-1", "barrier": "BAR-1"}],
    }
}
REVISION = RevisionRef(tariff_code="parking", effective_from=date(2026, 1, 1), rev=3, body_sha="ab")
PLATE = "苏A12345"


def fen_an_hour(
    lot: str, visits: Sequence[Visit], *, paid_at: datetime | None, granted_minutes: int, traits: Mapping[str, str]
) -> tuple[int, RevisionRef]:
    """Two yuan an hour, and not more than ten over the visits of three days."""
    assert set(traits) == {"vehicle_class"}
    assert lot == "north"
    assert paid_at is None or paid_at <= (visits[-1].exit or visits[-1].entry)

    def fen(some: Sequence[Visit]) -> int:
        return min(1000, sum(((visit.exit or visit.entry) - visit.entry) // timedelta(hours=1) * 200 for visit in some))

    granted = granted_minutes // 60 * 200
    return max(0, fen(visits) - fen(visits[:-1]) - granted), REVISION


class ScriptedCamera:
    """A gate wire whose camera says what a test gives it and whose barrier answers and keeps its commands."""

    def __init__(self) -> None:
        self.sights: asyncio.Queue[PlateSeen] = asyncio.Queue()
        self.commands: list[tuple[str, str]] = []
        self.answers = [BarrierAnswer.ACCEPTED]
        self.told: Callable[[], None] = lambda: None
        self.signs: list[tuple[str, Sign | None]] = []

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def events(self) -> AsyncIterator[PlateSeen]:
        while True:
            yield await self.sights.get()

    async def open_barrier(self, barrier: str, command_key: str) -> BarrierAnswer:
        self.told()
        self.commands.append((barrier, command_key))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def answer(self, seen: PlateSeen, sign: Sign | None) -> None:
        self.signs.append((seen.event_key, sign))


class Bench:
    """A gate with a scripted camera."""

    def __init__(self, path: Path, site: dict[str, Any] = SITE) -> None:
        self.path, self.site = path, deepcopy(site)
        self.clock, self.sealer, self.camera = HandClock(), OpenSealer(), ScriptedCamera()
        self.store = self.open_store()
        self.gate = self.make_gate()
        self._keys = 0

    def open_store(self) -> Store:
        store = Store.open(self.path, clock=self.clock, entropy=counted, budget=Budget(), commit_interval_s=0.001)
        store.use_sealer(self.sealer)
        return store

    def make_gate(self) -> Gate:
        ids = TimeOrderedIds(self.clock.now, counting())
        gate = Gate(self.store, self.clock, ids, fen_an_hour, lambda _: self.camera)
        gate.use(parse_gate(self.site))
        return gate

    def lane(self, camera: str = "CAM-1") -> GateLane:
        return parse_gate(self.site).lanes[camera]

    def seen(
        self, plate: str | None = PLATE, *, key: str | None = None, offline: bool = False, camera: str = "CAM-1"
    ) -> PlateSeen:
        self._keys += 1
        return PlateSeen(
            camera=camera,
            event_key=key or f"event-{self._keys}",
            plate=plate,
            colour=PlateColour.BLUE,
            confidence=97,
            seen_at=self.clock.now(),
            stored_offline=offline,
            raw=b"",
        )

    async def pass_by(self, plate: str | None = PLATE, *, camera: str = "CAM-1", **how: Any) -> Ruling | None:
        return await self.gate.handle(self.lane(camera), self.seen(plate, camera=camera, **how))

    async def words(self, plate: str | None = PLATE, **how: Any) -> str:
        """Return the ruling on a sight in three words."""
        ruling = await self.pass_by(plate, **how)
        assert ruling is not None
        return f"{ruling.act or '-'} {ruling.decision} {ruling.reason}"

    async def enter(self, plate: str = PLATE, camera: str = "CAM-1") -> Stay:
        await self.pass_by(plate, camera=camera)
        (stay,) = [stay for stay in self.gate.stays().values() if stay.plate == plate]
        return stay

    async def records(self) -> list[object]:
        while await self.store.seal() is not None:
            pass
        return [row.record for item in self.sealer.materials for row in item.events if row.lane is Lane.GATE]

    async def parking(self) -> list[ParkingEvent]:
        return [record for record in await self.records() if isinstance(record, ParkingEvent)]


def counting() -> Callable[[int], bytes]:
    numbers = iter(range(1, 10_000))
    return lambda count: next(numbers).to_bytes(count)
