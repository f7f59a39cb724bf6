"""Formulas of a tariff: a small expression language over named values, in exact fractions.

Text is parsed once to a tree of whitelisted nodes and never run as code. A name is a typed variable that the tariff
declares; a formula that cannot be worked out (a missing value, a division by zero) refuses the line, never gives zero.

    sum        = product (("+" | "-") product)*        comparison = sum (("<" | "<=" | ">" | ">=" | "==") sum)?
    product    = factor (("*" | "/") factor)*          factor     = number | name | function "(" ... ")" | "-" factor
    functions  : min, max, floor, ceil, round;  a comparison is worth 1 when it holds and 0 when not
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TypeAlias, assert_never

from common.errors import RefusalError
from common.money.rounding import RoundingMode, divide

LENGTH_MAX = 400
DEPTH_MAX = 24
_TOKEN = re.compile(r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[a-z][a-z0-9_]*)|(?P<sign><=|>=|==|[-+*/(),<>]))")
_DIGITS_MAX = 18


class FormulaError(RefusalError):
    """A formula that cannot be read, or cannot be worked out for these values."""


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Name:
    """A named value, looked up when the formula is worked out."""

    name: str


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator or function over arguments."""

    operator: str
    arguments: tuple[Node, ...]


Node: TypeAlias = Number | Name | Apply
Lookup: TypeAlias = Callable[[str], Fraction]


def _divide(left: Fraction, right: Fraction) -> Fraction:
    if right == 0:
        raise FormulaError("the formula divides by zero")
    return Fraction(left, right)


def _round(value: Fraction) -> Fraction:
    return Fraction(divide(value.numerator, value.denominator, RoundingMode.HALF_UP))


_BINARY: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divide,
    "<": lambda left, right: Fraction(left < right),
    "<=": lambda left, right: Fraction(left <= right),
    ">": lambda left, right: Fraction(left > right),
    ">=": lambda left, right: Fraction(left >= right),
    "==": lambda left, right: Fraction(left == right),
}
_UNARY: dict[str, Callable[[Fraction], Fraction]] = {
    "negate": lambda value: -value,
    "floor": lambda value: Fraction(floor(value)),
    "ceil": lambda value: Fraction(ceil(value)),
    "round": _round,
}
_CHOICES: dict[str, Callable[[Sequence[Fraction]], Fraction]] = {"min": min, "max": max}
_FUNCTIONS = (_CHOICES.keys() | _UNARY.keys()) - {"negate"}


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula with its text and its tree."""

    text: str
    tree: Node

    @property
    def constant(self) -> Fraction | None:
        """Return the value of a formula that is a plain number, else None."""
        return self.tree.value if isinstance(self.tree, Number) else None

    @property
    def names(self) -> frozenset[str]:
        """Return the names that the formula needs."""
        return frozenset(_names(self.tree))

    def evaluate(self, lookup: Lookup) -> Fraction:
        """Return the exact value.

        Raises:
            FormulaError: a division by zero.
            RefusalError: the lookup has no value for a name.
        """
        return _evaluate(self.tree, lookup)


def parse_formula(text: str) -> Formula:
    """Return the formula that the text says.

    Raises:
        FormulaError: the text is no formula of this language, or is too long or too deep.
    """
    if len(text) > LENGTH_MAX:
        raise FormulaError(f"a formula has at most {LENGTH_MAX} characters")
    return Formula(text, _Parser(tuple(_tokens(text))).parse())


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise FormulaError(f"{text[position:].strip()[0]!r} has no meaning in a formula")
        token = match[0].strip()
        if match["number"] and len(token) > _DIGITS_MAX:
            raise FormulaError(f"the number {token} is too long; at most {_DIGITS_MAX} characters")
        yield token
        position = match.end()


def _names(node: Node) -> Iterator[str]:
    match node:
        case Name(name):
            yield name
        case Apply(_, arguments):
            for argument in arguments:
                yield from _names(argument)
        case Number():
            return
        case unknown:
            assert_never(unknown)


def _evaluate(node: Node, lookup: Lookup) -> Fraction:
    match node:
        case Number(value):
            return value
        case Name(name):
            return lookup(name)
        case Apply(operator, arguments):
            values = [_evaluate(argument, lookup) for argument in arguments]
            if operator in _BINARY:
                return _BINARY[operator](values[0], values[1])
            return _UNARY[operator](values[0]) if operator in _UNARY else _CHOICES[operator](values)
        case unknown:
            assert_never(unknown)


class _Parser:
    """A recursive descent over the tokens; one method per line of the grammar."""

    def __init__(self, tokens: tuple[str, ...]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0

    def parse(self) -> Node:
        tree = self._comparison()
        if self._peek():
            raise FormulaError(f"{self._peek()!r} stands where the formula should end")
        return tree

    def _peek(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def _next(self) -> str:
        lexeme = self._peek()
        self._position += 1
        return lexeme

    def _comparison(self) -> Node:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise FormulaError(f"a formula nests at most {DEPTH_MAX} deep")
        left = self._chain(self._product, ("+", "-"))
        if self._peek() in {"<", "<=", ">", ">=", "=="}:
            left = Apply(self._next(), (left, self._chain(self._product, ("+", "-"))))
        self._depth -= 1
        return left

    def _product(self) -> Node:
        return self._chain(self._factor, ("*", "/"))

    def _chain(self, part: Callable[[], Node], operators: tuple[str, str]) -> Node:
        tree = part()
        while self._peek() in operators:
            tree = Apply(self._next(), (tree, part()))
        return tree

    def _factor(self) -> Node:
        lexeme = self._next()
        if lexeme[:1].isdigit():
            return Number(Fraction(lexeme))
        if lexeme == "-":
            return self._negated()
        if lexeme == "(":
            inner = self._comparison()
            self._expect(")")
            return inner
        if lexeme[:1].isalpha():
            return self._call(lexeme) if self._peek() == "(" else Name(lexeme)
        raise FormulaError(f"a number or a name is missing before {lexeme!r}" if lexeme else "the formula breaks off")

    def _negated(self) -> Node:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise FormulaError(f"a formula nests at most {DEPTH_MAX} deep")
        factor = self._factor()
        self._depth -= 1
        return Number(-factor.value) if isinstance(factor, Number) else Apply("negate", (factor,))

    def _call(self, function: str) -> Node:
        if function not in _FUNCTIONS:
            raise FormulaError(f"there is no function {function!r}; there are min, max, floor, ceil and round")
        self._expect("(")
        arguments = [self._comparison()]
        while self._peek() == ",":
            self._next()
            arguments.append(self._comparison())
        self._expect(")")
        if function in _UNARY and len(arguments) != 1:
            raise FormulaError(f"{function} takes one value")
        return Apply(function, tuple(arguments))

    def _expect(self, lexeme: str) -> None:
        if self._next() != lexeme:
            raise FormulaError(f"{lexeme!r} is missing")
