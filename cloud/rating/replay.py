"""Rating a kept input again: the same bytes give the same lines, years later.

An input names tariff bodies and calendars by hash and holds every request in full; what is read back here is the exact
reverse of `RatingRequest.to_plain`. A line whose own input hash comes out differently is a breach, not a difference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from common.civil import Period
from common.errors import ensure
from common.rating.engine import ENGINE_VERSION, rate
from common.rating.line import RatedLine
from common.rating.request import Debt, RatingRequest, Session, Share, Split, SplitCause, SplitUsage, Visit
from common.tariff.compile import compile_tariff
from common.tariff.daytype import OfficialCalendar, parse_calendar
from common.tariff.document import parse_tariff

_COPIED = (
    "quantity_milli",
    "prior_milli",
    "carried_milli",
    "windows_milli",
    "prior_windows_milli",
    "facts",
    "traits",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySources:
    """What an input names by hash: tariff documents, and calendars as the documents of their years."""

    tariffs: Mapping[str, Mapping[str, object]]
    calendars: Mapping[str, Sequence[Mapping[str, object]]]


def named_in(body: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """Return the hashes of the tariffs and of the calendars that an input names."""
    lines = json.loads(body)["lines"]
    calendars = {line["request"]["calendar"] for line in lines if "calendar" in line["request"]}
    return frozenset(line["tariff"] for line in lines), frozenset(calendars)


def replay(body: bytes, sources: ReplaySources, calendar_code: str) -> tuple[RatedLine, ...]:
    """Return the lines of an input, rated again.

    Raises:
        InvariantError: another engine made it, or a line does not come from the input that it names.
    """
    content = json.loads(body)
    ensure(content["engine"] == ENGINE_VERSION, f"the input was rated by engine {content['engine']}")
    calendars = {sha: parse_calendar(calendar_code, documents) for sha, documents in sources.calendars.items()}
    lines: list[RatedLine] = []
    for kept in content["lines"]:
        tariff = compile_tariff(parse_tariff(sources.tariffs[kept["tariff"]]))
        line = rate(tariff, request_of(kept["request"], calendars))
        ensure(line.input_sha == kept["line"], f"a line of {kept['charge']} does not come from the input it names")
        lines.append(line)
    return tuple(lines)


def request_of(plain: Mapping[str, Any], calendars: Mapping[str, OfficialCalendar]) -> RatingRequest:
    """Return the request that plain data stands for."""
    part, parts = plain.get("part", (1, 1))
    return RatingRequest(
        period=_period(plain["period"]),
        anchor=_day(plain.get("anchor")),
        bill=None if "bill" not in plain else _period(plain["bill"]),
        part=part,
        parts=parts,
        split=None if "split" not in plain else _split(plain["split"]),
        session=None if "session" not in plain else _session(plain["session"]),
        calendar=None if "calendar" not in plain else calendars[plain["calendar"]],
        debts=tuple(
            Debt(key=key, amount_fen=fen, due=date.fromisoformat(due), kind=kind)
            for key, fen, due, kind in plain.get("debts", ())
        ),
        paid_on=_day(plain.get("paid_on")),
        share=None if "share" not in plain else _share(plain["share"]),
        **{name: plain[name] for name in _COPIED if name in plain},
    )


def _period(text: str) -> Period:
    start, end = text.split("..")
    return Period(date.fromisoformat(start), date.fromisoformat(end))


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _split(plain: Sequence[Any]) -> Split:
    cause, usage = plain
    return Split(cause=SplitCause(cause), usage=None if usage is None else SplitUsage(usage))


def _share(plain: Mapping[str, Any]) -> Share:
    return Share(
        pool_fen=plain["pool_fen"],
        part_fen=plain["part_fen"],
        weight=Fraction(plain["weight"]),
        weights=Fraction(plain["weights"]),
        sharers=plain["sharers"],
    )


def _session(plain: Mapping[str, Any]) -> Session:
    return Session(
        visits=tuple(
            Visit(entry=datetime.fromisoformat(entry), exit=None if leave is None else datetime.fromisoformat(leave))
            for entry, leave in plain["visits"]
        ),
        zone=ZoneInfo(plain["zone"]),
        zone_name=plain["zone"],
        granted_minutes=plain["granted_minutes"],
        charged=plain.get("charged", 0),
        paid_at=None if plain["paid_at"] is None else datetime.fromisoformat(plain["paid_at"]),
    )
