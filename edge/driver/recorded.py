"""A wire whose meters answer from a recorded series: for premises that are imported or simulated, not polled live.

The file is CSV with the header `serial,quantity,read_at,value`: decimal text in the quantity's unit, instants in UTC
(`2026-01-31T16:00:00Z`), rows of one point in order of time. A row answers from its instant until the next one, at
most for a day; outside that the answer is a failure, never an old or a zero value.
"""

from __future__ import annotations

import asyncio
import csv
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from common.clock import Clock
from common.errors import Fault, FaultsError, GatehouseError
from common.measure.quantity import Unit, parse_quantity
from common.reading.reading import Quantity
from edge.driver.outcome import (
    DeviceConfig,
    Exchange,
    FailureKind,
    PointValue,
    ReadFailure,
    ReadOutcome,
    WireConfig,
    WireStats,
)

HEADER = ["serial", "quantity", "read_at", "value"]
FRESH_FOR = timedelta(days=1)
FAULTS_MOST = 20
ROWS_MOST = 5_000_000


@dataclass(slots=True)
class Series:
    """The rows of one point in order of time; values in milli-units."""

    instants: list[datetime] = field(default_factory=list)
    values_milli: list[int] = field(default_factory=list)

    def at(self, instant: datetime) -> int | None:
        """Return the value that holds at an instant, or None when no row is fresh."""
        index = bisect_right(self.instants, instant) - 1
        if index < 0 or instant - self.instants[index] >= FRESH_FOR:
            return None
        return self.values_milli[index]


SeriesByPoint = dict[tuple[str, Quantity], Series]


def load_series(path: Path) -> SeriesByPoint:
    """Return the series of a file.

    Raises:
        FaultsError: the file is missing or has rows that are no readings.
    """
    series: SeriesByPoint = {}
    faults: list[Fault] = []
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = csv.reader(lines)
            if next(rows, None) != HEADER:
                raise FaultsError(str(path), [_fault(1, f"does not begin with {','.join(HEADER)}")])
            for number, row in enumerate(rows, start=2):
                problem = _take(series, row) if number <= ROWS_MOST else f"holds more than {ROWS_MOST} rows"
                if problem:
                    faults.append(_fault(number, problem))
                if len(faults) >= FAULTS_MOST:
                    break
    except (OSError, UnicodeDecodeError) as problem:
        raise FaultsError(str(path), [_fault(0, f"cannot be read: {problem}")]) from problem
    if faults:
        raise FaultsError(str(path), faults)
    return series


class RecordedWire:
    """A `Wire` over a recorded series, read once when the first meter is asked."""

    def __init__(self, config: WireConfig, path: Path, clock: Clock) -> None:
        self._config = config
        self._path = path
        self._clock = clock
        self._stats = WireStats()
        self._series: SeriesByPoint | None = None
        self._loading = asyncio.Lock()

    @property
    def config(self) -> WireConfig:
        """Return the description the wire was built from."""
        return self._config

    @property
    def stats(self) -> WireStats:
        """Return the live counters."""
        return self._stats

    async def read(self, device: DeviceConfig) -> ReadOutcome:
        """Return the rows that hold now."""
        try:
            series = await self._loaded()
        except FaultsError as problem:
            failure = ReadFailure(kind=FailureKind.LINK_LOST, points=device.points, detail=str(problem))
            return ReadOutcome(meter_id=device.meter_id, failures=(failure,))
        now = self._clock.now()
        self._stats.exchanges += 1
        values: list[PointValue] = []
        missing: list[Quantity] = []
        for quantity in device.points:
            point = series.get((device.serial, quantity))
            value = point.at(now) if point else None
            if value is None:
                missing.append(quantity)
            else:
                values.append(_value(device.serial, quantity, value))
        self._stats.answers += bool(values)
        self._stats.timeouts += bool(missing)
        failures = (_not_recorded(missing, now),) if missing else ()
        return ReadOutcome(meter_id=device.meter_id, points=tuple(values), failures=failures)

    async def close(self) -> None:
        """Forget the series; the next read loads the file again."""
        self._series = None

    async def _loaded(self) -> SeriesByPoint:
        async with self._loading:
            if self._series is None:
                self._series = await asyncio.to_thread(load_series, self._path)
            return self._series


def _take(series: SeriesByPoint, row: list[str]) -> str:
    """Add one row; return what is wrong with it, or nothing."""
    if len(row) != len(HEADER):
        return f"has {len(row)} columns, not {len(HEADER)}"
    serial, quantity_text, instant_text, value_text = row
    try:
        quantity = Quantity(quantity_text)
        instant = datetime.fromisoformat(instant_text)
        value_milli = parse_quantity(value_text, Unit.PIECE).milli
    except (ValueError, GatehouseError) as problem:
        return f"is no reading: {problem}"
    if instant.utcoffset() != timedelta(0):
        return f"states {instant_text} without the UTC mark Z"
    point = series.setdefault((serial, quantity), Series())
    if point.instants and instant <= point.instants[-1]:
        return f"goes back in time for {serial} {quantity}"
    point.instants.append(instant)
    point.values_milli.append(value_milli)
    return ""


def _value(serial: str, quantity: Quantity, value_milli: int) -> PointValue:
    raw = str(value_milli).encode()
    exchange = Exchange(request=f"{serial},{quantity}".encode(), response=raw)
    return PointValue(quantity=quantity, raw=raw, value_milli=value_milli, exchange=exchange)


def _not_recorded(missing: list[Quantity], now: datetime) -> ReadFailure:
    return ReadFailure(
        kind=FailureKind.TIMEOUT, points=tuple(missing), detail=f"the recorded series has no row for {now.isoformat()}"
    )


def _fault(line: int, what: str) -> Fault:
    return Fault(where=f"line {line}", what=what, remedy="export the series again")
