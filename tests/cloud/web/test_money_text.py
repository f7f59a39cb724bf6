"""Amounts are read as people type them, and nothing is guessed."""

from __future__ import annotations

import pytest

from cloud.web.money_text import parse_yuan, parse_yuan_or_none
from common.errors import RefusalError

WIDE = {ord(mark): ord(mark) + 0xFEE0 for mark in "0123456789."}


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("0", 0),
        ("332", 33_200),
        ("332.5", 33_250),
        ("1,234.56", 123_456),
        ("¥ 12.00", 1_200),
        ("￥" + "1，000.50".translate(WIDE), 100_050),
        ("12。5", 1_250),
        (" 7 ", 700),
    ],
)
def test_an_amount_is_read_however_it_is_typed(typed: str, fen: int) -> None:
    assert parse_yuan(typed) == fen


@pytest.mark.parametrize("typed", ["", "abc", "1.234", "1..2", "1e3", "--1", "½"])
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(RefusalError, match="amount"):
        parse_yuan(typed)


def test_nothing_typed_is_no_amount_rather_than_zero() -> None:
    assert parse_yuan_or_none("  ") is None
    assert parse_yuan_or_none("0") == 0
