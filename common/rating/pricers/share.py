"""Prices one premises' part of a pool that was split before; the split itself is `rating.share`."""

from __future__ import annotations

from fractions import Fraction

from common.rating.line import Component, ComponentKind
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import Share
from common.tariff.document import TariffDocument

SHARE_KEY = "share"


def price_share(document: TariffDocument, share: Share) -> list[Component]:
    """Return the part as one component that names pool, weight and sum of weights.

    Raises:
        RatingRefusedError: the tariff says nothing about sharing.
    """
    if document.share is None:
        raise RatingRefusedError(RefusalKind.NO_PLAN, f"{document.header.code} is not shared")
    return [
        Component(
            kind=ComponentKind.SHARE,
            key=SHARE_KEY,
            charge=SHARE_KEY,
            label=document.share.label,
            quantity=share.weight,
            amount=Fraction(share.part_fen),
            labels={
                "pool_fen": str(share.pool_fen),
                "weights": str(share.weights),
                "sharers": str(share.sharers),
            },
        )
    ]
