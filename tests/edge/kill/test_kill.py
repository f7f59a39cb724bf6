"""SIGKILL at random and at every write point, power cuts, a full disk: what a commit returned for is there, once."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from common.wire.records import Gap, GapReason
from edge.buffer.codec import encode
from edge.buffer.opening import open_file
from tests.edge.builders import counted, meter
from tests.edge.kill.audit import METERS, QUARTER_MS, Bench, assert_nothing_lost_or_doubled
from tests.edge.kill.cuts import cuts_of
from tests.support.randomness import seeded

pytestmark = pytest.mark.timeout(180)  # real processes, killed and started a dozen times
CYCLES = 12
WRITE_POINTS = 24
SEED = 20260105


@pytest.mark.slow
def test_killed_at_random_nothing_committed_is_lost_and_nothing_is_doubled(tmp_path: Path) -> None:
    bench, chance = Bench(tmp_path).run_clock(), seeded(SEED)
    for _ in range(CYCLES):
        child = bench.start()
        bench.wait_for_commits(METERS)
        time.sleep(chance.random() * 0.3)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert bench.commits() > CYCLES * METERS
    assert_nothing_lost_or_doubled(bench)


@pytest.mark.slow
def test_killed_at_each_write_point_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    bench = Bench(tmp_path).run_clock()
    for point in range(1, WRITE_POINTS + 1):
        child = bench.start(trap=f"kill:{point * 3}")
        assert child.wait(30) == -signal.SIGKILL
    survivor = bench.start()
    bench.wait_for_commits(METERS)
    os.kill(survivor.pid, signal.SIGKILL)
    survivor.wait()
    assert_nothing_lost_or_doubled(bench)


@pytest.mark.slow
def test_the_power_cut_at_any_write_point_leaves_what_was_committed(tmp_path: Path) -> None:
    bench = Bench(tmp_path).run_clock()
    child = bench.start(trap=f"cut:{SEED}")
    bench.wait_for_commits(METERS * 40)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    cuts = cuts_of(tmp_path, SEED)
    assert len(cuts) >= 5
    for cut in cuts:
        assert_nothing_lost_or_doubled(cut)


@pytest.mark.slow
def test_a_disk_that_takes_no_more_stops_nothing_and_its_log_tells_the_truth(tmp_path: Path) -> None:
    bench = Bench(tmp_path).run_clock()
    child = bench.start(file_bytes_max=400 * 1024)
    bench.wait_for_commits(METERS)
    bench.wait_until_settled()
    assert child.poll() is None, "the gateway ended because the disk was full"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert_nothing_lost_or_doubled(bench)
    again = bench.start()
    bench.wait_for_commits(METERS * 3)
    os.kill(again.pid, signal.SIGKILL)
    again.wait()
    assert_nothing_lost_or_doubled(bench)


def test_the_auditor_sees_a_loss_a_change_a_double_and_an_unsaid_hole(tmp_path: Path) -> None:
    """The proof itself can fail: each kind of damage, made by hand, is reported."""
    bench = Bench(tmp_path).run_clock()
    opened = open_file(tmp_path / "store.db", counted, 100_000)
    insert = "INSERT INTO reading (boot_no, boot_ms, slot_ms, point_no, value_milli, quality) VALUES (1, 1, ?, ?, 7, 0)"
    for number in range(1, METERS + 1):
        row = (meter(number).bytes, f"W{number}", "volume", "m3", "water")
        opened.connection.execute(
            "INSERT INTO series (meter_id, serial, quantity, unit, profile) VALUES (?, ?, ?, ?, ?)", row
        )
        opened.connection.execute(insert, (QUARTER_MS, number))
    line = f"{meter(1)} {QUARTER_MS} 7\n"
    bench.log.write_text(line, encoding="ascii")
    opened.lock.close()
    assert_nothing_lost_or_doubled(bench)
    bench.log.write_text(line + f"{meter(1)} {2 * QUARTER_MS} 7\n", encoding="ascii")
    with pytest.raises(AssertionError, match="gone or changed"):
        assert_nothing_lost_or_doubled(bench)
    bench.log.write_text(line.replace(" 7", " 8"), encoding="ascii")
    with pytest.raises(AssertionError, match="gone or changed"):
        assert_nothing_lost_or_doubled(bench)
    bench.log.write_text(line, encoding="ascii")
    opened.connection.execute("DELETE FROM reading WHERE point_no = 2")
    assert_nothing_lost_or_doubled(bench)
    bench.log.write_text(line + f"{meter(2)} {QUARTER_MS} 7\n", encoding="ascii")
    with pytest.raises(AssertionError, match="gone or changed"):
        assert_nothing_lost_or_doubled(bench)
    bench.log.write_text(line, encoding="ascii")
    say = "INSERT INTO event (boot_no, boot_ms, lane, kind, body) VALUES (1, 1, 0, 'gap', ?)"
    for slot_ms in (QUARTER_MS, 3 * QUARTER_MS):
        gap = Gap(
            meter_id=meter(2),
            quantities=("volume",),
            first_slot_ms=slot_ms,
            last_slot_ms=slot_ms,
            slots=1,
            reason=GapReason.NO_ANSWER,
        )
        opened.connection.execute(say, (encode(gap),))
    with pytest.raises(AssertionError, match="neither stored"):
        assert_nothing_lost_or_doubled(bench)
    opened.connection.execute("DELETE FROM event")
    opened.connection.execute(insert, (3 * QUARTER_MS, 1))
    with pytest.raises(AssertionError, match="neither stored"):
        assert_nothing_lost_or_doubled(bench)
    opened.connection.execute(insert, (QUARTER_MS, 1))
    with pytest.raises(AssertionError, match="stored twice"):
        assert_nothing_lost_or_doubled(bench)
    opened.connection.close()
