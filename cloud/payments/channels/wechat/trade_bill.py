"""The WeChat Pay trade bill: raw bytes in, checked rows out.

The file is UTF-8 with a byte-order mark, 27 columns, a back-quote before every cell, and ends with a summary of two
lines. Amounts are yuan with two decimals, fees have five. Times are Beijing time without a zone.

Invariants: a file whose count or sums differ from its own summary is refused whole; a row of another merchant is
refused whole; nothing is skipped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloud.payments.channels.bill import (
    MILLIFEN_PER_FEN,
    ROWS_MAX,
    BillKind,
    BillRow,
    require_equal,
    unreadable,
)
from cloud.payments.channels.times import read_beijing
from common.errors import RefusalError
from common.money.amount import parse_scaled

COLUMNS = (
    "交易时间", "公众账号ID", "商户号", "特约商户号", "设备号", "微信订单号", "商户订单号", "用户标识", "交易类型",
    "交易状态", "付款银行", "货币种类", "应结订单金额", "代金券金额", "微信退款单号", "商户退款单号", "退款金额",
    "充值券退款金额", "退款类型", "退款状态", "商品名称", "商户数据包", "手续费", "费率", "订单金额", "申请退款金额",
    "费率备注",
)  # fmt: skip
SUMMARY_COLUMNS = (
    "总交易单数", "应结订单总金额", "退款总金额", "充值券退款总金额", "手续费总金额", "订单总金额", "申请退款总金额",
)  # fmt: skip
_FEN = 2
_FEE_DECIMALS = 5
_QUOTE = "`"
_AT = {name: place for place, name in enumerate(COLUMNS)}


_KINDS = {"SUCCESS": BillKind.PAYMENT, "REFUND": BillKind.REFUND, "REVOKED": BillKind.REVOKED}


@dataclass(frozen=True, slots=True, kw_only=True)
class BillSummary:
    """The sums that the file states about itself."""

    count: int
    settled_fen: int
    refund_fen: int
    fee_fen: int
    order_fen: int
    refund_applied_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeBillContent:
    """A checked bill."""

    rows: tuple[BillRow, ...]
    summary: BillSummary


def read_trade_bill(raw: bytes, merchant_number: str) -> TradeBillContent:
    """Return the checked content of a trade bill.

    Raises:
        FaultsError: not a trade bill, another merchant's rows, or sums that differ from the summary.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable("encoding", "the file is not UTF-8") from error
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if tuple(lines[0].split(",")) != COLUMNS:
        raise unreadable("line 1", f"the header does not have the {len(COLUMNS)} known columns")
    if len(lines) < 3 or tuple(lines[-2].split(",")) != SUMMARY_COLUMNS:  # noqa: PLR2004 - header and two of summary
        raise unreadable("last lines", "the summary is missing: the file was cut off")
    if len(lines) > ROWS_MAX:
        raise unreadable("rows", f"the file has more than {ROWS_MAX} rows")
    summary = _summary(lines[-1])
    rows = tuple(_rows(lines[1:-2], merchant_number))
    _check_sums(rows, summary)
    return TradeBillContent(rows=rows, summary=summary)


def _rows(lines: Sequence[str], merchant_number: str) -> Iterator[BillRow]:
    for number, line in enumerate(lines, start=2):
        cells = line.removeprefix(_QUOTE).split(f",{_QUOTE}")
        if len(cells) != len(COLUMNS):
            raise unreadable(f"line {number}", f"{len(cells)} cells where {len(COLUMNS)} belong")
        if cells[_AT["商户号"]] != merchant_number:
            raise unreadable(f"line {number}", "the row belongs to another merchant number")
        try:
            yield _row(number, cells)
        except (RefusalError, ValueError) as error:
            raise unreadable(f"line {number}", str(error)) from error


def _row(number: int, cells: Sequence[str]) -> BillRow:
    status = cells[_AT["交易状态"]]
    kind = _KINDS.get(status)
    if kind is None:
        raise RefusalError(f"unknown trade state {status!r}")
    amount_column = "订单金额" if kind is BillKind.PAYMENT else "申请退款金额"
    return BillRow(
        line=number,
        kind=kind,
        at=read_beijing(cells[_AT["交易时间"]]),
        order_number=cells[_AT["商户订单号"]],
        refund_number="" if kind is BillKind.PAYMENT else cells[_AT["商户退款单号"]],
        transaction_id=cells[_AT["微信订单号"]],
        amount_fen=_yuan(cells[_AT[amount_column]]),
        settled_fen=_yuan(cells[_AT["应结订单金额"]]),
        refund_settled_fen=_yuan(cells[_AT["退款金额"]]),
        currency=cells[_AT["货币种类"]],
        status=cells[_AT["退款状态"]] if kind is BillKind.REFUND else status,
        fee_millifen=parse_scaled(cells[_AT["手续费"]], _FEE_DECIMALS, "手续费"),
    )


def _summary(line: str) -> BillSummary:
    cells = line.removeprefix(_QUOTE).split(f",{_QUOTE}")
    if len(cells) != len(SUMMARY_COLUMNS):
        raise unreadable("summary", f"{len(cells)} cells where {len(SUMMARY_COLUMNS)} belong")
    try:
        return BillSummary(
            count=parse_scaled(cells[0], 0, SUMMARY_COLUMNS[0]),
            settled_fen=_yuan(cells[1]),
            refund_fen=_yuan(cells[2]),
            fee_fen=_yuan(cells[4]),
            order_fen=_yuan(cells[5]),
            refund_applied_fen=_yuan(cells[6]),
        )
    except RefusalError as error:
        raise unreadable("summary", str(error)) from error


def _check_sums(rows: Sequence[BillRow], summary: BillSummary) -> None:
    paid_fen = sum(row.amount_fen for row in rows if row.kind is BillKind.PAYMENT)
    applied_fen = sum(row.amount_fen for row in rows if row.kind is not BillKind.PAYMENT)
    fee_millifen = sum(row.fee_millifen for row in rows)
    compared = (
        ("count of rows", len(rows), summary.count),
        ("sum of settled orders", sum(row.settled_fen for row in rows), summary.settled_fen),
        ("sum of refunds", sum(row.refund_settled_fen for row in rows), summary.refund_fen),
        ("sum of orders", paid_fen, summary.order_fen),
        ("sum of refunds applied for", applied_fen, summary.refund_applied_fen),
    )
    require_equal(compared)
    if abs(fee_millifen - summary.fee_fen * MILLIFEN_PER_FEN) > MILLIFEN_PER_FEN // 2:
        raise unreadable("sum of fees", "rows and summary differ by more than rounding")


def _yuan(text: str) -> int:
    return parse_scaled(text, _FEN, "amount in yuan")
