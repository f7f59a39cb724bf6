"""The WeChat Pay fund-flow bill: what moved on the merchant's balance, with the balance after each movement.

The file has the shape of the trade bill: UTF-8 with a byte-order mark, a back-quote before every cell, 11 columns and a
summary of two lines. Fees, complaints and withdrawals appear only here.

Invariants: a file whose counts and sums differ from its summary, or whose balance does not run, is refused whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cloud.payments.channels.bill import ROWS_MAX, FlowKind, FlowRow, require_equal, require_running, unreadable
from cloud.payments.channels.times import read_beijing
from common.errors import RefusalError
from common.money.amount import parse_scaled

COLUMNS = (
    "记账时间", "微信支付业务单号", "资金流水单号", "业务名称", "业务类型", "收支类型", "收支金额(元)", "账户结余(元)",
    "资金变更提交申请人", "备注", "业务凭证号",
)  # fmt: skip
SUMMARY_COLUMNS = ("资金流水总笔数", "收入笔数", "收入金额", "支出笔数", "支出金额")
_QUOTE = "`"
_FEN = 2
_AT = {name: place for place, name in enumerate(COLUMNS)}
_KINDS = {
    "交易": FlowKind.TRADE,
    "退款": FlowKind.REFUND,
    "扣除交易手续费": FlowKind.FEE,
    "交易手续费退回": FlowKind.FEE,
    "提现": FlowKind.WITHDRAWAL,
    "投诉赔付": FlowKind.COMPLAINT,
}
_SIGNS = {"收入": 1, "支出": -1}


def read_fund_bill(raw: bytes) -> tuple[FlowRow, ...]:
    """Return the checked rows of a fund-flow bill.

    Raises:
        FaultsError: not a fund-flow bill, cut off, or sums that differ from the summary.
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
    rows = tuple(_rows(lines[1:-2]))
    _check_summary(rows, _cells(lines[-1]))
    require_running(rows)
    return rows


def _rows(lines: Sequence[str]) -> Iterator[FlowRow]:
    for number, line in enumerate(lines, start=2):
        cells = _cells(line)
        if len(cells) != len(COLUMNS):
            raise unreadable(f"line {number}", f"{len(cells)} cells where {len(COLUMNS)} belong")
        sign = _SIGNS.get(cells[_AT["收支类型"]])
        if sign is None:
            raise unreadable(f"line {number}", "the row is neither 收入 nor 支出")
        try:
            yield FlowRow(
                line=number,
                kind=_KINDS.get(cells[_AT["业务名称"]], FlowKind.OTHER),
                at=read_beijing(cells[_AT["记账时间"]]),
                number=cells[_AT["业务凭证号"]],
                flow_id=cells[_AT["资金流水单号"]],
                fen=sign * _yuan(cells[_AT["收支金额(元)"]]),
                balance_fen=_yuan(cells[_AT["账户结余(元)"]]),
                remark=cells[_AT["业务名称"]],
            )
        except RefusalError as error:
            raise unreadable(f"line {number}", str(error)) from error


def _check_summary(rows: Sequence[FlowRow], cells: Sequence[str]) -> None:
    if len(cells) != len(SUMMARY_COLUMNS):
        raise unreadable("summary", f"{len(cells)} cells where {len(SUMMARY_COLUMNS)} belong")
    came, went = [row.fen for row in rows if row.fen > 0], [-row.fen for row in rows if row.fen <= 0]
    try:
        counts = [parse_scaled(cells[place], 0, SUMMARY_COLUMNS[place]) for place in (0, 1, 3)]
        sums = [_yuan(cells[2]), _yuan(cells[4])]
    except RefusalError as error:
        raise unreadable("summary", str(error)) from error
    require_equal(
        (
            ("count of rows", len(rows), counts[0]),
            ("count in", len(came), counts[1]),
            ("sum in", sum(came), sums[0]),
            ("count out", len(went), counts[2]),
            ("sum out", sum(went), sums[1]),
        )
    )


def _cells(line: str) -> list[str]:
    return line.removeprefix(_QUOTE).split(f",{_QUOTE}")


def _yuan(text: str) -> int:
    return parse_scaled(text, _FEN, "amount in yuan")
