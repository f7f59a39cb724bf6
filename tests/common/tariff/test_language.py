"""The language can say every word of what was asked of it, and each comes to the figure worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from common.rating.engine import rate
from common.rating.rounding import round_bill
from common.rating.share import split_pool, weigh
from common.rating.usage_document import Place, read_request
from tests.common.tariff import library, phrases, phrases_of_stays
from tests.common.tariff.builders import tariff
from tests.common.tariff.phrases import TWO_MONTHS, Fields, one, rounded

PLACE = Place(zone=library.SHANGHAI.zone, zone_name=library.SHANGHAI.zone_name, calendar=library.calendar())
JUNE = ["2026-06-01", "2026-07-01"]
CASES = (
    *phrases.PRICES,
    *phrases.SPANS,
    *phrases.WINDOWS,
    *phrases.COMPOSITION,
    *phrases.PRORATION,
    *phrases.ROUNDING,
    *phrases_of_stays.LATE,
    *phrases.SHARED_METERS,
    *phrases_of_stays.PARKING,
    *phrases.CHARGING,
)
PRICED = [
    pytest.param(case.tariff, request, fen, id=f"{case.phrase} {n}")
    for case in CASES
    for n, (request, fen) in enumerate(case.priced)
]


@pytest.mark.parametrize(("fields", "source", "fen"), PRICED)
def test_the_language_says(fields: Fields, source: Fields, fen: int) -> None:
    compiled = tariff(**fields)
    period = {} if "visits" in source or "period" in source else {"period": JUNE}
    assert rate(compiled, read_request({**period, **source}, compiled.document, PLACE)).amount_fen == fen


def test_the_language_says_rounding_per_bill() -> None:
    compiled = tariff(**one(price="1"), rounding=[{"stage": "bill", "to": "1", "mode": "down"}])
    assert round_bill(compiled.document.rounding, 12_345) == -45


def test_the_language_says_an_order_of_rounding() -> None:
    """Each month to fen, then the line up to jiao: 0.1665 a month is 0.17, two are 0.34, the line is 0.40."""
    plan = rounded({"stage": "month", "to": "0.01"}, {"stage": "line", "to": "0.1", "mode": "up"})
    compiled = tariff(**plan)
    assert rate(compiled, read_request(TWO_MONTHS, compiled.document, PLACE)).amount_fen == 40


@pytest.mark.parametrize(
    ("phrase", "share", "premises", "parts"),
    [
        ("by area", {"weight": "area"}, [{"area": "60"}, {"area": "40"}], [600, 400]),
        ("by household", {"weight": "households"}, [{"households": "1"}, {"households": "3"}], [250, 750]),
        ("by floor weight", {"weight": "floor_weight"}, [{"floor_weight": "0.5"}, {"floor_weight": "2"}], [200, 800]),
        ("by persons", {"weight": "persons"}, [{"persons": "3"}, {"persons": "1"}], [750, 250]),
        ("by coefficient", {"weight": "coefficient"}, [{"coefficient": "1.5"}, {"coefficient": "0.5"}], [750, 250]),
        ("by consumption", {"weight": "usage"}, [{"quantity": "7"}, {"quantity": "3"}], [700, 300]),
        (
            "with exclusions",
            {"weight": "area", "when": {"vacant": {"to": "0"}}},
            [{"area": "60", "vacant": "0"}, {"area": "40", "vacant": "1"}],
            [1_000],
        ),
    ],
)
def test_the_language_says_apportionment(
    phrase: str, share: Fields, premises: Sequence[Mapping[str, str]], parts: Sequence[int]
) -> None:
    compiled = tariff(**one(price="1"), share=share)
    requests = {}
    for number, known in enumerate(premises):
        own = {name: value for name, value in known.items() if name != "quantity"}
        quantity = {"quantity": known["quantity"]} if "quantity" in known else {}
        source = {"period": JUNE, "facts": own, **quantity}
        requests[str(number)] = read_request(source, compiled.document, PLACE)
    found = split_pool(1_000, weigh(compiled, requests))
    assert [part.part_fen for part in found.values()] == parts, phrase
