"""The fund routes: which kinds of account a transfer of each code may join, in which funds.

The database holds the same list as `fund_route` rows and refuses any other pair of funds by a foreign key; here the
types of account are checked as well. A route stays inside one fund unless it names the crossing, and a crossing needs
approval. Values only.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from typing_extensions import override

from cloud.ledger.accounts import AccountType, LedgerAccountRef
from cloud.tariffs.charge import FundClass

_T = AccountType
_EARNED = frozenset({_T.INCOME, _T.AGENCY, _T.FUND})
_MONEY = frozenset({_T.CLEARING, _T.CASH, _T.BANK})
_OWED = frozenset({_T.RECEIVABLE})
_AHEAD = frozenset({_T.PREPAYMENT})
_DEPOSIT = frozenset({_T.DEPOSIT_HELD})
_CASH = frozenset({_T.CASH})
_CASH_DIFFERENCE = frozenset({_T.CASH_DIFFERENCE})
_SUSPENSE = frozenset({_T.SUSPENSE})
_OPENING = frozenset({_T.OPENING})
_SAME_FUND = tuple((fund, fund) for fund in FundClass)
_DEPOSIT_ONLY = ((FundClass.DEPOSIT, FundClass.DEPOSIT),)
_OWNERS = tuple((fund, fund) for fund in (FundClass.COMMON_INCOME, FundClass.MAINTENANCE))
_DEDUCTION = ((FundClass.DEPOSIT, FundClass.OPERATING),)


class Route(Enum):
    """A route: its code, the types of its debit and credit accounts, and the pairs of funds (debit, credit)."""

    ISSUE = ("issue", _OWED, _EARNED, _SAME_FUND)
    CREDIT_NOTE = ("credit_note", _EARNED, _OWED, _SAME_FUND)
    RECEIPT = ("receipt", _MONEY, _OWED, _SAME_FUND)
    PREPAY = ("prepay", _MONEY, _AHEAD, _SAME_FUND)
    OFFSET = ("offset", _AHEAD, _OWED, _SAME_FUND)
    OVERPAID = ("overpaid", _OWED, _AHEAD, _SAME_FUND)
    REFUND = ("refund", _AHEAD, _MONEY, _SAME_FUND)
    SUSPEND = ("suspend", _MONEY, _SUSPENSE, _SAME_FUND)
    IDENTIFY = ("identify", _SUSPENSE, _OWED | _AHEAD, _SAME_FUND)
    RETURN = ("return", _SUSPENSE, _MONEY, _SAME_FUND)
    SETTLE = ("settle", frozenset({_T.BANK}), frozenset({_T.CLEARING, _T.CASH}), _SAME_FUND)
    CHANNEL_FEE = ("channel_fee", frozenset({_T.CHANNEL_FEE}), frozenset({_T.CLEARING}), _SAME_FUND)
    CASH_OVER = ("cash_over", _CASH, _CASH_DIFFERENCE, _SAME_FUND)
    CASH_SHORT = ("cash_short", _CASH_DIFFERENCE, _CASH, _SAME_FUND)
    DEPOSIT_IN = ("deposit_in", _MONEY, _DEPOSIT, _DEPOSIT_ONLY)
    DEPOSIT_HOLD = ("deposit_hold", _AHEAD, _DEPOSIT, _DEPOSIT_ONLY)
    DEPOSIT_OUT = ("deposit_out", _DEPOSIT, _MONEY, _DEPOSIT_ONLY)
    DEPOSIT_DEDUCTION = ("deposit_deduction", _DEPOSIT, _OWED, _DEDUCTION)
    WRITE_OFF = ("write_off", frozenset({_T.WRITE_OFF}), _OWED, _SAME_FUND)
    OPENING = (
        "opening",
        _OWED | _MONEY | frozenset({_T.OPENING}),
        _AHEAD | _DEPOSIT | frozenset({_T.OPENING}),
        _SAME_FUND,
    )
    FUND_INCOME = ("fund_income", _MONEY, _EARNED, _OWNERS)
    FUND_SPENT = ("fund_spent", _EARNED, _MONEY, _OWNERS)
    OPENING_UNDONE = ("opening_undone", _AHEAD | _OPENING, _OWED | _OPENING, _SAME_FUND)

    def __init__(
        self,
        code: str,
        debit_types: frozenset[AccountType],
        credit_types: frozenset[AccountType],
        funds: tuple[tuple[FundClass, FundClass], ...],
    ) -> None:
        self.code = code
        self.debit_types = debit_types
        self.credit_types = credit_types
        self.funds = funds

    @property
    def needs_approval(self) -> bool:
        """Return whether a person must have approved: money leaves its fund or the owners, or a debt is given up."""
        return self in {Route.WRITE_OFF, Route.FUND_SPENT} or any(debit != credit for debit, credit in self.funds)

    @override
    def __str__(self) -> str:
        """Return the code."""
        return self.code


def route_allows(route: Route, debit: LedgerAccountRef, credit: LedgerAccountRef) -> bool:
    """Return whether a transfer by the route may join the two accounts."""
    return (
        debit.type in route.debit_types
        and credit.type in route.credit_types
        and (debit.book.fund_class, credit.book.fund_class) in route.funds
    )


def route_rows() -> Iterator[tuple[str, str, str, bool]]:
    """Yield code, debit fund, credit fund and need of approval of every allowed pair: the rows of `fund_route`."""
    for route in Route:
        for debit, credit in route.funds:
            yield route.code, debit.value, credit.value, route.needs_approval
