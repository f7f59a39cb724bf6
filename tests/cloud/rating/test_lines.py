"""Standing charges, and the inputs that replay what was rated."""

from __future__ import annotations

import hashlib
import json
from datetime import date

from cloud.estate.kinds import Fact
from cloud.rating.drafts import Draft
from cloud.rating.inputs import finish
from cloud.rating.lines import ExceptionKind, RatingException
from cloud.rating.standing import rate_standing
from cloud.tariffs.charge import ChargeBasis
from cloud.tariffs.facts import tariff_facts
from tests.cloud.rating.documents import area_fee
from tests.cloud.rating.town import (
    MARCH,
    Town,
    item,
    only_drafts,
    only_exceptions,
    only_segments,
)

FEE = item("area-fee", ChargeBasis.AREA)
TENTH = date(2026, 3, 10)


def rated(built: Town) -> list[Draft | RatingException]:
    desk = built.desk()
    return [found for segment in only_segments(built.segments(FEE)) for found in rate_standing(desk, segment)]


def test_an_area_fee_is_area_times_price_for_a_whole_month() -> None:
    built = Town()
    built.live(1, 88_530)
    built.charge(FEE, built.price(area_fee()))
    (draft,) = only_drafts(rated(built))
    assert (draft.line.amount_fen, draft.quantity_milli) == (177_06, 88_530)


def test_an_area_fee_is_prorated_by_the_days_of_the_month_when_the_flat_is_sold() -> None:
    built = Town()
    built.live(1, 100_000, p1=(MARCH.start, TENTH), p2=(TENTH, MARCH.end))
    built.charge(FEE, built.price(area_fee()))
    sold, bought = only_drafts(rated(built))
    assert (sold.line.amount_fen, bought.line.amount_fen) == (58_06, 141_94)  # 9 and 22 of 31 days of 200.00


def test_a_flat_without_an_area_is_an_exception() -> None:
    built = Town()
    built.live(1, None)
    built.charge(FEE, built.price(area_fee()))
    (missing,) = only_exceptions(rated(built))
    assert missing.kind is ExceptionKind.NO_AREA


def test_the_same_knowledge_gives_the_same_input_to_the_byte_in_any_order() -> None:
    built = Town()
    built.live(1, 88_530)
    built.live(2, 60_000)
    built.charge(FEE, built.price(area_fee()))
    desk = built.desk()
    drafts = [
        draft
        for number in (1, 2)
        for segment in only_segments(built.segments(FEE, number))
        for draft in only_drafts(list(rate_standing(desk, segment)))
    ]
    items, inputs = finish(drafts)
    again, same = finish(reversed(drafts))
    assert set(inputs) == set(same)
    assert {one.input_sha for one in items} == {one.input_sha for one in again} == {one.sha for one in inputs}
    for one in inputs:
        assert hashlib.sha256(one.body).hexdigest() == one.sha
        assert json.loads(one.body)["lines"][0]["charge"] == "area-fee"


def test_a_count_that_is_not_whole_is_not_told_to_tariffs() -> None:
    assert tariff_facts({Fact.AREA: 88_530, Fact.PERSONS: 3_000}) == {"area_milli": 88_530, "persons": 3}
    assert tariff_facts({Fact.PERSONS: 2_500}) == {}
