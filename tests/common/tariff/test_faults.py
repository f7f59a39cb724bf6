"""Bad tariffs are refused with every fault listed: where it is, what is wrong, how to mend it."""

from __future__ import annotations

import pytest

from common.errors import FaultsError
from common.tariff.document import parse_tariff
from common.tariff.parse.charges import TIERS_MAX
from tests.common.tariff.builders import body

CHARGE = {"key": "energy", "price": "0.5"}
BLOCK = [{"every": 60, "price": "5"}]
SESSION = {"blocks": BLOCK}


def faults_of(source: object) -> list[str]:
    with pytest.raises(FaultsError) as refusal:
        parse_tariff(source)  # type: ignore[arg-type]
    return [str(fault) for fault in refusal.value.faults]


def tiers(bounds: object, **fields: object) -> dict[str, object]:
    return body(tiers={"bounds": bounds, **fields}, charges=[{"key": "e", "prices": ["1", "2", "3"]}])


DOCUMENTS: list[tuple[object, str]] = [
    (tiers(["200", "100"]), "tiers.bounds[1]: 100 is not above 200: tiers overlap"),
    (tiers(["100", "100"]), "tiers.bounds[1]: 100 is not above 100: tiers overlap"),
    (tiers(["0", "100"]), "tiers.bounds[0]: 0 is not above 0: tiers overlap"),
    (tiers(["100"]), "charges[0].prices: 3 prices stand for 2 tiers; write 2 prices (the last tier is open"),
    (tiers(["1", "2"], closed=True), "charges[0].prices: 3 prices stand for 2 tiers"),
    (tiers([]), "tiers.bounds: there is no bound; write the upper bounds"),
    (tiers(["1", "2.0005"]), "tiers.bounds[1]: 2.0005 is finer than 3 decimals"),
    (tiers([str(n) for n in range(1, 10_001)]), "tiers.bounds: the list has 10000 entries; use at most 200"),
    (tiers([str(n) for n in range(1, 101)]), f"tiers.bounds: 100 tiers are too many; use at most {TIERS_MAX}"),
    (tiers(["1", "2"], mode="block"), "tiers.mode: 'block' is unknown; use one of graduated, volume, band"),
    (tiers(["1", "2"], uplift={"persons_from": 6}), "tiers.uplift: an uplift is either `once` or `each`"),
    (tiers(["1", "2"], uplift={"persons_from": 6, "once": "1", "each": "1"}), "an uplift is either"),
    (tiers(["1", "2"], uplift={"persons_from": 6, "once": "-1"}), "tiers.uplift: an uplift is not negative"),
    (tiers(["1", "2"], uplift={"persons_from": 0, "once": "1"}), "persons_from: 0 is out of range; use 1 to 99"),
    (body(unit="kwh", charges=[CHARGE]), "unit: 'kwh' is unknown; use one of kWh, m3"),
    (body(charges=[{"key": "e", "price": "-0.5"}]), "charges[0].price: -0.5 is negative"),
    (body(charges=[{"key": "e", "price": 0.5}]), "the binary fraction 0.5 stands where a number in quotes"),
    (body(charges=[{"key": "e", "price": float("nan")}]), "charges[0].price: the binary fraction nan"),
    (body(charges=[{"key": "e", "price": "NaN"}]), "charges[0].price: 'N' has no meaning in a formula"),
    (body(charges=[{"key": "e", "price": "\uff11.5"}]), "charges[0].price: '\uff11' has no meaning in a formula"),
    (body(charges=[{"key": "e", "price": "0.1234567"}]), "0.1234567 is finer than 6 decimals"),
    (body(charges=[{"key": "e", "price": None}]), "charges[0].price: nothing stands where a number in quotes"),
    (body(charges=[{"key": "e", "price": True}]), "charges[0].price: True stands where a number"),
    (body(charges=[{"key": "e"}]), "charges[0].price: a charge has one of price, prices, by, by_window or amount"),
    (body(charges=[{"key": "e", "price": "1", "amount": "2"}]), "price: a charge with an amount has no price"),
    (body(charges=[{"key": "e", "price": "1", "prices": ["1"]}]), "a charge has one of price"),
    (body(charges=[{"key": "e", "prices": ["1", "2"]}]), "there are several prices and no tiers"),
    (body(charges=[CHARGE, CHARGE]), "charges[1].key: 'energy' stands twice"),
    (body(charges=[{**CHARGE, "pirce": "1"}]), "charges[0].pirce: the field is unknown; did you mean price?"),
    (body(charges=[{**CHARGE, "xyz": "1"}]), "charges[0].xyz: the field is unknown; remove it; known are"),
    (body(charges=[{**CHARGE, "quantity": "usge"}]), "charges[0].quantity: 'usge' has no value here"),
    (body(charges=[{**CHARGE, "per": "week"}]), "charges[0].per: 'week' is unknown"),
    (body(charges=[{**CHARGE, "when": {"colour": "red"}}]), "when.colour: nothing has this name"),
    (body(charges=[{**CHARGE, "when": {"metering": "double"}}]), "'double' is no choice of metering"),
    (body(charges=[{**CHARGE, "when": {"persons": {}}}]), "when.persons: the range has neither end"),
    (body(charges=[{**CHARGE, "when": {"persons": {"from": "6", "to": "5"}}}]), "the range ends before it starts"),
    (body(charges=[{**CHARGE, "when": {"start_months": [13]}}]), "start_months: 13 is unknown"),
    (body(charges=[{**CHARGE, "label": {"zh": "x"}}]), "charges[0].label.en: nothing stands where a text"),
    (body(charges=[{**CHARGE, "flats": ["1", "2"]}]), "charges[0].flats: there is not one flat amount a tier"),
    (body(charges="energy"), "charges: the text 'energy' stands where a list is expected"),
    (body(charges=["energy"]), "charges[0]: the text 'energy' stands where named fields are expected"),
    (body(charges=[{"key": f"c{n}", "price": "1"} for n in range(41)]), "charges: 41 charges are too many"),
    (body(), "charges: a plan has charges, a session or a late_charge"),
    (body(charges=[CHARGE], session=SESSION), "charges: a plan has charges, a session or a late_charge"),
    (body(charges=[CHARGE], cases=[]), "cases: there is no case"),
    (body(charges=[CHARGE], cases=[{"key": "a", "charges": [CHARGE]}]), "charges: cases and a rule of their own"),
    (
        body(cases=[{"key": "a", "charges": [CHARGE]}, {"key": "b", "charges": [CHARGE]}]),
        "cases[0].when: it always holds, so later cases are never used",
    ),
    (body(charges=[CHARGE], adjust=[{"cap": "1"}, {"minimum": "2"}]), "adjust: the cap 1 is below the minimum 2"),
    (body(charges=[CHARGE], adjust=[{"discount": "1.5"}]), "discount: 1.5 takes off more than all"),
    (body(charges=[CHARGE], adjust=[{}]), "adjust[0]: it is not clear what the adjustment does"),
    (body(charges=[CHARGE], adjust=[{"cap": "1", "rebate": "1"}]), "it is not clear what the adjustment does"),
    (body(charges=[CHARGE], adjust=[{"cap": "1", "applies_to": ["x"]}]), "there is no charge 'x'; use energy"),
    (body(charges=[CHARGE], adjust=[{"cap": "1", "key": "energy"}]), "adjust[0].key: 'energy' stands twice"),
    (body(charges=[CHARGE], rounding=[{"stage": "line", "to": "0"}]), "rounding[0].to: a grid of zero"),
    (body(charges=[CHARGE], rounding=[{"stage": "line", "to": "0.001"}]), "has more than 2 decimals"),
    (
        body(charges=[CHARGE], rounding=[{"stage": "line", "to": "1"}, {"stage": "component", "to": "1"}]),
        "rounding: the stages are not in the order in which amounts come about",
    ),
    (body(charges=[CHARGE], facts={"Area": {"scale": "milli"}}), "facts.Area: the name cannot stand in a formula"),
    (body(charges=[CHARGE], facts={"size": {}}), "facts.size.scale: None is unknown"),
    (body(charges=[CHARGE], facts={1: {"scale": "milli"}}), "facts.1: the name is not text"),
    (body(charges=[CHARGE], traits={"class": {"choices": []}}), "traits.class.choices: the choices are not a list"),
    (body(charges=[CHARGE], traits={"lift": {"choices": [True]}}), "the choices are not a list of texts"),
    (
        body(charges=[CHARGE], traits={"class": {"choices": ["a"], "default": "b"}}),
        "traits.class.default: 'b' is no choice; use one of a",
    ),
    (body(charges=[CHARGE], values={"area": "1"}), "values.area: the name is taken"),
    (body(charges=[CHARGE], values={"x": "y", "y": "1"}), "values.x: 'y' has no value here"),
    (
        body(charges=[{"key": "e", "by": {"trait": "class", "prices": {"a": "1"}}}]),
        "charges[0].by.trait: 'class' is no trait",
    ),
    (
        body(
            traits={"class": {"choices": ["a", "b"]}},
            charges=[{"key": "e", "by": {"trait": "class", "prices": {"a": "1", "c": "1"}}}],
        ),
        "charges[0].by.prices.b: the choice has no price",
    ),
    (body(charges=[CHARGE], accumulate={"over": "week"}), "accumulate.over: 'week' is unknown"),
    (body(charges=[CHARGE], accumulate={"starts": ["02-29"]}), "starts[0]: '02-29' is no day of every year"),
    (body(charges=[CHARGE], accumulate={"starts": ["1-1"]}), "starts[0]: '1-1' is no day of every year"),
    (body(charges=[CHARGE], whole_units={"size": "0"}), "whole_units.size: a unit of zero bills nothing"),
    (body(charges=[CHARGE], whole_units={"size": "-1"}), "whole_units.size: -1 is negative"),
    (body(charges=[CHARGE], cheapest_plan="yes"), "cheapest_plan: the text 'yes' stands where true or false"),
    (body(charges=[CHARGE], effective_from="2026-02-30"), "effective_from:"),
    (body(charges=[CHARGE], name=" "), "name: the text ' ' stands where a text is expected"),
    (body(charges=[CHARGE], name="x" * 501), "name: the text has 501 characters; use at most 500"),
    (body(charges=[CHARGE], code="Test"), "code: 'Test' is no code; use small ASCII letters"),
    (body(charges=[CHARGE], currency="RMB"), "currency: 'RMB' is unknown; use one of CNY, EUR"),
    (body(charges=[CHARGE], format="v2"), "format: this format is unknown; write gatehouse-tariff/1"),
    (body(charges=[CHARGE], source={"title": 3}), "source.title: the number 3 stands where a text is expected"),
    (
        body(tiers={"bounds": ["1"]}, charges=[{"key": "e", "prices": ["1", "2"], "per": "month"}]),
        "charges[0].per: tiers count a total, not a price per time",
    ),
    ([CHARGE], "document: a list stands where named fields are expected"),
    ("{", "document: it is not JSON"),
    ("[1]", "document: a list stands where named fields are expected"),
]


@pytest.mark.parametrize(("source", "expected"), DOCUMENTS)
def test_a_broken_tariff_is_refused_with_the_fault_named(source: object, expected: str) -> None:
    assert [fault for fault in faults_of(source) if expected in fault], faults_of(source)


PEAK = {"name": "peak", "times": ["08:00-22:00"]}
VALLEY = {"name": "valley", "times": ["22:00-08:00"]}


def windowed(windows: list[object], prices: object) -> dict[str, object]:
    return body(windows=windows, charges=[{"key": "e", "by_window": prices}])


BOTH = {"peak": "1", "valley": "1"}


WINDOWED: list[tuple[object, str]] = [
    (windowed([PEAK], {"peak": "1"}), "windows: no window holds 00:00 on a Monday of month 1"),
    (windowed([PEAK, {**VALLEY, "months": [1, 2]}], BOTH), "no window holds 00:00 on a Monday of month 3"),
    (windowed([PEAK, {**VALLEY, "weekdays": ["mon"]}], BOTH), "no window holds 00:00 on a Tuesday of month 1"),
    (windowed([PEAK, {**VALLEY, "days": ["workday", "day_off"]}], BOTH), "00:00 on a Monday of month 1, statutory"),
    (windowed([PEAK, {**VALLEY, "times": []}], BOTH), "windows[1].times: no time of day falls into the window"),
    (windowed([PEAK, {**VALLEY, "times": ["22-8"]}], BOTH), "windows[1].times[0]: '22-8' is no span of the day"),
    (windowed([PEAK, {**VALLEY, "times": ["25:00-08:00"]}], BOTH), "times[0]: '25:00-08:00' is no span of the day"),
    (windowed([PEAK, {**VALLEY, "times": ["22:00-24:30"]}], BOTH), "times[0]: '22:00-24:30' is no span of the day"),
    (windowed([PEAK, {**VALLEY, "name": "Low"}], BOTH), "windows[1].name: 'Low' cannot stand in a formula"),
    (windowed([PEAK, {**VALLEY, "weekdays": ["Monday"]}], BOTH), "weekdays: 'Monday' is unknown"),
    (windowed([], {}), "windows: there is no window"),
    (windowed([PEAK, VALLEY], {"peak": "1"}), "by_window.valley: the window has no price"),
    (windowed([PEAK, VALLEY], {**BOTH, "flat": "1"}), "by_window.flat: there is no such window"),
    (
        body(windows=[PEAK, VALLEY], charges=[{"key": "e", "by_window": BOTH, "quantity": "usage * 2"}]),
        "charges[0].quantity: prices by window count the usage of each window",
    ),
]


@pytest.mark.parametrize(("source", "expected"), WINDOWED)
def test_broken_windows_are_refused_with_the_fault_named(source: object, expected: str) -> None:
    assert [fault for fault in faults_of(source) if expected in fault], faults_of(source)


def parking(**fields: object) -> dict[str, object]:
    return body(session={**SESSION, **fields})


SESSIONS: list[tuple[object, str]] = [
    (body(session={}), "session.blocks: there is no price"),
    (body(session={"windows": [{**PEAK, "blocks": BLOCK}]}), "session.windows: no window holds 00:00"),
    (body(session={"windows": [{"name": "x", "blocks": BLOCK}]}), "windows[0].times: no time of day falls into"),
    (parking(blocks=[{"every": 60, "price": "5", "minutes": 60}]), "time after the last block would be free"),
    (parking(blocks=[*BLOCK, *BLOCK]), "blocks[0].minutes: the block never ends, so later ones are never used"),
    (parking(blocks=[{"every": 60, "price": "5", "minutes": 90}, *BLOCK]), "90 minutes hold no whole units of 60"),
    (parking(blocks=[{"every": 0, "price": "5"}]), "blocks[0].every: 0 is out of range"),
    (parking(blocks=[{"every": "60", "price": "5"}]), "every: the text '60' stands where a whole number"),
    (parking(blocks=[{"every": 60, "price": "-5"}]), "blocks[0].price: -5 is negative"),
    (parking(full_day="20"), "session.full_day: a stay that is never cut has no full day"),
    (parking(visits="together"), "session.visits: visits are put together by day; write `cut: calendar_day`"),
    (parking(visits="together", cut="day_from_entry"), "session.visits: visits are put together by day"),
    (parking(rolling_cap="5", gather="part"), "session.rolling_cap: gathered minutes have no hour of their own"),
    (parking(rolling_cap="5", day_cap="5", cut="calendar_day"), "rolling_cap: it stands beside the cap of a day"),
    (parking(rolling_cap="-5"), "session.rolling_cap: -5 is negative"),
    (parking(rejoin_minutes=-1), "session.rejoin_minutes: -1 is out of range"),
    (parking(day_caps=["20", "10"]), "session.day_caps: a later cap is below an earlier one"),
    (parking(missing_exit="24:00"), "session.missing_exit: '24:00' is no time of day"),
    (parking(free={"minutes": 30, "deducted": "no"}), "free.deducted: the text 'no' stands where true or false"),
    (body(late_charge={}), "late_charge.rate_per_day: nothing stands"),
    (body(late_charge={"rate_per_day": "0.001", "grace_days": 400}), "grace_days: 400 is out of range"),
    (body(late_charge={"rate_per_day": "0.001", "counts": ["today"]}), "counts: 'today' is unknown"),
    (body(charges=[CHARGE], share={"label": "x"}), "share.weight: nothing stands"),
]


@pytest.mark.parametrize(("source", "expected"), SESSIONS)
def test_broken_sessions_and_late_charges_are_refused_with_the_fault_named(source: object, expected: str) -> None:
    assert [fault for fault in faults_of(source) if expected in fault], faults_of(source)


def test_all_faults_are_listed_at_once_and_each_says_how_to_mend_it() -> None:
    source = {
        "format": "gatehouse-tariff/1",
        "code": "Bad Code",
        "unit": "litre",
        "tiers": {"bounds": ["20", "10"]},
        "charges": [{"key": "a", "prices": ["1", "-2"]}],
        "colour": "red",
    }
    faults = faults_of(source)
    assert len(faults) >= 6
    assert all("; " in fault for fault in faults)
    with pytest.raises(FaultsError, match="tariff Bad Code: "):
        parse_tariff(source)


def test_a_value_that_json_cannot_say_is_refused() -> None:
    odd = body(late_charge={"rate_per_day": "0.001", "excluded": [0.5]})
    (fault,) = faults_of(odd)
    assert "document.late_charge.excluded[0]: 0.5 is a binary fraction" in fault


@pytest.mark.parametrize("start", ["01-01", "12-31", "02-28", "11-30"])
def test_an_accumulation_may_start_on_any_day_of_the_year(start: str) -> None:
    source = body(accumulate={"starts": [start]}, charges=[CHARGE])
    month, day = (int(part) for part in start.split("-"))
    assert parse_tariff(source).accumulation.starts == ((month, day),)


def test_whole_units_are_of_one_unit_unless_they_say_their_size() -> None:
    units = [parse_tariff(body(whole_units=size, charges=[CHARGE])).whole_units for size in ({}, {"size": "0.5"})]
    assert [one.size_milli for one in units if one is not None] == [1_000, 500]


def test_what_is_declared_carries_its_name() -> None:
    document = parse_tariff(
        body(
            facts={"rooms": {"scale": "count", "default": "3"}},
            traits={"class": {"choices": ["a", "b"], "default": "b"}},
            cases=[{"key": "one", "charges": [CHARGE]}],
        )
    )
    rooms, kind = document.facts["rooms"], document.traits["class"]
    assert rooms.default == 3
    assert (rooms.name, kind.name, kind.default) == ("rooms", "class", "b")
    assert [plan.key for plan in document.plans] == ["one"]
    assert [(plan.key, plan.label.zh, plan.label.en) for plan in parse_tariff(body(charges=[CHARGE])).plans] == [
        ("", "", "")
    ]


def test_fifty_tiers_are_not_too_many() -> None:
    bounds = [str(n) for n in range(1, TIERS_MAX)]
    prices = [str(n) for n in range(TIERS_MAX)]
    document = parse_tariff(body(tiers={"bounds": bounds}, charges=[{"key": "e", "prices": prices}]))
    (charge,) = document.plans[0].charges
    assert charge.tiers is not None
    assert charge.tiers.count == TIERS_MAX
