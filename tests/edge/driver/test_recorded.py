"""Recorded series answer like meters: fresh rows only, nothing made up, and a broken file is refused by line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from common.errors import FaultsError
from common.reading.reading import Quantity
from edge.driver.outcome import FailureKind, WireKind
from edge.driver.recorded import RecordedWire, load_series
from tests.edge.driver.builders import NOON, StandingClock, device, wire_config

HEADER = "serial,quantity,read_at,value"
ROWS = """R1,volume,2026-02-01T16:00:00Z,10.5
R1,volume,2026-02-02T16:00:00Z,11.25
R1,energy_forward,2026-02-02T16:00:00Z,-3
R2,volume,2026-02-02T16:00:00Z,7
"""


def recorded(folder: Path, clock: StandingClock, text: str = f"{HEADER}\n{ROWS}") -> RecordedWire:
    path = folder / "series.csv"
    path.write_text(text, encoding="utf-8")
    return RecordedWire(wire_config(WireKind.RECORDED, "series.csv"), path, clock)


@pytest.mark.parametrize(
    ("after", "milli"),
    [
        (timedelta(hours=-13), 10_500),
        (timedelta(0), 11_250),
        (timedelta(hours=11, minutes=59), 11_250),
        (timedelta(hours=12), None),
        (timedelta(days=-9), None),
    ],
)
async def test_a_row_answers_from_its_instant_for_at_most_a_day(
    tmp_path: Path, after: timedelta, milli: int | None
) -> None:
    wire = recorded(tmp_path, StandingClock(NOON + after))

    outcome = await wire.read(device(1, "any", "-", Quantity.VOLUME, serial="R1"))

    assert [point.value_milli for point in outcome.points] == ([] if milli is None else [milli])
    assert bool(outcome.failures) == (milli is None)


async def test_each_missing_point_is_a_failure_and_the_others_answer(tmp_path: Path) -> None:
    wire = recorded(tmp_path, StandingClock())
    wanted = (Quantity.VOLUME, Quantity.ENERGY_FORWARD, Quantity.POWER)

    outcome = await wire.read(device(1, "any", "-", *wanted, serial="R1"))

    assert [(point.quantity, point.value_milli) for point in outcome.points] == [
        (Quantity.VOLUME, 11_250),
        (Quantity.ENERGY_FORWARD, -3_000),
    ]
    assert outcome.failures[0].points == (Quantity.POWER,)
    assert outcome.response == b"11250-3000"


async def test_a_file_that_is_not_there_is_a_lost_link_and_read_again_after_closing(tmp_path: Path) -> None:
    clock = StandingClock()
    wire = RecordedWire(wire_config(WireKind.RECORDED, "series.csv"), tmp_path / "series.csv", clock)
    wanted = device(1, "any", "-", Quantity.VOLUME, serial="R1")
    missing = await wire.read(wanted)
    recorded(tmp_path, clock)
    await wire.close()

    assert missing.failures[0].kind is FailureKind.LINK_LOST
    assert (await wire.read(wanted)).points


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", "line 1", "does not begin with"),
        (f"{HEADER}\nR1,volume,2026-02-01T16:00:00Z", "line 2", "3 columns"),
        (f"{HEADER}\nR1,volumes,2026-02-01T16:00:00Z,1", "line 2", "is no reading"),
        (f"{HEADER}\nR1,volume,yesterday,1", "line 2", "is no reading"),
        (f"{HEADER}\nR1,volume,2026-02-01T16:00:00Z,4e+05", "line 2", "is no reading"),
        (f"{HEADER}\nR1,volume,2026-02-01T16:00:00,1", "line 2", "without the UTC mark"),
        (f"{HEADER}\nR1,volume,2026-02-01T16:00:00+08:00,1", "line 2", "without the UTC mark"),
        (f"{HEADER}\n{ROWS}R1,volume,2026-02-02T16:00:00Z,12", "line 6", "goes back in time"),
    ],
)
def test_a_row_that_is_no_reading_is_refused_by_its_line(tmp_path: Path, text: str, line: str, what: str) -> None:
    path = tmp_path / "series.csv"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(FaultsError) as refusal:
        load_series(path)

    assert refusal.value.faults[0].where == line
    assert what in refusal.value.faults[0].what
