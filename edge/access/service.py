"""Access at work: a card at a door, a decision from what is on board, its record, then the open door.

Invariants: the record is committed before the door is told; a board's repeated event, also one that it repeats after
our restart, opens nothing; while the disk refuses, people still get home and the record says less. Expiry is judged by
the newest time ever seen, so a clock that lost its way does not revive a card. Nothing here knows what anybody owes
(promise 9). A card stands in the personal lane only, never in a log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from common.clock import from_epoch_ms, to_epoch_ms
from common.errors import RefusalError
from common.ids import IdSource
from common.wire.batch import PersonalItem
from common.wire.records import AccessEvent
from edge.access.plan import AccessPlan
from edge.buffer.records import Lane, Record, StageState
from edge.buffer.store import Store
from edge.buffer.writer import StoreUnavailableError
from edge.clock import EdgeClock
from edge.driver.cards import CardBook, CardState
from edge.driver.door_events import DoorAnswer, DoorPost, DoorWire, Swipe

HEARD, NEWEST = "access-heard", "access-newest"
RETENTION = "access"
OPEN, REFUSED = "open", "refused"
BY_HAND = "by_hand"
NEWEST_STEP_MS = 3_600_000  # the newest time is written once an hour, not with every card
MakeWire = Callable[[str, Sequence[DoorPost]], DoorWire]
_log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class AccessStats:
    """Counters since start."""

    swipes: int = 0
    repeats: int = 0
    opened: int = 0
    refused: int = 0
    unanswered: int = 0


class Access:
    """Decides for every door of the site from what is on board."""

    def __init__(self, store: Store, clock: EdgeClock, ids: IdSource, make_wire: MakeWire) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._make_wire = make_wire
        self._plan = AccessPlan()
        self._cards = CardBook()
        self._changed = asyncio.Event()
        self._heard: dict[str, int] = {}
        self._newest_ms = 0
        self._wires: Mapping[str, DoorWire] = {}
        self.stats = AccessStats()

    async def load(self) -> None:
        """Take up which events were heard, and the newest time seen."""
        heard = await self._store.stage(HEARD)
        self._heard = {board: int.from_bytes(body) for board, body in heard.items()}
        newest = (await self._store.stage(NEWEST)).get(NEWEST)
        self._newest_ms = 0 if newest is None else int.from_bytes(newest)

    def use(self, plan: AccessPlan) -> None:
        """Put doors in force; their ports are opened anew."""
        self._plan = plan
        self._changed.set()

    def use_cards(self, cards: CardBook) -> None:
        """Put cards in force."""
        self._cards = cards

    @property
    def doors(self) -> Sequence[str]:
        """Return the doors in force."""
        return self._plan.names

    async def run(self) -> None:
        """Serve the doors of the plan in force until cancelled; without doors, wait for some."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._wires = {name: self._make_wire(name, posts) for name, posts in self._plan.doors.items()}
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(wire.run()) for wire in self._wires.values()]
                tasks += [group.create_task(self._serve(wire, group)) for wire in self._wires.values()]
                await self._changed.wait()
                for task in tasks:
                    task.cancel()

    async def handle(self, swipe: Swipe) -> bool:
        """Decide on a card and make it durable; return whether the door is to be opened."""
        self.stats.swipes += 1
        known = self._heard.get(swipe.board)
        if known is not None and swipe.index <= known:
            self.stats.repeats += 1
            return False
        now = self._now()
        state = self._cards.at_door(swipe.card, swipe.door, now)
        # The first word of a board we never heard may be about a card of long ago: it is noted and opens nothing.
        opens = state is CardState.ADMITTED and known is not None
        reason = state.value if known is not None or state is not CardState.ADMITTED else "first_word"
        item = PersonalItem(item_id=self._ids.new(), retention=RETENTION, kind="card", value=swipe.card)
        decision = OPEN if opens else REFUSED
        event = AccessEvent(
            event_id=self._ids.new(), door=swipe.door, decision=decision, reason=reason, holder=item.item_id
        )
        self._heard[swipe.board] = swipe.index
        heard = StageState(owner=HEARD, name=swipe.board, body=swipe.index.to_bytes(8))
        await self._write((item, event), (heard, *self._note_time(now)))
        self.stats.opened += opens
        self.stats.refused += not opens
        return opens and not swipe.let_in

    async def open_by_hand(self, door: str) -> DoorAnswer:
        """Open a door for a person at the gateway's page; it is on record.

        Raises:
            RefusalError: there is no such door.
        """
        wire = self._wire_of(door)
        if wire is None:
            raise RefusalError(f"there is no door {door}; choose one of the list")
        event = AccessEvent(event_id=self._ids.new(), door=door, decision=OPEN, reason=BY_HAND, holder=None)
        await self._write((event,), ())
        return await self._open(wire, door)

    async def _serve(self, wire: DoorWire, group: asyncio.TaskGroup) -> None:
        async for swipe in wire.events():
            if await self.handle(swipe):
                group.create_task(self._open(wire, swipe.door))

    async def _open(self, wire: DoorWire, door: str) -> DoorAnswer:
        """Tell the board once; a command that may have arrived is not sent again."""
        answer = await wire.open_door(door)
        if answer is not DoorAnswer.OPENED:
            self.stats.unanswered += 1
            _log.warning("door_did_not_confirm", door=door, answer=answer.value)
        return answer

    def _wire_of(self, door: str) -> DoorWire | None:
        for name, posts in self._plan.doors.items():
            if any(post.door == door for post in posts):
                return self._wires.get(name)
        return None

    def _now(self) -> datetime:
        """Return the time by which expiry is judged: now, or the newest time seen if that is later."""
        return max(self._clock.now(), from_epoch_ms(self._newest_ms))

    def _note_time(self, now: datetime) -> tuple[StageState, ...]:
        now_ms = to_epoch_ms(now)
        if now_ms - self._newest_ms < NEWEST_STEP_MS:
            return ()
        self._newest_ms = now_ms
        return (StageState(owner=NEWEST, name=NEWEST, body=now_ms.to_bytes(8)),)

    async def _write(self, records: tuple[Record, ...], states: tuple[StageState, ...]) -> None:
        try:
            await self._store.record(*records, lane=Lane.GATE, states=states)
        except StoreUnavailableError as error:
            _log.error("access_decides_from_memory", error=str(error))
