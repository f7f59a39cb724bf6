"""What the files of all channels say, in one shape: rows of trades, and rows of what moved on the merchant's balance.

Each channel reads its own file strictly and gives these rows; comparing them knows no channel any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from common.errors import Fault, FaultsError

MILLIFEN_PER_FEN = 1_000
ROWS_MAX = 2_000_000
_AGAIN = "fetch the file again or look at it"


class BillKind(StrEnum):
    """What one row of a trade bill says happened."""

    PAYMENT = "payment"
    REFUND = "refund"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class BillRow:
    """One row: a payment with its order amount, or a refund with the amount applied for.

    `fee_millifen` counts thousandths of a fen; negative on a returned fee.
    """

    line: int
    kind: BillKind
    at: datetime
    order_number: str
    refund_number: str
    transaction_id: str
    amount_fen: int
    settled_fen: int
    refund_settled_fen: int
    currency: str
    status: str
    fee_millifen: int


class FlowKind(StrEnum):
    """Why the merchant's balance moved."""

    TRADE = "trade"
    REFUND = "refund"
    FEE = "fee"
    WITHDRAWAL = "withdrawal"
    COMPLAINT = "complaint"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRow:
    """One movement of the merchant's balance: positive in, negative out; `number` is our order or refund number."""

    line: int
    kind: FlowKind
    at: datetime
    number: str
    flow_id: str
    fen: int
    balance_fen: int
    remark: str


def unreadable(where: str, what: str) -> FaultsError:
    """Return the refusal of a whole file for one reason."""
    return FaultsError("bill file", [Fault(where=where, what=what, remedy=_AGAIN)])


def require_equal(compared: Iterable[tuple[str, int, int]]) -> None:
    """Go on only when what the rows give is what the file says of itself.

    Args:
        compared: name of the figure, what the rows give, what the summary says.

    Raises:
        FaultsError: with every figure that differs.
    """
    faults = [
        Fault(where=what, what=f"rows give {rows_say}, the summary says {file_says}", remedy=_AGAIN)
        for what, rows_say, file_says in compared
        if rows_say != file_says
    ]
    if faults:
        raise FaultsError("bill file", faults)


def require_running(rows: Iterable[FlowRow]) -> None:
    """Go on only when each balance is the one before it plus the movement.

    Raises:
        FaultsError: with the first row where it is not: a row is missing or was changed.
    """
    before: FlowRow | None = None
    for row in rows:
        if before is not None and before.balance_fen + row.fen != row.balance_fen:
            raise unreadable(
                f"line {row.line}",
                f"the balance {row.balance_fen} does not follow from {before.balance_fen} {row.fen:+}",
            )
        before = row
