"""The writer's thread: whom it serves first, and what a cut group leaves behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.buffer.writer import Urgency
from tests.edge.builders import HandClock, counted


async def test_a_gate_event_waits_for_one_sample_at_most_and_the_rest_of_the_group_is_not_lost(tmp_path: Path) -> None:
    store = Store.open(
        tmp_path / "store.db", clock=HandClock(), entropy=counted, budget=Budget(), commit_interval_s=0.001
    )
    order: list[str] = []
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(name: str) -> Callable[[object, object], None]:
        def work(_connection: object, _state: object) -> None:
            order.append(name)
            loop.call_soon_threadsafe(gate.set)
            time.sleep(0.02)

        return work

    waiting = [store._writer.submit(slow(f"measure {n}"), Urgency.MEASURE) for n in range(5)]
    await gate.wait()
    await store._writer.submit(slow("gate"), Urgency.GATE)
    for future in waiting:
        await future
    store.close()
    assert order.index("gate") <= 2
    assert [name for name in order if name != "gate"] == [f"measure {n}" for n in range(5)]
