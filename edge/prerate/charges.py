"""What a charge at a pile costs by the tariff on board: the same request as the cloud makes. Pure."""

from __future__ import annotations

from datetime import tzinfo

from common.civil import civil_day
from common.clock import from_epoch_ms
from common.rating.charge import Charge, request_of
from common.rating.engine import rate
from common.tariff.revision import RevisionRef, choose
from edge.prerate.prices import KNOWN_AT, Prices


def price_charge(prices: Prices, zone: tzinfo, pile: str, charge: Charge) -> tuple[int, RevisionRef] | None:
    """Return the amount in fen and the revision it is by; None when the pile has no tariff on board.

    Raises:
        RefusalError: the tariff cannot price the charge.
    """
    assigned = prices.lots.get(pile)
    if assigned is None:
        return None
    day = civil_day(from_epoch_ms(charge.samples[0][0]), zone)
    ref = choose(prices.known(assigned.tariff_code), day, KNOWN_AT)
    tariff = prices.compiled[ref.body_sha]
    with_facts = Charge(
        samples=charge.samples,
        idle_minutes=charge.idle_minutes,
        facts=assigned.facts,
        traits=assigned.traits,
    )
    return rate(tariff, request_of(tariff, with_facts, zone, None)).amount_fen, ref
