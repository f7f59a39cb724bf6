"""A sheet, a key and a sealed file for tests that need no database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import segno

from cloud.documents.signer import SealKey, SoftwareSigner, new_key
from cloud.documents.typesetting import PAPER, SEAL, typeset

NAME = "花园物业有限公司"
WHEN = datetime(2026, 2, 1, 3, 4, 5, tzinfo=UTC)
TOKEN = "Abcdefghijklmnopqrstuvw0"  # noqa: S105 - a made-up code of a paper
ADDRESS = f"https://house.test/v/{TOKEN}"


def sheet(**changes: Any) -> dict[str, Any]:
    """Return the data of a paper."""
    made: dict[str, Any] = {
        "title": ["物业费账单", "Bill"],
        "number": "B-2026-000001",
        "issuer": NAME,
        "made": [2026, 2, 1, 3, 4, 5],
        "facts": [["房屋", "Premises", "花园 1-1-001"]],
        "columns": [["项目", "Charge", "wide"], ["服务期", "Service", "text"], ["金额(元)", "Amount", "money"]],
        "rows": [["物业费 Service", "2026-01-01 – 2026-01-31", "203.40"]],
        "totals": [["合计", "Total", "¥203.40"]],
        "words": "人民币贰佰零叁元肆角",
        "notes": [["本单不是发票。", "This is not a tax invoice."]],
        "verify": {"token": TOKEN, "address": ADDRESS, "code": segno.make(ADDRESS, error="m").svg_inline(border=2)},
    }
    return {**made, **changes}


def key(name: str = NAME, serial: int = 7) -> SealKey:
    """Return a fresh key of a legal person."""
    return new_key(name, WHEN, serial)


async def sealed(with_key: SealKey, **changes: Any) -> bytes:
    """Return a sealed paper."""
    mark = typeset(SEAL, {"name": NAME})
    return await SoftwareSigner(with_key).seal(typeset(PAPER, sheet(**changes)), mark, WHEN)
