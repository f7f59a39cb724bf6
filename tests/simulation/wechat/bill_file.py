"""The channel's trade bill of a day, written from its book: byte-order mark, back-quotes, 27 columns, summary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from sqlite3 import Row

from tests.simulation.wechat.book import Book

_HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
_FOOTER = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
_RATE = "0.60%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaws:
    """What is wrong with a bill: rows left to another day or written twice, a payment or the total stated too high."""

    rows_missing: int = 0
    rows_doubled: int = 0
    first_payment_fen: int = 0
    total_fen: int = 0


@dataclass(frozen=True, slots=True)
class _Line:
    cells: tuple[str, ...]
    settled_fen: int
    refund_fen: int
    fee_fen: int


def write_bill(book: Book, merchant: Row, day: str, flaws: Flaws) -> bytes | None:
    """Return the bytes of a Beijing day's bill (ISO day), or None when nothing happened that day."""
    lines = [
        _payment(merchant, row, flaws.first_payment_fen if n == 0 else 0)
        for n, row in enumerate(book.payments_of(merchant["mchid"], day))
    ]
    lines += [_refund(merchant, row) for row in book.refunds_of(merchant["mchid"], day)]
    lines = lines[: len(lines) - flaws.rows_missing] + lines[: flaws.rows_doubled]
    if not lines:
        return None

    def total(pick: Callable[[_Line], int]) -> int:
        return sum(pick(line) for line in lines)

    settled_fen = total(lambda line: line.settled_fen)
    refund_fen = total(lambda line: line.refund_fen)
    sums = (
        f"{len(lines)}.0",
        _yuan(settled_fen + flaws.total_fen),
        _yuan(refund_fen),
        "0.00",
        _yuan(total(lambda line: line.fee_fen)),
        _yuan(settled_fen + flaws.total_fen),
        _yuan(refund_fen),
    )
    body = [_HEADER, *(_quoted(line.cells) for line in lines), _FOOTER, _quoted(sums)]
    return ("\ufeff" + "".join(f"{line}\r\n" for line in body)).encode()


def _payment(merchant: Row, row: Row, add_fen: int) -> _Line:
    fen = row["fen"] + add_fen
    cells = (
        _local(row["paid_at"]), merchant["appid"], merchant["mchid"], "0", "", row["transaction_id"], row["number"],
        row["payer"], "NATIVE", "SUCCESS", "OTHERS", row["currency"], _yuan(fen), "0.00", "0", "0", "0.00", "0.00", "",
        "", row["description"], "", _fee(row["fee_fen"]), _RATE, _yuan(fen), "0.00", "",
    )  # fmt: skip
    return _Line(cells, settled_fen=fen, refund_fen=0, fee_fen=row["fee_fen"])


def _refund(merchant: Row, row: Row) -> _Line:
    cells = (
        _local(row["done_at"]), merchant["appid"], merchant["mchid"], "0", "", row["transaction_id"],
        row["trade_number"], row["payer"], "NATIVE", "REFUND", "OTHERS", row["currency"], "0.00", "0.00",
        row["refund_id"], row["number"], _yuan(row["fen"]), "0.00", "ORIGINAL", "SUCCESS", row["description"], "",
        _fee(-row["fee_back_fen"]), _RATE, "0.00", _yuan(row["fen"]), "",
    )  # fmt: skip
    return _Line(cells, settled_fen=0, refund_fen=row["fen"], fee_fen=-row["fee_back_fen"])


def _quoted(cells: tuple[str, ...]) -> str:
    return ",".join(f"`{cell}" for cell in cells)


def _local(instant: str) -> str:
    return instant[:19].replace("T", " ")


def _yuan(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def _fee(fen: int) -> str:
    return f"{_yuan(fen)}000"
