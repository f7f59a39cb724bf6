"""Amounts in words against the samples of the central bank and the rules of the trade."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvariantError
from common.money.words import amount_in_words

# source: the table of facts on documents, made from the People's Bank of China's rules for writing amounts
SAMPLES = (
    (0, "人民币零元整"),
    (5, "人民币伍分"),
    (50, "人民币伍角"),
    (101, "人民币壹元零壹分"),
    (110, "人民币壹元壹角"),
    (1005, "人民币壹拾元零伍分"),
    (1050, "人民币壹拾元零伍角"),
    (2000, "人民币贰拾元整"),
    (140950, "人民币壹仟肆佰零玖元伍角"),
    (30300, "人民币叁佰零叁元整"),
    (16800, "人民币壹佰陆拾捌元整"),
    (168032, "人民币壹仟陆佰捌拾元零叁角贰分"),
    (1640902, "人民币壹万陆仟肆佰零玖元零贰分"),
    (10000000, "人民币壹拾万元整"),
    (10010000, "人民币壹拾万零壹佰元整"),
    (10000100, "人民币壹拾万零壹元整"),
    (100000000, "人民币壹佰万元整"),
    (1000000000000, "人民币壹佰亿元整"),
    (1000000010000, "人民币壹佰亿零壹佰元整"),
    (12345678901, "人民币壹亿贰仟叁佰肆拾伍万陆仟柒佰捌拾玖元零壹分"),
)
DIGITS = {digit: value for value, digit in enumerate("零壹贰叁肆伍陆柒捌玖")}
UNITS = {"拾": 10, "佰": 100, "仟": 1_000}


@pytest.mark.parametrize(("fen", "words"), SAMPLES)
def test_the_samples_are_written_as_the_rules_say(fen: int, words: str) -> None:
    assert amount_in_words(fen) == words


def test_a_negative_amount_says_so_and_is_otherwise_the_same() -> None:
    assert amount_in_words(-140950) == "人民币负壹仟肆佰零玖元伍角"


def test_an_amount_beyond_64_bits_is_a_broken_assumption() -> None:
    with pytest.raises(InvariantError, match=rf"^money does not fit 64 bits: {2**63}$"):
        amount_in_words(2**63)


def group_value(words: str) -> int:
    total, digit = 0, 0
    for letter in words:
        if letter in DIGITS:
            digit = DIGITS[letter]
        else:
            total, digit = total + digit * UNITS[letter], 0
    return total + digit


def read(words: str) -> int:
    """Read an amount back, by another way than it was written."""
    rest = words.removeprefix("人民币").removesuffix("整")
    yuan, fen = 0, 0
    if "元" in rest:
        whole, _, rest = rest.partition("元")
        for unit, worth in (("万亿", 10**12), ("亿", 10**8), ("万", 10**4)):
            head, mark, tail = whole.partition(unit)
            if mark:
                yuan, whole = yuan + group_value(head) * worth, tail
        yuan += group_value(whole)
    for unit, worth in (("角", 10), ("分", 1)):
        head, mark, tail = rest.partition(unit)
        if mark:
            fen, rest = fen + DIGITS[head[-1]] * worth, tail
    return yuan * 100 + fen


@given(st.integers(min_value=0, max_value=10**17))
def test_every_amount_reads_back_as_itself_and_has_no_double_zero(fen: int) -> None:
    words = amount_in_words(fen)
    assert read(words) == fen
    assert "零零" not in words


@pytest.mark.parametrize(
    ("yuan", "words"),
    [
        (11_000, "壹万壹仟元整"),
        (101_000, "壹拾万壹仟元整"),
        (110_000_000, "壹亿壹仟万元整"),
        (100_001_000, "壹亿零壹仟元整"),
        (1_001, "壹仟零壹元整"),
        (1_010, "壹仟零壹拾元整"),
    ],
)
def test_a_group_that_begins_with_its_thousands_needs_no_zero_before_it(yuan: int, words: str) -> None:
    assert amount_in_words(100 * yuan) == f"人民币{words}"
