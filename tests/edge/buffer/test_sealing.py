"""A batch is kept for the very rows and the place in the chain it was made for; nothing waits while it is signed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from common.wire.records import Note
from edge.buffer import rows, sealing
from edge.buffer.opening import Opened, open_file
from edge.buffer.records import Lane, Sealed, SealMaterial
from edge.buffer.shedding import Budget
from edge.buffer.state import WriterState
from edge.buffer.store import Store
from tests.edge.builders import HandClock, OpenSealer, counted, sample, until


class Bench:
    """An open file with two samples in it, and no thread."""

    def __init__(self, opened: Opened) -> None:
        clock = HandClock()
        self.connection, self.sealer = opened.connection, OpenSealer()
        self.state = WriterState(self.connection, clock.look, clock.boot_id)
        self.state.begin_boot(self.connection)
        rows.keep_time(self.connection, self.state, clock.look())
        for number in (1, 2):
            self.put(number)

    def put(self, number: int) -> None:
        rows.put_sample(self.connection, self.state, sample(number, 1000, 5_000))

    def draft(self) -> sealing.Draft:
        draft = sealing.gather(self.connection, self.state, (Lane.MEASURE,))
        assert draft is not None
        return draft

    def keep(self, draft: sealing.Draft) -> None:
        sealing.keep(self.connection, self.state, draft, self.sealer(sealing.material_of(draft)))

    def count(self) -> tuple[int, int]:
        """Return the counts of readings that wait and of batches."""
        counts = "SELECT (SELECT count(*) FROM reading), (SELECT count(*) FROM batch)"
        readings, batches = self.connection.execute(counts).fetchone()
        return readings, batches


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = open_file(tmp_path / "store.db", counted, 10_000)
    with opened.lock, closing(opened.connection):
        yield Bench(opened)


@pytest.fixture
def sealer() -> OpenSealer:
    return OpenSealer()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(
        Store.open(tmp_path / "store.db", clock=HandClock(), entropy=counted, budget=Budget(), commit_interval_s=0.001)
    ) as store:
        yield store


async def put(store: Store, number: int, slot_ms: int, value_milli: int) -> bool:
    return await (await store.offer(sample(number, slot_ms, value_milli)))


def test_what_came_after_the_draft_waits_for_the_next_batch(bench: Bench) -> None:
    draft = bench.draft()
    bench.put(3)
    bench.keep(draft)
    assert bench.count() == (1, 1)
    bench.keep(bench.draft())
    assert [len(material.readings) for material in bench.sealer.materials] == [2, 1]
    chained = bench.connection.execute("SELECT digest FROM batch ORDER BY number").fetchone()[0]
    assert bench.sealer.materials[1].previous_hash == chained


def test_a_batch_is_full_when_it_could_not_hold_all_that_waits(bench: Bench) -> None:
    bench.connection.execute("BEGIN")
    bench.connection.executemany(
        "INSERT INTO reading (boot_no, boot_ms, slot_ms, point_no, value_milli, quality) VALUES (1, 0, ?, 1, 0, 0)",
        [(slot_ms,) for slot_ms in range(1_000_000, 1_000_000 + sealing.READINGS_PER_BATCH_MAX)],
    )
    bench.connection.execute("COMMIT")
    full = []
    for _ in range(2):
        draft = bench.draft()
        full.append((draft.full, draft.readings_count))
        bench.keep(draft)
    assert full == [(True, sealing.READINGS_PER_BATCH_MAX), (False, 2)]


def test_events_that_are_too_many_for_one_batch_make_it_full(bench: Bench) -> None:
    note = Note(what="long", detail="x" * 200)
    bench.connection.execute("BEGIN")
    for _ in range(sealing.EVENTS_PER_BATCH_MAX + 1):
        rows.put_records(bench.connection, bench.state, (note,), Lane.GATE)
    bench.connection.execute("COMMIT")
    drafts = []
    for _ in range(2):
        draft = sealing.gather(bench.connection, bench.state, (Lane.GATE,))
        assert draft is not None
        drafts.append((draft.full, len(draft.events)))
        bench.keep(draft)
    assert drafts == [(True, sealing.EVENTS_PER_BATCH_MAX), (False, 1)]


def test_a_draft_whose_rows_were_shed_is_refused(bench: Bench) -> None:
    draft = bench.draft()
    bench.connection.execute("DELETE FROM reading WHERE seq = (SELECT min(seq) FROM reading)")
    with pytest.raises(sealing.StaleDraftError, match="shed"):
        bench.keep(draft)


def test_a_draft_whose_number_was_taken_is_refused(bench: Bench) -> None:
    first, second = bench.draft(), bench.draft()
    bench.keep(first)
    with pytest.raises(sealing.StaleDraftError, match="somebody else"):
        bench.keep(second)
    assert bench.count() == (0, 1)


def test_an_anchor_that_came_after_the_draft_goes_with_the_next_batch(bench: Bench) -> None:
    draft = bench.draft()
    rows.receive_time(bench.connection, bench.state, 1_800_000_000_000, 5)
    bench.put(3)
    bench.keep(draft)
    after = bench.draft()
    assert (len(draft.anchors), len(after.anchors)) == (1, 1)
    assert draft.anchors != after.anchors


async def test_a_sealer_with_a_bug_ends_nothing_and_its_rows_wait(store: Store, sealer: OpenSealer) -> None:
    def broken(material: SealMaterial) -> Sealed:
        raise ValueError(f"a bug in batch {material.number}")

    store.use_sealer(broken)
    await put(store, 1, 1000, 5_000)
    with pytest.raises(ValueError, match="a bug"):
        await store.seal()
    assert await put(store, 1, 2000, 6_000)
    store.use_sealer(sealer)
    sealed = await store.seal()
    assert sealed is not None
    assert [row.slot_ms for row in sealer.materials[-1].readings] == [1000, 2000]


async def test_a_gate_event_and_a_reading_are_committed_while_a_batch_is_signed(
    store: Store, sealer: OpenSealer
) -> None:
    signing, go_on = threading.Event(), threading.Event()

    def slow(material: SealMaterial) -> Sealed:
        signing.set()
        assert go_on.wait(10)
        return sealer(material)

    store.use_sealer(slow)
    await put(store, 1, 1000, 5_000)
    sealing = asyncio.ensure_future(store.seal())
    await until(signing.is_set)
    await store.record(Note(what="alarm", detail=""), lane=Lane.GATE)
    assert await put(store, 2, 1000, 5_000)
    assert not sealing.done()
    go_on.set()
    batch = await sealing
    assert batch is not None
    assert [row.slot_ms for row in sealer.materials[-1].readings] == [1000]
    waiting = await store.status()
    assert (waiting.readings_waiting, waiting.events_waiting) == (1, 1)
