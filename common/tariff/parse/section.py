"""A section of a tariff document under reading: typed access that collects every fault instead of stopping at one.

A reader that meets a fault notes where, what and the remedy, and hands back a harmless value, so that one pass over a
broken document lists all that is wrong. The document counts only when no fault was noted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from fractions import Fraction
from numbers import Real
from typing import TypeVar

from common.errors import Fault, RefusalError
from common.money.amount import parse_scaled
from common.tariff.formula import Formula, FormulaError, parse_formula

EnumT = TypeVar("EnumT", bound=StrEnum)
ValueT = TypeVar("ValueT")
TEXT_LENGTH_MAX = 500
ITEMS_MAX = 200
_MICRO_EXPONENT = 6


class Section:
    """One mapping of the document, where it stands, and the shared list of faults."""

    def __init__(self, value: object, where: str, faults: list[Fault]) -> None:
        self.where = where
        self._faults = faults
        self._taken: set[str] = set()
        self._value: Mapping[object, object] = value if isinstance(value, Mapping) else {}
        if not isinstance(value, Mapping):
            self.fault("", f"{_kind_of(value)} stands where named fields are expected", "write it as `field: value`")

    def fault(self, key: str, what: str, remedy: str) -> None:
        """Note a fault of a field (or of the whole section for an empty key)."""
        self._faults.append(Fault(where=self.path(key), what=what, remedy=remedy))

    def path(self, key: str) -> str:
        """Return the place of a field."""
        joint = "." if self.where and key else ""
        return (self.where + joint + key) or "document"

    def __contains__(self, key: str) -> bool:
        """Return whether the field is written."""
        return key in self._value

    def names(self) -> list[str]:
        """Return the names of the fields as written, all taken as known."""
        texts = [key for key in self._value if isinstance(key, str)]
        for key in self._value:
            if not isinstance(key, str):
                self.fault(str(key), "the name is not text", f'put it in quotes: "{key}"')
        self._taken.update(texts)
        return texts

    def raw(self, key: str) -> object:
        """Return the value as it stands and mark the field as known."""
        self._taken.add(key)
        return self._value.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default its absence is a fault."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value.strip():
            self.fault(key, f"{_kind_of(value)} stands where a text is expected", "write a text")
            return ""
        if len(value) > TEXT_LENGTH_MAX:
            self.fault(key, f"the text has {len(value)} characters", f"use at most {TEXT_LENGTH_MAX}")
        return value

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Return a whole number between two bounds, both included."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(key, f"{_kind_of(value)} stands where a whole number is expected", "write digits only")
            return low
        if not low <= value <= high:
            self.fault(key, f"{value} is out of range", f"use {low} to {high}")
            return low
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fault(key, f"{_kind_of(value)} stands where true or false is expected", "write true or false")
            return default
        return value

    def choice(self, key: str, choices: type[EnumT], default: EnumT | None = None) -> EnumT:
        """Return one of a closed list of words."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        words = [str(member) for member in choices]
        if value not in words:
            self.fault(key, f"{value!r} is unknown", f"use one of {', '.join(words)}")
            return next(iter(choices))
        return choices(str(value))

    def decimal(self, key: str, exponent: int, default: int | None = None) -> int:
        """Return a decimal of at least zero as an integer of 10**-exponent units."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        scaled = self._convert(key, value, lambda text: parse_scaled(text, exponent, "number"), 0)
        if scaled < 0:
            self.fault(key, f"{value} is negative", "write a number of at least zero")
        return scaled

    def decimals(self, key: str, exponent: int) -> tuple[int, ...]:
        """Return a list of decimals of at least zero as integers of 10**-exponent units."""
        entry = self.listed(key)
        return tuple(entry.decimal(name, exponent) for name in entry.names())

    def listed(self, key: str) -> Section:
        """Return a list as a section whose fields are the positions."""
        return Section({str(n): item for n, item in enumerate(self.items(key))}, self.path(key), self._faults)

    def day(self, key: str) -> date | None:
        """Return a civil date, or None when the field is not written."""
        value = self.raw(key)
        if value is None or type(value) is date:
            return value
        return self._convert(key, value, date.fromisoformat, None)

    def formula(self, key: str, default: str | None = None) -> Formula:
        """Return a formula; plain numbers are formulas too."""
        value = self.raw(key)
        if value is None and default is not None:
            return parse_formula(default)
        return self.as_formula(key, value)

    def as_formula(self, key: str, value: object) -> Formula:
        """Return a value of this section as a formula, with the checks every number of a tariff has to pass."""
        formula = self._convert(key, value, parse_formula, parse_formula("0"))
        constant = formula.constant
        if constant is not None and (10**_MICRO_EXPONENT % constant.denominator or constant < 0):
            what = "negative" if constant < 0 else f"finer than {_MICRO_EXPONENT} decimals"
            self.fault(key, f"{formula.text} is {what}", f"write at least zero with at most {_MICRO_EXPONENT} decimals")
        return formula

    def section(self, key: str) -> Section:
        """Return the section under a field."""
        return Section(self.raw(key), self.path(key), self._faults)

    def items(self, key: str) -> Sequence[object]:
        """Return a list of at most `ITEMS_MAX` values; a missing field is an empty list."""
        value = self.raw(key)
        if value is None:
            return ()
        if not isinstance(value, (list, tuple)):
            self.fault(key, f"{_kind_of(value)} stands where a list is expected", "write a list")
            return ()
        if len(value) > ITEMS_MAX:
            self.fault(key, f"the list has {len(value)} entries", f"use at most {ITEMS_MAX}")
            return value[:ITEMS_MAX]
        return value

    def sections(self, key: str) -> list[Section]:
        """Return a list of sections."""
        return [Section(item, f"{self.path(key)}[{n}]", self._faults) for n, item in enumerate(self.items(key))]

    def convert(self, key: str, convert: Callable[[str], ValueT], fallback: ValueT) -> ValueT:
        """Return a written text converted by a function that raises for bad text."""
        return self._convert(key, self.raw(key), convert, fallback)

    @property
    def content(self) -> Mapping[object, object]:
        """Return the mapping as written."""
        return self._value

    def month_set(self, key: str) -> frozenset[int]:
        """Return a list of months 1 to 12; a missing field is the empty set."""
        return self.word_set(key, {str(month): month for month in range(1, 13)})

    def word_set(self, key: str, words: Mapping[str, ValueT]) -> frozenset[ValueT]:
        """Return a list of words from a closed list as their values; a missing field is the empty set."""
        for item in self.items(key):
            if str(item) not in words:
                self.fault(key, f"{item!r} is unknown", f"use one of {', '.join(words)}")
        return frozenset(words[str(item)] for item in self.items(key) if str(item) in words)

    def close(self) -> None:
        """Note every field that nobody asked for."""
        for key in self._value:
            if key not in self._taken:
                near = get_close_matches(str(key), sorted(self._taken))
                remedy = (
                    f"did you mean {near[0]}?" if near else f"remove it; known are {', '.join(sorted(self._taken))}"
                )
                self.fault(str(key), "the field is unknown", remedy)

    def _convert(self, key: str, value: object, convert: Callable[[str], ValueT], fallback: ValueT) -> ValueT:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            self.fault(key, f"{_kind_of(value)} stands where a number in quotes is expected", 'write it like "0.55"')
            return fallback
        try:
            return convert(value)
        except FormulaError as error:
            self.fault(key, str(error), "write a decimal, or a formula over the tariff's facts")
        except (RefusalError, ValueError) as error:
            self.fault(key, str(error), "correct the value")
        return fallback


def exact(text: str) -> Fraction:
    """Return decimal text as an exact fraction.

    Raises:
        RefusalError: the text is not plain decimal digits.
    """
    return Fraction(parse_scaled(text, _MICRO_EXPONENT, "number"), 10**_MICRO_EXPONENT)


def _kind_of(value: object) -> str:
    if value is None:
        return "nothing"
    named = {
        str: f"the text {value!r}",
        bool: f"{value}",
        int: f"the number {value}",
        dict: "a mapping",
        list: "a list",
    }
    if type(value) in named:
        return named[type(value)]
    return f"the binary fraction {value}" if isinstance(value, Real) else type(value).__name__
