"""What the tariff language was asked to say of late charges and parking: each phrase with its least tariff, priced.

The phrases stand as they were asked, so that a reader can check the list off; the figures are worked out by hand.
"""

from __future__ import annotations

from typing import Any

from tests.common.tariff.phrases import Case, facts


def late(**rule: Any) -> dict[str, Any]:
    """Return a late charge of a thousandth a day."""
    return {"late_charge": {"rate_per_day": "0.001", **rule}}


def owed(due: str, paid: str, amount: str = "1000", kind: str = "fee") -> dict[str, Any]:
    """Return a request about one debt."""
    return {"debts": [{"key": "1", "amount": amount, "due": due, "kind": kind}], "paid_on": paid}


LATE = (
    Case(
        phrase="grace kinds: forgiving",
        tariff=late(grace_days=10, grace="forgiving"),
        priced=[(owed("2026-06-01", "2026-06-21"), 1_000), (owed("2026-06-01", "2026-06-11"), 0)],
    ),
    Case(
        phrase="grace kinds: delaying",
        tariff=late(grace_days=10, grace="delaying"),
        priced=[(owed("2026-06-01", "2026-06-21"), 2_000), (owed("2026-06-01", "2026-06-11"), 0)],
    ),
    Case(phrase="simple interest", tariff=late(), priced=[(owed("2026-06-01", "2027-06-01"), 36_500)]),
    Case(
        phrase="day counting",
        tariff=late(counts=["due_day", "paid_day"]),
        priced=[(owed("2026-06-01", "2026-06-11"), 1_100)],
    ),
    Case(
        phrase="late charge by 30-day months",
        tariff=late(day_count="thirty_day_months"),
        priced=[(owed("2026-01-31", "2026-03-01"), 3_100)],
    ),
    Case(
        phrase="rate change at New Year",
        tariff=late(rate_per_day_later_years="0.002"),
        priced=[(owed("2026-12-22", "2027-01-05"), 900 + 1_000)],
    ),
    Case(
        phrase="late charge minimum",
        tariff={**late(), "adjust": [{"minimum": "1"}]},
        priced=[(owed("2026-06-01", "2026-06-02", "50"), 100), (owed("2026-06-01", "2026-06-01", "50"), 0)],
    ),
    Case(phrase="late charge cap", tariff=late(cap_share="0.02"), priced=[(owed("2026-06-01", "2027-06-01"), 2_000)]),
    Case(
        phrase="excluded items",
        tariff=late(excluded=["deposit"]),
        priced=[(owed("2026-06-01", "2026-06-11", kind="deposit"), 0), (owed("2026-06-01", "2026-06-11"), 1_000)],
    ),
)


def parking(**session: Any) -> dict[str, Any]:
    """Return a car park of two yuan an hour with rules on top."""
    return {"session": {"blocks": [{"every": 60, "price": "2"}], **session}}


def stays(*visits: tuple[str, str | None], **fields: Any) -> dict[str, Any]:
    """Return visits of June 2026 written as day and time."""
    dated = [[f"2026-06-{entry}", None if end is None else f"2026-06-{end}"] for entry, end in visits]
    return {"visits": dated, **fields}


DAY_NIGHT = [
    {"name": "day", "times": ["08:00-20:00"], "blocks": [{"every": 60, "price": "2"}]},
    {"name": "night", "times": ["20:00-08:00"], "blocks": [{"every": 60, "price": "1"}]},
]
PARKING = (
    Case(
        phrase="free minutes deducted",
        tariff=parking(free={"minutes": 30, "deducted": True}),
        priced=[(stays(("01T08:00", "01T08:30")), 0), (stays(("01T08:00", "01T09:20")), 200)],
    ),
    Case(
        phrase="free minutes not deducted",
        tariff=parking(free={"minutes": 30}),
        priced=[(stays(("01T08:00", "01T08:30")), 0), (stays(("01T08:00", "01T09:20")), 400)],
    ),
    Case(
        phrase="first block and steps",
        tariff={"session": {"blocks": [{"minutes": 120, "every": 120, "price": "5"}, {"every": 60, "price": "1"}]}},
        priced=[(stays(("01T08:00", "01T11:30")), 700)],
    ),
    Case(phrase="started units", tariff=parking(units="started"), priced=[(stays(("01T08:00", "01T09:01")), 400)]),
    Case(phrase="completed units", tariff=parking(units="completed"), priced=[(stays(("01T08:00", "01T09:59")), 200)]),
    Case(
        phrase="parking windows, day and night",
        tariff={"session": {"windows": DAY_NIGHT}},
        priced=[(stays(("01T18:00", "01T23:00")), 400 + 300)],
    ),
    Case(
        phrase="parking windows on holidays",
        tariff={
            "session": {
                "windows": [
                    {
                        "name": "holiday",
                        "days": ["statutory", "day_off"],
                        "times": ["00:00-24:00"],
                        "blocks": [{"every": 60, "price": "5"}],
                    },
                    *DAY_NIGHT,
                ]
            }
        },
        priced=[(stays(("19T09:00", "19T10:00")), 500), (stays(("22T09:00", "22T10:00")), 200)],
    ),
    Case(
        phrase="caps per window",
        tariff={"session": {"windows": [{**DAY_NIGHT[0], "cap": "5"}, DAY_NIGHT[1]]}},
        priced=[(stays(("01T08:00", "01T21:00")), 500 + 100)],
    ),
    Case(
        phrase="caps per calendar day",
        tariff=parking(cut="calendar_day", day_cap="10"),
        priced=[(stays(("01T08:00", "02T09:00")), 2_000)],
    ),
    Case(
        phrase="caps per rolling 24 h",
        tariff=parking(rolling_cap="10"),
        priced=[
            (stays(("01T08:00", "02T08:00")), 1_000),
            (stays(("01T08:00", "01T13:00"), ("02T07:00", "02T09:00")), 1_200),
        ],
    ),
    Case(
        phrase="caps per 24 h from the entry",
        tariff={
            "session": {
                "cut": "day_from_entry",
                "free": {"minutes": 30},
                "blocks": [{"minutes": 60, "every": 60, "price": "5"}, {"every": 60, "price": "2"}],
                "day_cap": "30",
            }
        },
        priced=[(stays(("01T08:00", "02T09:10")), 3_700)],
    ),
    Case(
        phrase="caps rising by day",
        tariff=parking(cut="day_from_entry", day_caps=["10", "20"]),
        priced=[(stays(("01T08:00", "04T08:00")), 1_000 + 2_000 + 2_000)],
    ),
    Case(
        phrase="caps across visits",
        tariff=parking(cut="day_from_first_entry", day_cap="10"),
        priced=[(stays(("01T20:00", "01T23:00"), ("02T10:00", "02T14:00")), 1_000)],
    ),
    Case(
        phrase="caps across visits of a calendar day",
        tariff=parking(cut="calendar_day", day_cap="10"),
        priced=[(stays(("01T08:00", "01T11:00"), ("01T13:00", "01T17:00")), 1_000)],
    ),
    Case(
        phrase="re-entries merged",
        tariff=parking(rejoin_minutes=15),
        priced=[(stays(("01T08:00", "01T08:20"), ("01T08:30", "01T09:00")), 200)],
    ),
    Case(
        phrase="tail rule",
        tariff=parking(tail_minutes=15),
        priced=[(stays(("01T08:00", "01T09:15")), 200), (stays(("01T08:00", "01T09:16")), 400)],
    ),
    Case(
        phrase="vehicle classes, new-energy",
        tariff={
            "traits": {"vehicle": {"choices": ["small", "large", "new_energy"]}},
            "cases": [
                {"key": "small", "when": {"vehicle": "small"}, **parking()},
                {"key": "large", "when": {"vehicle": "large"}, **parking(blocks=[{"every": 60, "price": "4"}])},
                {"key": "green", "when": {"vehicle": "new_energy"}, **parking(free={"minutes": 120})},
            ],
        },
        priced=[
            (stays(("01T08:00", "01T09:30"), traits={"vehicle": "small"}), 400),
            (stays(("01T08:00", "01T09:30"), traits={"vehicle": "large"}), 800),
            (stays(("01T08:00", "01T09:30"), traits={"vehicle": "new_energy"}), 0),
        ],
    ),
    Case(
        phrase="validation coupons of minutes",
        tariff=parking(),
        priced=[(stays(("01T08:00", "01T10:10"), granted_minutes=60), 400)],
    ),
    Case(
        phrase="validation coupons of money",
        tariff={**parking(), "facts": {"coupon": {"scale": "fen", "default": "0"}}, "adjust": [{"rebate": "coupon"}]},
        priced=[
            (stays(("01T08:00", "01T10:10"), **facts(coupon="5")), 100),
            (stays(("01T08:00", "01T10:10"), **facts(coupon="50")), 0),
            (stays(("01T08:00", "01T10:10")), 600),
        ],
    ),
    Case(
        phrase="lost exit",
        tariff=parking(missing_exit="23:00"),
        priced=[(stays(("01T20:00", None)), 600)],
    ),
    Case(
        phrase="exit grace",
        tariff=parking(exit_grace_minutes=15),
        priced=[
            (stays(("01T08:00", "01T09:10"), paid_at="2026-06-01T08:58"), 200),
            (stays(("01T08:00", "01T09:14"), paid_at="2026-06-01T08:58"), 400),
        ],
    ),
)
