"""What rows are compared with before anything is made."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from cloud.estate.values import Community
from cloud.imports.columns import Record
from cloud.imports.kinds import ImportKind
from cloud.imports.making import Standing, faults_of
from common.ids import CommunityId, MeterId
from common.reading.reading import Resource

KNOWN = Standing(
    community=Community(id=CommunityId(UUID(int=1)), code="c", name="c", zone_name="UTC"),
    premises={},
    buildings={},
    meters={"E1": (MeterId(UUID(int=2)), Resource.ELECTRICITY)},
)


def reading(row: int, day: int, value: int, serial: str = "E1") -> Record:
    return Record(row=row, values={"serial": serial, "day": date(2026, 1, day), "value": value})


@pytest.mark.parametrize(
    ("records", "rows"),
    [
        ([reading(2, 1, 5), reading(3, 2, 5)], []),
        ([reading(2, 2, 5), reading(3, 1, 9)], [2]),
        ([reading(2, 1, 5), reading(3, 1, 5)], [3]),
        ([reading(2, 1, 5, "E9")], [2]),
    ],
    ids=["rises", "runs backwards whatever the order of rows", "twice", "unknown"],
)
def test_readings_rise_meter_by_meter_and_stand_once(records: list[Record], rows: list[int]) -> None:
    faults = faults_of(ImportKind.READINGS, records, KNOWN)
    assert [int(fault.where.split("row ")[1].split(",")[0]) for fault in faults] == rows


def test_nothing_is_wrong_with_no_rows() -> None:
    assert [faults_of(kind, [], KNOWN) for kind in ImportKind] == [[], [], [], []]
