"""What a technician finds on site: meters tried before they are added, dials held against registers. Kept and told.

    try ──live reading──► keep ──► draft on board, read on trial ──► note to the cloud (signed with the next batch)
                                       └── in the plan that comes down signed: the draft has done its work and goes

A draft never changes what is billed: only the office's configuration does. Draft and note are one commit, so is a
comparison; both survive a restart.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

import msgspec
import structlog

from common.errors import RefusalError
from common.ids import MeterId
from common.money.amount import parse_scaled
from common.reading.reading import Quantity, Resource
from common.wire.commissioning import (
    DIAL_COMPARED,
    METER_PROPOSED,
    DialComparison,
    MeterProposal,
    pack_comparison,
    pack_proposal,
)
from common.wire.records import Note
from edge.buffer.records import StageState
from edge.buffer.store import Store
from edge.device.catalogue import Catalogue
from edge.driver.board import Board
from edge.driver.fitness import check_site
from edge.driver.outcome import DeviceConfig, ReadOutcome, WireConfig
from edge.driver.wire_book import Frame, WireBook

OWNER = "commissioning"
TRIALS_MAX = 16
DRAFTS_MAX = 64
TEXT_MAX = 60
TRIAL_READ_S = 900.0
MULTIPLIER_MAX = 1_000_000
_MILLI = 1000
_MILLI_EXPONENT = 3
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A meter on trial: the device as it would be read, when it was kept and by whom, and what it last said."""

    device: DeviceConfig
    at: datetime
    by: str
    outcome: ReadOutcome | None = None
    read_at: datetime | None = None


class _Kept(msgspec.Struct, kw_only=True):
    meter_id: UUID
    serial: str
    wire: str
    profile: str
    address: str
    resource: Resource
    points: tuple[Quantity, ...]
    label: str
    multiplier_milli: int
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A dial held against its register, and when."""

    at: datetime
    comparison: DialComparison


class _KeptDial(msgspec.Struct, kw_only=True):
    at: datetime
    meter_id: UUID
    quantity: str
    dial_milli: int
    read_milli: int
    by: str


class ReadNow(Protocol):
    """Asks a meter of the plan outside its slots."""

    async def __call__(self, meter_id: MeterId) -> ReadOutcome:
        """Return what it answered."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLook:
    """The running gateway as commissioning looks at it."""

    board: Board
    book: WireBook
    catalogue: Catalogue
    wires: Callable[[], Mapping[str, WireConfig]]
    read_now: ReadNow
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    home: Path


class Commissioning:
    """Trials, drafts and comparisons of one gateway."""

    def __init__(self, store: Store, site: SiteLook, stored: Mapping[str, bytes]) -> None:
        self.site = site
        self.drafts: dict[MeterId, Draft] = {}
        self.compared: dict[tuple[MeterId, str], Compared] = {}
        self.last_by = ""
        self._store = store
        self._trials: OrderedDict[MeterId, Draft] = OrderedDict()
        for name, body in stored.items():
            self._recall(name, body)

    @classmethod
    async def load(cls, store: Store, site: SiteLook) -> Commissioning:
        """Return what is on board of drafts and comparisons."""
        return cls(store, site, await store.stage(OWNER))

    async def run(self) -> None:
        """Read the drafts now and then until cancelled."""
        while True:
            await self.settle()
            for meter_id in list(self.drafts):
                try:
                    await self.read_draft(meter_id)
                except (RefusalError, TimeoutError) as error:
                    _log.warning("draft_not_read", reason=str(error))
            await asyncio.sleep(TRIAL_READ_S)

    async def try_meter(self, wire: str, model: str, address: str, by: str) -> Draft:
        """Ask a meter that is not in the plan and return it with its answer; nothing is kept yet.

        Raises:
            RefusalError: wire, model or address cannot be, or the place is taken by a meter of the plan.
        """
        by, address = _name(by, "your name"), address.strip()
        config = self._wire(wire)
        profile = self.site.catalogue.profile(model.strip())
        device = DeviceConfig(
            meter_id=MeterId(self.site.new_id()),
            serial=address,
            wire=wire,
            profile=profile.model,
            address=address,
            resource=Resource(profile.resource),
            points=tuple(dict.fromkeys(point.quantity for point in profile.points)),
        )
        planned = (face.device for face in self.site.board.meters.values())
        taken = next((other for other in planned if _place(other) == _place(device)), None)
        if taken is not None:
            raise RefusalError(f"address {address} on wire {wire} is {taken.label or taken.serial} of the plan already")
        check_site((config,), (device,), self.site.catalogue)
        self.last_by = by
        draft = await self._asked(Draft(device=device, at=self.site.now(), by=by))
        self._trials[device.meter_id] = draft
        if len(self._trials) > TRIALS_MAX:
            self._trials.popitem(last=False)
        return draft

    async def keep(self, meter_id: MeterId, *, serial: str, label: str, multiplier: str) -> Draft:
        """Keep a meter that answered on trial as a draft, and tell the office of it.

        Raises:
            RefusalError: the trial is over, gave no value, or a text does not fit.
        """
        trial = self._trials.get(meter_id)
        if trial is None:
            raise RefusalError("this trial is over; try the meter again")
        if trial.outcome is None or not trial.outcome.points:
            raise RefusalError("the meter gave no value; check wire, model and address, then try it again")
        if len(self.drafts) >= DRAFTS_MAX:
            raise RefusalError(f"{DRAFTS_MAX} drafts wait for the office; let it accept them first")
        if not (multiplier.isascii() and multiplier.isdigit() and 1 <= int(multiplier) <= MULTIPLIER_MAX):
            raise RefusalError(f"multiplier {multiplier!r} is no whole number from 1; 1 means none")
        answered = {point.quantity for point in trial.outcome.points}
        device = replace(
            trial.device,
            serial=_name(serial, "the number on the nameplate"),
            label=label.strip()[:TEXT_MAX],
            points=self._billed(trial.device.profile, answered),
            multiplier_milli=int(multiplier) * _MILLI,
        )
        draft = replace(trial, device=device, at=self.site.now())
        again = [old for old in self.drafts if _place(self.drafts[old].device) == _place(device)]
        states = [StageState(owner=OWNER, name=f"draft/{old}", body=None) for old in again]
        note = Note(what=METER_PROPOSED, detail=pack_proposal(_proposal(draft)))
        await self._store.record(note, states=[*states, _draft_state(draft)])
        for old in again:
            del self.drafts[old]
        del self._trials[meter_id]
        self.drafts[meter_id] = draft
        _log.info("meter_proposed", wire=device.wire, model=device.profile)
        return draft

    async def read_draft(self, meter_id: MeterId) -> Draft:
        """Ask a draft's meter once more.

        Raises:
            RefusalError: there is no such draft.
        """
        draft = self._draft(meter_id)
        asked = await self._asked(draft)
        if meter_id in self.drafts:
            self.drafts[meter_id] = asked
        return asked

    async def drop(self, meter_id: MeterId) -> None:
        """Forget a draft; what the office was told stays told.

        Raises:
            RefusalError: there is no such draft.
        """
        self._draft(meter_id)
        await self._store.record(states=[StageState(owner=OWNER, name=f"draft/{meter_id}", body=None)])
        del self.drafts[meter_id]

    async def settle(self) -> None:
        """Let go of the drafts that stand in the plan in force by now."""
        places = {_place(face.device) for face in self.site.board.meters.values()}
        for meter_id in [name for name, draft in self.drafts.items() if _place(draft.device) in places]:
            await self.drop(meter_id)

    async def compare(self, meter_id: MeterId, quantity: str, dial: str, by: str) -> Compared:
        """Read a meter of the plan, hold its register against what the dial shows, and keep both.

        Raises:
            RefusalError: the meter gave no such value, or the number is none.
        """
        by = _name(by, "your name")
        dial_milli = parse_scaled(dial.strip(), _MILLI_EXPONENT, "the dial")
        outcome = await self.site.read_now(meter_id)
        read = next((point for point in outcome.points if point.quantity == quantity), None)
        if read is None:
            raise RefusalError("the meter gave no value just now; read it again before comparing")
        comparison = DialComparison(
            meter_id=meter_id, quantity=quantity, dial_milli=dial_milli, read_milli=read.value_milli, by=by
        )
        compared = Compared(at=self.site.now(), comparison=comparison)
        note = Note(what=DIAL_COMPARED, detail=pack_comparison(comparison))
        await self._store.record(note, states=[_dial_state(compared)])
        self.compared[meter_id, quantity] = compared
        self.last_by = by
        return compared

    def frames(self, meter_id: MeterId) -> tuple[Frame, ...]:
        """Return the last exchanges of a meter, the newest first."""
        return self.site.book.frames(meter_id)

    async def _asked(self, draft: Draft) -> Draft:
        config = self._wire(draft.device.wire)
        outcome = await self.site.book.read(config, draft.device)
        return replace(draft, outcome=outcome, read_at=self.site.now())

    def _wire(self, name: str) -> WireConfig:
        known = self.site.wires()
        if name not in known:
            raise RefusalError(f"wire {name!r} is not in the plan in force; the office adds wires")
        return known[name]

    def _draft(self, meter_id: MeterId) -> Draft:
        if meter_id not in self.drafts:
            raise RefusalError("there is no such draft; it may stand in the plan by now")
        return self.drafts[meter_id]

    def _billed(self, model: str, answered: set[Quantity]) -> tuple[Quantity, ...]:
        """Return the quantities worth reading for good: those that are billed, all that answered where none is."""
        points = self.site.catalogue.profile(model).points
        billed = dict.fromkeys(point.quantity for point in points if point.billing and point.quantity in answered)
        return tuple(billed or dict.fromkeys(point.quantity for point in points if point.quantity in answered))

    def _recall(self, name: str, body: bytes) -> None:
        """Take up what is stored; what a later release wrote differently is left alone."""
        try:
            if name.startswith("draft/"):
                draft = _draft_of(msgspec.msgpack.decode(body, type=_Kept))
                self.drafts[draft.device.meter_id] = draft
            else:
                compared = _compared_of(msgspec.msgpack.decode(body, type=_KeptDial))
                self.compared[compared.comparison.meter_id, compared.comparison.quantity] = compared
        except msgspec.DecodeError:
            _log.warning("finding_not_understood", name=name)


def _place(device: DeviceConfig) -> tuple[str, str]:
    return device.wire, device.address


def _name(text: str, what: str) -> str:
    named = text.strip()
    if not 0 < len(named) <= TEXT_MAX or not named.isprintable():
        raise RefusalError(f"give {what} in 1 to {TEXT_MAX} letters")
    return named


def _proposal(draft: Draft) -> MeterProposal:
    device, outcome = draft.device, draft.outcome
    values = {} if outcome is None else {point.quantity.value: point.value_milli for point in outcome.points}
    return MeterProposal(
        serial=device.serial,
        wire=device.wire,
        profile=device.profile,
        address=device.address,
        resource=device.resource.value,
        points=tuple(point.value for point in device.points),
        label=device.label,
        by=draft.by,
        multiplier_milli=device.multiplier_milli,
        values={name: value for name, value in values.items() if Quantity(name) in device.points},
    )


def _draft_state(draft: Draft) -> StageState:
    device = draft.device
    kept = _Kept(
        meter_id=device.meter_id,
        serial=device.serial,
        wire=device.wire,
        profile=device.profile,
        address=device.address,
        resource=device.resource,
        points=device.points,
        label=device.label,
        multiplier_milli=device.multiplier_milli,
        at=draft.at,
        by=draft.by,
    )
    return StageState(owner=OWNER, name=f"draft/{device.meter_id}", body=msgspec.msgpack.encode(kept))


def _draft_of(kept: _Kept) -> Draft:
    told = msgspec.structs.asdict(kept)
    at, by = told.pop("at"), told.pop("by")
    return Draft(device=DeviceConfig(**told), at=at, by=by)


def _dial_state(compared: Compared) -> StageState:
    one = compared.comparison
    kept = _KeptDial(
        at=compared.at,
        meter_id=one.meter_id,
        quantity=one.quantity,
        dial_milli=one.dial_milli,
        read_milli=one.read_milli,
        by=one.by,
    )
    return StageState(owner=OWNER, name=f"dial/{one.meter_id}/{one.quantity}", body=msgspec.msgpack.encode(kept))


def _compared_of(kept: _KeptDial) -> Compared:
    told = msgspec.structs.asdict(kept)
    at = told.pop("at")
    return Compared(at=at, comparison=DialComparison(**told))
