"""Tables from spreadsheets and CSV files, and what is no table."""

from __future__ import annotations

import io
from datetime import date

import pytest
import xlsxwriter

from cloud.imports.columns import columns_of, read_records
from cloud.imports.kinds import ImportKind
from cloud.imports.sheets import FILE_BYTES_MAX, ROWS_MAX, csv_text, read_table, template
from cloud.kit.errors import MalformedError, TooLargeError


def workbook(rows: list[list[object]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        for n, row in enumerate(rows):
            sheet.write_row(n, 0, row)
    return out.getvalue()


@pytest.mark.parametrize("kind", list(ImportKind))
def test_a_template_comes_back_as_a_table_whose_example_can_be_read(kind: ImportKind) -> None:
    table = read_table(template(kind), "t.xlsx")
    records, faults = read_records(kind, table.rows)
    assert (len(records), faults) == (1, ())


def test_numbers_and_days_of_a_spreadsheet_become_what_a_person_reads() -> None:
    table = read_table(
        workbook([["房号", "数", "日"], ["1", 88.5, date(2026, 1, 1)], ["", "", ""], ["2", 3.0, ""]]), "t"
    )
    assert [(n, dict(row)) for n, row in table.rows] == [
        (2, {"房号": "1", "数": "88.5", "日": "2026-01-01"}),
        (4, {"房号": "2", "数": "3", "日": ""}),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_file_is_read_in_the_encodings_that_offices_use(encoding: str) -> None:
    table = read_table("房号,业主\n1-1-101,王小明\n".encode(encoding), "t.csv")
    assert dict(table.rows[0][1]) == {"房号": "1-1-101", "业主": "王小明"}


def test_a_table_written_is_the_table_read() -> None:
    columns = columns_of(ImportKind.READINGS)
    row = {column.zh: column.example for column in columns}
    assert dict(read_table(csv_text(columns, [row]), "t.csv").rows[0][1]) == row


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", MalformedError),
        (b"\n\n", MalformedError),
        (b"PK\x03\x04 not really", MalformedError),
        (b"\xff\xfe\xfa\x81", MalformedError),
        (b"a" * (FILE_BYTES_MAX + 1), TooLargeError),
        (b"a\n" * (ROWS_MAX + 2), TooLargeError),
        (b",".join([b"a"] * 61) + b"\n1\n", TooLargeError),
    ],
    ids=["empty", "blank", "broken zip", "no text", "too large", "too long", "too wide"],
)
def test_what_is_no_table_is_refused(content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_table(content, "t.csv")
