"""Who owes for premises on which day: decided from dated relations alone.

On each day the payer owes if one is named; otherwise the owner, and of several owners the one whose relation began
first (ties by id), so that exactly one party owes. Days with neither have no span: the caller opens an exception.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise

from cloud.estate.kinds import Role
from cloud.estate.values import PayerSpan, Relation
from common.civil import Period
from common.ids import PartyId


def payer_spans(relations: Sequence[Relation], period: Period) -> list[PayerSpan]:
    """Return who owes on which days of the period, for the premises of one set of relations, in order of days."""
    cuts = sorted({period.start, period.end, *_cuts_within(relations, period)})
    spans: list[PayerSpan] = []
    for start, end in pairwise(cuts):
        in_force = [relation for relation in relations if _covers(relation, Period(start, end))]
        party = _who_owes(in_force)
        if party is None:
            continue
        goes_on = bool(spans) and spans[-1].party_id == party and spans[-1].end == start
        first = spans.pop().start if goes_on else start
        spans.append(PayerSpan(premises_id=in_force[0].premises_id, party_id=party, start=first, end=end))
    return spans


def _cuts_within(relations: Iterable[Relation], period: Period) -> Iterator[date]:
    for relation in relations:
        for day in (relation.starts, relation.ends):
            if day is not None and day in period:
                yield day


def _covers(relation: Relation, days: Period) -> bool:
    return relation.starts <= days.start and (relation.ends is None or relation.ends >= days.end)


def _who_owes(in_force: Sequence[Relation]) -> PartyId | None:
    for role in (Role.PAYER, Role.OWNER):
        candidates = sorted((r.starts, r.party_id) for r in in_force if r.role is role)
        if candidates:
            return candidates[0][1]
    return None
