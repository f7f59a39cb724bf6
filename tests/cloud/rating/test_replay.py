"""Replay: a request read back from its plain form is the request, and a damaged input is a breach."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from cloud.rating.inputs import finish
from cloud.rating.replay import ReplaySources, named_in, replay, request_of
from cloud.rating.standing import rate_standing
from cloud.tariffs.charge import ChargeBasis
from common.errors import InvariantError
from common.rating.request import Debt, RatingRequest, Session, Share, Split, SplitCause, SplitUsage, Visit
from common.tariff.canonical import canonical_json
from common.tariff.daytype import parse_calendar
from tests.cloud.rating.documents import area_fee
from tests.cloud.rating.town import MARCH, Town, item, only_drafts, only_segments

NOON = datetime(2026, 3, 3, 4, tzinfo=UTC)
CALENDAR = parse_calendar("cn", [{"year": 2026, "source": "notice", "days_off": [], "workdays": [], "statutory": []}])
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    "request_",
    [
        RatingRequest(period=MARCH),
        RatingRequest(
            period=MARCH,
            quantity_milli=5,
            prior_milli=7,
            carried_milli=1,
            windows_milli={"peak": 2, "valley": 3},
            prior_windows_milli={"peak": 4},
            facts={"area_milli": 88_530},
            traits={"class": "general"},
            anchor=date(2026, 1, 31),
            bill=MARCH,
            part=2,
            parts=3,
            split=Split(cause=SplitCause.PRICE, usage=SplitUsage.DAYS),
        ),
        RatingRequest(period=MARCH, part=1, parts=2, split=Split(cause=SplitCause.PAYER)),
        RatingRequest(
            period=MARCH,
            session=Session(
                visits=(Visit(entry=NOON, exit=None),),
                zone=ZONE,
                zone_name="Asia/Shanghai",
                granted_minutes=30,
                paid_at=NOON,
            ),
            calendar=CALENDAR,
        ),
        RatingRequest(
            period=MARCH,
            debts=(Debt(key="a", amount_fen=1, due=date(2026, 2, 1), kind="area"),),
            paid_on=date(2026, 3, 5),
            share=Share(pool_fen=10, part_fen=3, weight=Fraction(1, 3), weights=Fraction(4), sharers=4),
        ),
    ],
    ids=["bare", "metered", "a part without a meter", "session", "debts and share"],
)
def test_a_request_is_read_back_as_it_was(request_: RatingRequest) -> None:
    plain = json.loads(canonical_json(request_.to_plain()))
    assert request_of(plain, {CALENDAR.sha: CALENDAR}) == request_


def kept() -> tuple[bytes, ReplaySources]:
    built, fee = Town(), item("area-fee", ChargeBasis.AREA)
    built.live(1, 88_530)
    built.charge(fee, built.price(area_fee()))
    desk = built.desk()
    drafts = only_drafts(
        [one for segment in only_segments(built.segments(fee)) for one in rate_standing(desk, segment)]
    )
    _, (source,) = finish(drafts)
    (sha,), calendars = named_in(source.body)
    assert calendars == frozenset()
    return source.body, ReplaySources(tariffs={sha: area_fee()}, calendars={})


def test_an_input_gives_its_lines_again() -> None:
    body, sources = kept()
    (line,) = replay(body, sources, "cn")
    assert line.amount_fen == 177_06


@pytest.mark.parametrize("damage", ["area", "engine", "tariff"])
def test_a_damaged_input_is_a_breach(damage: str) -> None:
    body, sources = kept()
    content = json.loads(body)
    if damage == "area":
        content["lines"][0]["request"]["facts"]["area_milli"] += 1
    elif damage == "engine":
        content["engine"] += 1
    else:
        sha = next(iter(sources.tariffs))
        sources = replace(sources, tariffs={sha: area_fee("2.01")})
    with pytest.raises(InvariantError):
        replay(canonical_json(content), sources, "cn")
