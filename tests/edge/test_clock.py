"""The clocks of the box and the paced one."""

from __future__ import annotations

import time
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from common.clock import Pace, from_epoch_ms, to_epoch_ms
from common.errors import RefusalError
from common.wire.stamp import ClockSource
from edge.clock import PacedClock, SystemClock, entropy, kernel_boot_id, kernel_uncertainty_ms, monotonic_s
from tests.edge.builders import START


def write_pace(path: Path, *, speed_milli: int, ceiling_days: int = 10) -> None:
    start_ns = to_epoch_ms(START) * 10**6
    pace = Pace(
        start_ns=start_ns,
        monotonic_start_ns=time.monotonic_ns(),
        speed_milli=speed_milli,
        ceiling_ns=start_ns + ceiling_days * 86_400 * 10**9,
    )
    path.write_bytes(pace.pack())


def test_the_box_tells_the_time_in_utc_and_how_far_it_is_trusted() -> None:
    clock = SystemClock()
    look = clock.look()
    assert clock.now().tzinfo is UTC
    assert abs(from_epoch_ms(look.utc_ms) - clock.now()) < timedelta(seconds=5)
    trusted = look.source is ClockSource.SYNCHRONISED
    assert trusted == (kernel_uncertainty_ms() is not None)


def test_the_boot_has_one_name() -> None:
    assert kernel_boot_id() == SystemClock().boot_id


def test_the_boot_time_clock_only_moves_forward() -> None:
    clock = SystemClock()
    looks = [clock.look().boot_ms for _ in range(100)]
    assert looks == sorted(looks)


def test_a_paced_clock_follows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "clock.pace"
    write_pace(path, speed_milli=0)
    clock = PacedClock(path)
    assert clock.now() == START
    write_pace(path, speed_milli=10**9, ceiling_days=3)
    time.sleep(0.3)
    assert clock.now() == START + timedelta(days=3)
    look = clock.look()
    assert (look.boot_ms, look.source) == (look.utc_ms, ClockSource.SYNCHRONISED)


@pytest.mark.parametrize("content", [None, b"", b"not a pace"])
def test_a_missing_or_foreign_clock_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "clock.pace"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RefusalError):
        PacedClock(path)


def test_machine_time_moves_and_randomness_differs() -> None:
    assert monotonic_s() <= monotonic_s()
    assert entropy(16) != entropy(16)
