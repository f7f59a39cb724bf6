"""The gate's writing: in order, from memory while the disk refuses, and camera records known across restarts."""

from __future__ import annotations

from pathlib import Path

from common.wire.records import Note
from edge.gate.log import SIGHTS_KEPT, GateLog
from tests.edge.gate.bench import Bench


async def test_records_that_the_disk_refused_follow_in_order_when_it_serves_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "store.db")
    log = GateLog(bench.store)
    bench.store.close()
    for number in range(3):
        await log.write((Note(what="test", detail=str(number)),), ())
    bench.store = bench.open_store()
    log._store = bench.store
    await log.write((Note(what="test", detail="3"),), ())
    notes = [record.detail for record in await bench.records() if isinstance(record, Note) and record.what == "test"]
    assert notes == ["0", "1", "2", "3"]
    bench.store.close()


async def test_the_newest_camera_records_are_known_and_the_oldest_forgotten(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "store.db")
    log = GateLog(bench.store)
    forgotten = [state.name for n in range(SIGHTS_KEPT + 1) for state in log.remember(f"k{n}", n) if not state.body]
    assert forgotten == ["k0"]
    assert not log.knows("k0")
    assert log.knows(f"k{SIGHTS_KEPT}")
    await log.write((), log.remember("kept", 7))
    again = GateLog(bench.store)
    await again.load()
    assert again.knows("kept")
    bench.store.close()
