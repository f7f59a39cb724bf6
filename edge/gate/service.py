"""The gate at work: sights in, durable decisions, barriers out; sessions survive restarts.

Invariants: a decision and its record are one commit in the gate lane, made before the barrier is told; a camera's
repeated record is known by its key and makes nothing new; when the disk refuses, people still get in and out and the
record follows from memory. A plate is written to the personal lane and to the sessions on board, never to a log.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import msgspec
import structlog

from common.clock import from_epoch_ms, to_epoch_ms
from common.errors import RefusalError
from common.ids import IdSource
from common.tariff.revision import RevisionRef
from common.wire.batch import PersonalItem
from common.wire.records import ParkingEvent
from edge.buffer.records import Lane, Record, StageState
from edge.buffer.store import Store
from edge.buffer.writer import StoreUnavailableError
from edge.clock import EdgeClock
from edge.driver.gate_events import BarrierAnswer, GateWire, PlateSeen
from edge.gate.plan import Direction, GateLane, GatePlan, PermitBook
from edge.gate.rules import (
    REPEAT_SPAN,
    Act,
    Decision,
    Quote,
    Reason,
    Ruling,
    Sight,
    Stay,
    decide,
    vehicle_class,
)

STAYS, SIGHTS = "gate-stay", "gate-sight"
SIGHTS_KEPT = 2_000
UNWRITTEN_MAX = 1_000
OPEN_TRIES = 3
OPEN_RETRY_S = 1.0
RETENTION = "parking"
Quoter = Callable[[str, datetime, datetime], tuple[int, RevisionRef] | None]
_log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class GateStats:
    """Counters since start."""

    sights: int = 0
    repeats: int = 0
    opened: int = 0
    held: int = 0
    unanswered: int = 0
    unknown_cameras: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passed:
    """The last car a camera saw through, to tell a second look at it from a second car."""

    plate: str
    at: datetime


class Gate:
    """Decides for every lane of the site from what is on board."""

    def __init__(
        self, store: Store, clock: EdgeClock, ids: IdSource, quote: Quoter, make_wire: Callable[[GatePlan], GateWire]
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._quote = quote
        self._make_wire = make_wire
        self._plan = GatePlan()
        self._changed = asyncio.Event()
        self._permits = PermitBook({})
        self._stays: dict[UUID, Stay] = {}
        self._sights: OrderedDict[str, None] = OrderedDict()
        self._passed: dict[str, _Passed] = {}
        self._writing = asyncio.Lock()
        self._unwritten: list[tuple[tuple[Record, ...], tuple[StageState, ...]]] = []
        self.stats = GateStats()

    async def load(self) -> None:
        """Take up the sessions and the camera records known before a restart."""
        stays = await self._store.stage(STAYS)
        self._stays = {UUID(name): msgspec.msgpack.decode(body, type=Stay) for name, body in stays.items()}
        sights = await self._store.stage(SIGHTS)
        order = sorted(sights, key=lambda name: int.from_bytes(sights[name]))
        self._sights = OrderedDict.fromkeys(order)

    def use(self, plan: GatePlan) -> None:
        """Put lanes in force; the wire is opened anew."""
        self._plan = plan
        self._changed.set()

    def use_permits(self, permits: PermitBook) -> None:
        """Put permits in force."""
        self._permits = permits

    def occupancy(self) -> Mapping[str, int]:
        """Return how many cars stand in each lot."""
        return {lot: self.occupied(lot) for lot in self._plan.lots}

    def occupied(self, lot: str) -> int:
        """Return how many cars stand in a lot."""
        return sum(stay.lot == lot for stay in self._stays.values())

    def stays(self) -> Mapping[UUID, Stay]:
        """Return the cars inside."""
        return self._stays

    async def run(self) -> None:
        """Serve the lanes of the plan in force until cancelled; without lanes, wait for some."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if not self._plan.lanes:
                continue
            wire = self._make_wire(self._plan)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(wire.run()), group.create_task(self._serve(wire, group))]
                await self._changed.wait()
                for task in tasks:
                    task.cancel()

    async def _serve(self, wire: GateWire, group: asyncio.TaskGroup) -> None:
        async for seen in wire.events():
            lane = self._plan.lanes.get(seen.camera)
            if lane is None:
                self.stats.unknown_cameras += 1
                continue
            ruling = await self.handle(lane, seen)
            if ruling is not None and ruling.decision is Decision.OPEN:
                group.create_task(self._open(wire, lane.barrier, seen.event_key))

    async def handle(self, lane: GateLane, seen: PlateSeen) -> Ruling | None:
        """Decide on one sight and make it durable; None for a record that was handled before."""
        self.stats.sights += 1
        if seen.event_key in self._sights:
            self.stats.repeats += 1
            return None
        sight = self._sight(lane, seen)
        ruling = decide(sight)
        records, states = self._act(lane, seen, sight, ruling)
        await self._write(records, (*states, *self._remember(seen.event_key)))
        self.stats.opened += ruling.decision is Decision.OPEN
        self.stats.held += ruling.decision is Decision.HOLD
        if ruling.decision is Decision.OPEN and seen.plate is not None:
            self._passed[lane.camera] = _Passed(plate=seen.plate, at=sight.seen_at)
        return ruling

    async def settle(self, session_id: UUID, amount_fen: int) -> None:
        """Note that a stay was paid; the car may leave within the grace.

        Raises:
            RefusalError: no such car stands inside.
        """
        stay = self._inside(session_id)
        paid = replace(stay, paid_ms=to_epoch_ms(self._clock.now()), paid_fen=stay.paid_fen + amount_fen)
        self._stays[session_id] = paid
        await self._write((self._by_hand(paid, "settled"),), (_kept(paid),))

    async def correct(self, session_id: UUID, plate: str) -> None:
        """Correct the plate of a car inside; its time of entry stays.

        Raises:
            RefusalError: no such car stands inside, or the text is empty.
        """
        stay = self._inside(session_id)
        if not plate.strip():
            raise RefusalError("a plate has characters; give it as it stands on the car")
        item = self._personal(plate.strip().upper())
        corrected = replace(stay, plate=item.value, vehicle=item.item_id)
        self._stays[session_id] = corrected
        await self._write((item, self._by_hand(corrected, "corrected")), (_kept(corrected),))

    def _inside(self, session_id: UUID) -> Stay:
        stay = self._stays.get(session_id)
        if stay is None:
            raise RefusalError(f"no car of session {session_id} stands inside; look it up again")
        return stay

    def _sight(self, lane: GateLane, seen: PlateSeen) -> Sight:
        now = seen.seen_at if seen.stored_offline else self._clock.now()
        plate = None if seen.plate is None else seen.plate.strip().upper()
        lot = self._plan.lots[lane.lot]
        stay = next((stay for stay in self._stays.values() if stay.lot == lot.lot and stay.plate == plate), None)
        passed = self._passed.get(lane.camera)
        return Sight(
            lot=lot,
            direction=lane.direction,
            plate=plate,
            seen_at=now,
            offline=seen.stored_offline,
            permit=None if plate is None else self._permits.find(plate, lot.lot, now),
            stay=stay,
            quote=None if stay is None or lane.direction is Direction.ENTRY else self._quoted(stay, now),
            occupied=self.occupied(lot.lot),
            just_passed=passed is not None and passed.plate == plate and now - passed.at < REPEAT_SPAN,
        )

    def _quoted(self, stay: Stay, until: datetime) -> Quote | None:
        entered = from_epoch_ms(stay.entered_ms)
        quoted = self._quote(stay.lot, entered, max(until, entered))
        return None if quoted is None else Quote(amount_fen=quoted[0], revision=quoted[1])

    def _act(
        self, lane: GateLane, seen: PlateSeen, sight: Sight, ruling: Ruling
    ) -> tuple[tuple[Record, ...], tuple[StageState, ...]]:
        """Move the sessions on and return what is stored for it."""
        if ruling.act is None:
            return (), ()
        records: list[Record] = []
        states: list[StageState] = []
        stay = sight.stay
        if ruling.act is Act.ENTRY and stay is not None:
            records.append(self._by_hand(stay, "void"))
            states.append(_gone(self._stays.pop(stay.session_id)))
            stay = None
        item = None if sight.plate is None or stay is not None else self._personal(sight.plate)
        if item is not None:
            records.append(item)
        if ruling.act is Act.ENTRY and item is not None:
            stay = self._new_stay(lane, sight, item)
            states.append(_kept(stay))
        records.append(self._event(lane, seen, sight, ruling, (stay, item)))
        if ruling.act is Act.EXIT and stay is not None:
            states.append(_gone(self._stays.pop(stay.session_id)))
        return tuple(records), tuple(states)

    def _new_stay(self, lane: GateLane, sight: Sight, item: PersonalItem) -> Stay:
        stay = Stay(
            session_id=self._ids.new(),
            lot=lane.lot,
            plate=item.value,
            vehicle=item.item_id,
            vehicle_class=vehicle_class(sight.permit),
            entered_ms=to_epoch_ms(sight.seen_at),
        )
        self._stays[stay.session_id] = stay
        return stay

    def _event(
        self,
        lane: GateLane,
        seen: PlateSeen,
        sight: Sight,
        ruling: Ruling,
        who: tuple[Stay | None, PersonalItem | None],
    ) -> ParkingEvent:
        stay, item = who
        quote = sight.quote if ruling.act is not Act.ENTRY else None
        vehicle = stay.vehicle if stay is not None else None if item is None else item.item_id
        return ParkingEvent(
            event_id=self._ids.new(),
            lot=lane.lot,
            what=Act.REFUSED.value if ruling.act is None else ruling.act.value,
            session_id=None if stay is None else stay.session_id,
            vehicle=vehicle,
            vehicle_class=vehicle_class(sight.permit).value,
            camera=lane.camera,
            camera_ms=to_epoch_ms(seen.seen_at),
            decision=ruling.decision.value,
            reason=ruling.reason.value,
            offline=sight.offline,
            quote_fen=None if quote is None else quote.amount_fen,
            tariff_code=None if quote is None else quote.revision.tariff_code,
            tariff_rev=None if quote is None else quote.revision.rev,
            tariff_from=None if quote is None else quote.revision.effective_from.isoformat(),
            entered_ms=None if stay is None else stay.entered_ms,
        )

    def _by_hand(self, stay: Stay, what: str) -> ParkingEvent:
        return ParkingEvent(
            event_id=self._ids.new(),
            lot=stay.lot,
            what=what,
            session_id=stay.session_id,
            vehicle=stay.vehicle,
            vehicle_class=stay.vehicle_class.value,
            camera="",
            camera_ms=to_epoch_ms(self._clock.now()),
            decision=Decision.HOLD.value,
            reason=Reason.BY_HAND.value,
            quote_fen=stay.paid_fen if what == "settled" else None,
            entered_ms=stay.entered_ms,
        )

    def _personal(self, plate: str) -> PersonalItem:
        return PersonalItem(item_id=self._ids.new(), retention=RETENTION, kind="plate", value=plate)

    def _remember(self, event_key: str) -> tuple[StageState, ...]:
        """Know the camera's record again, also after a restart; forget the oldest."""
        self._sights[event_key] = None
        made = self._clock.look().boot_ms.to_bytes(8)
        fresh = StageState(owner=SIGHTS, name=event_key, body=made)
        if len(self._sights) <= SIGHTS_KEPT:
            return (fresh,)
        oldest, _ = self._sights.popitem(last=False)
        return fresh, StageState(owner=SIGHTS, name=oldest, body=None)

    async def _write(self, records: tuple[Record, ...], states: tuple[StageState, ...]) -> None:
        """Make it durable; while the disk refuses, keep it in memory in order and go on deciding."""
        self._unwritten.append((records, states))
        if len(self._unwritten) > UNWRITTEN_MAX:
            self._unwritten.pop(0)
            _log.error("gate_record_dropped", kept=UNWRITTEN_MAX)
        async with self._writing:
            while self._unwritten:
                waiting, waiting_states = self._unwritten[0]
                try:
                    await self._store.record(*waiting, lane=Lane.GATE, states=waiting_states)
                except StoreUnavailableError as error:
                    _log.error("gate_decides_from_memory", unwritten=len(self._unwritten), error=str(error))
                    return
                self._unwritten.pop(0)

    async def _open(self, wire: GateWire, barrier: str, key: str) -> None:
        """Tell the barrier; a command that may have arrived is never sent again."""
        answer = BarrierAnswer.UNREACHABLE
        for attempt in range(OPEN_TRIES):
            answer = await wire.open_barrier(barrier, f"{key}-{attempt}")
            if answer is not BarrierAnswer.UNREACHABLE:
                break
            await asyncio.sleep(OPEN_RETRY_S)
        if answer is not BarrierAnswer.ACCEPTED:
            self.stats.unanswered += 1
            _log.warning("barrier_did_not_confirm", barrier=barrier, answer=answer.value)


def _kept(stay: Stay) -> StageState:
    return StageState(owner=STAYS, name=str(stay.session_id), body=msgspec.msgpack.encode(stay))


def _gone(stay: Stay) -> StageState:
    return StageState(owner=STAYS, name=str(stay.session_id), body=None)
