"""The file of payouts that an online bank takes: CSV in GB18030, a row a payout, our refund number as its remark.

The remark comes back in the bank's statement and proves the payout. Amounts are yuan with two decimals. Pure.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from cloud.refunds.payouts import OpenPayout
from common.money.amount import format_minor

HEADER = ("收款户名", "收款账号", "金额", "附言")
ENCODING = "gb18030"


def payout_file(found: Sequence[OpenPayout]) -> bytes:
    """Return the file of some payouts; the same payouts give the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for one in found:
        # A tab keeps a spreadsheet from rounding an account number; banks trim it.
        number = f"{one.payee.number}\t"
        writer.writerow((one.payee.name, number, format_minor(one.refund.amount_fen), one.refund.refund_number))
    return text.getvalue().encode(ENCODING)
