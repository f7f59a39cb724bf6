"""Charging at work: what piles say becomes durable before they are answered; each charge is sealed once.

Invariants: a charge's number, registers and end are committed before the pile hears of them, so a pile that repeats
after a lost answer changes nothing; money never rests on a pile's arithmetic, only on its registers; the card stands in
the personal lane and in the charges on board, never in a log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec
import structlog

from common.clock import to_epoch_ms
from common.errors import RefusalError
from common.ids import IdSource
from common.rating.charge import Charge
from common.tariff.revision import RevisionRef
from common.wire.batch import PersonalItem
from common.wire.records import ChargingEvent
from edge.buffer.records import Lane, Record, StageState
from edge.buffer.store import Store
from edge.charging.plan import ChargingPlan, OpenTo, Pile
from edge.charging.rules import (
    Charging,
    End,
    believed_ms,
    idle_from,
    is_due,
    to_rate,
    with_end,
    with_sample,
)
from edge.clock import EdgeClock
from edge.driver.cards import CardBook, CardState
from edge.driver.pile_events import PileDesk, PileWire, Plug, Sampled, StartTold, StopAnswer, StopTold, Verdict

CHARGES, SEALED, COUNTER = "charge", "charge-sealed", "charge-number"
SEALED_KEPT = 500
SWEEP_S = 30.0
TRANSACTION_MOST = 2**31 - 1
RETENTION = "charging"
Quoter = Callable[[str, Charge], tuple[int, RevisionRef] | None]
MakeWire = Callable[[str, Sequence[str], PileDesk], PileWire]
_log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class ChargingStats:
    """Counters since start."""

    started: int = 0
    refused: int = 0
    sealed: int = 0
    interrupted: int = 0
    unknown_piles: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """A charge that was sealed: enough to know its start and its end again."""

    session_id: UUID
    transaction: int
    pile: str
    connector: int
    card: str
    meter_start_wh: int
    started_ms: int
    meter_stop_wh: int


class ChargingStage:
    """The charges of the site."""

    def __init__(self, store: Store, clock: EdgeClock, ids: IdSource, quote: Quoter, make_wire: MakeWire) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._quote = quote
        self._make_wire = make_wire
        self._plan = ChargingPlan()
        self._cards = CardBook()
        self._changed = asyncio.Event()
        self._charges: dict[UUID, Charging] = {}
        self._done: dict[int, _Done] = {}
        self._number = 0
        self._wires: Mapping[str, PileWire] = {}
        self.plugs: dict[tuple[str, int], Plug] = {}
        self.stats = ChargingStats()

    async def load(self) -> None:
        """Take up the charges under way before a restart."""
        stored = await self._store.stage(CHARGES)
        self._charges = {UUID(name): msgspec.msgpack.decode(body, type=Charging) for name, body in stored.items()}
        sealed = [msgspec.msgpack.decode(body, type=_Done) for body in (await self._store.stage(SEALED)).values()]
        self._done = {done.transaction: done for done in sorted(sealed, key=lambda done: done.transaction)}
        counter = (await self._store.stage(COUNTER)).get(COUNTER)
        self._number = 0 if counter is None else int.from_bytes(counter)

    def use(self, plan: ChargingPlan) -> None:
        """Put piles in force; their ports are opened anew."""
        self._plan = plan
        self._changed.set()

    def use_cards(self, cards: CardBook) -> None:
        """Put cards in force."""
        self._cards = cards

    @property
    def piles(self) -> Mapping[str, Pile]:
        """Return the piles in force."""
        return self._plan.piles

    def charges(self) -> Mapping[UUID, Charging]:
        """Return the charges under way."""
        return self._charges

    def quoted(self, charge: Charging) -> tuple[int, RevisionRef] | None:
        """Return what a charge costs so far, idling included; None without a price."""
        return self._quote(charge.pile, to_rate(charge, self._now_ms()))

    async def run(self) -> None:
        """Serve the piles of the plan in force until cancelled; without piles, wait for some."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._wires = {wire: self._make_wire(wire, self._plan.piles_on(wire), self) for wire in self._plan.wires}
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(wire.run()) for wire in self._wires.values()]
                tasks.append(group.create_task(self._sweep_on()))
                await self._changed.wait()
                for task in tasks:
                    task.cancel()

    async def boot(self, pile: str) -> bool:
        """Return whether the pile is ours; a charge under way there waits for its end, or is interrupted."""
        if pile not in self._plan.piles:
            self.stats.unknown_piles += 1
            return False
        for charge in [one for one in self._charges.values() if one.pile == pile and one.ended_ms is None]:
            await self._keep(replace(charge, lost_ms=charge.lost_ms or self._now_ms()))
        return True

    async def authorize(self, pile: str, card: str) -> Verdict:
        """Return whether a card may charge here."""
        known = self._plan.piles.get(pile)
        if known is None:
            return Verdict.UNKNOWN
        if known.open_to is OpenTo.ANYONE:
            return Verdict.ACCEPTED
        match self._cards.at_pile(card, pile, self._clock.now()):
            case CardState.ADMITTED:
                return Verdict.ACCEPTED
            case CardState.EXPIRED | CardState.REVOKED | CardState.NOT_YET:
                return Verdict.EXPIRED
            case _:
                return Verdict.UNKNOWN

    async def start(self, told: StartTold) -> tuple[int, Verdict]:
        """Give the charge its number; a start told again gets the number it had."""
        at_ms = believed_ms(told.at_ms, self._now_ms())
        for charge in self._charges.values():
            here = self._at(charge) == (told.pile, told.connector)
            if here and charge.is_start_of(told.card, told.meter_wh, at_ms):
                return charge.transaction, Verdict.ACCEPTED
        for done in self._done.values():
            same = (done.pile, done.connector, done.card, done.meter_start_wh, done.started_ms)
            if same == (told.pile, told.connector, told.card, told.meter_wh, at_ms):
                return done.transaction, Verdict.ACCEPTED
        verdict = await self.authorize(told.pile, told.card)
        self.stats.refused += verdict is not Verdict.ACCEPTED
        self.stats.started += verdict is Verdict.ACCEPTED
        for other in [one for one in self._charges.values() if self._at(one) == (told.pile, told.connector)]:
            await self._seal(other, End.ENDED if other.ended_ms is not None else End.INTERRUPTED, at_ms)
        self._number = self._number % TRANSACTION_MOST + 1
        charge = Charging(
            session_id=self._ids.new(),
            transaction=self._number,
            pile=told.pile,
            connector=told.connector,
            card=told.card,
            started_ms=at_ms,
            samples=((at_ms, told.meter_wh),),
        )
        counter = StageState(owner=COUNTER, name=COUNTER, body=self._number.to_bytes(4))
        await self._keep(charge, counter)
        return charge.transaction, verdict

    async def sample(self, told: Sampled) -> None:
        """Take a register of the charge it names, or of the one under way at the connector."""
        charge = self._find(told.pile, told.connector, told.transaction)
        if charge is None or charge.ended_ms is not None:
            return
        after = with_sample(charge, believed_ms(told.at_ms, self._now_ms()), told.meter_wh)
        if after is not charge:
            await self._keep(after)

    async def plug(self, pile: str, connector: int, plug: Plug, at_ms: int) -> None:
        """Take what a connector says: full begins the idle time, free ends it; free without an end interrupts."""
        self.plugs[pile, connector] = plug
        charge = self._find(pile, connector, None)
        if charge is None:
            return
        at_ms = believed_ms(at_ms, self._now_ms())
        match plug:
            case Plug.FULL if charge.full_ms is None:
                await self._keep(replace(charge, full_ms=at_ms))
            case Plug.CHARGING if charge.full_ms is not None and charge.ended_ms is None:
                await self._keep(replace(charge, full_ms=None, lost_ms=None))
            case Plug.FREE if charge.ended_ms is not None:
                await self._seal(charge, End.ENDED, max(at_ms, charge.ended_ms))
            case Plug.FREE | Plug.FAULTED if charge.ended_ms is None and charge.lost_ms is None:
                await self._keep(replace(charge, lost_ms=self._now_ms()))
            case _:
                pass

    async def stop(self, told: StopTold) -> None:
        """Take the end of a charge. What was sealed before is told apart, what nobody began is told to a person."""
        charge = self._find(told.pile, None, told.transaction)
        at_ms = believed_ms(told.at_ms, self._now_ms())
        if charge is not None:
            gone = charge.lost_ms is not None and self.plugs.get(self._at(charge)) is not Plug.CHARGING
            ended = with_end(charge, at_ms, told.meter_wh, told.reason)
            if gone or self.plugs.get(self._at(charge), Plug.FREE) is Plug.FREE:
                await self._seal(ended, End.ENDED, ended.ended_ms)
            else:
                await self._keep(ended)
            return
        done = None if told.transaction is None else self._done.get(told.transaction)
        if done is not None and done.pile == told.pile and told.meter_wh <= done.meter_stop_wh:
            return
        await self._tell_stray(told, done, at_ms)

    async def remote_start(self, pile: str, connector: int, card: str) -> StopAnswer:
        """Ask a pile to begin a charge for a card.

        Raises:
            RefusalError: there is no such pile, or the card may not charge there.
        """
        known = self._plan.piles.get(pile)
        if known is None or known.wire not in self._wires:
            raise RefusalError(f"there is no charging pile {pile}; choose one of the list")
        if await self.authorize(pile, card) is not Verdict.ACCEPTED:
            raise RefusalError(f"this card may not charge at {pile}; give it a permit at the office first")
        return await self._wires[known.wire].remote_start(pile, connector, card)

    async def remote_stop(self, session_id: UUID) -> StopAnswer:
        """Ask the pile of a charge to end it.

        Raises:
            RefusalError: the charge is not under way.
        """
        charge = self._charges.get(session_id)
        known = None if charge is None else self._plan.piles.get(charge.pile)
        if charge is None or charge.ended_ms is not None or known is None:
            raise RefusalError("this charge is not under way any more; look at the list again")
        return await self._wires[known.wire].remote_stop(charge.pile, charge.connector, charge.transaction)

    async def sweep(self) -> None:
        """Seal what has waited for its pile long enough."""
        now_ms = self._now_ms()
        for charge in [one for one in self._charges.values() if is_due(one, now_ms)]:
            await self._seal(charge, End.INTERRUPTED if charge.ended_ms is None else End.ENDED, now_ms)

    async def _sweep_on(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            await self.sweep()

    def _now_ms(self) -> int:
        return to_epoch_ms(self._clock.now())

    @staticmethod
    def _at(charge: Charging) -> tuple[str, int]:
        return charge.pile, charge.connector

    def _find(self, pile: str, connector: int | None, transaction: int | None) -> Charging | None:
        """Return the charge of a number at a pile, or without a number the newest at its connector."""
        mine = [one for one in self._charges.values() if one.pile == pile]
        if transaction is not None:
            return next((one for one in mine if one.transaction == transaction), None)
        here = [one for one in mine if one.connector == connector]
        return max(here, key=lambda one: one.transaction, default=None)

    async def _keep(self, charge: Charging, *states: StageState) -> None:
        kept = StageState(owner=CHARGES, name=str(charge.session_id), body=msgspec.msgpack.encode(charge))
        await self._write((), (kept, *states))
        self._charges[charge.session_id] = charge

    async def _seal(self, charge: Charging, end: End, unplugged_ms: int | None) -> None:
        """Write the charge up for good; it is priced by the tariff on board, the bill is the cloud's."""
        item = PersonalItem(item_id=self._ids.new(), retention=RETENTION, kind="card", value=charge.card)
        rated = to_rate(charge, unplugged_ms)
        quote = self._quote(charge.pile, rated)
        event = ChargingEvent(
            event_id=self._ids.new(),
            pile=charge.pile,
            connector=charge.connector,
            what=end.value,
            session_id=charge.session_id,
            holder=item.item_id,
            started_ms=charge.started_ms,
            ended_ms=charge.samples[-1][0] if charge.ended_ms is None else charge.ended_ms,
            sample_ms=tuple(at for at, _ in charge.samples),
            sample_wh=tuple(wh for _, wh in charge.samples),
            idle_from_ms=idle_from(charge),
            idle_to_ms=unplugged_ms if idle_from(charge) is not None else None,
            reason=charge.reason,
            quote_fen=None if quote is None else quote[0],
            tariff_code=None if quote is None else quote[1].tariff_code,
            tariff_rev=None if quote is None else quote[1].rev,
            tariff_from=None if quote is None else quote[1].effective_from.isoformat(),
        )
        done = _Done(
            session_id=charge.session_id,
            transaction=charge.transaction,
            pile=charge.pile,
            connector=charge.connector,
            card=charge.card,
            meter_start_wh=charge.samples[0][1],
            started_ms=charge.started_ms,
            meter_stop_wh=charge.last_wh,
        )
        gone = StageState(owner=CHARGES, name=str(charge.session_id), body=None)
        await self._write((item, event), (gone, *self._note(done)))
        self._charges.pop(charge.session_id, None)
        self.stats.sealed += 1
        self.stats.interrupted += end is End.INTERRUPTED

    def _note(self, done: _Done) -> tuple[StageState, ...]:
        self._done[done.transaction] = done
        kept = StageState(owner=SEALED, name=str(done.transaction), body=msgspec.msgpack.encode(done))
        if len(self._done) <= SEALED_KEPT:
            return (kept,)
        oldest = next(iter(self._done))
        del self._done[oldest]
        return kept, StageState(owner=SEALED, name=str(oldest), body=None)

    async def _tell_stray(self, told: StopTold, done: _Done | None, at_ms: int) -> None:
        """Record an end that belongs to no charge under way, for a person to look at; it is never billed by itself."""
        _log.warning("stray_end_of_charge", pile=told.pile, transaction=told.transaction)
        start = (at_ms, told.meter_wh) if done is None else (done.started_ms, done.meter_start_wh)
        samples = (start, (max(at_ms, start[0]), max(told.meter_wh, start[1])))
        event = ChargingEvent(
            event_id=self._ids.new(),
            pile=told.pile,
            connector=0 if done is None else done.connector,
            what=(End.UNKNOWN if done is None else End.LATE).value,
            session_id=None if done is None else done.session_id,
            holder=None,
            started_ms=start[0],
            ended_ms=at_ms,
            sample_ms=tuple(at for at, _ in samples),
            sample_wh=tuple(wh for _, wh in samples),
            idle_from_ms=None,
            idle_to_ms=None,
            reason=told.reason,
        )
        states = () if done is None else self._note(replace(done, meter_stop_wh=max(told.meter_wh, done.meter_stop_wh)))
        await self._write((event,), states)

    async def _write(self, records: tuple[Record, ...], states: tuple[StageState, ...]) -> None:
        await self._store.record(*records, lane=Lane.GATE, states=states)
