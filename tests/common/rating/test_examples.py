"""Every worked example of the sample, priced from a tariff of the library: no rule has code of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from common.money.rounding import RoundingMode, divide
from common.rating.engine import rate, rate_parts
from common.rating.explain import explain
from common.rating.line import RatedLine
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.share import split_pool, weigh
from common.rating.usage_document import Place, read_request
from tests.common.tariff import library

Example = Mapping[str, Any]
EXAMPLES: list[dict[str, Any]] = library.examples()
PRICED = [item for item in EXAMPLES if "request" in item or "requests" in item or "parts" in item]
SHARED = [item for item in EXAMPLES if "sharers" in item]
DATED = [item for item in EXAMPLES if "calendar" in item]


def name_of(example: Example) -> str:
    return f"{example['rule']}-{EXAMPLES.index(dict(example))}"


def first_day(source: Mapping[str, Any]) -> date:
    written = source["period"][0] if "period" in source else source["visits"][0][0]
    return date.fromisoformat(str(written)[:10])


def rated(code: str, sources: Sequence[Mapping[str, Any]]) -> RatedLine:
    """Rate written requests as the parts of one line, each under the revision of its first day."""
    parts = []
    for source in sources:
        request = {name: value for name, value in source.items() if name != "zone"}
        zone = str(source.get("zone", "Asia/Shanghai"))
        tariff = library.in_force(code, first_day(source))
        place = Place(zone=ZoneInfo(zone), zone_name=zone)
        parts.append((tariff, read_request(request, tariff.document, place)))
    return rate(*parts[0]) if len(parts) == 1 else rate_parts(parts)


def lines_of(example: Example) -> list[RatedLine]:
    code = example["tariff"]
    if "requests" in example:
        return [rated(code, [source]) for source in example["requests"]]
    return [rated(code, example["parts"] if "parts" in example else [example["request"]])]


def minor_units(text: str, line: RatedLine) -> Fraction:
    return Fraction(text) * line.currency.minor_per_major


def test_no_example_of_the_sample_is_left_out() -> None:
    assert len(PRICED) + len(SHARED) + len(DATED) == len(EXAMPLES) == 278
    assert len({item["rule"] for item in EXAMPLES}) == 45
    assert all(item["source"] for item in EXAMPLES)


@pytest.mark.parametrize("example", [item for item in PRICED if item["expected"].get("amount")], ids=name_of)
def test_the_amount_of_a_worked_example_is_reached(example: Example) -> None:
    lines = lines_of(example)
    total = sum(line.amount_fen for line in lines)
    assert total == minor_units(example["expected"]["amount"], lines[0])
    for line in lines:
        assert explain(line, "zh")
        assert explain(line, "en")


@pytest.mark.parametrize("example", [item for item in PRICED if "sums" in item["expected"]], ids=name_of)
def test_the_parts_of_a_worked_example_are_reached(example: Example) -> None:
    (line,) = lines_of(example)
    for keys, amount in example["expected"]["sums"]:
        found = [item for item in line.components if item.key in keys or item.charge in keys]
        assert sum((item.amount for item in found), Fraction(0)) == minor_units(amount, line), keys


@pytest.mark.parametrize("example", [item for item in PRICED if "fraction" in item["expected"]], ids=name_of)
def test_the_fraction_of_a_part_month_is_reached(example: Example) -> None:
    (line,) = lines_of(example)
    share = line.exact / line.currency.minor_per_major
    billionths = divide(share.numerator * 10**9, share.denominator, RoundingMode.HALF_UP)
    assert Fraction(billionths, 10**9) == Fraction(example["expected"]["fraction"])


def test_the_fraction_of_a_unit_is_carried_to_the_next_period() -> None:
    carried = [item for item in PRICED if "carried_to_next_period" in item["expected"]]
    assert carried
    for example in carried:
        (line,) = lines_of(example)
        assert line.carried_milli == Fraction(example["expected"]["carried_to_next_period"]) * 1000


def test_units_published_by_a_newspaper_are_counted() -> None:
    (example,) = [item for item in PRICED if "published_units" in item["expected"]]
    (line,) = lines_of(example)
    assert sum(item.quantity or 0 for item in line.components) == example["expected"]["published_units"]


def test_a_flat_without_an_area_is_refused_and_never_priced_at_zero() -> None:
    (example,) = [item for item in PRICED if "skipped" in item["expected"]]
    with pytest.raises(RatingRefusedError, match="area_milli is not known") as refusal:
        lines_of(example)
    assert refusal.value.kind is RefusalKind.NO_FACT


@pytest.mark.parametrize("example", SHARED, ids=name_of)
def test_a_shared_pool_is_split_as_published_and_to_the_last_cent(example: Example) -> None:
    code, expected = example["tariff"], example["expected"]
    pool = rated(code, [example["pool"]])
    tariff = library.in_force(code, first_day(example["pool"]))
    period = example["pool"]["period"]
    requests = {
        key: read_request({"period": period, "facts": facts}, tariff.document, library.SHANGHAI)
        for key, facts in example["sharers"].items()
    }
    shares = split_pool(pool.amount_fen, weigh(tariff, requests))
    parts = {key: share.part_fen for key, share in shares.items()}
    assert sum(parts.values()) == minor_units(expected["amount"], pool)
    if "parts_sorted" in expected:
        assert sorted(parts.values(), reverse=True) == [minor_units(part, pool) for part in expected["parts_sorted"]]
    tolerance = minor_units(expected.get("tolerance_per_part", "0"), pool)
    for key, part in expected.get("parts", {}).items():
        assert abs(parts[key] - minor_units(part, pool)) <= tolerance


@pytest.mark.parametrize("example", DATED, ids=name_of)
def test_a_day_is_what_the_official_notice_says(example: Example) -> None:
    day = date.fromisoformat(example["date"])
    assert library.calendar().kind_of(day) == example["expected"]["day_type"]


def test_most_examples_carry_figures_published_elsewhere() -> None:
    counted = Counter(item["verified"] for item in EXAMPLES)
    assert counted == {"published": 186, "computed by hand": 92}
