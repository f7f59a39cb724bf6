"""The ZM file: widths are bytes, a net that does not follow, another merchant, an unknown code."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloud.payments.channels.bill import FlowKind
from cloud.payments.channels.unionpay.files import read_fund_file, read_trade_file
from common.errors import FaultsError
from tests.simulation.unionpay.zm_file import write_zm
from tests.simulation.wechat.bill_file import Flaws
from tests.simulation.wechat.book import Book

MERCHANT, DAY = "777290058110097", "2026-03-05"


@pytest.fixture
def raw(tmp_path: Path) -> bytes:
    book = Book(tmp_path / "book.sqlite", short_numbers=True)
    book.add_merchant({"mchid": MERCHANT, "appid": "", "serial": "", "public_pem": "", "api_key": ""})
    order = {"out_trade_no": "GH1", "description": "", "amount": {"total": 10_001, "currency": "CNY"}}
    book.place(MERCHANT, {**order, "notify_url": "", "time_expire": "2026-03-06T00:00:00+08:00"})
    book.pay("GH1", "card", datetime(2026, 3, 5, 4, tzinfo=UTC), late=False)
    written = write_zm(book, MERCHANT, DAY, Flaws())
    book.close()
    return written


def altered(raw: bytes, change: Callable[[bytes], bytes], name: str = "INN26030588ZM_x") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(zlib.decompress(raw))) as old, zipfile.ZipFile(packed, "w") as new:
        new.writestr(name, change(old.read(old.namelist()[0])))
    return zlib.compress(packed.getvalue())


def test_a_row_is_cut_by_bytes_before_it_is_decoded(raw: bytes) -> None:
    (row,) = read_trade_file(raw, MERCHANT)
    assert (row.order_number, row.amount_fen, row.fee_millifen) == ("GH1", 10_001, 60_000)
    assert row.at == datetime(2026, 3, 5, 4, tzinfo=UTC)
    assert "物业".encode("gbk") in zipfile.ZipFile(io.BytesIO(zlib.decompress(raw))).read("INN26030588ZM_" + MERCHANT)


def test_each_trade_and_its_fee_move_the_balance(raw: bytes) -> None:
    assert [(row.kind, row.fen, row.balance_fen) for row in read_fund_file(raw, MERCHANT)] == [
        (FlowKind.TRADE, 10_001, 10_001),
        (FlowKind.FEE, -60, 9_941),
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace(b"C000000009941", b"C000000009942"),
        lambda body: body.replace(MERCHANT.encode(), b"777290058110098"),
        lambda body: body.replace(b"S22", b"S99"),
        lambda body: body[:-10] + b"\r\n",
        lambda body: body.replace(b"000000010001", b"00000001000x"),
        lambda body: body.replace(b"0305120000", b"0230120000"),
    ],
)
def test_a_row_that_was_changed_refuses_the_whole_file(raw: bytes, change: Callable[[bytes], bytes]) -> None:
    assert len(read_trade_file(altered(raw, lambda body: body), MERCHANT)) == 1
    with pytest.raises(FaultsError):
        read_trade_file(altered(raw, change), MERCHANT)


@pytest.mark.parametrize("name", ["INN26030588ZME_x", "README", "INNxx030588ZM_x"])
def test_a_zip_without_the_days_file_is_refused(raw: bytes, name: str) -> None:
    with pytest.raises(FaultsError):
        read_trade_file(altered(raw, lambda body: body, name), MERCHANT)


@pytest.mark.parametrize("junk", [b"", b"junk", zlib.compress(b"no zip")])
def test_junk_is_refused(junk: bytes) -> None:
    with pytest.raises(FaultsError):
        read_trade_file(junk, MERCHANT)
