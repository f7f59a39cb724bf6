"""An acquirer's file: in either encoding, by the names of its columns, and never one that contradicts itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cloud.payments.channels.bill import BillKind
from cloud.payments.channels.pos.acquirer_file import read_acquirer_file
from cloud.payments.collection import slip_number
from common.errors import FaultsError

MERCHANT = "821290058110097"
FILE = f"""商户号,门店,终端号,批次号,凭证号,参考号,卡号,交易时间,交易类型,交易金额,手续费,清算金额
{MERCHANT},前台,10203040,000001,000012,260301123456,622202******0001,2026-03-01 12:00:00,消费,100.00,0.60,99.40
{MERCHANT},前台,10203040,000001,000013,260301123457,622202******0002,2026-03-01 12:05:00,退货,-20.00,-0.12,-19.88
合计,,,,,,,,,80.00,,
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_rows_are_known_by_the_slip(encoding: str) -> None:
    paid, back = read_acquirer_file(FILE.encode(encoding), MERCHANT)
    assert (paid.kind, paid.order_number, paid.amount_fen) == (
        BillKind.PAYMENT,
        slip_number("10203040", "1", "12"),
        10_000,
    )
    assert paid.at == datetime(2026, 3, 1, 4, tzinfo=UTC)
    assert (back.kind, back.refund_number, back.amount_fen) == (BillKind.REFUND, "10203040-000001-000013", 2_000)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("清算金额", "净额"),
        (f"{MERCHANT},前台,10203040,000001,000012", "821290058110098,前台,10203040,000001,000012"),
        ("消费,100.00", "消费,100.01"),
        ("合计,,,,,,,,,80.00", "合计,,,,,,,,,80.01"),
        ("合计,,,,,,,,,80.00,,", "合计"),
        ("退货", "积分"),
        ("2026-03-01 12:05:00", "01/03/2026"),
        ("000012,", "凭证,"),
    ],
)
def test_a_file_that_was_changed_is_refused_whole(old: str, new: str) -> None:
    assert old in FILE
    with pytest.raises(FaultsError):
        read_acquirer_file(FILE.replace(old, new, 1).encode(), MERCHANT)


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe\x00", "日期,金额\n1,2\n".encode()])
def test_another_file_is_refused(raw: bytes) -> None:
    with pytest.raises(FaultsError):
        read_acquirer_file(raw, MERCHANT)
