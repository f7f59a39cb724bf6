"""The fund-flow bill: its balance runs, its summary holds, and a complaint shows only here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloud.payments.channels.bill import FlowKind
from cloud.payments.channels.wechat.fund_bill import read_fund_bill
from common.errors import FaultsError
from tests.simulation.wechat.book import Book
from tests.simulation.wechat.fund_file import write_flow

MCHID, DAY = "1900000109", "2026-03-05"
NOW = datetime(2026, 3, 5, 4, tzinfo=UTC)


@pytest.fixture
def raw(tmp_path: Path) -> bytes:
    book = Book(tmp_path / "book.sqlite")
    book.add_merchant({"mchid": MCHID, "appid": "a", "serial": "", "public_pem": "", "api_key": ""})
    order = {"out_trade_no": "GH1", "description": "", "amount": {"total": 10_000, "currency": "CNY"}}
    book.place(MCHID, {**order, "notify_url": "", "time_expire": "2026-03-06T00:00:00+08:00"})
    book.pay("GH1", "o", NOW, late=False)
    book.complain(MCHID, 500, "C1", NOW)
    book.withdraw(MCHID, 1_000, NOW)
    found = write_flow(book, MCHID, DAY)
    book.close()
    assert found is not None
    return found


def test_every_movement_has_its_kind_and_the_balance_runs(raw: bytes) -> None:
    rows = read_fund_bill(raw)
    assert [(row.kind, row.fen) for row in rows] == [
        (FlowKind.TRADE, 10_000),
        (FlowKind.FEE, -60),
        (FlowKind.COMPLAINT, -500),
        (FlowKind.WITHDRAWAL, -1_000),
    ]
    assert (rows[0].number, rows[-1].balance_fen) == ("GH1", 8_440)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("`99.40", "`99.41"),
        ("`4.0", "`5.0"),
        ("收入,`100.00", "收入,`100.01"),
        ("`支出", "`转出"),
        ("2026-03-05 12:00:00", "2026-03-05"),
        ("资金流水总笔数", "总数"),
        ("记账时间", "时间"),
    ],
)
def test_a_file_that_was_changed_is_refused_whole(raw: bytes, old: str, new: str) -> None:
    text = raw.decode()
    assert old in text
    with pytest.raises(FaultsError):
        read_fund_bill(text.replace(old, new, 1).encode())


def test_a_file_in_another_encoding_is_refused(raw: bytes) -> None:
    with pytest.raises(FaultsError):
        read_fund_bill(raw.decode("utf-8-sig").encode("gb18030"))
