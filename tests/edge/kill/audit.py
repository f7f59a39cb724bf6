"""The bench of the kill tests: a folder, a running clock, the child that polls by it, the auditor of what it left."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec

from common.clock import Pace, to_epoch_ms
from common.wire.records import Gap
from edge.buffer.codec import decode
from edge.buffer.opening import open_file
from edge.clock import monotonic_s
from tests.edge.builders import counted, meter
from tests.edge.kill.polling import FIRST_DAY

METERS = 5
QUARTER_MS = 15 * 60 * 1000
QUIET_LOOKS, QUIET_SECONDS = 10, 2.0
SPEED_MILLI = 90_000 * 1000  # a quarter of an hour passes in 10 ms


class Bench:
    """A folder, a running clock and the child that polls by it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock_file = folder / "clock.pace"
        self.log = folder / "commits.log"

    def run_clock(self) -> Bench:
        """Start the clock of the folder."""
        start_ns = to_epoch_ms(FIRST_DAY) * 10**6
        pace = Pace(
            start_ns=start_ns,
            monotonic_start_ns=time.monotonic_ns(),
            speed_milli=SPEED_MILLI,
            ceiling_ns=start_ns + 300 * 86_400 * 10**9,
        )
        self.clock_file.write_bytes(pace.pack())
        return self

    def start(self, file_bytes_max: int = 0, *, trap: str = "none") -> subprocess.Popen[bytes]:
        words = [self.folder, self.clock_file, self.log, METERS, file_bytes_max, trap]
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

    def wait_until_settled(self) -> None:
        """Wait until no commit has returned for two seconds."""
        settled, still = -1, 0
        while still < QUIET_LOOKS:
            still = still + 1 if self.commits() == settled else 0
            settled = self.commits()
            time.sleep(QUIET_SECONDS / QUIET_LOOKS)

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
        slots = {slot for meter_id, slot, _ in readings if meter_id == str(meter(number))}
        said = {slot for gap in gaps if gap.meter_id == meter(number) for slot in slots_of(gap)}
        logged = {slot for meter_id, slot, _ in bench.logged() if meter_id == str(meter(number))}
        known = slots | said | logged
        whole = set(range(min(known), max(known) + 1, QUARTER_MS)) if known else set()
        assert whole == slots | said, "a slot is neither stored nor said to be a gap"
        assert not slots & said, "a stored slot is said to be a gap"


def slots_of(gap: Gap) -> set[int]:
    slots = set(range(gap.first_slot_ms, gap.last_slot_ms + 1, QUARTER_MS))
    assert len(slots) == gap.slots
    return slots
