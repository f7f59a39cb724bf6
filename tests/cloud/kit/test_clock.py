"""Business time of a process: real, or paced by a file that a conductor moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloud.kit.clock import PacedClock, SystemClock, business_clock
from common.clock import Pace, to_epoch_ms
from common.errors import RefusalError

START = datetime(2026, 5, 1, tzinfo=UTC)
NS = 1_000_000


def held(at: datetime) -> bytes:
    ns = to_epoch_ms(at) * NS
    return Pace(start_ns=ns, monotonic_start_ns=0, speed_milli=0, ceiling_ns=ns).pack()


def test_a_paced_clock_follows_its_file(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    file.write_bytes(held(START))
    clock = business_clock(file)
    assert isinstance(clock, PacedClock)
    assert clock.now() == START
    file.write_bytes(held(START + timedelta(days=1)))
    assert clock.now() == START + timedelta(days=1)


@pytest.mark.parametrize("content", [None, b"", b"noise" * 8])
def test_a_missing_or_damaged_clock_file_is_refused_in_words(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "clock"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RefusalError, match="start the demo again"):
        PacedClock(file).now()


def test_without_a_file_time_is_real_and_in_utc() -> None:
    clock = business_clock(None)
    assert isinstance(clock, SystemClock)
    assert clock.now().utcoffset() == timedelta(0)
