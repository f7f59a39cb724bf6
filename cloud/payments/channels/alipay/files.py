"""Alipay's files: a zip of two texts in GBK, a detail and a summary; lines with `#` speak about the file itself.

The trade detail has 25 columns, the account ledger 12; cells are padded with tabs; amounts are yuan. Both end with the
sums of what they hold.

Invariants: unpacking is bounded; a file of another account, with other columns, or whose sums or running balance do
not hold is refused whole; nothing is skipped in silence.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloud.payments.channels.bill import (
    MILLIFEN_PER_FEN,
    ROWS_MAX,
    BillKind,
    BillRow,
    FlowKind,
    FlowRow,
    require_equal,
    require_running,
    unreadable,
)
from cloud.payments.channels.times import read_beijing
from common.errors import RefusalError
from common.money.amount import parse_scaled

TRADE_COLUMNS = (
    "支付宝交易号", "商户订单号", "业务类型", "商品名称", "创建时间", "完成时间", "门店编号", "门店名称", "操作员",
    "终端号", "对方账户", "订单金额（元）", "商家实收（元）", "支付宝红包（元）", "集分宝（元）", "支付宝优惠（元）",
    "商家优惠（元）", "券核销金额（元）", "券名称", "商家红包消费金额（元）", "卡消费金额（元）", "退款批次号/请求号",
    "服务费（元）", "分润（元）", "备注",
)  # fmt: skip
FUND_COLUMNS = (
    "账务流水号", "业务流水号", "商户订单号", "商品名称", "发生时间", "对方账号", "收入金额（+元）", "支出金额（-元）",
    "账户余额（元）", "交易渠道", "业务类型", "备注",
)  # fmt: skip
UNPACKED_MAX = 512 * 1024 * 1024
_TRADE_AT = {name: place for place, name in enumerate(TRADE_COLUMNS)}
_FUND_AT = {name: place for place, name in enumerate(FUND_COLUMNS)}
_ACCOUNT = re.compile(r"#账号：\[(\d{16})(?:0156)?\]")
_SUM = re.compile(r"#(交易|退款|收入|支出)合计：(\d+)笔，(?:商家实收(?:退款)?)?共(-?[\d.]+)元")
_TRADE_KINDS = {"交易": BillKind.PAYMENT, "退款": BillKind.REFUND}
_FLOW_KINDS = {
    "在线支付": FlowKind.TRADE,
    "交易退款": FlowKind.REFUND,
    "收费": FlowKind.FEE,
    "退费": FlowKind.FEE,
    "提现": FlowKind.WITHDRAWAL,
    "投诉赔付": FlowKind.COMPLAINT,
}


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows of a text with their line numbers, and the sums it states: count and fen by name."""

    rows: tuple[tuple[int, list[str]], ...]
    sums: dict[str, tuple[int, int]]


def read_trade_file(raw: bytes, seller_id: str) -> tuple[BillRow, ...]:
    """Return the checked rows of a day's trade detail.

    Raises:
        FaultsError: another file, another account's, cut off, or sums that do not hold.
    """
    table = _table(_text(raw, "业务明细"), TRADE_COLUMNS, seller_id)
    rows = tuple(_trade_rows(table))
    paid = [row.settled_fen for row in rows if row.kind is BillKind.PAYMENT]
    back = [-row.refund_settled_fen for row in rows if row.kind is BillKind.REFUND]
    _require_sums(table, {"交易": (len(paid), sum(paid)), "退款": (len(back), sum(back))})
    return rows


def read_fund_file(raw: bytes, seller_id: str) -> tuple[FlowRow, ...]:
    """Return the checked rows of a day's account ledger.

    Raises:
        FaultsError: another file, another account's, cut off, sums or a running balance that do not hold.
    """
    table = _table(_text(raw, "账务明细"), FUND_COLUMNS, seller_id)
    rows = tuple(_fund_rows(table))
    came, went = [row.fen for row in rows if row.fen > 0], [row.fen for row in rows if row.fen <= 0]
    _require_sums(table, {"收入": (len(came), sum(came)), "支出": (len(went), sum(went))})
    require_running(rows)
    return rows


def _text(raw: bytes, name: str) -> str:
    """Return the detail text out of the zip, bounded."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw), metadata_encoding="gbk") as packed:
            found = [one for one in packed.infolist() if name in one.filename and "汇总" not in one.filename]
            if len(found) != 1:
                raise unreadable("zip", f"it holds no single {name}")
            with packed.open(found[0]) as file:
                content = file.read(UNPACKED_MAX + 1)
    except (zipfile.BadZipFile, zlib.error, UnicodeDecodeError, EOFError, NotImplementedError) as error:
        raise unreadable("zip", "it is damaged") from error
    if len(content) > UNPACKED_MAX:
        raise unreadable("zip", f"it unpacks to more than {UNPACKED_MAX} bytes")
    try:
        return content.decode("gb18030")
    except UnicodeDecodeError as error:
        raise unreadable("encoding", "the text is not GBK") from error


def _table(text: str, columns: Sequence[str], seller_id: str) -> _Table:
    account = _ACCOUNT.search(text)
    if account is None or account[1] != seller_id:
        raise unreadable("preamble", "the file is of another account")
    rows: list[tuple[int, list[str]]] = []
    header_seen = False
    for number, cells in enumerate(csv.reader(io.StringIO(text)), start=1):
        if not cells or cells[0].startswith("#"):
            continue
        stripped = [cell.strip() for cell in cells]
        if not header_seen:
            if tuple(stripped) != tuple(columns):
                raise unreadable(f"line {number}", f"the header does not have the {len(columns)} known columns")
            header_seen = True
            continue
        if len(stripped) != len(columns):
            raise unreadable(f"line {number}", f"{len(stripped)} cells where {len(columns)} belong")
        rows.append((number, stripped))
    if not header_seen or len(rows) > ROWS_MAX:
        raise unreadable("rows", "there is no header, or there are too many rows")
    sums = {name: (int(count), _yuan(fen)) for name, count, fen in _SUM.findall(text)}
    return _Table(tuple(rows), sums)


def _trade_rows(table: _Table) -> Iterator[BillRow]:
    for number, cells in table.rows:
        kind = _TRADE_KINDS.get(cells[_TRADE_AT["业务类型"]])
        if kind is None:
            raise unreadable(f"line {number}", f"unknown kind {cells[_TRADE_AT['业务类型']]!r}")
        paid = kind is BillKind.PAYMENT
        try:
            amount_fen = _yuan(cells[_TRADE_AT["订单金额（元）"]])
            received_fen = _yuan(cells[_TRADE_AT["商家实收（元）"]])
            yield BillRow(
                line=number,
                kind=kind,
                at=read_beijing(cells[_TRADE_AT["完成时间"]]),
                order_number=cells[_TRADE_AT["商户订单号"]],
                refund_number="" if paid else cells[_TRADE_AT["退款批次号/请求号"]],
                transaction_id=cells[_TRADE_AT["支付宝交易号"]],
                amount_fen=amount_fen if paid else -amount_fen,
                settled_fen=received_fen if paid else 0,
                refund_settled_fen=0 if paid else -received_fen,
                currency="CNY",
                status=cells[_TRADE_AT["业务类型"]],
                fee_millifen=-_yuan(cells[_TRADE_AT["服务费（元）"]]) * MILLIFEN_PER_FEN,
            )
        except RefusalError as error:
            raise unreadable(f"line {number}", str(error)) from error


def _fund_rows(table: _Table) -> Iterator[FlowRow]:
    for number, cells in table.rows:
        try:
            came, went = _yuan(cells[_FUND_AT["收入金额（+元）"]]), _yuan(cells[_FUND_AT["支出金额（-元）"]])
            yield FlowRow(
                line=number,
                kind=_FLOW_KINDS.get(cells[_FUND_AT["业务类型"]], FlowKind.OTHER),
                at=read_beijing(cells[_FUND_AT["发生时间"]]),
                number=cells[_FUND_AT["商户订单号"]],
                flow_id=cells[_FUND_AT["账务流水号"]],
                fen=came + went,
                balance_fen=_yuan(cells[_FUND_AT["账户余额（元）"]]),
                remark=cells[_FUND_AT["业务类型"]],
            )
        except RefusalError as error:
            raise unreadable(f"line {number}", str(error)) from error


def _require_sums(table: _Table, given: dict[str, tuple[int, int]]) -> None:
    missing = given.keys() - table.sums.keys()
    if missing:
        raise unreadable("last lines", f"the sums of {', '.join(sorted(missing))} are missing: the file was cut off")
    require_equal(
        [
            figure
            for name, (count, fen) in given.items()
            for figure in (
                (f"count of {name}", count, table.sums[name][0]),
                (f"sum of {name}", fen, table.sums[name][1]),
            )
        ]
    )


def _yuan(text: str) -> int:
    return parse_scaled(text or "0", 2, "amount in yuan")
