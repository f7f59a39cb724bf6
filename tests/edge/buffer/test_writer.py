"""The writer's thread: whom it serves first, and what a cut group leaves behind."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from common.errors import RefusalError
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


async def test_a_gate_event_shares_the_commit_of_the_group_that_it_came_into(tmp_path: Path) -> None:
    store = Store.open(
        tmp_path / "store.db", clock=HandClock(), entropy=counted, budget=Budget(), commit_interval_s=0.001
    )
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(_connection: object, _state: object) -> None:
        loop.call_soon_threadsafe(begun.set)
        time.sleep(0.05)

    before = store.stats.commits
    first, second = (store._writer.submit(slow, Urgency.MEASURE) for _ in range(2))
    await begun.wait()
    await store._writer.submit(lambda _connection, _state: None, Urgency.GATE)
    assert (store.stats.commits - before, first.done(), second.done()) == (1, True, False)
    await second
    store.close()
    assert store.stats.commits - before == 2


async def test_a_gate_event_goes_before_reads_that_wait(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store.db", clock=HandClock(), entropy=counted, budget=Budget())
    order: list[str] = []
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def noted(name: str) -> Callable[[object, object], None]:
        def work(_connection: object, _state: object) -> None:
            order.append(name)
            loop.call_soon_threadsafe(begun.set)
            time.sleep(0.05)

        return work

    waiting = [store._writer.submit(noted("first read"), Urgency.READ)]
    await begun.wait()
    waiting += [
        store._writer.submit(noted("second read"), Urgency.READ),
        store._writer.submit(noted("gate"), Urgency.GATE),
    ]
    for future in waiting:
        await future
    store.close()
    assert order == ["first read", "gate", "second read"]


async def test_a_refused_gate_event_leaves_no_trace_and_takes_nothing_with_it(tmp_path: Path) -> None:
    store = Store.open(
        tmp_path / "store.db", clock=HandClock(), entropy=counted, budget=Budget(), commit_interval_s=0.001
    )

    def put(name: str) -> Callable[[sqlite3.Connection, object], None]:
        def work(connection: sqlite3.Connection, _state: object) -> None:
            connection.execute("INSERT INTO stage VALUES ('test', ?, x'00')", (name,))
            if name == "refused":
                raise RefusalError("not this one")

        return work

    kept = store._writer.submit(put("measure"), Urgency.MEASURE)
    refused = store._writer.submit(put("refused"), Urgency.GATE)
    beside = store._writer.submit(put("gate"), Urgency.GATE)
    await beside
    await kept
    with pytest.raises(RefusalError):
        await refused
    found = await store.stage("test")
    store.close()
    assert sorted(found) == ["gate", "measure"]


async def test_how_long_jobs_waited_is_told_by_urgency_and_begins_when_they_were_handed_over(tmp_path: Path) -> None:
    store = Store.open(
        tmp_path / "store.db", clock=HandClock(), entropy=counted, budget=Budget(), commit_interval_s=0.001
    )
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(_connection: object, _state: object) -> None:
        loop.call_soon_threadsafe(begun.set)
        time.sleep(0.05)

    measure = store._writer.submit(slow, Urgency.MEASURE)
    await begun.wait()
    gate = store._writer.submit(lambda _connection, _state: None, Urgency.GATE)
    await measure
    await gate
    store.close()
    told = {
        (sample.name, sample.labels["urgency"]): sample.value
        for sample in next(iter(store.waits.collect())).samples
        if not sample.name.endswith(("_bucket", "_created"))
    }
    assert told["gatehouse_store_wait_seconds_count", "measure"] == 1
    assert told["gatehouse_store_wait_seconds_count", "gate"] == 1
    assert told["gatehouse_store_wait_seconds_sum", "measure"] >= 0.05
    assert told["gatehouse_store_wait_seconds_sum", "gate"] >= 0.02  # handed over while the other slept
