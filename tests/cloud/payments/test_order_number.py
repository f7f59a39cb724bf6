"""Order numbers: accepted by every channel, guessable by nobody, and a typing error is seen."""

from __future__ import annotations

import re
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from cloud.payments.order_number import NumberKind, is_number, new_number

DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2099, 12, 31))
SYMBOLS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def made(kind: NumberKind, day: date, drawn: bytes) -> str:
    return new_number(kind, day, lambda _: drawn)


@given(st.sampled_from(NumberKind), DAYS, st.binary(min_size=13, max_size=13))
def test_a_number_has_the_shape_every_channel_accepts(kind: NumberKind, day: date, drawn: bytes) -> None:
    number = made(kind, day, drawn)
    assert re.fullmatch(r"[0-9A-Z]{20,28}", number)
    assert number.startswith(f"{kind.value}{day:%Y%m%d}")
    assert is_number(number)


@given(DAYS, st.binary(min_size=13, max_size=13), st.integers(10, 23), st.sampled_from(SYMBOLS))
def test_one_wrong_symbol_is_always_seen(day: date, drawn: bytes, place: int, symbol: str) -> None:
    number = made(NumberKind.ORDER, day, drawn)
    typed = number[:place] + symbol + number[place + 1 :]
    assert is_number(typed) == (typed == number)


def test_what_is_no_number_is_told() -> None:
    for text in ("", "GH2026", "ZZ20260101" + "0" * 14, made(NumberKind.ORDER, date(2026, 1, 1), b"\0" * 13).lower()):
        assert not is_number(text)
