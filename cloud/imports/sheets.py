"""Reading a table from a spreadsheet or a CSV file, and writing an empty one to be filled in.

A table is its first sheet: a header row, then rows. Cells become text as a person reads them: whole numbers without a
point, days in ISO form. A file that is too large, or no table at all, is refused before anything is looked at.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import xlsxwriter
from python_calamine import CalamineError, CalamineWorkbook

from cloud.imports.columns import Column, columns_of
from cloud.imports.kinds import ImportKind
from cloud.kit.errors import MalformedError, TooLargeError

FILE_BYTES_MAX = 8 << 20
ROWS_MAX = 20_000
COLUMNS_MAX = 60
CELL_LENGTH_MAX = 500
_ZIP = b"PK\x03\x04"
_ENCODINGS = ("utf-8-sig", "gb18030")
_EXAMPLE_WIDTH = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as it was sent: the rows with the number each has in the file, cells by their header."""

    rows: tuple[tuple[int, Mapping[str, str]], ...]


def read_table(content: bytes, file_name: str) -> Table:
    """Return the first sheet of a spreadsheet, or a CSV file in UTF-8 or GB 18030.

    Raises:
        TooLargeError: there are too many bytes, rows or columns.
        MalformedError: it is no table.
    """
    if len(content) > FILE_BYTES_MAX:
        raise TooLargeError(f"the file is larger than {FILE_BYTES_MAX >> 20} MiB; split it")
    cells = _from_workbook(content) if content.startswith(_ZIP) else _from_csv(content, file_name)
    rows = [(n, row) for n, row in enumerate(cells, start=1) if any(cell for cell in row)]
    if not rows:
        raise MalformedError("the file has no rows; fill in the template and send it again")
    if len(rows) - 1 > ROWS_MAX:
        raise TooLargeError(f"the table has more than {ROWS_MAX} rows; split it")
    header = rows[0][1]
    if len(header) > COLUMNS_MAX:
        raise TooLargeError(f"the table has more than {COLUMNS_MAX} columns; use the template")
    names = [name.split("\n", maxsplit=1)[0].strip().rstrip("*").strip() for name in header]
    return Table(rows=tuple((n, dict(zip(names, row, strict=False))) for n, row in rows[1:]))


def template(kind: ImportKind) -> bytes:
    """Return an empty spreadsheet for a kind of import: headers in both languages, and an example below."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet(kind.value)
        head = book.add_format({"bold": True, "text_wrap": True, "bg_color": "#e8eef7"})
        for n, column in enumerate(columns_of(kind)):
            star = "*" if column.required else ""
            sheet.write_string(0, n, f"{column.zh}{star}\n{column.en}", head)
            sheet.write_string(1, n, column.example)
            sheet.set_column(n, n, _EXAMPLE_WIDTH)
        sheet.freeze_panes(1, 0)
    return out.getvalue()


def csv_text(columns: Sequence[Column], rows: Iterable[Mapping[str, str]]) -> bytes:
    """Return rows as a CSV file with the headers of a kind of import."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [column.zh for column in columns])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def _from_workbook(content: bytes) -> list[list[str]]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheet = book.get_sheet_by_index(0)
        if sheet.total_height > ROWS_MAX + 1 or sheet.total_width > COLUMNS_MAX:
            raise TooLargeError(f"the sheet is larger than {ROWS_MAX} rows or {COLUMNS_MAX} columns; split it")
        return [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    except (CalamineError, IndexError, OSError) as error:
        raise MalformedError(f"the spreadsheet cannot be read: {error}; save it as .xlsx again") from error


def _from_csv(content: bytes, file_name: str) -> list[list[str]]:
    for encoding in _ENCODINGS:
        try:
            text = content.decode(encoding)
            return [[_text(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]
        except (UnicodeDecodeError, csv.Error):
            continue
    raise MalformedError(f"{file_name} is neither a spreadsheet (.xlsx) nor a CSV file; save it as one of the two")


def _text(cell: Any) -> str:
    if isinstance(cell, datetime):
        text = cell.date().isoformat()
    elif isinstance(cell, date):
        text = cell.isoformat()
    elif isinstance(cell, float) and cell.is_integer():
        text = str(int(cell))
    else:
        text = str(cell)
    return text.strip()[:CELL_LENGTH_MAX]
