"""SIGKILL at random moments and a full disk: what a commit returned for is there, once, and every hole is said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from common.clock import Pace, to_epoch_ms
from common.wire.records import Gap
from edge.buffer.codec import decode
from edge.buffer.opening import open_file
from edge.clock import monotonic_s
from tests.edge.builders import counted, meter
from tests.edge.kill.polling import FIRST_DAY
from tests.support.randomness import seeded

pytestmark = pytest.mark.timeout(180)  # real processes, killed and started a dozen times
METERS = 5
CYCLES = 12
SEED = 20260105
QUARTER_MS = 15 * 60 * 1000
SPEED_MILLI = 90_000 * 1000  # a quarter of an hour passes in 10 ms
Key = tuple[str, int]


class Bench:
    """A folder, a running clock and the child that polls by it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock_file = folder / "clock.pace"
        self.log = folder / "commits.log"
        start_ns = to_epoch_ms(FIRST_DAY) * 10**6
        pace = Pace(
            start_ns=start_ns,
            monotonic_start_ns=time.monotonic_ns(),
            speed_milli=SPEED_MILLI,
            ceiling_ns=start_ns + 300 * 86_400 * 10**9,
        )
        self.clock_file.write_bytes(pace.pack())

    def start(self, file_bytes_max: int = 0) -> subprocess.Popen[bytes]:
        words = [self.folder, self.clock_file, self.log, METERS, file_bytes_max]
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "tests.edge.kill.polling", *map(str, words)],
            cwd=Path(__file__).parents[3],
            stderr=subprocess.DEVNULL,
        )

    def wait_for_commits(self, more: int) -> None:
        wanted = self.commits() + more
        deadline = monotonic_s() + 30
        while self.commits() < wanted:
            assert monotonic_s() < deadline, "the poller committed nothing"
            time.sleep(0.005)

    def commits(self) -> int:
        return self.log.read_bytes().count(b"\n") if self.log.exists() else 0

    def logged(self) -> list[tuple[str, int, int]]:
        rows = [line.split() for line in self.log.read_text(encoding="ascii").splitlines()]
        return [(meter_id, int(slot), int(value)) for meter_id, slot, value in rows]

    def stored(self) -> tuple[list[tuple[str, int, int]], list[Gap]]:
        """Return every reading and gap of the file, sealed or not, as an auditor would read it."""
        opened = open_file(self.folder / "store.db", counted, 100_000)
        connection = opened.connection
        readings = [
            (str(meter(int.from_bytes(meter_id) & 0xFFFF)), slot, value)
            for meter_id, slot, value in connection.execute(
                "SELECT meter_id, slot_ms, value_milli FROM reading JOIN series USING (point_no)"
            )
        ]
        gaps = [decode("gap", body) for (body,) in connection.execute("SELECT body FROM event WHERE kind = 'gap'")]
        for (body,) in connection.execute("SELECT body FROM batch ORDER BY number"):
            sealed = msgspec.json.decode(body)
            readings += [(meter_id, slot, value) for meter_id, slot, value in sealed["readings"]]
            gaps += [msgspec.convert(gap, Gap) for gap in sealed["gaps"]]
        numbers = [number for (number,) in connection.execute("SELECT number FROM batch ORDER BY number")]
        connection.close()
        opened.lock.close()
        assert numbers == list(range(1, len(numbers) + 1)), "the chain of batches has a hole"
        return readings, [gap for gap in gaps if isinstance(gap, Gap)]


def assert_nothing_lost_or_doubled(bench: Bench) -> None:
    readings, gaps = bench.stored()
    stored = Counter((meter_id, slot) for meter_id, slot, _ in readings)
    assert [key for key, count in stored.items() if count > 1] == [], "a reading was stored twice"
    values = {(meter_id, slot): value for meter_id, slot, value in readings}
    lost = [line for line in bench.logged() if values.get((line[0], line[1])) != line[2]]
    assert lost == [], "a committed reading is gone or changed"
    for number in range(1, METERS + 1):
        slots = sorted(slot for meter_id, slot, _ in readings if meter_id == str(meter(number)))
        said = {slot for gap in gaps if gap.meter_id == meter(number) for slot in slots_of(gap)}
        whole = set(range(slots[0], slots[-1] + 1, QUARTER_MS))
        assert whole == set(slots) | said, "a slot is neither stored nor said to be a gap"
        assert not set(slots) & said, "a stored slot is said to be a gap"


def slots_of(gap: Gap) -> set[int]:
    slots = set(range(gap.first_slot_ms, gap.last_slot_ms + 1, QUARTER_MS))
    assert len(slots) == gap.slots
    return slots


@pytest.mark.slow
def test_killed_at_random_nothing_committed_is_lost_and_nothing_is_doubled(tmp_path: Path) -> None:
    bench, chance = Bench(tmp_path), seeded(SEED)
    for _ in range(CYCLES):
        child = bench.start()
        bench.wait_for_commits(METERS)
        time.sleep(chance.random() * 0.3)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert bench.commits() > CYCLES * METERS
    assert_nothing_lost_or_doubled(bench)


@pytest.mark.slow
def test_a_disk_that_takes_no_more_stops_nothing_and_its_log_tells_the_truth(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    child = bench.start(file_bytes_max=400 * 1024)
    bench.wait_for_commits(METERS)
    settled, still = -1, 0
    while still < 10:
        still = still + 1 if bench.commits() == settled else 0
        settled = bench.commits()
        time.sleep(0.2)
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
    bench = Bench(tmp_path)
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
    opened.connection.execute(insert, (3 * QUARTER_MS, 1))
    with pytest.raises(AssertionError, match="neither stored"):
        assert_nothing_lost_or_doubled(bench)
    opened.connection.execute(insert, (QUARTER_MS, 1))
    with pytest.raises(AssertionError, match="stored twice"):
        assert_nothing_lost_or_doubled(bench)
    opened.connection.close()
