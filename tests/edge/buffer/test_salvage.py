"""A card that lost pages loses neither the configuration nor what stages remember, and nothing stops the gateway."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from common.wire import cbor
from edge.buffer.records import BundleState, StageState, StoredBundle
from edge.buffer.schema import PAGE_BYTES
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from tests.edge.builders import HandClock, meter, sample
from tests.support.randomness import seeded_bytes

BUDGET = Budget(limit_bytes=64 << 20, ballast_bytes=1 << 20)
ROWS = 3_000


def opened(path: Path, seed: int = 1) -> Store:
    return Store.open(path, clock=HandClock(), entropy=seeded_bytes(seed), budget=BUDGET, commit_interval_s=0.001)


async def fill(path: Path) -> None:
    """Store a configuration, a stage's memory and enough readings for pages of their own."""
    body = cbor.encode({"zone": "UTC"})
    with closing(opened(path)) as store:
        await store.save_bundle(
            StoredBundle(kind="site", version=3, body=body, signed=b"s", state=BundleState.GOOD, detail="")
        )
        await store.record(states=[StageState(owner="watch", name="w", body=b"memory")])
        commit = await store.offer(sample(1, 0, 0))
        for number in range(ROWS):
            commit = await store.offer(sample(1, number + 1, number))
        await commit


def spoil(path: Path, table: str) -> None:
    """Overwrite the last page of a table with noise."""
    with closing(sqlite3.connect(path)) as connection:
        page = connection.execute("SELECT max(pageno) FROM dbstat WHERE name = ?", (table,)).fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE_BYTES)
        file.write(seeded_bytes(9)(PAGE_BYTES))


async def test_configuration_and_memory_come_over_when_readings_are_spoilt(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await fill(path)
    with closing(opened(path)) as before:
        epoch = before.epoch
    try:
        spoil(path, "reading")
    except sqlite3.OperationalError:  # this SQLite was built without dbstat: spoil the end of the file
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(size - PAGE_BYTES)
            file.write(seeded_bytes(9)(PAGE_BYTES))
    with closing(opened(path, 2)) as store:
        assert store.epoch != epoch
        bundle = await store.bundle("site")
        assert bundle is not None
        assert bundle.version == 3
        assert await store.stage("watch") == {"w": b"memory"}
        assert store.cursor(meter(1)) is None, "every meter is read again at once"
    assert (tmp_path / "store.db.damaged-1").exists()


async def test_a_file_that_is_no_store_at_all_yields_nothing_and_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(seeded_bytes(5)(50_000))
    with closing(opened(path)) as store:
        assert await store.bundle("site") is None
        assert await (await store.offer(sample(1, 1_000, 5)))
