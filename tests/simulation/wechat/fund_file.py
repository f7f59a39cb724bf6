"""The channel's fund-flow bill of a day, written from its book: 11 columns, a running balance, a summary."""

from __future__ import annotations

from typing import Any

from tests.simulation.wechat.book import Book

_HEADER = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号"
)
_FOOTER = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"
_NAMES = {
    "trade": "交易",
    "refund": "退款",
    "fee": "扣除交易手续费",
    "fee_back": "交易手续费退回",
    "withdrawal": "提现",
    "complaint": "投诉赔付",
}


def write_flow(book: Book, mchid: str, day: str, rows_missing: int = 0) -> bytes | None:
    """Return the bytes of a Beijing day's fund-flow bill (ISO day), or None when nothing moved."""
    moves = book.movements(mchid, day)
    moves = moves[: len(moves) - rows_missing]
    if not moves:
        return None
    came, went = ([move["fen"] for move in moves if move["came"] is way] for way in (True, False))
    sums = (f"{len(moves)}.0", f"{len(came)}.0", _yuan(sum(came)), f"{len(went)}.0", _yuan(sum(went)))
    body = [_HEADER, *(_quoted(_cells(move)) for move in moves), _FOOTER, _quoted(sums)]
    return ("\ufeff" + "".join(f"{line}\r\n" for line in body)).encode()


def _cells(move: dict[str, Any]) -> tuple[str, ...]:
    name = _NAMES[move["kind"]]
    return (
        move["at"][:19].replace("T", " "),
        move["trade_number"],
        f"F{move['n']:012d}",
        name,
        name,
        "收入" if move["came"] else "支出",
        _yuan(move["fen"]),
        _yuan(move["balance"]),
        "system",
        "",
        move["ref"],
    )


def _quoted(cells: tuple[str, ...]) -> str:
    return ",".join(f"`{cell}" for cell in cells)


def _yuan(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"
