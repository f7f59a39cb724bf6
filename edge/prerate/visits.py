"""What the last of some visits to a lot costs by the tariff on board, after the earlier ones. Pure.

A cap or free time that holds across visits takes the earlier visits into account: the last one costs what all cost
together, less what the earlier ones cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from common.civil import Period, civil_day
from common.rating.engine import rate
from common.rating.request import RatingRequest, Session, Visit
from common.tariff.compile import CompiledTariff
from common.tariff.revision import RevisionRef, choose
from edge.prerate.prices import KNOWN_AT, Assigned, Prices


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
    day = civil_day(stayed.visits[-1].entry, zone)
    ref = choose(prices.known(assigned.tariff_code), day, KNOWN_AT)
    tariff = prices.compiled[ref.body_sha]
    earlier = stayed.visits[:-1]
    before = replace(stayed, visits=earlier, granted_minutes=0, paid_at=None)
    earlier_fen = _together(tariff, assigned, zone, before) if earlier else 0
    return _together(tariff, assigned, zone, stayed) - earlier_fen, ref


def _together(tariff: CompiledTariff, assigned: Assigned, zone: tzinfo, stayed: Stayed) -> int:
    visits = stayed.visits
    last = visits[-1].exit or visits[-1].entry
    request = RatingRequest(
        period=Period(civil_day(visits[0].entry, zone), civil_day(last, zone) + timedelta(days=1)),
        session=Session(
            visits=visits,
            zone=zone,
            zone_name=str(zone),
            granted_minutes=stayed.granted_minutes,
            paid_at=stayed.paid_at,
        ),
        facts=assigned.facts,
        traits={**stayed.traits, **assigned.traits},
    )
    return rate(tariff, request).amount_fen
