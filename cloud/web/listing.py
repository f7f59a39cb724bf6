"""Lists on pages: a part of the rows with the way to the next part, and the same rows as a CSV file.

A CSV file opens in a spreadsheet as it is: UTF-8 with its mark, amounts in yuan with a point, and no cell that a
spreadsheet would run as a formula.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from fastapi import Response

from cloud.kit.httpapi import Paging

CSV_ROWS_MAX = 10_000
_MARK = "\ufeff"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"-?\d[\d,]*(\.\d+)?")
_FILE_NAME = re.compile(r"[a-z0-9.-]+")
Row = TypeVar("Row")
Cell = str | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[Row]):
    """A part of a list, from `offset` on; the other offsets are None where there is nothing more."""

    rows: tuple[Row, ...]
    offset: int
    previous_offset: int | None
    next_offset: int | None


def listing(rows: Sequence[Row], wanted: Paging) -> Listing[Row]:
    """Return a listing from up to `limit + 1` rows that were fetched from `offset` on."""
    more = len(rows) > wanted.limit
    return Listing(
        rows=tuple(rows[: wanted.limit]),
        offset=wanted.offset,
        previous_offset=max(0, wanted.offset - wanted.limit) if wanted.offset else None,
        next_offset=wanted.offset + wanted.limit if more else None,
    )


def part(rows: Sequence[Row], wanted: Paging) -> Listing[Row]:
    """Return a listing of rows that were fetched whole."""
    return listing(rows[wanted.offset : wanted.offset + wanted.limit + 1], wanted)


def csv_file(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """Return rows as a CSV file to be saved under a name such as `cases.csv`."""
    if not _FILE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no file name; use small letters, digits, points and dashes")
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return Response(
        _MARK + text.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _cell(value: Cell) -> str:
    """Return a cell as text; one that a spreadsheet would take for a formula is put behind an apostrophe."""
    shown = "" if value is None else str(value)
    return f"'{shown}" if shown.startswith(_FORMULA) and not _NUMBER.fullmatch(shown) else shown
