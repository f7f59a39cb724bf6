"""Trying tariffs out before anything is recorded: price a request, compare two tariffs over many. Pure.

The command line and the API share these; nothing here reads a clock, a file or a database, and nothing is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.errors import RefusalError
from common.rating.engine import rate
from common.rating.line import RatedLine
from common.rating.usage_document import Place, read_request
from common.tariff.compile import CompiledTariff


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one request costs under both tariffs, in minor units; None where a tariff refuses it."""

    name: str
    old: int | None
    new: int | None
    reason: str = ""

    @property
    def difference(self) -> int | None:
        """Return how much more the new tariff costs, None when either refuses."""
        return None if self.old is None or self.new is None else self.new - self.old


def price(tariff: CompiledTariff, usage: Mapping[str, object], place: Place) -> RatedLine:
    """Return the line of a request as a person writes it.

    Raises:
        FaultsError: the request has faults; all are listed.
        RatingRefusedError: the tariff cannot price it.
    """
    return rate(tariff, read_request(usage, tariff.document, place))


def compare(
    old: CompiledTariff, new: CompiledTariff, requests: Sequence[Mapping[str, object]], place: Place
) -> list[Change]:
    """Return what each request costs under both tariffs; what one of them refuses is told and stops nothing.

    Raises:
        RefusalError: the tariffs are of different currencies.
    """
    if old.currency != new.currency:
        raise RefusalError(f"{old.currency.code} and {new.currency.code} cannot be compared")
    return [_change(old, new, request, place) for request in requests]


def _change(old: CompiledTariff, new: CompiledTariff, request: Mapping[str, object], place: Place) -> Change:
    usage = {field: value for field, value in request.items() if field != "name"}
    amounts: list[int | None] = []
    reasons: list[str] = []
    for tariff in (old, new):
        try:
            amounts.append(price(tariff, usage, place).amount_fen)
        except RefusalError as refusal:
            amounts.append(None)
            reasons.append(str(refusal))
    return Change(name=str(request.get("name", "")), old=amounts[0], new=amounts[1], reason="; ".join(reasons))
