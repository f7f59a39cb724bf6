"""The cars inside and the visits just ended, as the gate remembers them across restarts.

Invariants: a change returns the stage states that make it durable in the caller's commit; a visit that ended is kept
under the hash of its plate, and only as long as a price may depend on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from common.clock import from_epoch_ms, to_epoch_ms
from common.rating.request import Visit
from edge.buffer.records import StageState
from edge.gate.plan import plate_sha
from edge.gate.rules import Stay
from edge.protocol.plates import find_likely

STAYS, VISITS = "gate-stay", "gate-visit"
VISITS_REACH = timedelta(days=3)  # how long an ended visit may still count towards a cap of a later one
VISITS_MOST = 5_000
EARLIER_MOST = 50


class Ended(msgspec.Struct, frozen=True):
    """A visit that ended; times in milliseconds."""

    sha: str
    lot: str
    entered_ms: int
    left_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The stay of a car at a lane; `misread` is what the camera read when it was not the plate of the stay."""

    stay: Stay | None
    misread: str | None = None


class StayBook:
    """Stays by session, and the visits that ended lately."""

    def __init__(self) -> None:
        self._stays: dict[UUID, Stay] = {}
        self._ended: dict[str, Ended] = {}

    def load(self, stays: Mapping[str, bytes], ended: Mapping[str, bytes]) -> None:
        """Take up what was stored."""
        self._stays = {UUID(name): msgspec.msgpack.decode(body, type=Stay) for name, body in stays.items()}
        visits = {name: msgspec.msgpack.decode(body, type=Ended) for name, body in ended.items()}
        self._ended = dict(sorted(visits.items(), key=lambda item: item[1].left_ms))

    @property
    def stays(self) -> Mapping[UUID, Stay]:
        """Return the cars inside."""
        return self._stays

    def find(self, lot: str, plate: str | None, *, likely: bool) -> Found:
        """Return the stay of a plate in a lot; with `likely` also one that the camera probably misread."""
        if plate is None:
            return Found(stay=None)
        inside = {stay.plate: stay for stay in self._stays.values() if stay.lot == lot}
        name = find_likely(plate, inside) if likely else plate
        if name is None or name not in inside:
            return Found(stay=None)
        return Found(stay=inside[name], misread=None if name == plate else plate)

    def holder_of(self, space: str, plate: str) -> Stay | None:
        """Return another car inside that stands in a space."""
        return next((stay for stay in self._stays.values() if stay.space == space and stay.plate != plate), None)

    def visits(self, stay: Stay, until: datetime) -> tuple[Visit, ...]:
        """Return the visits that a price of the stay may depend on, the stay itself last."""
        now_ms = to_epoch_ms(until)
        start_ms = min(stay.charged_from_ms(now_ms), now_ms)
        sha, reach_ms = plate_sha(stay.plate), start_ms - VISITS_REACH // timedelta(milliseconds=1)
        earlier = [
            Visit(entry=from_epoch_ms(one.entered_ms), exit=from_epoch_ms(one.left_ms))
            for one in self._ended.values()
            if (one.sha, one.lot) == (sha, stay.lot) and one.entered_ms < one.left_ms
            if reach_ms <= one.left_ms <= start_ms
        ]
        return (*earlier[-EARLIER_MOST:], Visit(entry=from_epoch_ms(start_ms), exit=until))

    def left_after(self, lot: str, plate: str, instant: datetime) -> bool:
        """Return whether the car was seen to leave the lot after an instant."""
        sha, at_ms = plate_sha(plate), to_epoch_ms(instant)
        return any(one.sha == sha and one.lot == lot and one.left_ms > at_ms for one in self._ended.values())

    def keep(self, stay: Stay) -> StageState:
        """Keep a stay as it is now."""
        self._stays[stay.session_id] = stay
        return StageState(owner=STAYS, name=str(stay.session_id), body=msgspec.msgpack.encode(stay))

    def drop(self, stay: Stay) -> StageState:
        """Forget a stay that never was, or whose end nobody saw."""
        self._stays.pop(stay.session_id, None)
        return StageState(owner=STAYS, name=str(stay.session_id), body=None)

    def end(self, stay: Stay, at: datetime) -> tuple[StageState, ...]:
        """End a stay, and remember the visit for the caps of later ones."""
        left_ms = to_epoch_ms(at)
        start_ms = min(stay.charged_from_ms(left_ms), left_ms)
        ended = Ended(plate_sha(stay.plate), stay.lot, start_ms, left_ms)
        name = str(stay.session_id)
        self._ended[name] = ended
        kept = StageState(owner=VISITS, name=name, body=msgspec.msgpack.encode(ended))
        return (self.drop(stay), kept, *self._forget(left_ms))

    def _forget(self, now_ms: int) -> tuple[StageState, ...]:
        """Forget visits beyond reach, and the oldest when there are too many."""
        floor_ms = now_ms - 2 * VISITS_REACH // timedelta(milliseconds=1)
        spare = len(self._ended) - VISITS_MOST
        stale = [name for n, (name, one) in enumerate(self._ended.items()) if n < spare or one.left_ms < floor_ms]
        for name in stale:
            del self._ended[name]
        return tuple(StageState(owner=VISITS, name=name, body=None) for name in stale)
