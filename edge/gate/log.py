"""What the gate writes: records and states in one commit, in order, from memory while the disk refuses.

Invariants: `write` returns when the commit did or when the disk refused; what was refused is kept in order, bounded,
and goes first as soon as the disk serves again. A camera's record is known again by its key, also after a restart.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import structlog

from edge.buffer.records import Lane, Record, StageState
from edge.buffer.store import Store
from edge.buffer.writer import StoreUnavailableError

SIGHTS = "gate-sight"
SIGHTS_KEPT = 2_000
UNWRITTEN_MAX = 1_000
_log = structlog.get_logger()


class GateLog:
    """The gate's lane of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sights: OrderedDict[str, None] = OrderedDict()
        self._writing = asyncio.Lock()
        self._unwritten: list[tuple[tuple[Record, ...], tuple[StageState, ...]]] = []

    async def load(self) -> None:
        """Take up the camera records known before a restart."""
        sights = await self._store.stage(SIGHTS)
        self._sights = OrderedDict.fromkeys(sorted(sights, key=lambda name: int.from_bytes(sights[name])))

    def knows(self, event_key: str) -> bool:
        """Return whether a camera's record was handled before."""
        return event_key in self._sights

    def remember(self, event_key: str, boot_ms: int) -> tuple[StageState, ...]:
        """Know the camera's record again; forget the oldest."""
        self._sights[event_key] = None
        fresh = StageState(owner=SIGHTS, name=event_key, body=boot_ms.to_bytes(8))
        if len(self._sights) <= SIGHTS_KEPT:
            return (fresh,)
        oldest, _ = self._sights.popitem(last=False)
        return fresh, StageState(owner=SIGHTS, name=oldest, body=None)

    async def write(self, records: tuple[Record, ...], states: tuple[StageState, ...]) -> None:
        """Make it durable; while the disk refuses, keep it in memory in order."""
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
