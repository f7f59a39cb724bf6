"""What the channel holds, one verified request, and an order as the channel tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from sqlite3 import Row
from typing import Any

from starlette.requests import Request

from tests.simulation.wechat.book import Book
from tests.simulation.wechat.keys import Keys
from tests.simulation.wechat.messenger import Messenger
from tests.simulation.wechat.mischief import Mischiefs


@dataclass(slots=True, kw_only=True)
class Channel:
    """Everything the channel holds."""

    book: Book
    keys: Keys
    mischiefs: Mischiefs
    messenger: Messenger
    now: Callable[[], datetime]
    base_url: str = ""
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    contracts: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One verified request."""

    merchant: Row
    fields: dict[str, Any]
    request: Request


def order_fields(row: Row, merchant: Row) -> dict[str, Any]:
    """Return an order as the channel tells it."""
    fields = {
        "mchid": row["mchid"],
        "appid": merchant["appid"],
        "out_trade_no": row["number"],
        "trade_state": row["state"],
        "trade_state_desc": row["state"],
    }
    if row["state"] in {"SUCCESS", "REFUND"}:
        fields |= {
            "transaction_id": row["transaction_id"],
            "trade_type": "NATIVE",
            "bank_type": "OTHERS",
            "success_time": row["paid_at"],
            "payer": {"openid": row["payer"]},
            "amount": {
                "total": row["fen"],
                "payer_total": row["fen"],
                "currency": row["currency"],
                "payer_currency": row["currency"],
            },
        }
    return fields
