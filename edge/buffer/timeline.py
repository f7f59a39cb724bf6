"""Dating: boot-time milliseconds become business time through anchors, each with its uncertainty.

A record inside a boot is dated from the anchor of that boot that leaves the least doubt: the anchor's own plus the
drift of an undisciplined crystal over the distance. A boot without an anchor cannot be dated here.
"""

from __future__ import annotations

from collections.abc import Iterable

from common.errors import ensure
from common.wire.stamp import Anchor, ClockSource, Stamp
from edge.clock import Instant

DRIFT_PPM = 50
STEP_MS_MIN = 2_000
REFRESH_MS = 6 * 3600 * 1000
_PPM = 1_000_000


class Timeline:
    """The anchors of the store, asked for dates."""

    def __init__(self, anchors: Iterable[Anchor]) -> None:
        self._by_boot: dict[int, list[Anchor]] = {}
        for anchor in anchors:
            self.add(anchor)

    def add(self, anchor: Anchor) -> None:
        """Learn one more anchor."""
        self._by_boot.setdefault(anchor.boot_no, []).append(anchor)

    def copy(self) -> Timeline:
        """Return a timeline of the same anchors, for another thread."""
        return Timeline(anchor for anchors in self._by_boot.values() for anchor in anchors)

    def date(self, boot_no: int, boot_ms: int) -> Stamp:
        """Return the stamp of a record made at a boot-time instant.

        Raises:
            InvariantError: the boot has no anchor at all; opening the store always makes one.
        """
        anchors = self._by_boot.get(boot_no, [])
        ensure(len(anchors) > 0, f"boot {boot_no} was never anchored")
        best = min(anchors, key=lambda anchor: (_doubt_ms(anchor, boot_ms), -anchor.boot_ms))
        return Stamp(
            boot_no=boot_no,
            boot_ms=boot_ms,
            at_ms=best.utc_ms + boot_ms - best.boot_ms,
            source=best.source,
            uncertainty_ms=_doubt_ms(best, boot_ms),
        )

    def missing(self, boot_no: int, look: Instant) -> Anchor | None:
        """Return the anchor that a look at the clocks calls for, or None when the known ones still hold.

        A new one is due at the first look of a boot, when a better source appears, when the wall clock stepped, and
        now and then so that drift stays small.
        """
        anchors = self._by_boot.get(boot_no, [])
        fresh = Anchor(
            boot_no=boot_no,
            boot_ms=look.boot_ms,
            utc_ms=look.utc_ms,
            source=look.source,
            uncertainty_ms=look.uncertainty_ms,
        )
        if not anchors:
            return fresh
        last = anchors[-1]
        better = _rank(look.source) < min(_rank(anchor.source) for anchor in anchors)
        old = look.source is not ClockSource.BOUNDED and look.boot_ms - last.boot_ms >= REFRESH_MS
        return fresh if better or old or self.step_ms(boot_no, look) != 0 else None

    def step_ms(self, boot_no: int, look: Instant) -> int:
        """Return by how much the wall clock stepped against the last anchor, 0 when within doubt and drift."""
        anchors = self._by_boot.get(boot_no, [])
        if not anchors:
            return 0
        last = anchors[-1]
        moved = look.utc_ms - (last.utc_ms + look.boot_ms - last.boot_ms)
        drift = (look.boot_ms - last.boot_ms) * DRIFT_PPM // _PPM
        return moved if abs(moved) > STEP_MS_MIN + drift else 0


def _doubt_ms(anchor: Anchor, boot_ms: int) -> int:
    return anchor.uncertainty_ms + abs(boot_ms - anchor.boot_ms) * DRIFT_PPM // _PPM


def _rank(source: ClockSource) -> int:
    return list(ClockSource).index(source)
