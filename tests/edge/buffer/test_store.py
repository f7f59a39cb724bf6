"""The store keeps what it committed, seals it once, and says what it shed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from common.errors import InvariantError, RefusalError
from common.wire.batch import PersonalItem
from common.wire.records import Gap, GapReason, Note
from common.wire.stamp import ClockSource
from edge.buffer.opening import NO_DIGEST
from edge.buffer.records import BatchState, BundleState, Lane, Sealed, StageState, StoredBundle
from edge.buffer.schema import MIGRATIONS
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.buffer.writer import StoreUnavailableError
from tests.edge.builders import QUARTER, HandClock, OpenSealer, counted, meter, sample, until

MINUTE_MS = 60_000


class Home:
    """A folder with a store that can be closed and opened again."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "store.db"
        self.clock = HandClock()
        self.sealer = OpenSealer()
        self.budget = Budget()
        self.store: Store | None = None

    def open(self) -> Store:
        if self.store is not None:
            self.store.close()
        self.store = Store.open(
            self.path, clock=self.clock, entropy=counted, budget=self.budget, commit_interval_s=0.001
        )
        self.store.use_sealer(self.sealer)
        return self.store


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    if home.store is not None:
        home.store.close()


async def put(store: Store, number: int, slot_ms: int, value_milli: int) -> bool:
    return await (await store.offer(sample(number, slot_ms, value_milli)))


async def drain(store: Store) -> None:
    while await store.seal() is not None:
        pass


async def test_a_committed_sample_is_there_after_opening_again(home: Home) -> None:
    store = home.open()
    assert await put(store, 1, 1000, 5_000)
    store = home.open()
    assert store.cursor(meter(1)) == 1000
    assert [(item.slot_ms, item.value_milli) for item in await store.latest()] == [(1000, 5_000)]


async def test_a_repeated_slot_is_not_stored_twice(home: Home) -> None:
    store = home.open()
    assert await put(store, 1, 2000, 5_000)
    assert not await put(store, 1, 2000, 5_001)
    assert not await put(store, 1, 1999, 5_001)
    store = home.open()
    assert not await put(store, 1, 2000, 5_001)
    await drain(store)
    assert [row.value_milli for item in home.sealer.materials for row in item.readings] == [5_000]


async def test_rows_leave_in_the_commit_that_seals_them_and_the_batch_stays(home: Home) -> None:
    store = home.open()
    await put(store, 1, 1000, 5_000)
    first = await store.seal()
    assert first is not None
    assert (await store.status()).readings_waiting == 0
    store = home.open()
    assert [batch.body for batch in await store.pending(10)] == [first.body]


async def test_batches_form_one_chain_from_number_one(home: Home) -> None:
    store = home.open()
    for slot in range(1, 4):
        await put(store, 1, slot, slot)
        await store.seal()
    materials = home.sealer.materials
    assert [item.number for item in materials] == [1, 2, 3]
    digests = [batch.digest for batch in await store.pending(10)]
    assert [item.previous_hash for item in materials] == [NO_DIGEST, *digests[:-1]]


async def test_the_gate_lane_is_sealed_and_sent_first(home: Home) -> None:
    store = home.open()
    await put(store, 1, 1000, 5_000)
    measure = await store.seal()
    await put(store, 1, 2000, 5_000)
    item = PersonalItem(item_id=meter(9), retention="parking", kind="plate", value="苏A12345")
    await store.record(item, lane=Lane.GATE)
    gate = await store.seal()
    assert measure is not None
    assert gate is not None
    assert (measure.lane, gate.lane) == (Lane.MEASURE, Lane.GATE)
    assert [batch.number for batch in await store.pending(10)] == [gate.number, measure.number]
    assert [row.record for row in home.sealer.materials[-1].events] == [item]


async def test_without_a_signer_rows_wait(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store.db", clock=HandClock(), entropy=counted, budget=Budget())
    await put(store, 1, 1000, 5_000)
    assert await store.seal() is None
    assert (await store.status()).readings_waiting == 1
    store.close()


async def test_a_failing_signer_leaves_the_rows_where_they_are(home: Home) -> None:
    store = home.open()
    await put(store, 1, 1000, 5_000)

    def refuse(_: object) -> None:
        raise RefusalError("the key is locked")

    store.use_sealer(refuse)  # type: ignore[arg-type]  # a sealer that never seals
    with pytest.raises(RefusalError, match="locked"):
        await store.seal()
    store.use_sealer(home.sealer)
    await store.seal()
    assert len(home.sealer.materials[0].readings) == 1


async def test_a_receipt_settles_once_and_the_batch_leaves_after_its_keep_time(home: Home) -> None:
    home.budget = Budget(keep_ms=60 * MINUTE_MS)
    store = home.open()
    await put(store, 1, 1000, 5_000)
    batch = await store.seal()
    assert batch is not None
    await store.settle(batch.number, b"receipt", BatchState.SETTLED)
    await store.settle(batch.number, b"other", BatchState.REFUSED)
    kept = await store.batch(batch.number)
    assert kept is not None
    assert kept.state is BatchState.SETTLED
    assert await store.pending(10) == ()
    home.clock.step(timedelta(days=400))
    await store.settle(99, b"", BatchState.SETTLED)
    assert await store.batch(batch.number) is not None, "a wall clock step deleted a batch"
    home.clock.advance(timedelta(hours=2))
    await store.settle(99, b"", BatchState.SETTLED)
    assert await store.batch(batch.number) is None


async def test_an_unreceipted_batch_never_leaves(home: Home) -> None:
    home.budget = Budget(keep_ms=1)
    store = home.open()
    await put(store, 1, 1000, 5_000)
    batch = await store.seal()
    assert batch is not None
    home.clock.advance(timedelta(days=1000))
    await store.settle(99, b"", BatchState.SETTLED)
    assert await store.batch(batch.number) is not None


async def test_a_damaged_file_is_put_aside_and_a_new_epoch_begins(home: Home) -> None:
    store = home.open()
    await put(store, 1, 1000, 5_000)
    store.close()
    home.store = None
    home.path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 8192)
    store = home.open()
    assert home.path.with_name("store.db.damaged-1").exists()
    assert await put(store, 1, 1000, 5_000), "the new store goes on"
    await drain(store)
    notes = [row.record for item in home.sealer.materials for row in item.events if isinstance(row.record, Note)]
    (detail,) = [note.detail for note in notes if note.what == "store_damaged"]
    assert detail == "store.db.damaged-1; taken over: 0 of bundle, 0 of stage"


async def test_a_second_gateway_on_the_same_folder_is_refused(home: Home) -> None:
    home.open()
    with pytest.raises(RefusalError, match="another gateway"):
        Store.open(home.path, clock=home.clock, entropy=counted, budget=Budget())


async def test_a_store_of_a_newer_release_is_refused(home: Home) -> None:
    home.open().close()
    home.store = None
    with sqlite3.connect(home.path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(RefusalError, match="newer release"):
        home.open()


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RefusalError, match="folder"):
        Store.open(tmp_path / "file" / "store.db", clock=HandClock(), entropy=counted, budget=Budget())


async def test_a_full_store_refuses_readings_keeps_the_gate_and_loses_nothing(home: Home) -> None:
    home.budget = Budget(limit_bytes=512 * 1024, ballast_bytes=128 * 1024)
    store = home.open()
    stored = 0
    refused: list[BaseException] = []
    while not refused:
        futures = [await store.offer(sample(number, stored + 1, 5)) for number in range(100)]
        done, _ = await asyncio.wait(futures)
        refused += [error for future in done if (error := future.exception()) is not None]
        stored += sum(future.exception() is None for future in done)
    assert isinstance(refused[0], StoreUnavailableError)
    assert store.stats.failures >= 1
    await store.record(Note(what="alarm", detail="full"), lane=Lane.GATE)
    assert (await store.status()).readings_waiting == stored
    store = home.open()
    assert (await store.status()).readings_waiting == stored


async def test_shedding_takes_diagnostics_then_settled_batches_and_says_so(home: Home) -> None:
    home.budget = Budget(limit_bytes=1024 * 1024, ballast_bytes=128 * 1024)
    store = home.open()
    for slot in range(1, 40):
        futures = [await store.offer(sample(number, slot, slot)) for number in range(400)]
        for future in futures:
            await future
        while (batch := await store.seal()) is not None:
            await store.settle(batch.number, b"", BatchState.SETTLED)
    await drain(store)
    readings = sum(len(item.readings) for item in home.sealer.materials)
    notes = [row.record for item in home.sealer.materials for row in item.events if isinstance(row.record, Note)]
    assert readings == 39 * 400, "an unsent register was shed"
    assert next(note.detail for note in notes if note.what == "shed").startswith("acknowledged batches 1..")


async def test_a_backward_step_draws_the_cursors_back_and_deletes_nothing(home: Home) -> None:
    store = home.open()
    ahead_ms = home.clock.utc_ms
    await put(store, 1, ahead_ms, 5_000)
    home.clock.step(-timedelta(days=365))
    await store.record(Note(what="tick", detail=""))
    cursor = store.cursor(meter(1))
    assert cursor == home.clock.utc_ms
    assert await put(store, 1, home.clock.utc_ms + MINUTE_MS, 5_001)
    await drain(store)
    assert [row.value_milli for item in home.sealer.materials for row in item.readings] == [5_000, 5_001]
    notes = [row.record for item in home.sealer.materials for row in item.events if isinstance(row.record, Note)]
    assert [note.what for note in notes] == ["boot", "clock_step", "tick"]


async def test_rows_of_an_undisciplined_boot_are_dated_when_a_receipt_tells_the_time(home: Home) -> None:
    home.clock.source, home.clock.uncertainty_ms = ClockSource.BOUNDED, 10**10
    true_ms = home.clock.utc_ms + 400 * 24 * 60 * MINUTE_MS
    store = home.open()
    await put(store, 1, 1000, 5_000)
    home.clock.advance(QUARTER)
    await store.receive_time(true_ms + 15 * MINUTE_MS, 200)
    await drain(store)
    stamp = home.sealer.materials[0].readings[0].stamp
    assert stamp.source is ClockSource.RECEIPT
    assert abs(stamp.at_ms - true_ms) <= stamp.uncertainty_ms <= 300


async def test_a_new_boot_has_a_new_number_and_its_own_anchor(home: Home) -> None:
    store = home.open()
    await put(store, 1, 1000, 5_000)
    home.clock.boot_id, home.clock.boot_ms = "boot-2", 10
    store = home.open()
    await (await store.offer(sample(1, 2000, 6_000, boot_ms=10)))
    await drain(store)
    rows = [row.stamp.boot_no for item in home.sealer.materials for row in item.readings]
    assert rows == [1, 2]
    assert [anchor.boot_no for anchor in home.sealer.materials[0].anchors] == [1, 2]


async def test_stage_states_and_records_are_kept_with_their_sample(home: Home) -> None:
    store = home.open()
    gap = Gap(
        meter_id=meter(1),
        quantities=("volume",),
        first_slot_ms=1,
        last_slot_ms=9,
        slots=2,
        reason=GapReason.NOT_RUNNING,
    )
    state = StageState(owner="anomaly", name="1/volume", body=b"state")
    await (await store.offer(sample(1, 10, 5, records=(gap,), states=(state,))))
    store = home.open()
    assert await store.stage("anomaly") == {"1/volume": b"state"}
    await store.record(states=(StageState(owner="anomaly", name="1/volume", body=None),))
    assert await store.stage("anomaly") == {}
    await drain(store)
    assert gap in [row.record for item in home.sealer.materials for row in item.events]


def bundle(version: int, state: BundleState) -> StoredBundle:
    return StoredBundle(kind="site", version=version, body=b"%d" % version, signed=b"", state=state, detail="")


async def test_the_last_good_bundle_stays_until_a_newer_one_proved_itself(home: Home) -> None:
    store = home.open()
    assert await store.bundle("site") is None
    await store.save_bundle(bundle(1, BundleState.GOOD))
    await store.save_bundle(bundle(2, BundleState.REFUSED))
    assert await store.bundle("site") == bundle(1, BundleState.GOOD)
    await store.save_bundle(bundle(3, BundleState.TRIAL))
    assert await store.bundle("site") == bundle(3, BundleState.TRIAL)
    await store.save_bundle(bundle(3, BundleState.REFUSED))
    assert await store.bundle("site") == bundle(1, BundleState.GOOD)
    for version in range(4, 20):
        await store.save_bundle(bundle(version, BundleState.GOOD))
    assert await store.bundle("site") == bundle(19, BundleState.GOOD)


async def test_an_idle_store_commits_nothing(home: Home) -> None:
    store = home.open()
    await put(store, 1, 1000, 5_000)
    before = store.stats.commits
    await asyncio.sleep(0.05)
    await store.status()
    assert store.stats.commits == before


async def test_many_samples_share_few_commits(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store.db", clock=HandClock(), entropy=counted, budget=Budget())
    futures = [await store.offer(sample(number, 1000, number)) for number in range(500)]
    for future in futures:
        await future
    assert store.stats.commits <= 3
    store.close()


async def test_a_writer_that_breaks_says_so_to_everyone_and_hangs_nobody(home: Home) -> None:
    store = home.open()
    store.use_sealer(lambda _: Sealed(body=b"", digest=None))  # type: ignore[arg-type]  # a bug that reaches the writer
    await put(store, 1, 1000, 5_000)
    with pytest.raises(InvariantError, match="TypeError"):
        await store.seal()
    with pytest.raises(StoreUnavailableError, match="closed"):
        await store.status()
    await until(lambda: not store.alive)
    store = home.open()
    assert store.cursor(meter(1)) == 1000


async def test_lanes_are_sealed_apart_and_waited_for_apart(home: Home) -> None:
    store = home.open()
    await put(store, 1, 1000, 5_000)
    assert await store.seal((Lane.GATE,)) is None
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await store.wait_gate_rows()
    await store.record(Note(what="alarm", detail=""), lane=Lane.GATE)
    async with asyncio.timeout(1):
        await store.wait_gate_rows()
        await store.wait_rows()
    gate = await store.seal((Lane.GATE,))
    assert gate is not None
    assert gate.lane is Lane.GATE
    measure = await store.seal()
    assert measure is not None
    assert measure.lane is Lane.MEASURE


async def test_attempts_are_counted(home: Home) -> None:
    store = home.open()
    await put(store, 1, 1000, 5_000)
    batch = await store.seal()
    assert batch is not None
    await store.tried(batch.number)
    await store.tried(batch.number)
    await store.note_clock()
    counted_batch = await store.batch(batch.number)
    assert counted_batch is not None
    assert counted_batch.tries == 2
