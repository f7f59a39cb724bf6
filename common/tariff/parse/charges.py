"""Reading of charges: tiers, prices and the quantities they stand on."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from common.tariff.formula import Formula, parse_formula
from common.tariff.model import Charge, Per, Prices, PriceTable, Tiers, Uplift, WindowOrder
from common.tariff.parse.section import Section, exact
from common.tariff.parse.vocabulary import Vocabulary
from common.tariff.parse.words import read_words
from common.tariff.steps import Boundary, TierMode

TIERS_MAX = 50
_PERSONS_MAX = 99


def read_tiers(section: Section, vocabulary: Vocabulary) -> Tiers | None:
    """Return the tiers under the field `tiers`, None when it is not written."""
    if "tiers" not in section:
        return None
    entry = section.section("tiers")
    items = entry.items("bounds")
    if len(items) > TIERS_MAX:
        entry.fault("bounds", f"{len(items)} tiers are too many", f"use at most {TIERS_MAX}")
        items = items[:TIERS_MAX]
    bounds = _formulas(entry, "bounds", items, vocabulary)
    if not bounds:
        entry.fault("bounds", "there is no bound", 'write the upper bounds, such as ["2880", "4800"]')
    _check_bounds(entry, bounds)
    tiers = Tiers(
        bounds=bounds,
        mode=entry.choice("mode", TierMode, TierMode.GRADUATED),
        boundary=entry.choice("boundary", Boundary, Boundary.LOWER),
        uplift=_read_uplift(entry),
        scale=vocabulary.read_formula(entry, "scale") if "scale" in entry else None,
        closed=entry.flag("closed", default=False),
        windows=entry.choice("windows", WindowOrder, WindowOrder.PROPORTIONAL),
    )
    entry.close()
    return tiers


def _check_bounds(entry: Section, bounds: Sequence[Formula]) -> None:
    constants = [bound.constant for bound in bounds]
    for index, (low, high) in enumerate(pairwise([Fraction(0), *constants])):
        if low is not None and high is not None and high <= low:
            where = f"bounds[{index}]"
            entry.fault(where, f"{high} is not above {low}: tiers overlap", "let the bounds rise from above zero")
    for index, bound in enumerate(constants):
        if bound is not None and 1_000 % bound.denominator:
            entry.fault(f"bounds[{index}]", f"{bounds[index].text} is finer than 3 decimals", "use at most 3 decimals")


def _read_uplift(entry: Section) -> Uplift | None:
    if "uplift" not in entry:
        return None
    section = entry.section("uplift")
    per_person = "each" in section
    if per_person == ("once" in section):
        section.fault("", "an uplift is either `once` or `each`", "write exactly one of the two")
    uplift = Uplift(
        persons_from=section.integer("persons_from", 1, _PERSONS_MAX),
        once=section.convert("once", exact, Fraction(0)) if not per_person else Fraction(0),
        each=section.convert("each", exact, Fraction(0)) if per_person else Fraction(0),
    )
    if uplift.once < 0 or uplift.each < 0:
        section.fault("", "an uplift is not negative", "write the allowance that is added")
    section.close()
    return uplift


def read_charge(section: Section, vocabulary: Vocabulary, common_tiers: Tiers | None) -> Charge:
    """Return one charge; tiers of its own come before those of its plan."""
    key = section.text("key")
    tiers = read_tiers(section, vocabulary) or common_tiers
    pricing = _read_pricing(section, vocabulary, tiers)
    charge = Charge(
        key=key,
        label=read_words(section, "label", key),
        per=section.choice("per", Per, Per.ONCE),
        condition=vocabulary.read_condition(section),
        quantity=vocabulary.read_formula(section, "quantity", "usage"),
        tiers=tiers if isinstance(pricing, PriceTable) and _is_tiered(pricing, tiers) else None,
        pricing=pricing,
    )
    if isinstance(pricing, PriceTable) and pricing.windowed and charge.quantity.text != "usage":
        section.fault("quantity", "prices by window count the usage of each window", "leave `quantity` out")
    if charge.tiers is not None and charge.per is not Per.ONCE:
        section.fault("per", "tiers count a total, not a price per time", "leave `per` out, or write one price")
    section.close()
    return charge


def _read_pricing(section: Section, vocabulary: Vocabulary, tiers: Tiers | None) -> PriceTable | Formula:
    if "amount" not in section:
        return _read_prices(section, vocabulary, tiers)
    for field in ("price", "prices", "by", "by_window", "quantity", "flats"):
        if field in section:
            section.fault(field, "a charge with an amount has no price", "write `amount` or a price, not both")
    return vocabulary.read_formula(section, "amount")


def _is_tiered(prices: PriceTable, tiers: Tiers | None) -> bool:
    """Return whether prices go by tiers; a single closed tier has one price, and its bound counts all the same."""
    if tiers is not None and tiers.count == 1:
        return True
    return any(len(entry.by_tier) > 1 or entry.flats for entry in prices.entries.values())


def _read_prices(section: Section, vocabulary: Vocabulary, tiers: Tiers | None) -> PriceTable:
    written = [field for field in ("price", "prices", "by", "by_window") if field in section]
    if len(written) != 1:
        section.fault("price", "a charge has one of price, prices, by, by_window or amount", "write exactly one")
    if "by_window" in section:
        return _read_by_window(section, vocabulary, tiers)
    if "by" in section:
        return _read_by_trait(section, vocabulary, tiers)
    key = "prices" if "prices" in section else "price"
    flats = _formulas(section, "flats", section.items("flats"), vocabulary)
    prices = Prices(by_tier=_price_list(section, key, vocabulary, tiers), flats=flats)
    if flats and len(flats) != len(prices.by_tier):
        section.fault("flats", "there is not one flat amount a tier", "write as many as prices")
    return PriceTable(entries={PriceTable.ANY: prices})


def _read_by_window(section: Section, vocabulary: Vocabulary, tiers: Tiers | None) -> PriceTable:
    entry = section.section("by_window")
    entries = {name: Prices(by_tier=_price_list(entry, name, vocabulary, tiers)) for name in entry.names()}
    for name in sorted(set(vocabulary.windows) ^ set(entries)):
        what = "the window has no price" if name in vocabulary.windows else "there is no such window"
        entry.fault(name, what, "price every window of `windows` and no other")
    return PriceTable(entries=entries, windowed=True)


def _read_by_trait(section: Section, vocabulary: Vocabulary, tiers: Tiers | None) -> PriceTable:
    entry = section.section("by")
    trait = entry.text("trait")
    table = entry.section("prices")
    entries = {name: Prices(by_tier=_price_list(table, name, vocabulary, tiers)) for name in table.names()}
    known = vocabulary.traits[trait].choices if trait in vocabulary.traits else ()
    if not known:
        entry.fault("trait", f"{trait!r} is no trait", "declare it under `traits`")
    for name in sorted(set(known) ^ set(entries)):
        what = "the choice has no price" if name in known else f"{trait} has no such choice"
        table.fault(name, what, "price every choice and no other")
    entry.close()
    return PriceTable(entries=entries, trait=trait)


def _price_list(section: Section, key: str, vocabulary: Vocabulary, tiers: Tiers | None) -> tuple[Formula, ...]:
    value = section.raw(key)
    if not isinstance(value, (list, tuple)):
        formula = section.as_formula(key, value)
        vocabulary.check_formula(section, key, formula)
        return (formula,)
    formulas = _formulas(section, key, section.items(key), vocabulary)
    if tiers is None:
        section.fault(key, "there are several prices and no tiers", "write `tiers`, or one price")
    elif len(formulas) != tiers.count:
        remedy = f"write {tiers.count} prices (the last tier is open unless `closed: true`)"
        section.fault(key, f"{len(formulas)} prices stand for {tiers.count} tiers", remedy)
    return formulas or (parse_formula("0"),)


def _formulas(section: Section, key: str, items: Sequence[object], vocabulary: Vocabulary) -> tuple[Formula, ...]:
    formulas = tuple(section.as_formula(f"{key}[{index}]", item) for index, item in enumerate(items))
    for index, formula in enumerate(formulas):
        vocabulary.check_formula(section, f"{key}[{index}]", formula)
    return formulas
