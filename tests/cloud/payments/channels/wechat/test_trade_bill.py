"""The trade bill: the published file reads to its own totals, and a damaged one is refused whole."""

from __future__ import annotations

from typing import Any

import pytest

from cloud.payments.channels.bill import BillKind
from cloud.payments.channels.wechat.trade_bill import read_trade_bill
from common.errors import FaultsError
from tests.cloud.payments.channels.wechat.vectors import of_kind

VECTOR: dict[str, Any] = of_kind("wechat.bill.trade")[0]
TEXT: str = VECTOR["input"]["text"]
MERCHANT = "1921000401"


def test_the_published_bill_reads_to_its_own_totals() -> None:
    content = read_trade_bill(TEXT.encode(), MERCHANT)
    expected = VECTOR["expect"]
    kinds = [row.kind for row in content.rows]
    assert len(kinds) == expected["rows"]
    assert kinds.count(BillKind.PAYMENT) == expected["payments"]
    assert kinds.count(BillKind.REFUND) == expected["refunds"]
    assert sum(row.settled_fen for row in content.rows) == expected["settled_fen"]
    assert sum(row.refund_settled_fen for row in content.rows) == expected["refund_fen"]
    assert sum(row.fee_millifen for row in content.rows) == 8_000
    assert content.summary.count == 45


def test_times_are_beijing_time() -> None:
    row = read_trade_bill(TEXT.encode(), MERCHANT).rows[0]
    assert row.at.isoformat() == "2019-02-18T21:01:46+00:00"


def _lines() -> list[str]:
    return TEXT.rstrip("\r\n").split("\r\n")


def _joined(lines: list[str]) -> bytes:
    return "\r\n".join(lines).encode()


def _without_a_row() -> bytes:
    return _joined(_lines()[:1] + _lines()[2:])


def _with_a_row_twice() -> bytes:
    return _joined(_lines()[:2] + _lines()[1:])


def _off_by_a_fen() -> bytes:
    lines = _lines()
    place = next(n for n, line in enumerate(lines) if "`SUCCESS" in line and "`0.03" in line)
    return _joined([*lines[:place], lines[place].replace("`0.03", "`0.04"), *lines[place + 1 :]])


def _with_a_missing_column() -> bytes:
    return _joined([line.rpartition(",")[0] for line in _lines()[:-2]] + _lines()[-2:])


def _with_a_short_row() -> bytes:
    lines = _lines()
    return _joined([lines[0], lines[1].rpartition(",")[0], *lines[2:]])


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (_without_a_row(), "count of rows"),
        (_with_a_row_twice(), "count of rows"),
        (_off_by_a_fen(), "rows give 48, the summary says 47"),
        (_with_a_missing_column(), "27 known columns"),
        (_with_a_short_row(), "26 cells"),
        (_joined(_lines()[:-2]), "cut off"),
        (_joined(_lines()[:-1]), "cut off"),
        (TEXT.encode("gb18030"), "not UTF-8"),
        (TEXT.replace("`SUCCESS,`OTHERS", "`MAYBE,`OTHERS").encode(), "unknown trade state"),
        (b"", "27 known columns"),
    ],
)
def test_a_damaged_bill_is_refused_whole(raw: bytes, message: str) -> None:
    with pytest.raises(FaultsError, match=message):
        read_trade_bill(raw, MERCHANT)


def test_a_bill_of_another_merchant_is_refused() -> None:
    with pytest.raises(FaultsError, match="another merchant"):
        read_trade_bill(TEXT.encode(), "1900000001")
