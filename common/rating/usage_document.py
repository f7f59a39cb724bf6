"""Reading a request written by a person: decimals as text, local times, names as the tariff declares them.

Used where a tariff is tried out (command line, preview page, worked examples); production requests are built from
rows. All faults are listed at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta, tzinfo

from common.civil import Period
from common.errors import Fault, FaultsError
from common.measure.quantity import MILLI_EXPONENT
from common.rating.request import Debt, RatingRequest, Session, Visit
from common.rating.windows import WindowFinder, usage_by_window
from common.tariff.daytype import OfficialCalendar
from common.tariff.document import TariffDocument
from common.tariff.model import FactScale
from common.tariff.parse.section import Section

_SCALE_EXPONENT = {FactScale.COUNT: 0, FactScale.MILLI: 3, FactScale.MICRO: 6, FactScale.FEN: 2}
_FALLBACK_DAY = date(2000, 1, 1)
_FALLBACK_PERIOD = Period(_FALLBACK_DAY, date(2000, 1, 2))
_HOURS = {text: hour for hour in range(24) for text in (f"{hour}", f"{hour:02}")}
_MINUTES_MAX = 366 * 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a request is priced: the zone of its local times, and the official calendar if one is known."""

    zone: tzinfo
    zone_name: str
    calendar: OfficialCalendar | None = None


def read_request(source: Mapping[str, object], document: TariffDocument, place: Place) -> RatingRequest:
    """Return the request that a usage document says.

    Raises:
        FaultsError: the document has faults; all of them are listed.
        RatingRefusedError: hourly usage falls into no window, or needs a calendar that is not known.
    """
    faults: list[Fault] = []
    section = Section(source, "", faults)
    session = _read_session(section, place)
    period = _read_period(section, "period", _stay_period(session, place))
    parts = section.integer("parts", 1, 99, 1)
    request = RatingRequest(
        period=period,
        quantity_milli=_optional_milli(section, "quantity"),
        prior_milli=section.decimal("prior", MILLI_EXPONENT, 0),
        carried_milli=section.decimal("carried", MILLI_EXPONENT, 0),
        windows_milli=_read_windows(section, document, place, period),
        prior_windows_milli=_milli_map(section, "prior_windows"),
        facts=_read_facts(section, document),
        traits=_read_traits(section, document),
        anchor=section.day("anchor"),
        bill=_read_period(section, "bill", None) if "bill" in section else None,
        part=section.integer("part", 1, parts, 1),
        parts=parts,
        session=session,
        calendar=place.calendar,
        debts=tuple(_read_debt(entry, document) for entry in section.sections("debts")),
        paid_on=section.day("paid_on"),
    )
    section.close()
    if faults:
        raise FaultsError("usage", faults)
    return request


def _read_period(section: Section, key: str, fallback: Period | None) -> Period:
    if key not in section and fallback is not None:
        return fallback
    entry = section.listed(key)
    start, end = entry.day("0"), entry.day("1")
    if start is None or end is None or start >= end:
        section.fault(key, "it is no period", "write the first day and the day after the last")
        return _FALLBACK_PERIOD
    return Period(start, end)


def _stay_period(session: Session | None, place: Place) -> Period | None:
    """Return the days of the visits, which need no period of their own."""
    visits = session.visits if session is not None else ()
    instants = [instant for visit in visits for instant in (visit.entry, visit.exit) if instant is not None]
    days = [instant.astimezone(place.zone).date() for instant in instants]
    return Period(min(days), max(days) + timedelta(days=1)) if days else None


def _optional_milli(section: Section, key: str) -> int | None:
    return section.decimal(key, MILLI_EXPONENT) if key in section else None


def _milli_map(section: Section, key: str) -> dict[str, int]:
    if key not in section:
        return {}
    entry = section.section(key)
    return {name: entry.decimal(name, MILLI_EXPONENT) for name in entry.names()}


def _read_windows(section: Section, document: TariffDocument, place: Place, period: Period) -> dict[str, int]:
    if "hourly" not in section:
        return _milli_map(section, "windows")
    hourly = _milli_map(section, "hourly")
    for hour in sorted(hourly.keys() - _HOURS.keys()):
        section.fault(f"hourly.{hour}", "it is no hour of a day", "write 00 to 23")
        del hourly[hour]
    finder = WindowFinder(document.windows, place.zone, place.calendar)
    intervals = [
        (_instant(datetime.combine(period.start, time(_HOURS[hour])), place), milli) for hour, milli in hourly.items()
    ]
    return usage_by_window(finder, intervals)


def _read_facts(section: Section, document: TariffDocument) -> dict[str, int]:
    if "facts" not in section:
        return {}
    entry = section.section("facts")
    facts: dict[str, int] = {}
    for name in entry.names():
        fact = document.facts.get(name)
        if fact is None:
            entry.fault(name, "the tariff has no such fact", f"use one of {', '.join(sorted(document.facts))}")
            continue
        facts[fact.key] = entry.decimal(name, _SCALE_EXPONENT[fact.scale])
    return facts


def _read_traits(section: Section, document: TariffDocument) -> dict[str, str]:
    if "traits" not in section:
        return {}
    entry = section.section("traits")
    traits: dict[str, str] = {}
    for name in entry.names():
        if name not in document.traits:
            entry.fault(name, "the tariff has no such trait", f"use one of {', '.join(sorted(document.traits))}")
        traits[name] = entry.text(name)
    return traits


def _read_session(section: Section, place: Place) -> Session | None:
    if "visits" not in section:
        return None
    read = (_read_visit(section.listed("visits"), name, place) for name in section.listed("visits").names())
    visits = tuple(visit for visit in read if visit is not None)
    paid = section.convert("paid_at", _moment, None) if "paid_at" in section else None
    return Session(
        charged=section.integer("charged", 0, max(0, len(visits) - 1), 0),
        visits=visits,
        zone=place.zone,
        zone_name=place.zone_name,
        granted_minutes=section.integer("granted_minutes", 0, _MINUTES_MAX, 0),
        paid_at=paid.replace(tzinfo=place.zone).astimezone(UTC) if paid is not None else None,
    )


def _read_visit(entries: Section, name: str, place: Place) -> Visit | None:
    pair = entries.listed(name)
    entry = pair.convert("0", _moment, None)
    end = pair.convert("1", _moment, None) if pair.raw("1") is not None else None
    if entry is None:
        return None
    return Visit(entry=_instant(entry, place), exit=_instant(end, place) if end is not None else None)


def _moment(text: str) -> datetime:
    """Return a local time of a year that has days before and after it.

    Raises:
        ValueError: the text is none.
    """
    moment = datetime.fromisoformat(text)
    if not MINYEAR < moment.year < MAXYEAR:
        raise ValueError(f"the year {moment.year} is out of range")
    return moment


def _instant(local: datetime, place: Place) -> datetime:
    return local.replace(tzinfo=place.zone).astimezone(UTC)


def _read_debt(entry: Section, document: TariffDocument) -> Debt:
    debt = Debt(
        key=entry.text("key"),
        amount_fen=entry.decimal("amount", document.header.currency.exponent),
        due=entry.day("due") or _FALLBACK_DAY,
        kind=entry.text("kind", ""),
    )
    entry.close()
    return debt
