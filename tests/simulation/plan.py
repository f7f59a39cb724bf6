"""What happens when in the demo's story: dates, faults, visits and the households that play a part.

Three months from 1 January 2026 (any year's first quarter would do), all in the site's zone. The households are named
by their doors; everything else about them follows from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from tests.simulation.site import ELECTRICITY, ZONE, DemoSite

MONTHS = (date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1))
AFTER = date(2026, 4, 1)
DENSE_DAY = date(2026, 3, 12)
CLOUD_KILLED = date(2026, 3, 16)
CLOUD_BACK = date(2026, 3, 18)
GATEWAY_KILLED = date(2026, 2, 10)
LINK_CUT = date(2026, 2, 18)
LINK_BACK = date(2026, 2, 20)
SALE_DAY = date(2026, 2, 15)
CORRECTION_DAY = date(2026, 4, 10)
PAY_DAYS = (5, 8)
GARDEN = "cuihu-garden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The doors that play a part, all in the first community."""

    seller: str = "1-1-502"
    dead_meter: str = "1-1-601"
    misread: str = "2-1-301"
    pays_too_much: str = "2-1-101"
    pays_in_part: str = "2-1-102"
    pays_cash: str = "2-2-101"
    never_pays: str = "2-2-602"


ROLES = Roles()
# Registers taken a little too high, so little that nothing looks odd: by day, how many milli-units.
MISREAD = {date(2026, 2, 1): 2_500, date(2026, 4, 1): 4_000}


def wrong_readings(site: DemoSite) -> dict[tuple[str, date], int]:
    """Return the registers that were taken wrongly, by serial and day: three months' bills rest on them."""
    serial = site.meter_of(GARDEN, ROLES.misread, ELECTRICITY).serial
    return {(serial, day): milli for day, milli in MISREAD.items()}


def faults(site: DemoSite) -> list[dict[str, Any]]:
    """Return the fault of the live devices: one meter is dead over the turn of February."""
    serial = site.meter_of(GARDEN, ROLES.dead_meter, ELECTRICITY).serial
    return [
        {
            "kind": "dead",
            "serial": serial,
            "since": local(date(2026, 2, 27), 12).isoformat(),
            "until": local(date(2026, 3, 3), 12).isoformat(),
        }
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One car's stay at the garden's lot."""

    plate: str
    enters: datetime
    leaves: datetime


def stays(site: DemoSite) -> list[Stay]:
    """Return the stays of the story: residents' cars, one through the night, one while the link is cut."""
    plates = [person.plate or "" for _, person in site.drivers(GARDEN)]
    return [
        Stay(plate=plates[0], enters=local(date(2026, 1, 12), 9, 12), leaves=local(date(2026, 1, 12), 11, 40)),
        Stay(plate=plates[1], enters=local(date(2026, 1, 24), 19, 5), leaves=local(date(2026, 1, 25), 20, 15)),
        Stay(plate=plates[2], enters=local(LINK_CUT, 8, 30), leaves=local(LINK_CUT, 10, 1)),
        Stay(plate=plates[3], enters=local(date(2026, 3, 9), 14, 0), leaves=local(date(2026, 3, 9), 14, 25)),
    ]


def visits(site: DemoSite) -> list[dict[str, Any]]:
    """Return what the camera sees, in order of time; the second entry is repeated as an offline record later."""
    camera = site.template["lots"][0]["camera"]
    moments = sorted((moment, stay.plate) for stay in stays(site) for moment in (stay.enters, stay.leaves))
    seen = [
        {"camera": camera, "plate": plate, "at": moment.isoformat(), "number": number}
        for number, (moment, plate) in enumerate(moments, start=1)
    ]
    repeated = seen[2] | {"at": local(date(2026, 1, 26), 3).isoformat(), "stored_offline": True}
    return sorted([*seen, repeated], key=lambda visit: str(visit["at"]))


def local(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """Return an instant of the site's zone."""
    return datetime.combine(day, time(hour, minute), tzinfo=ZONE)


def days(first: date, last: date) -> list[date]:
    """Return the days from the first to the last, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
