"""Small builders for tests of the gateway: a clock set by hand, meters, samples, a sealer that keeps its material."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from common.clock import from_epoch_ms, to_epoch_ms
from common.ids import MeterId
from common.wire.records import Gap
from common.wire.stamp import ClockSource
from edge.buffer.records import Record, Sample, SampledPoint, Sealed, SealMaterial, StageState
from edge.clock import Instant

START = datetime(2026, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


class HandClock:
    """Clocks that move when told; wall clock and boot-time clock move apart when stepped."""

    def __init__(self, now: datetime = START, *, boot_id: str = "boot-1", boot_ms: int = 60_000) -> None:
        self.boot_id = boot_id
        self.utc_ms = to_epoch_ms(now)
        self.boot_ms = boot_ms
        self.source = ClockSource.SYNCHRONISED
        self.uncertainty_ms = 5

    def now(self) -> datetime:
        return from_epoch_ms(self.utc_ms)

    def look(self) -> Instant:
        return Instant(self.boot_ms, self.utc_ms, self.source, self.uncertainty_ms)

    def advance(self, span: timedelta) -> None:
        self.utc_ms += span // timedelta(milliseconds=1)
        self.boot_ms += span // timedelta(milliseconds=1)

    def step(self, span: timedelta) -> None:
        self.utc_ms += span // timedelta(milliseconds=1)


def meter(number: int) -> MeterId:
    return MeterId(UUID(int=0x0190 << 112 | number))


def sample(  # noqa: PLR0913 - a builder has a default for every field
    number: int,
    slot_ms: int,
    value_milli: int,
    *,
    boot_ms: int = 60_000,
    quantity: str = "volume",
    records: tuple[Record, ...] = (),
    states: tuple[StageState, ...] = (),
) -> Sample:
    return Sample(
        meter_id=meter(number),
        serial=f"W{number:04d}",
        profile="test-water@1",
        slot_ms=slot_ms,
        boot_ms=boot_ms,
        points=(SampledPoint(quantity=quantity, unit="m3", value_milli=value_milli, quality=0),),
        records=records,
        states=states,
    )


class OpenSealer:
    """A sealer without a key: the body holds readings and gaps in clear, so that a test can read them back."""

    def __init__(self) -> None:
        self.materials: list[SealMaterial] = []

    def __call__(self, material: SealMaterial) -> Sealed:
        self.materials.append(material)
        meters = {series.point_no: str(series.meter_id) for series in material.series}
        rows = [(meters[row.point_no], row.slot_ms, row.value_milli) for row in material.readings]
        gaps = [row.record for row in material.events if isinstance(row.record, Gap)]
        body = msgspec.json.encode({"previous": material.previous_hash.hex(), "readings": rows, "gaps": gaps})
        return Sealed(body=body, digest=hashlib.sha256(body).digest())


async def until(holds: Callable[[], bool], seconds: int = 5) -> None:
    """Wait in machine time until something holds that another thread or process brings about."""
    for _ in range(seconds * 1000):
        if holds():
            return
        await asyncio.sleep(0.001)
    raise TimeoutError("what was waited for did not come about")


def counted(count: int) -> bytes:
    """Return bytes that count up; a source of randomness that is none."""
    return bytes(range(count))
