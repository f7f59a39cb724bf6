"""From households' shares of a one-off charge to rated items: by the engine, so that each line replays. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from cloud.charges.values import HouseholdShare, NewOneOff, Sharing
from cloud.estate.values import PayerSpan
from cloud.rating.drafts import Draft
from cloud.rating.inputs import finish
from cloud.rating.lines import RatingOutcome
from cloud.rating.segments import Segment
from cloud.tariffs.charge import ChargeItem
from common.errors import ensure
from common.ids import PremisesId, TariffId
from common.measure.quantity import MILLI
from common.rating.engine import rate
from common.rating.request import RatingRequest, Share
from common.tariff.compile import compile_tariff
from common.tariff.document import parse_tariff
from common.tariff.revision import RevisionRef

Price = tuple[TariffId, RevisionRef, Mapping[str, Any]]


def levied(
    item: ChargeItem,
    new: NewOneOff,
    price: Price,
    shares: Sequence[HouseholdShare],
    payers: Mapping[PremisesId, PayerSpan],
) -> RatingOutcome:
    """Return a rated item for each household's share, with the inputs that replay them; together they are the whole."""
    tariff_id, revision, document = price
    compiled = compile_tariff(parse_tariff(document))
    weights = sum(share.weight_milli for share in shares)
    drafts: list[Draft] = []
    for share in shares:
        request = RatingRequest(period=new.service)
        if new.sharing is not Sharing.EACH:
            part = Share(
                pool_fen=new.amount_fen,
                part_fen=share.fen,
                weight=Fraction(share.weight_milli, MILLI),
                weights=Fraction(weights, MILLI),
                sharers=len(shares),
            )
            request = RatingRequest(period=new.service, share=part)
        line = rate(compiled, request)
        ensure(line.amount_fen == share.fen, "the engine charges what was shared")
        segment = Segment(
            item=item,
            premises_id=share.premises_id,
            party_id=payers[share.premises_id].party_id,
            service=new.service,
            tariff_id=tariff_id,
            revision=revision,
        )
        drafts.append(Draft(segment=segment, request=request, line=line))
    items, inputs = finish(drafts)
    return RatingOutcome(items=items, exceptions=(), inputs=inputs)
