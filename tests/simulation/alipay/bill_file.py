"""Alipay's files of a day, written from its book: a zip of two texts in GBK, padded with tabs, framed by `#` lines."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from tests.simulation.wechat.bill_file import Flaws
from tests.simulation.wechat.book import Book

_TRADE_HEADER = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,"
    "支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
    "退款批次号/请求号,服务费（元）,分润（元）,备注"
)
_FUND_HEADER = (
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,"
    "交易渠道,业务类型,备注"
)
_FUND_NAMES = {
    "trade": "在线支付",
    "refund": "交易退款",
    "fee": "收费",
    "fee_back": "退费",
    "withdrawal": "提现",
    "complaint": "投诉赔付",
}


def write_trades(book: Book, seller: str, day: str, flaws: Flaws) -> bytes | None:
    """Return the trade file of a Beijing day (ISO day), or None when nothing happened."""
    paid, back = book.payments_of(seller, day), book.refunds_of(seller, day)
    lines = [
        _trade(row, "交易", row["fen"] + (flaws.first_payment_fen if n == 0 else 0), row["fee_fen"], row["paid_at"], "")
        for n, row in enumerate(paid)
    ]
    lines += [_refund(row) for row in back]
    lines = lines[: len(lines) - flaws.rows_missing] + lines[: flaws.rows_doubled]
    if not lines:
        return None
    sums = []
    for name, label in (("交易", "商家实收"), ("退款", "商家实收退款")):
        fens = [_fen(line[12]) for line in lines if line[2] == name]
        total = sum(fens) + (flaws.total_fen if name == "交易" else 0)
        sums.append(f"#{name}合计：{len(fens)}笔，{label}共{_yuan(total)}元，商家优惠共0.00元")
    return _packed(seller, day, "业务明细", _TRADE_HEADER, lines, sums)


def write_flows(book: Book, seller: str, day: str, rows_missing: int = 0) -> bytes | None:
    """Return the account ledger of a Beijing day (ISO day), or None when nothing moved."""
    moves = book.movements(seller, day)
    moves = moves[: len(moves) - rows_missing]
    if not moves:
        return None
    sums = []
    for name, came in (("收入", True), ("支出", False)):
        fens = [move["fen"] if came else -move["fen"] for move in moves if move["came"] is came]
        sums.append(f"#{name}合计：{len(fens)}笔，共{_yuan(sum(fens))}元")
    return _packed(seller, day, "账务明细", _FUND_HEADER, [_flow(move) for move in moves], sums)


def _refund(row: Any) -> list[str]:
    order = {**dict(row), "number": row["trade_number"]}
    return _trade(order, "退款", -row["fen"], -row["fee_back_fen"], row["done_at"], row["number"])


def _trade(row: Any, kind: str, fen: int, fee_fen: int, at: str, refund: str) -> list[str]:
    money, zero, local = _yuan(fen), "0.00", at[:19].replace("T", " ")
    return [
        row["transaction_id"], row["number"], kind, row["description"], local, local, "", "", "", "",
        "138****0000", money, money, zero, zero, zero, zero, zero, "", zero, zero, refund, _yuan(-fee_fen), zero, "",
    ]  # fmt: skip


def _flow(move: dict[str, Any]) -> list[str]:
    money = _yuan(move["fen"])
    return [
        f"A{move['n']:015d}", move["ref"], move["trade_number"], "", move["at"][:19].replace("T", " "), "",
        money if move["came"] else "0.00", "0.00" if move["came"] else f"-{money}", _yuan(move["balance"]), "支付宝",
        _FUND_NAMES[move["kind"]], move["ref"],
    ]  # fmt: skip


def _packed(seller: str, day: str, name: str, header: str, lines: list[list[str]], sums: list[str]) -> bytes:
    year, month, date = day.split("-")
    when = f"{year}年{month}月{date}日"
    text = [
        f"#支付宝{name}查询",
        f"#账号：[{seller}0156]",
        f"#起始日期：[{when} 00:00:00]   终止日期：[{when} 24:00:00]",
        f"#-----------------------------------------{name}列表----------------------------------------",
        header,
        *(",".join(f"{cell}\t" for cell in line) for line in lines),
        f"#-----------------------------------------{name}列表结束------------------------------------",
        *sums,
        f"#导出时间：[{when} 10:00:00]",
    ]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix, content in (("", text), ("(汇总)", text[:3])):
            info = zipfile.ZipInfo(f"{seller}0156_{day.replace('-', '')}_{name}{suffix}.csv")
            archive.writestr(info, "".join(f"{line}\r\n" for line in content).encode("gbk"))
    return packed.getvalue()


def _fen(text: str) -> int:
    return round(float(text) * 100)


def _yuan(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"
