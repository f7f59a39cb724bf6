"""What the channel can be told to do wrong, once or so many times, to one order or to whichever comes next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mischief(StrEnum):
    """A wrong to be done. `value` of a wish means what the remark says."""

    RATE_LIMITED = "rate_limited"  # 429, nothing done
    SERVER_ERROR = "server_error"  # 500, nothing done
    COMMIT_THEN_ERROR = "commit_then_error"  # 500, but done
    COMMIT_THEN_HANG = "commit_then_hang"  # done, the answer comes `value` seconds late
    UNSIGNED = "unsigned"  # 2xx without a signature
    WRONG_KEY = "wrong_key"  # 2xx signed by a stranger
    QUERY_WRONG_AMOUNT = "query_wrong_amount"  # `value` fen too much
    QUERY_WRONG_MERCHANT = "query_wrong_merchant"
    NOTIFY_NEVER = "notify_never"
    NOTIFY_LATE = "notify_late"  # `value` seconds of machine time
    NOTIFY_PARALLEL = "notify_parallel"  # `value` copies at once
    NOTIFY_WRONG_AMOUNT = "notify_wrong_amount"  # `value` fen too much
    NOTIFY_WRONG_MERCHANT = "notify_wrong_merchant"
    NOTIFY_WRONG_ORDER = "notify_wrong_order"
    NOTIFY_FORGED = "notify_forged"  # signed by a stranger under the channel's serial
    NOTIFY_UNKNOWN_SERIAL = "notify_unknown_serial"
    NOTIFY_PROBE = "notify_probe"
    NOTIFY_STALE = "notify_stale"  # dated ten minutes ago
    NOTIFY_TRUNCATED = "notify_truncated"
    CODE_WAITS = "code_waits"  # the payer of a shown code must confirm first; a deduction is not taken until told
    CODE_REFUSED = "code_refused"
    REVERSE_AGAIN = "reverse_again"  # `value` times
    REFUND_PENDING = "refund_pending"  # stays PROCESSING until told
    REFUND_ABNORMAL = "refund_abnormal"
    BILL_NOT_READY = "bill_not_ready"
    BILL_DROPS_ROW = "bill_drops_row"  # `value` rows
    BILL_DOUBLES_ROW = "bill_doubles_row"  # `value` rows
    BILL_WRONG_AMOUNT = "bill_wrong_amount"  # `value` fen in the first payment
    BILL_WRONG_TOTAL = "bill_wrong_total"  # `value` fen in the summary only
    BILL_WRONG_DIGEST = "bill_wrong_digest"
    FLOW_DROPS_ROW = "flow_drops_row"
    FLOW_COMPLAINT = "flow_complaint"  # `value` fen taken for a complaint
    BILL_FOREIGN_HOST = "bill_foreign_host"


@dataclass(slots=True, kw_only=True)
class Wish:
    """A wrong still to be done; an empty order means whichever comes."""

    kind: Mischief
    order: str
    value: int
    times: int


class Mischiefs:
    """The wishes not yet fulfilled."""

    def __init__(self) -> None:
        self._wishes: list[Wish] = []

    def add(self, wish: Wish) -> None:
        """Remember a wish."""
        self._wishes.append(wish)

    def take(self, kind: Mischief, order: str = "") -> int | None:
        """Return the value of a matching wish and count it down; None when there is none."""
        for wish in self._wishes:
            if wish.kind is kind and wish.order in {"", order}:
                wish.times -= 1
                if wish.times <= 0:
                    self._wishes.remove(wish)
                return wish.value
        return None

    def clear(self) -> None:
        """Forget every wish."""
        self._wishes.clear()
