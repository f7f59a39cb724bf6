"""What the writer's thread remembers of the file: head, boot, anchors, series, cursors.

The file is the truth. After a transaction that was rolled back, `load` makes the memory agree with it again.
Only the writer's thread changes it; other threads read single entries of `cursors`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from uuid import UUID

from common.ids import MeterId
from common.wire.stamp import Anchor, ClockSource, Stamp
from edge.buffer.records import Sample, SampledPoint, Series
from edge.buffer.timeline import Timeline
from edge.clock import Instant

SeriesKey = tuple[bytes, str, str, str, str]


class WriterState:
    """The writer's memory of the file, and the clock it looks at."""

    def __init__(self, connection: sqlite3.Connection, look: Callable[[], Instant], boot_id: str) -> None:
        self._look = look
        self._boot_id = boot_id
        self.cursors: dict[MeterId, int] = {}
        self.load(connection)

    def load(self, connection: sqlite3.Connection) -> None:
        """Read everything again from the file."""
        head = connection.execute("SELECT epoch, previous_epoch, number, digest FROM head").fetchone()
        self.epoch: int = head[0]
        self.previous_epoch: int = head[1]
        self.number: int = head[2]
        self.digest: bytes = head[3]
        boot = connection.execute("SELECT boot_no, age_ms FROM boot WHERE boot_id = ?", (self._boot_id,)).fetchone()
        self.boot_no: int = boot[0] if boot is not None else 0
        self._age_base_ms: int = boot[1] if boot is not None else 0
        self.timeline = Timeline(
            Anchor(boot_no=no, boot_ms=ms, utc_ms=utc, source=ClockSource(source), uncertainty_ms=doubt)
            for no, ms, utc, source, doubt in connection.execute(
                "SELECT boot_no, boot_ms, utc_ms, source, uncertainty_ms FROM anchor ORDER BY boot_no, boot_ms"
            )
        )
        rows = connection.execute("SELECT point_no, meter_id, serial, quantity, unit, profile FROM series").fetchall()
        self._points: dict[SeriesKey, int] = {tuple(row[1:]): row[0] for row in rows}
        self._series = {row[0]: series_of(row) for row in rows}
        cursors = connection.execute("SELECT meter_id, slot_ms FROM cursor")
        fresh = {MeterId(UUID(bytes=meter)): slot_ms for meter, slot_ms in cursors}
        self.cursors.clear()
        self.cursors.update(fresh)

    def begin_boot(self, connection: sqlite3.Connection) -> bool:
        """Number this boot when it is new, so that ages go on from where the last boot was seen; return whether."""
        if self.boot_no:
            return False
        seen = int(connection.execute("SELECT max(age_ms + last_boot_ms) FROM boot").fetchone()[0] or 0)
        boot_ms = self._look().boot_ms
        self._age_base_ms = seen - boot_ms
        self.boot_no = connection.execute(
            "INSERT INTO boot (boot_id, age_ms, last_boot_ms) VALUES (?, ?, ?) RETURNING boot_no",
            (self._boot_id, self._age_base_ms, boot_ms),
        ).fetchone()[0]
        return True

    def look(self) -> Instant:
        """Return a look at the clocks."""
        return self._look()

    def age_ms(self, connection: sqlite3.Connection) -> int:
        """Return the time the store has lived through while powered, and remember it; wall clocks play no part."""
        boot_ms = self._look().boot_ms
        connection.execute("UPDATE boot SET last_boot_ms = ? WHERE boot_no = ?", (boot_ms, self.boot_no))
        return self._age_base_ms + boot_ms

    def stamp(self) -> Stamp:
        """Return the stamp of this moment."""
        return self.timeline.date(self.boot_no, self._look().boot_ms)

    def series(self) -> dict[int, Series]:
        """Return a copy of the known series by the number of their point."""
        return self._series.copy()

    def point_no(self, connection: sqlite3.Connection, sample: Sample, point: SampledPoint) -> int:
        """Return the number of a point, giving a new one to a new series."""
        key = (sample.meter_id.bytes, sample.serial, point.quantity, point.unit, sample.profile)
        if key not in self._points:
            row = connection.execute(
                "INSERT INTO series (meter_id, serial, quantity, unit, profile) VALUES (?, ?, ?, ?, ?)"
                " RETURNING point_no",
                key,
            ).fetchone()
            self._points[key] = row[0]
            self._series[row[0]] = series_of((row[0], *key))
        return self._points[key]


def series_of(row: tuple[int, bytes, str, str, str, str]) -> Series:
    """Return the series of a row `point_no, meter_id, serial, quantity, unit, profile`."""
    point_no, meter_id, serial, quantity, unit, profile = row
    return Series(
        point_no=point_no,
        meter_id=MeterId(UUID(bytes=meter_id)),
        serial=serial,
        quantity=quantity,
        unit=unit,
        profile=profile,
    )
