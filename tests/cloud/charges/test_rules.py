"""The decisions of charges: who is covered, how a total falls, what a plain amount is as a tariff."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.charges.rules import covered, monthly_document, one_off_document, shared
from cloud.charges.values import Coverage, Sharing
from cloud.estate.kinds import Fact, PremisesKind
from cloud.estate.values import Premises
from cloud.tariffs.assignment import Target, TargetKind
from cloud.tariffs.charge import ChargeBasis
from common.civil import Period
from common.errors import InvariantError
from common.ids import BuildingId, CommunityId, PremisesId
from common.rating.engine import rate
from common.rating.request import RatingRequest
from common.tariff.compile import compile_tariff
from common.tariff.document import parse_tariff

HOUSE = BuildingId(UUID(int=0xB))


def flat(number: int, area: int | None = None, kind: PremisesKind = PremisesKind.RESIDENCE) -> Premises:
    return Premises(
        id=PremisesId(UUID(int=number)),
        community_id=CommunityId(UUID(int=1)),
        building_id=HOUSE if number % 2 else None,
        label=f"1-1-{number}",
        kind=kind,
        facts={} if area is None else {Fact.AREA: area},
    )


FLATS = [flat(1), flat(2), flat(3, kind=PremisesKind.SHOP)]


@pytest.mark.parametrize(
    ("coverage", "numbers"),
    [
        (Coverage(), [1, 2, 3]),
        (Coverage(targets=(Target(kind=TargetKind.BUILDING, key=str(HOUSE)),)), [1, 3]),
        (Coverage(targets=(Target(kind=TargetKind.PREMISES_KIND, key="shop"),)), [3]),
        (Coverage(groups=("g",)), [2]),
        (Coverage(targets=(Target(kind=TargetKind.PREMISES_KIND, key="shop"),), groups=("g",)), [2, 3]),
        (Coverage(targets=(Target(kind=TargetKind.PREMISES_KIND, key="office"),)), []),
    ],
)
def test_a_coverage_holds_its_targets_and_the_members_of_its_groups(coverage: Coverage, numbers: list[int]) -> None:
    found = covered(FLATS, coverage, {"g": {FLATS[1].id}})
    assert [one.id.int for one in found] == numbers


@given(total=st.integers(1, 10**12), areas=st.lists(st.integers(1, 10**6), min_size=1, max_size=40))
def test_the_shares_of_a_total_sum_to_it_and_none_is_a_fen_off(total: int, areas: list[int]) -> None:
    shares, stops = shared([flat(n, area) for n, area in enumerate(areas, 1)], Sharing.BY_AREA, total)
    assert stops == ()
    assert sum(share.fen for share in shares) == total
    for share, area in zip(shares, areas, strict=True):
        assert abs(share.fen * sum(areas) - total * area) < sum(areas)


def test_an_unknown_or_empty_weight_stops_the_split_and_nobody_pays_for_another() -> None:
    shares, stops = shared([flat(1, 100), flat(2), flat(3, 0)], Sharing.BY_AREA, 100)
    assert shares == ()
    assert [one.label for one in stops] == ["1-1-2", "1-1-3"]


def test_a_total_over_nobody_is_no_share() -> None:
    assert shared([], Sharing.BY_HOUSEHOLD, 100) == ((), ())


def test_a_plain_amount_a_month_is_a_tariff_that_counts_the_days_of_a_part() -> None:
    document = monthly_document("fee/1", "垃圾清运费", "waste", ChargeBasis.FLAT, "31.00")
    compiled = compile_tariff(parse_tariff(document))
    whole = rate(compiled, RatingRequest(period=Period(date(2026, 3, 1), date(2026, 4, 1))))
    part = rate(compiled, RatingRequest(period=Period(date(2026, 3, 1), date(2026, 3, 11))))
    assert (whole.amount_fen, part.amount_fen) == (3_100, 1_000)
    with pytest.raises(InvariantError):
        monthly_document("fee/1", "电", "power", ChargeBasis.METERED, "31.00")


def test_an_amount_decided_once_is_charged_once_however_long_its_days_are() -> None:
    document = one_off_document("one-off/1", "消杀", "disinfection", 12_345, Sharing.EACH)
    line = rate(
        compile_tariff(parse_tariff(document)), RatingRequest(period=Period(date(2026, 1, 1), date(2027, 1, 1)))
    )
    assert line.amount_fen == 12_345
