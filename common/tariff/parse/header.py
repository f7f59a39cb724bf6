"""Reading of what a tariff says of itself, and of the facts and traits it needs."""

from __future__ import annotations

import re

from common.measure.quantity import MILLI_EXPONENT, Unit
from common.money.amount import CNY, CURRENCIES
from common.tariff.formula import Formula
from common.tariff.model import Accumulation, Fact, FactScale, Header, Source, Trait, WholeUnits
from common.tariff.parse.section import Section, exact
from common.tariff.parse.vocabulary import Vocabulary, known_facts
from common.tariff.parse.words import read_words

FORMAT = "gatehouse-tariff/1"
_CODE = re.compile(r"[a-z0-9][a-z0-9._/-]{0,79}", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_DAY = re.compile(r"([0-9]{2})-([0-9]{2})", re.ASCII)
_MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIRST_OF_MONTHS = tuple((month, 1) for month in range(1, 13))
_NAMED_SPANS = {
    "bill": (),
    "year": _FIRST_OF_MONTHS[:1],
    "quarter": _FIRST_OF_MONTHS[::3],
    "two_months": _FIRST_OF_MONTHS[::2],
    "month": _FIRST_OF_MONTHS,
}


def read_header(root: Section) -> Header:
    """Return code, name, currency, unit, source and effective date."""
    if root.text("format") not in {FORMAT, ""}:
        root.fault("format", "this format is unknown", f"write {FORMAT}")
    code = root.text("code")
    if code and not _CODE.fullmatch(code):
        root.fault("code", f"{code!r} is no code", "use small ASCII letters, digits, dots, slashes and dashes")
    currency = root.text("currency", "CNY")
    if currency not in CURRENCIES:
        root.fault("currency", f"{currency!r} is unknown", f"use one of {', '.join(sorted(CURRENCIES))}")
    return Header(
        code=code,
        name=read_words(root, "name"),
        currency=CURRENCIES.get(currency, CNY),
        unit=root.choice("unit", Unit) if "unit" in root else None,
        source=_read_source(root),
        effective_from=root.day("effective_from"),
    )


def _read_source(root: Section) -> Source | None:
    if "source" not in root:
        return None
    section = root.section("source")
    source = Source(title=section.text("title"), day=section.day("date"), undated=section.text("undated", ""))
    if source.day is not None and source.undated:
        section.fault("undated", "the source has a date too", "leave one of the two out")
    section.close()
    return source


def read_facts(root: Section) -> dict[str, Fact]:
    """Return the facts a request may have to carry; a declared one may give a known fact a default."""
    facts = known_facts()
    if "facts" not in root:
        return facts
    section = root.section("facts")
    for name in section.names():
        entry = section.section(name)
        _check_name(section, name)
        default = entry.convert("default", exact, None) if "default" in entry else None
        known = facts[name].scale if name in facts else None
        facts[name] = Fact(name=name, scale=entry.choice("scale", FactScale, known), default=default)
        entry.close()
    return facts


def read_traits(root: Section) -> dict[str, Trait]:
    """Return the named choices on which plans and prices depend."""
    traits: dict[str, Trait] = {}
    if "traits" not in root:
        return traits
    section = root.section("traits")
    for name in section.names():
        entry = section.section(name)
        _check_name(section, name)
        items = entry.items("choices")
        choices = tuple(item for item in items if isinstance(item, str))
        if not choices or len(choices) != len(items):
            entry.fault("choices", "the choices are not a list of texts", 'write ["general", "large"]')
        default = entry.text("default") if "default" in entry else None
        if default is not None and default not in choices:
            entry.fault("default", f"{default!r} is no choice", f"use one of {', '.join(choices)}")
        traits[name] = Trait(name=name, choices=choices, default=default)
        entry.close()
    return traits


def read_values(root: Section, vocabulary: Vocabulary) -> dict[str, Formula]:
    """Return the named values, each of which may use those before it."""
    values: dict[str, Formula] = {}
    if "values" not in root:
        return values
    section = root.section("values")
    for name in section.names():
        _check_name(section, name)
        values[name] = vocabulary.read_formula(section, name)
        vocabulary.define(section, name)
    return values


def _check_name(section: Section, name: str) -> None:
    if not _NAME.fullmatch(name):
        section.fault(name, "the name cannot stand in a formula", "use small ASCII letters, digits and _")


def read_accumulation(root: Section) -> Accumulation:
    """Return where the running total starts anew: `over` a named span, or `starts` on days of the year."""
    if "accumulate" not in root:
        return Accumulation()
    section = root.section("accumulate")
    over = section.text("over", "year")
    starts = {_read_start(section, index, item) for index, item in enumerate(section.items("starts"))}
    if over not in _NAMED_SPANS:
        section.fault("over", f"{over!r} is unknown", f"use one of {', '.join(_NAMED_SPANS)}, or give `starts`")
    section.close()
    return Accumulation(starts=tuple(sorted(starts)) or _NAMED_SPANS.get(over, ()))


def _read_start(section: Section, index: int, item: object) -> tuple[int, int]:
    match = _DAY.fullmatch(str(item))
    if match:
        month, day = int(match[1]), int(match[2])
        if 1 <= month <= len(_MONTH_LENGTHS) and 1 <= day <= _MONTH_LENGTHS[month - 1]:
            return month, day
    section.fault(f"starts[{index}]", f"{item!r} is no day of every year", 'write month and day, such as "12-01"')
    return _FIRST_OF_MONTHS[0]


def read_whole_units(root: Section) -> WholeUnits | None:
    """Return the size of the units that are billed whole, None when fractions are billed."""
    if "whole_units" not in root:
        return None
    section = root.section("whole_units")
    size_milli = section.decimal("size", MILLI_EXPONENT, 1_000)
    if size_milli == 0:
        section.fault("size", "a unit of zero bills nothing", 'write at least "0.001"')
    section.close()
    return WholeUnits(size_milli=size_milli)
