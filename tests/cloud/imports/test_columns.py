"""Cells become values, or faults with their row and column; all of a table at once."""

from __future__ import annotations

from datetime import date

import pytest

from cloud.imports.columns import columns_of, read_records
from cloud.imports.kinds import ImportKind

ROW = {"楼栋": "1", "房号": "1-1-101", "类型": "住宅", "建筑面积": "88.53", "业主": "王小明", "起始日": "2026-01-01"}


def test_a_row_becomes_values_and_an_empty_cell_none() -> None:
    (record,), faults = read_records(ImportKind.ESTATE, ((2, {**ROW, "电话": "138 0000 1234".replace(" ", "")}),))
    assert faults == ()
    assert record.values["area"] == 88_530
    assert (record.values["phone"], record.values["since"]) == ("1234", date(2026, 1, 1))
    assert "persons" not in record.values


def test_every_fault_is_named_with_its_row_and_column_at_once() -> None:
    rows = (
        (2, {**ROW, "类型": "城堡", "建筑面积": "大"}),
        (3, {**ROW, "房号": "", "起始日": "2026-02-30"}),
        (4, ROW),
    )
    records, faults = read_records(ImportKind.ESTATE, rows)
    assert [record.row for record in records] == [4]
    where = [fault.where for fault in faults]
    assert [(text.split(",")[0], text.split(", ")[1].split()[0]) for text in where] == [
        ("第 2 行 row 2", "类型"),
        ("第 2 行 row 2", "建筑面积"),
        ("第 3 行 row 3", "房号"),
        ("第 3 行 row 3", "起始日"),
    ]


@pytest.mark.parametrize(
    ("kind", "column", "text"),
    [
        (ImportKind.ESTATE, "建筑面积", "0"),
        (ImportKind.ESTATE, "建筑面积", "-5"),
        (ImportKind.ESTATE, "建筑面积", "88.5301"),
        (ImportKind.ESTATE, "电话", "none"),
        (ImportKind.ESTATE, "房号", "x" * 101),
        (ImportKind.METERS, "位数", "16"),
        (ImportKind.METERS, "位数", "six"),
        (ImportKind.METERS, "倍率", "0"),
        (ImportKind.METERS, "种类", "光"),
        (ImportKind.OPENINGS, "欠费金额", "0.00"),
        (ImportKind.OPENINGS, "欠费金额", "1.234"),
        (ImportKind.READINGS, "读数", "-1"),
        (ImportKind.READINGS, "日期", "yesterday"),
    ],
)
def test_a_cell_that_cannot_be_is_a_fault(kind: ImportKind, column: str, text: str) -> None:
    row = {one.zh: one.example for one in columns_of(kind)} | {column: text}
    records, faults = read_records(kind, ((2, row),))
    assert records == ()
    assert [column in fault.where for fault in faults] == [True]


def test_a_table_of_another_kind_is_refused_in_one_line() -> None:
    _, faults = read_records(ImportKind.METERS, ((2, ROW),))
    assert [fault.where for fault in faults] == ["表头 header"]
    assert "表号" in faults[0].what


@pytest.mark.parametrize("kind", list(ImportKind))
def test_the_example_of_every_template_can_be_read(kind: ImportKind) -> None:
    records, faults = read_records(kind, ((2, {one.zh: one.example for one in columns_of(kind)}),))
    assert (len(records), faults) == (1, ())
