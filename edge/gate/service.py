"""The gate at work: sights in, durable decisions, barriers out; sessions survive restarts.

    camera ─► sight ─► decide ─► commit ─► open, sign ─► answer to the camera
                          ▲
    paid, ticket code ────┘  a car that waits at an exit is looked at again

Invariants: a decision and its record are one commit in the gate lane, made before the barrier is told; a camera's
repeated record is known by its key and makes nothing new; when the disk refuses, people still get in and out and the
record follows from memory. A plate is written to the personal lane and to the sessions on board, never to a log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from common.clock import from_epoch_ms, to_epoch_ms
from common.errors import RefusalError
from common.ids import IdSource
from common.rating.request import Visit
from common.tariff.revision import RevisionRef
from edge.buffer.store import Store
from edge.clock import EdgeClock
from edge.driver.gate_events import BarrierAnswer, GateWire, PlateSeen
from edge.driver.signs import Sign
from edge.gate.acts import Clerk, Deed
from edge.gate.log import GateLog
from edge.gate.plan import EXIT_GRACE_MINUTES, Direction, GateLane, GatePlan, Permit, PermitBook, VehicleClass
from edge.gate.rules import REPEAT_SPAN, Act, Decision, Quote, Ruling, Sight, Stay, decide
from edge.gate.signs import sign_of
from edge.gate.stays import STAYS, VISITS, StayBook
from edge.protocol.plates import CHARACTERS_MOST, normalise

OPEN_TRIES = 3
OPEN_RETRY_S = 1.0
WAITS = timedelta(minutes=5)  # how long a car that was held is taken to stand at the barrier still
_log = structlog.get_logger()


class Quoter(Protocol):
    """Prices the last of some visits of one vehicle to a lot, after the earlier ones; None without a price."""

    def __call__(
        self,
        lot: str,
        visits: Sequence[Visit],
        *,
        paid_at: datetime | None,
        granted_minutes: int,
        traits: Mapping[str, str],
    ) -> tuple[int, RevisionRef] | None:
        """Return the amount in fen and the revision it is by."""
        ...


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
class _Look:
    """What a camera saw last: the car let through, to tell a second look from a second car, or the car held."""

    seen: PlateSeen
    plate: str | None
    at: datetime


class Gate:
    """Decides for every lane of the site from what is on board."""

    def __init__(
        self, store: Store, clock: EdgeClock, ids: IdSource, quote: Quoter, make_wire: Callable[[GatePlan], GateWire]
    ) -> None:
        self._store = store
        self._clock = clock
        self._quote = quote
        self._make_wire = make_wire
        self._plan = GatePlan()
        self._changed = asyncio.Event()
        self._permits = PermitBook({})
        self._book = StayBook()
        self._log = GateLog(store)
        self._clerk = Clerk(self._book, clock, ids)
        self._passed: dict[str, _Look] = {}
        self._held: dict[str, _Look] = {}
        self._again: asyncio.Queue[tuple[GateLane, PlateSeen]] = asyncio.Queue()
        self._orders: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.stats = GateStats()

    async def load(self) -> None:
        """Take up the sessions, the visits and the camera records known before a restart."""
        self._book.load(await self._store.stage(STAYS), await self._store.stage(VISITS))
        await self._log.load()

    def use(self, plan: GatePlan) -> None:
        """Put lanes in force; the wires are opened anew."""
        self._plan = plan
        self._changed.set()

    def use_permits(self, permits: PermitBook) -> None:
        """Put permits in force."""
        self._permits = permits

    @property
    def lanes(self) -> Sequence[GateLane]:
        """Return the lanes in force."""
        return tuple(self._plan.lanes.values())

    def occupancy(self) -> Mapping[str, int]:
        """Return how many cars stand in each lot."""
        return {lot: self.occupied(lot) for lot in self._plan.lots}

    def occupied(self, lot: str) -> int:
        """Return how many cars stand in a lot."""
        return sum(stay.lot == lot for stay in self._book.stays.values())

    def grace_minutes(self, lot: str) -> int:
        """Return how long the way to the exit of a lot may take after paying."""
        held = self._plan.lots.get(lot)
        return EXIT_GRACE_MINUTES if held is None else held.exit_grace_minutes

    def stays(self) -> Mapping[UUID, Stay]:
        """Return the cars inside."""
        return self._book.stays

    def quoted(self, stay: Stay, until: datetime) -> Quote | None:
        """Return what a stay costs until an instant; None when the gateway has no price for it."""
        found = self._quote(
            stay.lot,
            self._book.visits(stay, max(until, from_epoch_ms(stay.entered_ms))),
            paid_at=None if stay.paid_ms is None else from_epoch_ms(stay.paid_ms),
            granted_minutes=stay.granted_minutes,
            traits={"vehicle_class": stay.vehicle_class.value},
        )
        return None if found is None else Quote(amount_fen=found[0], revision=found[1])

    def find(self, text: str) -> Stay | None:
        """Return the car inside of that very plate or ticket code."""
        plate = normalise(text)
        return next((stay for stay in self._book.stays.values() if plate is not None and stay.plate == plate), None)

    async def run(self) -> None:
        """Serve the lanes of the plan in force until cancelled; without lanes, wait for some."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if not self._plan.lanes:
                continue
            wire = self._make_wire(self._plan)
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(wire.run()),
                    group.create_task(self._serve(wire, group)),
                    group.create_task(self._look_again(wire, group)),
                    group.create_task(self._obey(wire)),
                ]
                await self._changed.wait()
                for task in tasks:
                    task.cancel()

    async def _serve(self, wire: GateWire, group: asyncio.TaskGroup) -> None:
        async for seen in wire.events():
            lane = self._plan.lanes.get(seen.camera)
            if lane is None:
                self.stats.unknown_cameras += 1
                await wire.answer(seen, None)
                continue
            await self._pass(wire, group, lane, seen)

    async def _look_again(self, wire: GateWire, group: asyncio.TaskGroup) -> None:
        while True:
            lane, seen = await self._again.get()
            await self._pass(wire, group, lane, seen)

    async def _obey(self, wire: GateWire) -> None:
        while True:
            await self._open(wire, *await self._orders.get())

    async def _pass(self, wire: GateWire, group: asyncio.TaskGroup, lane: GateLane, seen: PlateSeen) -> None:
        """Decide, make it durable, then tell barrier, board and camera; none of these holds up the next car."""
        sight, ruling, deed = self._judge(lane, seen)
        if ruling is None:
            group.create_task(wire.answer(seen, None))
            return
        await self._commit(seen, deed)
        barrier = lane.barrier if ruling.decision is Decision.OPEN else None
        group.create_task(self._tell(wire, barrier, seen, sign_of(sight, ruling, deed.ticket)))

    async def _tell(self, wire: GateWire, barrier: str | None, seen: PlateSeen, sign: Sign | None) -> None:
        if barrier is not None:
            await self._open(wire, barrier, seen.event_key)
        await wire.answer(seen, sign)

    async def handle(self, lane: GateLane, seen: PlateSeen) -> Ruling | None:
        """Decide on one sight and make it durable; None for a record that was handled before."""
        _, ruling, deed = self._judge(lane, seen)
        if ruling is not None:
            await self._commit(seen, deed)
        return ruling

    def _judge(self, lane: GateLane, seen: PlateSeen) -> tuple[Sight, Ruling | None, Deed]:
        self.stats.sights += 1
        sight = self._sight(lane, seen)
        if self._log.knows(seen.event_key):
            self.stats.repeats += 1
            return sight, None, Deed()
        ruling = decide(sight)
        deed = self._clerk.deed(lane, seen, sight, ruling)
        opens = ruling.decision is Decision.OPEN
        self.stats.opened += opens
        self.stats.held += not opens
        look = _Look(seen=seen, plate=sight.plate, at=sight.seen_at)
        self._held.pop(lane.camera, None)
        if opens and sight.plate is not None:
            self._passed[lane.camera] = look
        elif ruling.act is Act.REFUSED:
            self._held[lane.camera] = look
        return sight, ruling, deed

    async def _commit(self, seen: PlateSeen, deed: Deed) -> None:
        known = self._log.remember(seen.event_key, self._clock.look().boot_ms)
        await self._log.write(tuple(deed.records), (*deed.states, *known))

    async def settle(self, session_id: UUID, amount_fen: int) -> None:
        """Note that a stay was paid; a car that waits at an exit leaves, another may within the grace.

        Raises:
            RefusalError: no such car stands inside, or the amount is nothing.
        """
        stay = self._inside(session_id)
        if amount_fen <= 0:
            raise RefusalError(f"{amount_fen} fen pay for nothing; give what was taken")
        paid = replace(stay, paid_ms=to_epoch_ms(self._clock.now()), paid_fen=stay.paid_fen + amount_fen)
        await self._log.write((self._clerk.by_hand(paid, "settled"),), (self._book.keep(paid),))
        self._call_waiting(paid)

    async def correct(self, session_id: UUID, plate: str) -> None:
        """Correct the plate of a car inside; its time of entry stays, both readings are kept.

        Raises:
            RefusalError: no such car stands inside, the text is no plate, or another car inside has it.
        """
        stay = self._inside(session_id)
        text = normalise(plate)
        if text is None or len(text) > CHARACTERS_MOST:
            raise RefusalError(f"a plate has 1 to {CHARACTERS_MOST} characters; give it as it stands on the car")
        double = self._book.find(stay.lot, text, likely=False).stay
        if double is not None and double.session_id != session_id:
            raise RefusalError("another car inside has this plate; look at both and end the one that is not there")
        item = self._clerk.personal(text)
        corrected = replace(stay, plate=text, vehicle=item.item_id)
        await self._log.write((item, self._clerk.by_hand(corrected, "corrected")), (self._book.keep(corrected),))
        self._call_waiting(corrected)

    async def end(self, session_id: UUID, *, let_go: bool) -> None:
        """End a session by hand: the car left unseen (`let_go`), or was never there.

        Raises:
            RefusalError: no such car stands inside.
        """
        stay = self._inside(session_id)
        record = self._clerk.by_hand(stay, "exit" if let_go else "void")
        states = self._book.end(stay, self._clock.now()) if let_go else (self._book.drop(stay),)
        await self._log.write((record,), states)

    async def leave_by_ticket(self, camera: str, code: str) -> None:
        """Let the car that stands at an exit without a readable plate leave on its ticket code, when it may.

        Raises:
            RefusalError: nobody waits there, or the code is of no car inside.
        """
        lane, look = self._plan.lanes.get(camera), self._waiting(camera)
        stay = self.find(code)
        if lane is None or look is None:
            raise RefusalError("no car is held at this lane; drive up to the camera first")
        if stay is None or stay.lot != lane.lot:
            raise RefusalError("this code belongs to no car inside; look at the ticket again or ask the gate office")
        self._again.put_nowait((lane, self._second(look, stay.plate)))

    async def open_by_hand(self, camera: str) -> None:
        """Open a lane without a session, for an ambulance or when the camera fails; it is on record.

        Raises:
            RefusalError: there is no such lane.
        """
        lane = self._plan.lanes.get(camera)
        if lane is None:
            raise RefusalError(f"camera {camera} stands at no lane; choose one of the list")
        now = self._clock.now()
        await self._log.write((self._clerk.opened_by_hand(lane, now),), ())
        self._orders.put_nowait((lane.barrier, f"hand-{to_epoch_ms(now)}"))

    def _call_waiting(self, stay: Stay) -> None:
        """Look again at the exits of the lot where this very car is held."""
        for camera, lane in self._plan.lanes.items():
            look = self._waiting(camera)
            if look is None or lane.lot != stay.lot or lane.direction is Direction.ENTRY:
                continue
            found = self._book.find(lane.lot, look.plate, likely=True).stay
            if found is not None and found.session_id == stay.session_id:
                self._again.put_nowait((lane, self._second(look, look.plate)))

    def _waiting(self, camera: str) -> _Look | None:
        look = self._held.get(camera)
        return look if look is not None and self._clock.now() - look.at <= WAITS else None

    def _second(self, look: _Look, plate: str | None) -> PlateSeen:
        """Return the sight of a held car again, as an event of its own."""
        key = f"{look.seen.event_key}+{to_epoch_ms(self._clock.now())}"
        return replace(look.seen, event_key=key, plate=plate)

    def _inside(self, session_id: UUID) -> Stay:
        stay = self._book.stays.get(session_id)
        if stay is None:
            raise RefusalError(f"no car of session {session_id} stands inside; look it up again")
        return stay

    def _sight(self, lane: GateLane, seen: PlateSeen) -> Sight:
        now = seen.seen_at if seen.stored_offline else self._clock.now()
        read = None if seen.plate is None else normalise(seen.plate)
        lot = self._plan.lots[lane.lot]
        found = self._book.find(lot.lot, read, likely=self._may_be_misread(lane, read, now))
        plate = read if found.stay is None else found.stay.plate
        passed = self._passed.get(lane.camera)
        leaving = found.stay is not None and lane.direction is not Direction.ENTRY
        return Sight(
            lot=lot,
            direction=lane.direction,
            plate=plate,
            seen_at=now,
            offline=seen.stored_offline,
            permit=None if plate is None else self._permit(plate, lot.lot, now, found.stay),
            stay=found.stay,
            quote=self.quoted(found.stay, now) if leaving and found.stay is not None else None,
            occupied=self.occupied(lot.lot),
            just_passed=passed is not None and passed.plate == plate and now - passed.at < REPEAT_SPAN,
            misread=found.misread,
        )

    def _may_be_misread(self, lane: GateLane, read: str | None, now: datetime) -> bool:
        """Return whether to look for a likely plate: only of a car that leaves and has no permit under its own."""
        if lane.direction is not Direction.EXIT or read is None:
            return False
        return self._permits.find(read, lane.lot, now) is None

    def _permit(self, plate: str, lot: str, now: datetime, stay: Stay | None) -> Permit | None:
        """Return the permit in force; one whose only place another car held does not cover this one."""
        permit = self._permits.find(plate, lot, now)
        if permit is None or permit.space is None or not permit.covers:
            return permit
        shut_out = stay is not None and stay.vehicle_class is VehicleClass.TEMPORARY
        return None if shut_out or self._book.holder_of(permit.space, plate) is not None else permit

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
