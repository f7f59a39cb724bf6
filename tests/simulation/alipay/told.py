"""How Alipay tells an order or a refund, and how it says no."""

from __future__ import annotations

from sqlite3 import Row
from typing import Any

_STATES = {
    "NOTPAY": "WAIT_BUYER_PAY",
    "SUCCESS": "TRADE_SUCCESS",
    "REFUND": "TRADE_SUCCESS",
    "CLOSED": "TRADE_CLOSED",
    "REVOKED": "TRADE_CLOSED",
}


class Refusal(Exception):  # noqa: N818 - a refusal is an answer of the channel, not an error of ours
    """A no, with the code and sub code the channel documents."""

    def __init__(self, code: str, sub_code: str, message: str) -> None:
        self.code = code
        self.sub_code = sub_code
        self.message = message
        super().__init__(f"{code} {sub_code} {message}")


def order_told(row: Row) -> dict[str, Any]:
    """Return an order as an answer tells it."""
    told: dict[str, Any] = {
        "out_trade_no": row["number"],
        "trade_status": _STATES[row["state"]],
        "total_amount": yuan(row["fen"]),
        "trade_no": row["transaction_id"] or f"20{row['number'][2:10]}00",
        "buyer_user_id": row["payer"] or "",
    }
    if row["paid_at"]:
        told["send_pay_date"] = row["paid_at"][:19].replace("T", " ")
        told["fund_bill_list"] = [{"amount": yuan(row["fen"]), "fund_channel": fund_channel(row)}]
    return told


def fund_channel(row: Row) -> str:
    """Return from where the payer's money came; a payer called `DCEP…` pays with digital renminbi."""
    return "DCEP" if str(row["payer"]).startswith("DCEP") else "ALIPAYACCOUNT"


def refund_told(row: Row, trade: Row) -> dict[str, Any]:
    """Return a refund as an answer tells it; until it is done there is no status."""
    told = {
        "out_trade_no": trade["number"],
        "trade_no": trade["transaction_id"],
        "out_request_no": row["number"],
        "total_amount": yuan(trade["fen"]),
        "refund_amount": yuan(row["fen"]),
    }
    if row["state"] == "SUCCESS":
        told |= {"refund_status": "REFUND_SUCCESS", "gmt_refund_pay": row["done_at"][:19].replace("T", " ")}
    return told


def amount_fen(text: str) -> int:
    """Return an amount in yuan as fen."""
    whole, _, cents = text.partition(".")
    return int(whole) * 100 + int(cents.ljust(2, "0"))


def yuan(fen: int) -> str:
    """Return an amount in yuan."""
    return f"{fen // 100}.{fen % 100:02d}"
