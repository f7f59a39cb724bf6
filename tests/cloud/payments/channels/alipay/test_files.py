"""Alipay's files: another account's, other columns, a cut zip, a sum or a balance that does not hold."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloud.payments.channels.alipay.files import read_fund_file, read_trade_file
from common.errors import FaultsError
from tests.simulation.alipay.bill_file import write_flows, write_trades
from tests.simulation.wechat.bill_file import Flaws
from tests.simulation.wechat.book import Book

SELLER, DAY = "2088000000000009", "2026-03-05"
NOW = datetime(2026, 3, 5, 4, tzinfo=UTC)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    made = Book(tmp_path / "book.sqlite")
    made.add_merchant({"mchid": SELLER, "appid": "a", "serial": "", "public_pem": "", "api_key": ""})
    for number, fen in (("GH1", 10_001), ("GH2", 20_000)):
        order = {"out_trade_no": number, "description": "物业,费", "amount": {"total": fen, "currency": "CNY"}}
        made.place(SELLER, {**order, "notify_url": "", "time_expire": "2026-03-06T00:00:00+08:00"})
        made.pay(number, "2088", NOW, late=False)
    yield made
    made.close()


def altered(raw: bytes, change: Callable[[str], str]) -> bytes:
    """Return a file whose detail text was changed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name).decode("gbk")).encode("gbk"))
    return packed.getvalue()


def whole(book: Book) -> bytes:
    raw = write_trades(book, SELLER, DAY, Flaws())
    assert raw is not None
    return raw


def test_a_comma_in_a_subject_shifts_no_column(book: Book) -> None:
    raw = whole(book)
    with pytest.raises(FaultsError):
        read_trade_file(raw, SELLER)
    quoted = altered(raw, lambda text: text.replace("物业,费", '"物业,费"'))
    assert [row.amount_fen for row in read_trade_file(quoted, SELLER)] == [10_001, 20_000]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(SELLER, "2088000000000008"),
        lambda text: text.replace("服务费（元）", "费"),
        lambda text: text.replace("交易合计：2笔", "交易合计：3笔"),
        lambda text: text.replace("共300.01元", "共300.02元"),
        lambda text: text.split("#交易合计")[0],
        lambda text: text.replace("交易\t,", "转账\t,"),
        lambda text: text.replace("2026-03-05 12:00:00", "2026-03-05"),
    ],
)
def test_a_file_that_was_changed_is_refused_whole(book: Book, change: Callable[[str], str]) -> None:
    good = altered(whole(book), lambda text: text.replace("物业,费", "物业费"))
    assert len(read_trade_file(good, SELLER)) == 2
    with pytest.raises(FaultsError):
        read_trade_file(altered(good, change), SELLER)


def test_a_ledger_with_a_missing_row_does_not_run(book: Book) -> None:
    raw = write_flows(book, SELLER, DAY)
    assert raw is not None
    assert len(read_fund_file(raw, SELLER)) == 4
    lines = altered(
        raw, lambda text: "\r\n".join(line for line in text.split("\r\n") if "A000000000000002" not in line)
    )
    with pytest.raises(FaultsError):
        read_fund_file(lines, SELLER)


def _without_the_second(text: str) -> str:
    return "\r\n".join(line for line in text.split("\r\n") if "A000000000000002" not in line)
