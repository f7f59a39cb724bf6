"""Formulas are parsed to a closed set of nodes, worked out exactly, and refuse what they cannot work out."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.tariff.formula import DEPTH_MAX, LENGTH_MAX, FormulaError, parse_formula

VALUES = {"a": Fraction(7), "b": Fraction(1, 3), "area_2": Fraction(90), "zero": Fraction(0)}


def worth(text: str) -> Fraction:
    return parse_formula(text).evaluate(VALUES.__getitem__)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", "1"),
        ("0.55", "11/20"),
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("12 / 4 / 3", "1"),
        ("-2 * -3", "6"),
        ("-(1 + 2)", "-3"),
        ("--1", "1"),
        ("-a", "-7"),
        ("a * b", "7/3"),
        ("area_2 / 60", "3/2"),
        ("min(3, a, 5)", "3"),
        ("max(3, a, 5)", "7"),
        ("min(4)", "4"),
        ("floor(a / 2)", "3"),
        ("floor(-0.5)", "-1"),
        ("ceil(a / 2)", "4"),
        ("ceil(-0.5)", "0"),
        ("round(2.5)", "3"),
        ("round(-2.5)", "-3"),
        ("round(2.4)", "2"),
        ("a > 6", "1"),
        ("a > 7", "0"),
        ("a >= 7", "1"),
        ("a < 7", "0"),
        ("a <= 7", "1"),
        ("a == 7", "1"),
        ("a == 8", "0"),
        ("1200 * (a >= 6)", "1200"),
        ("1 + (1 < 2)", "2"),
        ("2 < 1 + 2", "1"),
        ("3 - 1 > 9 - 6", "0"),
    ],
)
def test_a_formula_is_worth_its_exact_value(text: str, value: str) -> None:
    assert worth(text) == Fraction(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the formula breaks off"),
        ("1 +", "^the formula breaks off$"),
        ("1 2", "'2' stands where the formula should end"),
        ("(1", r"'\)' is missing"),
        ("1)", r"'\)' stands where the formula should end"),
        ("min(1, 2", r"'\)' is missing"),
        ("* 2", r"a number or a name is missing before '\*'"),
        ("a < b < 1", "'<' stands where the formula should end"),
        ("floor(1, 2)", "floor takes one value"),
        ("open(1)", "there is no function 'open'"),
        ("negate(1)", "there is no function 'negate'"),
        ("__import__", "'_' has no meaning in a formula"),
        ("a.b", r"'\.' has no meaning in a formula"),
        ("a; b", "';' has no meaning in a formula"),
        ("'a'", '"\'" has no meaning in a formula'),
        ("a[0]", r"'\[' has no meaning in a formula"),
        ("2 ** 9", r"a number or a name is missing before '\*'"),
        ("1e9", "'e9' stands where the formula should end"),
        ("NaN", "'N' has no meaning in a formula"),
        ("\uff11", "'\uff11' has no meaning in a formula"),
        ("\u0661 + 1", "'\u0661' has no meaning in a formula"),
        ("1" * 19, "is too long; at most 18 characters"),
        ("a + " * 200 + "a", f"a formula has at most {LENGTH_MAX} characters"),
        ("(" * 60 + "1" + ")" * 60, f"a formula nests at most {DEPTH_MAX} deep"),
        ("-" * 60 + "1", f"a formula nests at most {DEPTH_MAX} deep"),
    ],
)
def test_text_that_is_no_formula_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        parse_formula(text)


def test_a_division_by_zero_refuses_and_is_never_zero() -> None:
    with pytest.raises(FormulaError, match="the formula divides by zero"):
        worth("a / zero")


def test_a_plain_number_is_a_constant_and_names_are_known() -> None:
    assert parse_formula("0.5").constant == Fraction(1, 2)
    assert parse_formula("-0.5").constant == Fraction(-1, 2)
    assert parse_formula("1 + 1").constant is None
    assert parse_formula("min(a, b * a) + 1").names == {"a", "b"}
    assert parse_formula("3").names == frozenset()


def test_nesting_up_to_the_limit_is_read() -> None:
    assert worth("(" * (DEPTH_MAX - 1) + "1" + ")" * (DEPTH_MAX - 1)) == 1


@pytest.mark.parametrize("start", ["(1)", "-1", "min(1)"])
def test_what_is_closed_again_neither_deepens_nor_flattens_what_follows(start: str) -> None:
    def after(depth: int) -> str:
        return f"({start} + {'(' * depth}1{')' * depth})"

    assert worth(after(DEPTH_MAX - 2)) in {0, 2}
    with pytest.raises(FormulaError, match="nests at most"):
        worth(after(DEPTH_MAX - 1))
    assert abs(worth(" + ".join([start] * (DEPTH_MAX + 2)))) == DEPTH_MAX + 2


def test_signs_nest_up_to_the_limit() -> None:
    assert worth("-" * (DEPTH_MAX - 1) + "1") == -1
    with pytest.raises(FormulaError, match="nests at most"):
        worth("-" * DEPTH_MAX + "1")


def test_the_longest_formula_and_the_longest_number_are_read() -> None:
    assert worth("1".rjust(LENGTH_MAX)) == 1
    assert worth("1" * 18) == int("1" * 18)


def test_a_name_may_go_on_with_digits_and_underscores() -> None:
    assert parse_formula("v1 + x_y * p").names == {"v1", "x_y", "p"}


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_arithmetic_is_exact(first: int, second: int, third: int) -> None:
    found = parse_formula("(x + y) / z - y / z").evaluate(
        {"x": Fraction(first), "y": Fraction(second), "z": Fraction(third)}.__getitem__
    )
    assert found == Fraction(first, third)
