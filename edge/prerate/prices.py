"""The tariffs bundle, checked: revisions compiled by the same code as the cloud's, and what they are assigned to.

A bundle with any faulty revision, a body that does not hash to its name, or an assignment to an unknown tariff is
refused whole; the last good prices stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from common.clock import EPOCH
from common.errors import Fault, FaultsError, RefusalError
from common.ids import MeterId
from common.tariff.compile import CompiledTariff, compile_tariff
from common.tariff.daytype import OfficialCalendar, parse_calendar
from common.tariff.document import parse_tariff
from common.tariff.revision import KnownRevision, RevisionRef

CALENDAR_CODE = "cn"
REVISIONS_MAX = 2_000
ASSIGNMENTS_MAX = 10_000


class _Revision(msgspec.Struct, kw_only=True):
    tariff_code: str
    effective_from: date
    rev: int
    body_sha: str
    body: dict[str, Any] | str | None = None


class _Assignment(msgspec.Struct, kw_only=True):
    tariff_code: str
    charge_code: str
    meter_id: UUID | None = None
    lot: str | None = None
    facts: dict[str, int] = msgspec.field(default_factory=dict)
    traits: dict[str, str] = msgspec.field(default_factory=dict)


class _Tariffs(msgspec.Struct, kw_only=True):
    revisions: tuple[_Revision, ...] = ()
    assignments: tuple[_Assignment, ...] = ()
    calendars: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """A tariff assigned to a meter or a lot, with the facts and traits its formulas ask for."""

    charge_code: str
    tariff_code: str
    facts: Mapping[str, int] = field(default_factory=dict)
    traits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Everything the gateway needs to price."""

    compiled: Mapping[str, CompiledTariff] = field(default_factory=dict)
    revisions: Mapping[str, tuple[KnownRevision, ...]] = field(default_factory=dict)
    meters: Mapping[MeterId, tuple[Assigned, ...]] = field(default_factory=dict)
    lots: Mapping[str, Assigned] = field(default_factory=dict)
    calendar: OfficialCalendar | None = None

    def known(self, tariff_code: str) -> tuple[KnownRevision, ...]:
        """Return the revisions of a tariff; the bundle holds only what the cloud knew when it made it."""
        return self.revisions.get(tariff_code, ())


KNOWN_AT: datetime = EPOCH


def parse_prices(body: Mapping[str, Any]) -> Prices:
    """Return the prices of a tariffs bundle.

    Raises:
        FaultsError: with every fault, naming the revision or the assignment.
    """
    try:
        document = msgspec.convert(dict(body), _Tariffs)
    except msgspec.ValidationError as error:
        fault = Fault(where="tariffs", what=str(error), remedy="mend the field and publish the bundle again")
        raise FaultsError("tariffs bundle", [fault]) from error
    faults: list[Fault] = []
    compiled = dict(_compile(document, faults))
    known: dict[str, list[KnownRevision]] = {}
    for revision in document.revisions:
        ref = RevisionRef(
            tariff_code=revision.tariff_code,
            effective_from=revision.effective_from,
            rev=revision.rev,
            body_sha=revision.body_sha,
        )
        known.setdefault(revision.tariff_code, []).append(KnownRevision(ref=ref, recorded_at=KNOWN_AT))
    faults += _assignment_faults(document, known)
    calendar = _calendar(document, faults)
    if faults:
        raise FaultsError("tariffs bundle", faults)
    meters: dict[MeterId, tuple[Assigned, ...]] = {}
    lots: dict[str, Assigned] = {}
    for item in document.assignments:
        assigned = Assigned(
            charge_code=item.charge_code, tariff_code=item.tariff_code, facts=item.facts, traits=item.traits
        )
        if item.meter_id is not None:
            meter_id = MeterId(item.meter_id)
            meters[meter_id] = (*meters.get(meter_id, ()), assigned)
        if item.lot is not None:
            lots[item.lot] = assigned
    revisions = {code: tuple(items) for code, items in known.items()}
    return Prices(compiled=compiled, revisions=revisions, meters=meters, lots=lots, calendar=calendar)


def _calendar(document: _Tariffs, faults: list[Fault]) -> OfficialCalendar | None:
    """Return the official calendar of all the years sent, None when there are none."""
    try:
        return parse_calendar(CALENDAR_CODE, document.calendars) if document.calendars else None
    except FaultsError as refusal:
        faults += refusal.faults
        return None


def _compile(document: _Tariffs, faults: list[Fault]) -> Iterator[tuple[str, CompiledTariff]]:
    """Yield the compiled revisions by the hash of their body; a withdrawal has neither."""
    for revision in document.revisions[:REVISIONS_MAX]:
        where = f"{revision.tariff_code} {revision.effective_from} rev {revision.rev}"
        if revision.body is None:
            if revision.body_sha:
                faults.append(Fault(where=where, what="has no body", remedy="send the body with the revision"))
            continue
        try:
            tariff = compile_tariff(parse_tariff(revision.body))
        except RefusalError as refusal:
            faults.append(Fault(where=where, what=str(refusal), remedy="mend the tariff and publish it again"))
            continue
        if tariff.body_sha != revision.body_sha:
            faults.append(Fault(where=where, what="its body is not the one it names", remedy="publish it again"))
            continue
        yield revision.body_sha, tariff


def _assignment_faults(document: _Tariffs, known: Mapping[str, object]) -> Iterator[Fault]:
    if len(document.revisions) > REVISIONS_MAX or len(document.assignments) > ASSIGNMENTS_MAX:
        what = f"{len(document.revisions)} revisions and {len(document.assignments)} assignments"
        yield Fault(where="tariffs", what=what, remedy=f"send at most {REVISIONS_MAX} and {ASSIGNMENTS_MAX}")
    for item in document.assignments:
        where = f"assignment of {item.charge_code}"
        if (item.meter_id is None) == (item.lot is None):
            yield Fault(where=where, what="names not exactly one of meter_id and lot", remedy="name one of them")
        if item.tariff_code not in known:
            yield Fault(where=where, what=f"{item.tariff_code} has no revision", remedy="send one with it")
