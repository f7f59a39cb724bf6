"""Oddities that no single register shows: a meter that often does not answer, two meters that answer for each other.

Pure, with a state of a few numbers a meter; what is told is told once until it has been well again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from common.reading.anomaly import DAY_MS, HOUR_MS, Finding, Limits, Rule, WatchState

SLOTS_MIN = 8
SILENT_PERMILLE_MAX = 200
SWAP_MS_MAX = 2 * DAY_MS
KeyT = TypeVar("KeyT")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommsState:
    """The slots of the running day: how many there were and how many stayed silent."""

    day: int
    slots: int = 0
    silent: int = 0


def count_slot(state: CommsState | None, day: int, *, answered: bool) -> tuple[CommsState, Finding | None]:
    """Count one slot; when a new day begins, weigh the one that ended. Figures are thousandths of its slots."""
    before = state if state is not None else CommsState(day=day)
    finding = None
    if day != before.day:
        if before.slots >= SLOTS_MIN and before.silent * 1000 > SILENT_PERMILLE_MAX * before.slots:
            share = before.silent * 1000 // before.slots
            finding = Finding(rule=Rule.COMMS_QUALITY, value=share, limit=SILENT_PERMILLE_MAX)
        before = CommsState(day=day)
    return CommsState(day=day, slots=before.slots + 1, silent=before.silent + (not answered)), finding


class Swaps:
    """Looks for two meters of which each shows what the other should: addresses or wires were exchanged.

    A register that cannot be its meter's own is held against the last good registers of the others; two meters that
    point at each other within two days are told, once.
    """

    def __init__(self) -> None:
        self._points_at: dict[object, tuple[object, int]] = {}

    def odd(
        self, key: KeyT, at_ms: int, value_milli: int, others: Mapping[KeyT, WatchState], limits: Limits
    ) -> KeyT | None:
        """Take note of an implausible register; return the meter it has changed places with, once both were seen."""
        kin = ((other, state) for other, state in others.items() if other != key)
        fits = [other for other, state in kin if _follows(state, at_ms, value_milli, limits)]
        if len(fits) != 1:
            return None
        (other,) = fits
        self._points_at[key] = (other, at_ms)
        back = self._points_at.get(other)
        if back is None or back[0] != key or at_ms - back[1] > SWAP_MS_MAX:
            return None
        del self._points_at[key], self._points_at[other]
        return other


def _follows(state: WatchState, at_ms: int, value_milli: int, limits: Limits) -> bool:
    elapsed_ms = max(at_ms - state.at_ms, HOUR_MS)
    return 0 <= value_milli - state.milli <= limits.hourly_milli_max * elapsed_ms // HOUR_MS
