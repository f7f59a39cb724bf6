"""An acquirer's settlement file: CSV whose columns are found by name, in UTF-8 with or without a mark, or in GB18030.

A row is known by terminal, batch and voucher, as the slip that the cashier copied. Amount, fee and net of a row must
agree; a last row of sums, where there is one, must hold. A file of another merchant is refused whole.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from cloud.payments.channels.bill import MILLIFEN_PER_FEN, ROWS_MAX, BillKind, BillRow, require_equal, unreadable
from cloud.payments.channels.times import SPACED, read_beijing
from common.errors import RefusalError
from common.money.amount import parse_scaled

# What a column means for us, and the names that acquirers give it.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "merchant": ("商户号", "商户编号"),
    "terminal": ("终端号", "终端编号"),
    "batch": ("批次号",),
    "voucher": ("凭证号", "流水号"),
    "reference": ("参考号", "检索参考号"),
    "at": ("交易时间", "交易日期时间"),
    "kind": ("交易类型",),
    "amount": ("交易金额", "金额"),
    "fee": ("手续费",),
    "net": ("清算金额", "结算金额"),
}
_KINDS = {
    "消费": BillKind.PAYMENT,
    "退货": BillKind.REFUND,
    "退款": BillKind.REFUND,
    "消费撤销": BillKind.REFUND,
    "撤销": BillKind.REFUND,
}
_TOTAL = "合计"


def read_acquirer_file(raw: bytes, merchant_number: str) -> tuple[BillRow, ...]:
    """Return the checked rows of a day's settlement file.

    Raises:
        FaultsError: another file, another merchant's, a row or a sum that does not hold.
    """
    table = [row for row in csv.reader(io.StringIO(_decoded(raw))) if any(cell.strip() for cell in row)]
    if not table or len(table) > ROWS_MAX:
        raise unreadable("rows", "the file is empty or has too many rows")
    at = _places([cell.strip() for cell in table[0]])
    rows: list[BillRow] = []
    for number, cells in enumerate(table[1:], start=2):
        if cells[0].strip().startswith(_TOTAL):
            _check_total(rows, cells, at)
            continue
        if len(cells) < len(table[0]):
            raise unreadable(f"line {number}", f"{len(cells)} cells where {len(table[0])} belong")
        rows.append(_row(number, {name: cells[place].strip(" \t'`") for name, place in at.items()}, merchant_number))
    return tuple(rows)


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise unreadable("encoding", "the file is neither UTF-8 nor GB18030")


def _places(header: Sequence[str]) -> dict[str, int]:
    found = {name: header.index(title) for name, titles in COLUMNS.items() for title in titles[::-1] if title in header}
    missing = [titles[0] for name, titles in COLUMNS.items() if name not in found]
    if missing:
        raise unreadable("line 1", f"the columns {', '.join(missing)} are missing")
    return found


def _row(number: int, cell: Mapping[str, str], merchant_number: str) -> BillRow:
    if cell["merchant"] != merchant_number:
        raise unreadable(f"line {number}", "the row belongs to another merchant number")
    kind = _KINDS.get(cell["kind"])
    if kind is None:
        raise unreadable(f"line {number}", f"unknown kind {cell['kind']!r}")
    try:
        amount_fen, fee_fen, net_fen = (_yuan(cell[name]) for name in ("amount", "fee", "net"))
        at = read_beijing(cell["at"], SPACED)
        slip = f"{cell['terminal']}-{int(cell['batch']):06d}-{int(cell['voucher']):06d}"
    except (RefusalError, ValueError) as error:
        raise unreadable(f"line {number}", str(error)) from error
    if amount_fen - fee_fen != net_fen:
        raise unreadable(f"line {number}", f"{amount_fen} less {fee_fen} is not the net {net_fen}")
    paid = kind is BillKind.PAYMENT
    return BillRow(
        line=number,
        kind=kind,
        at=at,
        order_number=slip,
        refund_number="" if paid else slip,
        transaction_id=cell["reference"],
        amount_fen=abs(amount_fen),
        settled_fen=amount_fen if paid else 0,
        refund_settled_fen=0 if paid else abs(amount_fen),
        currency="CNY",
        status=cell["kind"],
        fee_millifen=fee_fen * MILLIFEN_PER_FEN,
    )


def _check_total(rows: Sequence[BillRow], cells: Sequence[str], at: Mapping[str, int]) -> None:
    told = cells[at["amount"]].strip() if at["amount"] < len(cells) else ""
    signed = sum(row.amount_fen if row.kind is BillKind.PAYMENT else -row.amount_fen for row in rows)
    try:
        require_equal([(_TOTAL, signed, _yuan(told))])
    except RefusalError as error:
        raise unreadable(_TOTAL, str(error)) from error


def _yuan(text: str) -> int:
    return parse_scaled(text.replace(",", ""), 2, "amount in yuan")
