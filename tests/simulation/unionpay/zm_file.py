"""UnionPay's file of a settlement day, written from its book: rows of fixed width, zipped, deflated."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any

from tests.simulation.wechat.bill_file import Flaws
from tests.simulation.wechat.book import Book

_WIDTHS = (
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13,
    13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
)  # fmt: skip


def write_zm(book: Book, merchant: str, day: str, flaws: Flaws) -> bytes:
    """Return the file of a Beijing day (ISO day); a day without trade has no rows."""
    rows = [
        _row("S22", row, row["number"], "", row["fen"] + (flaws.first_payment_fen if n == 0 else 0), row["fee_fen"])
        for n, row in enumerate(book.payments_of(merchant, day))
    ]
    rows += [
        _row("S30", row, row["number"], row["trade_number"], row["fen"], -row["fee_back_fen"])
        for row in book.refunds_of(merchant, day)
    ]
    rows = rows[: len(rows) - flaws.rows_missing] + rows[: flaws.rows_doubled]
    body = b"".join(_line(row, merchant, flaws.total_fen) for row in rows)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        name = f"INN{day[2:].replace('-', '')}88ZM_{merchant}"
        archive.writestr(zipfile.ZipInfo(name), body)
    return zlib.compress(packed.getvalue())


def _row(code: str, row: Any, number: str, original: str, fen: int, fee_fen: int) -> dict[str, Any]:
    at = row["paid_at"] if code == "S22" else row["done_at"]
    query = row["transaction_id"] if code == "S22" else row["refund_id"]
    return {"code": code, "at": at, "query": query, "number": number, "original": original, "fen": fen, "fee": fee_fen}


def _line(row: dict[str, Any], merchant: str, net_flaw_fen: int) -> bytes:
    at = row["at"]
    gross = row["fen"] if row["code"] == "S22" else -row["fen"]
    filled = {
        0: row["code"],
        4: at[5:7] + at[8:10] + at[11:13] + at[14:16] + at[17:19],
        6: f"{row['fen']:012d}",
        9: row["query"],
        11: row["number"],
        15: _signed(-row["fee"]),
        16: _signed(gross - row["fee"] + net_flaw_fen),
        27: merchant,
        30: "物业",
        40: row["original"],
    }
    cells = [str(filled.get(place, "")).encode("gbk").ljust(width) for place, width in enumerate(_WIDTHS)]
    return b" ".join(cells) + b"\r\n"


def _signed(fen: int) -> str:
    return f"{'C' if fen >= 0 else 'D'}{abs(fen):012d}"
