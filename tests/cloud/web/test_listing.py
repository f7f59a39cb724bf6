"""Lists know their neighbours; a file runs nothing in a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest

from cloud.kit.httpapi import Paging
from cloud.web.listing import csv_file, listing, part


def test_a_list_knows_its_neighbours() -> None:
    rows = list(range(7))
    first, middle, last = (part(rows, Paging(offset=offset, limit=3)) for offset in (0, 3, 6))
    assert (first.rows, first.previous_offset, first.next_offset) == ((0, 1, 2), None, 3)
    assert (middle.rows, middle.previous_offset, middle.next_offset) == ((3, 4, 5), 0, 6)
    assert (last.rows, last.previous_offset, last.next_offset) == ((6,), 3, None)
    assert listing([], Paging(offset=0, limit=3)).rows == ()


def test_no_cell_of_a_file_is_run_by_a_spreadsheet() -> None:
    nasty = ["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "plain", "-12.50", "1,234.00", "-1,234.00"]
    answer = csv_file("x.csv", ("a",), [[cell] for cell in nasty])
    read = list(csv.reader(io.StringIO(bytes(answer.body).decode()[1:])))
    cells = [row[0] for row in read[1:]]
    assert cells == ["'=1+1", "'+A1", "'-A1", "'@SUM(A1)", "'\t=1", "plain", "-12.50", "1,234.00", "-1,234.00"]


def test_a_file_has_a_plain_name() -> None:
    with pytest.raises(ValueError, match="no file name"):
        csv_file('x"; y', ("a",), [])
