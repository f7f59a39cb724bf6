"""The count on disk: one of two slots is always whole, damage is unknown and not zero."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import RefusalError
from edge.driver.pulse_totals import SLOT_BYTES, PulseTotals


def loaded(path: Path) -> int:
    return PulseTotals(path).load()


def test_a_new_input_begins_at_zero(tmp_path: Path) -> None:
    assert loaded(tmp_path / "none") == 0


@pytest.mark.parametrize("writes", [1, 2, 3, 10])
def test_the_newest_count_comes_back(tmp_path: Path, writes: int) -> None:
    path = tmp_path / "deep" / "count"
    totals = PulseTotals(path)
    for n in range(1, writes + 1):
        totals.save(100 * n, sync=n % 2 == 0)

    assert loaded(path) == 100 * writes
    assert path.stat().st_size <= 2 * SLOT_BYTES


def test_a_count_goes_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "count"
    PulseTotals(path).save(5, sync=True)
    again = PulseTotals(path)
    assert again.load() == 5
    again.save(6, sync=True)

    assert loaded(path) == 6


@pytest.mark.parametrize("torn", range(1, 21))
def test_a_write_that_was_torn_leaves_the_count_before_it(tmp_path: Path, torn: int) -> None:
    path = tmp_path / "count"
    totals = PulseTotals(path)
    totals.save(7, sync=True)
    totals.save(8, sync=True)
    whole = path.read_bytes()
    totals.save(9, sync=True)
    newer = path.read_bytes()
    at = next(n for n, (one, two) in enumerate(zip(whole, newer, strict=True)) if one != two) // SLOT_BYTES * SLOT_BYTES
    path.write_bytes(newer[: at + torn - 1] + bytes([newer[at + torn - 1] ^ 0xFF]) + newer[at + torn :])

    assert loaded(path) == 8


@pytest.mark.parametrize("content", [b"", b"\x01", b"\xff" * 64, b"x" * 64])
def test_damage_is_unknown_and_never_zero(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "count"
    path.write_bytes(content)

    with pytest.raises(RefusalError, match=r"damaged.*start_reading"):
        loaded(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusalError, match="cannot be read"):
        loaded(tmp_path)


def test_a_disk_that_refuses_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(OSError, match="file"):
        PulseTotals(tmp_path / "file" / "count").save(1, sync=False)
