"""Ninety days without a cloud: how large the store grows, on a seeded series with six bits of entropy a step.

Days are alike, so a part of them is run and the rest is scaled: `days` are filled through the store's own face, sealed
hourly, and the file is measured after each; the growth of a day times ninety is held against the bar.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from edge.buffer.records import Sample, SampledPoint
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.clock import entropy
from edge.uplink.sealer import BatchSealer
from tests.bench.edge.figures import Figure
from tests.bench.edge.probes import MEBIBYTE
from tests.common.wire.builders import GATEWAY, GATEWAY_KEY
from tests.edge.builders import HandClock, meter
from tests.support.randomness import seeded_bytes

METERS = 500
POINTS = ("energy_forward", "power", "voltage", "current")
SLOTS_A_DAY = 96
SLOTS_AN_HOUR = 4
STEP_BITS = 6
DAYS_AWAY = 90
SEED = 20_261_123
SWEEP_MS = 100_000


class _Signer:
    gateway_id = GATEWAY
    key = GATEWAY_KEY


def absence(folder: Path, days: int) -> list[Figure]:
    """Fill a store for some days and return what ninety would take."""
    sizes, wire, readings = asyncio.run(_fill(folder / "hourly.db", days, SLOTS_AN_HOUR))
    _, daily, daily_readings = asyncio.run(_fill(folder / "daily.db", 1, SLOTS_A_DAY))
    growth = (sizes[-1] - sizes[0]) / (len(sizes) - 1)
    whole = sizes[0] + growth * (DAYS_AWAY - 1)
    name = f"90 days x 500 meters x 4 points, unsent ({days} days run)"
    return [
        Figure(name=name, values=[whole / 1e6], unit="MB", most=120),
        Figure(
            name="sealed hourly, a reading on the wire, 6 bits of entropy", values=[wire / readings], unit="B", most=4.5
        ),
        Figure(name="sealed daily, the same", values=[daily / daily_readings], unit="B", most=2),
    ]


async def _fill(path: Path, days: int, slots_a_seal: int) -> tuple[list[int], int, int]:
    clock, random_bytes = HandClock(), seeded_bytes(SEED)
    budget = Budget(limit_bytes=1024 * MEBIBYTE)
    registers = [[1_000_000] * len(POINTS) for _ in range(METERS)]
    sizes, wire, readings = [], 0, 0
    with closing(Store.open(path, clock=clock, entropy=entropy, budget=budget, commit_interval_s=0.05)) as store:
        store.use_sealer(BatchSealer(_Signer(), entropy))
        for slot in range(days * SLOTS_A_DAY):
            clock.advance(timedelta(minutes=15))
            await _sweep(store, clock, registers, random_bytes(METERS * (len(POINTS) + 2)))
            readings += METERS * len(POINTS)
            if slot % slots_a_seal == slots_a_seal - 1:
                while batch := await store.seal():
                    wire += len(batch.body)
            if slot % SLOTS_A_DAY == SLOTS_A_DAY - 1:
                sizes.append((await store.status()).bytes_used)
    return sizes, wire, readings


async def _sweep(store: Store, clock: HandClock, registers: list[list[int]], random: bytes) -> None:
    slot_ms = clock.utc_ms
    waiting = []
    for number, values in enumerate(registers):
        drawn = random[number * (len(POINTS) + 2) :]
        for n in range(len(POINTS)):
            values[n] += drawn[n] % (1 << STEP_BITS) * 10
        late_ms = int.from_bytes(drawn[len(POINTS) : len(POINTS) + 2]) % SWEEP_MS
        waiting.append(
            await store.offer(
                Sample(
                    meter_id=meter(number + 1),
                    serial=f"{number:012d}",
                    profile="dlt645-2007@1",
                    slot_ms=slot_ms,
                    boot_ms=clock.boot_ms + late_ms,
                    points=tuple(
                        SampledPoint(quantity=quantity, unit="kWh", value_milli=value, quality=0)
                        for quantity, value in zip(POINTS, values, strict=True)
                    ),
                )
            )
        )
    for commit in waiting:
        await commit
