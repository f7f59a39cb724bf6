"""What a tariff's formulas and conditions may name: its facts, traits, windows and values, and the built-in names."""

from __future__ import annotations

from collections.abc import Mapping

from common.tariff.formula import Formula
from common.tariff.model import Condition, Fact, FactScale, Range, Trait, Window
from common.tariff.parse.section import Section, exact

# What the engine itself knows of a request; `rating.variables` works them out.
BUILT_IN = frozenset(
    {"usage", "prior", "days", "months", "year_days", "bill_days", "first_year_days", "part", "parts", "month"}
)
METERING = Trait(name="metering", choices=("single", "windows"))
_KNOWN = {
    "area": FactScale.MILLI,
    "inner_area": FactScale.MILLI,
    "floor_weight": FactScale.MILLI,
    "coefficient": FactScale.MILLI,
    "persons": FactScale.COUNT,
    "households": FactScale.COUNT,
    "floor": FactScale.COUNT,
    "pieces": FactScale.COUNT,
    "vacant": FactScale.COUNT,
}


def known_facts() -> dict[str, Fact]:
    """Return the facts every tariff may use without declaring them."""
    return {name: Fact(name=name, scale=scale) for name, scale in _KNOWN.items()}


class Vocabulary:
    """The names in reach while a document is read; it grows as `values` are defined."""

    def __init__(self, facts: Mapping[str, Fact], traits: Mapping[str, Trait], windows: tuple[Window, ...]) -> None:
        self.traits = {METERING.name: METERING, **traits}
        self.windows = tuple(window.name for window in windows)
        self._names = BUILT_IN | frozenset(facts) | {f"usage_{name}" for name in self.windows}

    def define(self, section: Section, name: str) -> None:
        """Add a value that later formulas may name."""
        if name in self._names:
            section.fault(name, "the name is taken", "choose another name")
        self._names |= {name}

    def check_formula(self, section: Section, key: str, formula: Formula) -> None:
        """Note every name of a formula that nothing supplies."""
        for name in sorted(formula.names - self._names):
            section.fault(key, f"{name!r} has no value here", "declare it under `facts` or `values`, or correct it")

    def read_formula(self, section: Section, key: str, default: str | None = None) -> Formula:
        """Return a formula of a section with all its names checked."""
        formula = section.formula(key, default)
        self.check_formula(section, key, formula)
        return formula

    def read_condition(self, section: Section, key: str = "when") -> Condition:
        """Return the condition under a field; a missing field always holds."""
        if key not in section:
            return Condition()
        entry = section.section(key)
        traits: dict[str, frozenset[str]] = {}
        ranges: dict[str, Range] = {}
        months, ends = entry.month_set("start_months"), entry.month_set("end_months")
        for name in entry.names():
            if name in self.traits:
                traits[name] = self._read_choices(entry, name)
            elif name in self._names:
                ranges[name] = _read_range(entry.section(name))
            elif name not in {"start_months", "end_months"}:
                entry.fault(name, "nothing has this name", "declare it under `traits` or `facts`, or correct it")
        return Condition(start_months=months, end_months=ends, traits=traits, ranges=ranges)

    def _read_choices(self, entry: Section, name: str) -> frozenset[str]:
        raw = entry.raw(name)
        written = raw if isinstance(raw, (list, tuple)) else [raw]
        known = self.traits[name].choices
        for item in written:
            if item not in known:
                entry.fault(name, f"{item!r} is no choice of {name}", f"use one of {', '.join(known)}")
        return frozenset(str(item) for item in written)


def _read_range(entry: Section) -> Range:
    low = entry.convert("from", exact, None) if "from" in entry else None
    high = entry.convert("to", exact, None) if "to" in entry else None
    if low is None and high is None:
        entry.fault("", "the range has neither end", 'write {from: "6"}, {to: "5"} or both')
    elif low is not None and high is not None and low > high:
        entry.fault("", "the range ends before it starts", "exchange `from` and `to`")
    entry.close()
    return Range(low=low, high=high)
