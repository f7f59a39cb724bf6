"""What the last of some visits to a lot costs by the tariff on board, after the earlier ones. Pure.

Earlier visits count where a cap, a day priced together or a re-entry reaches them, by the very rules of the cloud
(`common.rating.stay.connected_visits`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from common.civil import Period, civil_day
from common.rating.engine import rate
from common.rating.request import RatingRequest, Session, Visit
from common.rating.stay import connected_visits
from common.tariff.revision import RevisionRef, choose
from common.tariff.session_model import SessionRule
from edge.prerate.prices import KNOWN_AT, Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Stayed:
    """Visits of one vehicle to a lot, the last to be priced; `traits` are what is known of vehicle and stay."""

    lot: str
    visits: tuple[Visit, ...]
    paid_at: datetime | None
    granted_minutes: int
    traits: Mapping[str, str]


def price_stay(prices: Prices, zone: tzinfo, stayed: Stayed) -> tuple[int, RevisionRef] | None:
    """Return the amount in fen and the revision it is by; None when the lot has no tariff on board.

    Raises:
        RefusalError: the tariff cannot price these visits.
    """
    assigned = prices.lots.get(stayed.lot)
    if assigned is None:
        return None
    *before, last = stayed.visits
    day, left = civil_day(last.entry, zone), last.exit or last.entry
    ref = choose(prices.known(assigned.tariff_code), day, KNOWN_AT)
    tariff = prices.compiled[ref.body_sha]
    rules = [plan.rule for plan in tariff.document.plans if isinstance(plan.rule, SessionRule)]
    chains = [connected_visits(rule, before, last.entry, zone) for rule in rules]
    earlier = max(chains, key=len, default=())
    request = RatingRequest(
        period=Period(day, civil_day(left, zone) + timedelta(days=1)),
        session=Session(
            visits=(*earlier, last),
            zone=zone,
            zone_name=str(zone),
            granted_minutes=stayed.granted_minutes,
            paid_at=stayed.paid_at,
            charged=len(earlier),
        ),
        facts=assigned.facts,
        traits={**stayed.traits, **assigned.traits},
        calendar=prices.calendar,
    )
    return rate(tariff, request).amount_fen, ref
