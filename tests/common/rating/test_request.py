"""What a request says in its plain form, field by field: the line's hash, its replay and the trace rest on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from common.civil import Period
from common.errors import InvariantError
from common.rating.request import Debt, RatingRequest, Session, Share, Split, SplitCause, SplitUsage, Visit
from common.tariff.canonical import canonical_sha, plain_sha
from common.tariff.daytype import parse_calendar
from tests.common.tariff.builders import JUNE
from tests.common.tariff.library import SHANGHAI

CALENDAR = parse_calendar("cn", [{"year": 2026, "source": "notice", "days_off": [], "workdays": [], "statutory": []}])
EIGHT, NINE, TEN = (datetime(2026, 6, 1, hour, tzinfo=UTC) for hour in (8, 9, 10))
STAY = Session(
    visits=(Visit(entry=EIGHT, exit=NINE), Visit(entry=TEN, exit=None)),
    zone=SHANGHAI.zone,
    zone_name="Asia/Shanghai",
    granted_minutes=30,
    paid_at=TEN,
    charged=1,
)
SHARE = Share(pool_fen=1_000, part_fen=334, weight=Fraction(1, 3), weights=Fraction(7, 2), sharers=3)
FULL = RatingRequest(
    period=JUNE,
    quantity_milli=5_000,
    prior_milli=7,
    carried_milli=1,
    windows_milli={"peak": 2_000, "valley": 3_000},
    prior_windows_milli={"peak": 4},
    facts={"area_milli": 88_530},
    traits={"class": "general"},
    anchor=date(2026, 1, 31),
    bill=Period(date(2026, 5, 1), date(2026, 7, 1)),
    part=2,
    parts=3,
    split=Split(cause=SplitCause.PRICE, usage=SplitUsage.DAYS),
    session=STAY,
    calendar=CALENDAR,
    debts=(Debt(key="a", amount_fen=100, due=date(2026, 2, 1), kind="area"),),
    paid_on=date(2026, 3, 5),
    share=SHARE,
)
PLAIN = {
    "period": "2026-06-01..2026-07-01",
    "quantity_milli": 5_000,
    "prior_milli": 7,
    "carried_milli": 1,
    "windows_milli": {"peak": 2_000, "valley": 3_000},
    "prior_windows_milli": {"peak": 4},
    "facts": {"area_milli": 88_530},
    "traits": {"class": "general"},
    "anchor": "2026-01-31",
    "bill": "2026-05-01..2026-07-01",
    "part": [2, 3],
    "split": ["price", "days"],
    "session": {
        "visits": [
            ["2026-06-01T08:00:00+00:00", "2026-06-01T09:00:00+00:00"],
            ["2026-06-01T10:00:00+00:00", None],
        ],
        "zone": "Asia/Shanghai",
        "granted_minutes": 30,
        "paid_at": "2026-06-01T10:00:00+00:00",
        "charged": 1,
    },
    "calendar": CALENDAR.sha,
    "debts": [["a", 100, "2026-02-01", "area"]],
    "paid_on": "2026-03-05",
    "share": {"pool_fen": 1_000, "part_fen": 334, "weight": "1/3", "weights": "7/2", "sharers": 3},
}


def test_a_request_says_every_field_it_has() -> None:
    assert FULL.to_plain() == PLAIN


def test_a_request_leaves_out_what_it_does_not_say() -> None:
    assert RatingRequest(period=JUNE).to_plain() == {"period": "2026-06-01..2026-07-01"}
    assert RatingRequest(period=JUNE, quantity_milli=0).to_plain()["quantity_milli"] == 0
    assert "part" not in RatingRequest(period=JUNE, part=1, parts=1).to_plain()


def test_a_session_without_payment_or_earlier_visits_says_so() -> None:
    session = replace(STAY, paid_at=None, charged=0)
    plain = RatingRequest(period=JUNE, session=session).to_plain()["session"]
    assert isinstance(plain, dict)
    assert (plain["paid_at"], "charged" in plain) == (None, False)


def test_the_quick_hash_of_plain_data_is_the_canonical_one() -> None:
    plain = FULL.to_plain()
    assert plain_sha(plain) == canonical_sha(plain) == canonical_sha(dict(reversed(plain.items())))


def test_the_earlier_visits_of_a_session_are_its_first_by_entry_without_coupon_and_payment() -> None:
    turned = replace(STAY, visits=tuple(reversed(STAY.visits)))
    alone = Session(visits=(STAY.visits[0],), zone=STAY.zone, zone_name=STAY.zone_name)
    assert STAY.earlier == turned.earlier == alone


@pytest.mark.parametrize("charged", [-1, 2, 3])
def test_a_session_keeps_a_visit_to_charge(charged: int) -> None:
    with pytest.raises(InvariantError, match=r"^a session has a visit that is not charged yet$"):
        replace(STAY, charged=charged)


@pytest.mark.parametrize(("part", "parts"), [(0, 1), (2, 1), (4, 3)])
def test_a_part_is_one_of_its_parts(part: int, parts: int) -> None:
    with pytest.raises(InvariantError, match=r"^a part is one of its parts$"):
        RatingRequest(period=JUNE, part=part, parts=parts)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": Fraction(0), "weight": Fraction(0)}, "the weights of a pool sum to more than zero"),
        ({"weight": Fraction(-1)}, "a weight is part of the sum"),
        ({"weight": Fraction(4)}, "a weight is part of the sum"),
    ],
)
def test_a_share_has_a_weight_within_the_sum(changes: dict[str, Fraction], message: str) -> None:
    with pytest.raises(InvariantError, match=f"^{message}$"):
        Share(**{"pool_fen": 1, "part_fen": 1, "weight": Fraction(1), "weights": Fraction(2), "sharers": 2, **changes})  # type: ignore[arg-type]


def test_a_share_may_have_no_weight_or_all_of_it() -> None:
    assert replace(SHARE, weight=Fraction(0)).weight == 0
    assert replace(SHARE, weight=SHARE.weights).weight == SHARE.weights


def test_the_instants_of_a_visit_are_in_universal_time() -> None:
    local = datetime(2026, 6, 1, 8, tzinfo=SHANGHAI.zone)
    with pytest.raises(InvariantError, match=r"^entry must be aware and in UTC$"):
        Visit(entry=local, exit=None)
    with pytest.raises(InvariantError, match=r"^exit must be aware and in UTC$"):
        Visit(entry=EIGHT, exit=local)
