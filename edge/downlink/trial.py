"""A configuration on trial: in force at once, kept only when what worked before still works, else taken back.

    applied ──► trial ──all that answered answer again, the cloud is reached──► good
                  ├──── not within the trial's time ──► the last good one again, reported as rolled back
                  └──── a newer one comes, or the gateway is started anew ──► this one is not kept

Nothing of it touches stored readings: sealed batches carry their own series. The judge looks at meters by asking them,
so a trial on a site that reads once a day is over in a minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import structlog

from common.errors import RefusalError
from common.ids import MeterId
from common.wire import cbor
from common.wire.records import BundleEffect
from edge.buffer.records import BundleState, Record, StoredBundle
from edge.driver.board import Board
from edge.driver.outcome import ReadOutcome

DETAIL_CHARACTERS_MAX = 200
NAMED_METERS_MAX = 5
ROLLED_BACK = "rolled_back"
_log = structlog.get_logger()

Works = Mapping[MeterId, frozenset[str]]  # the quantities that each meter answers


class Shelf(Protocol):
    """What a trial needs of the store."""

    async def bundle(self, kind: str) -> StoredBundle | None:
        """Return the bundle in force: the newest in trial, else the newest good one."""
        ...

    async def save_bundle(self, bundle: StoredBundle) -> None:
        """Keep a bundle or change its state."""
        ...

    async def record(self, *records: Record) -> None:
        """Store records."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What worked before the bundle was put in force."""

    works: Works
    connected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The running gateway as a trial looks at it.

    `works` gives what was answered last, `wanted` what the plan in force asks of a meter (nothing when it is not in
    it), `ask` asks a meter now and gives the quantities it answered, `connected` says whether the cloud is reached.
    """

    works: Callable[[], Works]
    wanted: Callable[[MeterId], frozenset[str]]
    ask: Callable[[MeterId], Awaitable[frozenset[str]]]
    connected: Callable[[], bool]


def site_of(board: Board, read_now: Callable[[MeterId], Awaitable[ReadOutcome]], connected: Callable[[], bool]) -> Site:
    """Return the look of a trial at the meters on the board."""

    def works() -> Works:
        faces = ((meter_id, face.outcome) for meter_id, face in board.meters.items())
        return {meter_id: _answered(outcome) for meter_id, outcome in faces if outcome is not None and outcome.points}

    def wanted(meter_id: MeterId) -> frozenset[str]:
        face = board.meters.get(meter_id)
        return frozenset() if face is None else frozenset(quantity.value for quantity in face.device.points)

    async def ask(meter_id: MeterId) -> frozenset[str]:
        try:
            return _answered(await read_now(meter_id))
        except (RefusalError, TimeoutError):
            return frozenset()

    return Site(works=works, wanted=wanted, ask=ask, connected=connected)


def _answered(outcome: ReadOutcome) -> frozenset[str]:
    return frozenset(point.quantity.value for point in outcome.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Machine seconds: the most a trial takes, and the pause before each look."""

    most_s: float = 600.0
    pause_s: float = 5.0


@dataclass(slots=True, kw_only=True)
class Trials:
    """Judges bundles one at a time while it runs."""

    shelf: Shelf
    site: Site
    apply: Callable[[str, Mapping[str, Any]], Awaitable[None]]
    monotonic_s: Callable[[], float]
    patience: Patience = field(default_factory=Patience)
    rolled_back: int = 0
    _waiting: asyncio.Queue[tuple[StoredBundle, Before]] = field(default_factory=asyncio.Queue)

    def before(self) -> Before:
        """Return what works now; looked at before a bundle is put in force."""
        return Before(works=self.site.works(), connected=self.site.connected())

    def begin(self, bundle: StoredBundle, before: Before) -> None:
        """Put a bundle that is in force on trial; one that is on trial already gives way."""
        self._waiting.put_nowait((bundle, before))

    async def run(self) -> None:
        """Judge until cancelled."""
        while True:
            bundle, before = await self._waiting.get()
            trouble = await self._judge(before)
            if not self._waiting.empty():
                await self.shelf.save_bundle(replace(bundle, state=BundleState.SUPERSEDED, detail="a newer one came"))
            elif trouble is None:
                await self._settle(replace(bundle, state=BundleState.GOOD), BundleState.GOOD)
            else:
                await self._roll_back(bundle, trouble)

    async def abandon(self, bundle: StoredBundle) -> None:
        """Give up a trial that a restart interrupted: what ran before runs again."""
        await self._settle(
            replace(bundle, state=BundleState.REFUSED, detail="the gateway was started anew during its trial"),
            ROLLED_BACK,
        )

    async def _judge(self, before: Before) -> str | None:
        """Return what stopped working, None as soon as everything works again."""
        end_s = self.monotonic_s() + self.patience.most_s
        silent = set(before.works)
        while True:
            await asyncio.sleep(self.patience.pause_s)
            for meter_id in sorted(silent):
                wanted = before.works[meter_id] & self.site.wanted(meter_id)
                if not wanted or wanted <= await self.site.ask(meter_id):
                    silent.discard(meter_id)
                if not self._waiting.empty():
                    return None
            cut_off = before.connected and not self.site.connected()
            if not silent and not cut_off:
                return None
            if self.monotonic_s() >= end_s:
                return _trouble(silent, cut_off=cut_off)

    async def _roll_back(self, bundle: StoredBundle, trouble: str) -> None:
        self.rolled_back += 1
        _log.error("bundle_rolled_back", kind=bundle.kind, version=bundle.version, reason=trouble)
        await self._settle(replace(bundle, state=BundleState.REFUSED, detail=trouble), ROLLED_BACK)
        good = await self.shelf.bundle(bundle.kind)
        if good is not None:
            await self.apply(good.kind, cbor.decode(good.body, f"{good.kind} bundle"))

    async def _settle(self, bundle: StoredBundle, effect: str) -> None:
        """Report first, then keep: after a crash between the two the trial is given up and reported once more."""
        detail = bundle.detail[:DETAIL_CHARACTERS_MAX]
        await self.shelf.record(
            BundleEffect(kind=bundle.kind, version=bundle.version, effect=str(effect), detail=detail)
        )
        await self.shelf.save_bundle(bundle)


def _trouble(silent: set[MeterId], *, cut_off: bool) -> str:
    named = ", ".join(str(meter_id) for meter_id in sorted(silent)[:NAMED_METERS_MAX])
    meters = f"{len(silent)} meters that answered before do not: {named}" if silent else ""
    return "; ".join(part for part in (meters, "the cloud is not reached any more" if cut_off else "") if part)
