"""Lines prove themselves by their balances, and are known again in another file."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cloud.payments.channels.bank.lines import BankLine, proved, require_total
from common.errors import FaultsError

LINE = BankLine(
    n=1, day=date(2026, 3, 1), time="", fen=100, balance_fen=100, serial="", name="a", account="1", memo="m"
)
NEXT = replace(LINE, n=2, fen=-40, balance_fen=60)


def test_both_directions_are_understood_and_a_gap_is_not() -> None:
    assert proved([LINE, NEXT]) == proved([NEXT, LINE]) == (LINE, NEXT)
    with pytest.raises(FaultsError):
        proved([LINE, replace(NEXT, balance_fen=61)])


def test_two_equal_payments_of_one_day_are_told_apart_by_the_balance() -> None:
    twin = replace(LINE, balance_fen=200)
    assert LINE.key("2222") != twin.key("2222")
    assert LINE.key("2222") == replace(LINE, n=9).key("2222")
    assert replace(LINE, serial="S").key("2222") == replace(LINE, serial="S", memo="other").key("2222")


def test_a_total_that_differs_is_refused() -> None:
    require_total("x", 5, 5)
    with pytest.raises(FaultsError):
        require_total("x", 5, 6)
