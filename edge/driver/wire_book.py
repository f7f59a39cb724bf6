"""The wires in force by name, for whoever asks a meter outside its slots, and what was last said on them.

A technician's trial uses the wire that is polled: a line has one owner, and reads queue behind each other. A wire that
carries no meter yet is opened for the one question and closed again. Of each meter the last few exchanges are kept in
memory as raw bytes; older ones give way, so the book's size is bounded by the meters in the plan.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from common.clock import Clock
from common.errors import RefusalError
from common.ids import MeterId
from edge.driver.outcome import DeviceConfig, ListeningWire, ReadOutcome, Wire, WireConfig, WireKind, WireStats

FRAMES_A_METER = 12
METERS_MAX = 4_096
READ_S_MAX = 120
_ASKED = frozenset({WireKind.SERIAL, WireKind.SERIAL_TCP, WireKind.MODBUS_TCP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One question and what came back; `fault` says what was wrong with it, empty when nothing was."""

    at: datetime
    request: bytes
    response: bytes
    fault: str = ""


_Said = tuple[datetime, bytes, bytes, str]  # a frame as it is kept: of some thousand, few are ever looked at


class WireBook:
    """Makes the wires, remembers them, and keeps the last frames of each meter."""

    def __init__(
        self, build: Callable[[WireConfig], Wire], clock: Clock, in_force: Callable[[], Collection[str]]
    ) -> None:
        self._build = build
        self._clock = clock
        self._in_force = in_force
        self._made: dict[str, Wire] = {}
        self._frames: OrderedDict[MeterId, deque[_Said]] = OrderedDict()

    def make(self, config: WireConfig) -> Wire:
        """Build a wire, remember it under its name and keep what is said on it."""
        wire = self._build(config)
        heard = _HeardEar(wire, wire, self._keep) if isinstance(wire, ListeningWire) else _Heard(wire, self._keep)
        self._made[config.wire] = heard
        return heard

    async def read(self, config: WireConfig, device: DeviceConfig) -> ReadOutcome:
        """Ask a meter that need not be in the plan; nothing is stored.

        Raises:
            RefusalError: its wire carries no meter yet and its kind cannot be asked.
        """
        if config.wire in self._in_force() and config.wire in self._made:
            async with asyncio.timeout(READ_S_MAX):
                return await self._made[config.wire].read(device)
        if config.kind not in _ASKED:
            raise RefusalError(f"meters on wire {config.wire} ({config.kind}) speak unasked; let the office add it")
        wire = _Heard(self._build(config), self._keep)
        try:
            async with asyncio.timeout(READ_S_MAX):
                return await wire.read(device)
        finally:
            await wire.close()

    def frames(self, meter_id: MeterId) -> tuple[Frame, ...]:
        """Return the last exchanges of a meter, the newest first."""
        said = self._frames.get(meter_id, ())
        return tuple(
            Frame(at=at, request=asked, response=came, fault=fault) for at, asked, came, fault in reversed(said)
        )

    def _keep(self, outcome: ReadOutcome) -> None:
        ring = self._frames.get(outcome.meter_id)
        if ring is None:
            ring = self._frames[outcome.meter_id] = deque[_Said](maxlen=FRAMES_A_METER)
            if len(self._frames) > METERS_MAX:
                self._frames.popitem(last=False)
        at = self._clock.now()
        before = None
        for point in outcome.points:
            if point.exchange is not before:  # the points of one answer share it
                before = point.exchange
                ring.append((at, before.request, before.response, ""))
        for failure in outcome.failures:
            said = failure.exchange
            fault = failure.detail or failure.kind.value
            ring.append((at, b"", b"", fault) if said is None else (at, said.request, said.response, fault))


class _Heard:
    """A wire whose outcomes are handed on as they come."""

    def __init__(self, wire: Wire, keep: Callable[[ReadOutcome], None]) -> None:
        self._wire = wire
        self._keep = keep
        self.config: WireConfig = wire.config
        self.stats: WireStats = wire.stats

    async def read(self, device: DeviceConfig) -> ReadOutcome:
        """Read the device's points."""
        outcome = await self._wire.read(device)
        self._keep(outcome)
        return outcome

    async def close(self) -> None:
        """Release the line."""
        await self._wire.close()


class _HeardEar(_Heard):
    """The same of a wire whose meters speak unasked."""

    def __init__(self, wire: Wire, ear: ListeningWire, keep: Callable[[ReadOutcome], None]) -> None:
        super().__init__(wire, keep)
        self._ear = ear

    async def listen(self, devices: Iterable[DeviceConfig]) -> None:
        """Listen to the devices until cancelled."""
        await self._ear.listen(devices)
