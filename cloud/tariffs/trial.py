"""Trying tariffs out before anything is recorded: check a text, price a request, compare two tariffs. Pure.

The command line, the API and the console share these; nothing here reads a clock, a file or a database, and nothing is
stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloud.tariffs.text import LineFault, Loaded, TextFaultsError, load_text
from common.errors import FaultsError, RefusalError
from common.rating.engine import rate
from common.rating.line import RatedLine
from common.rating.refusal import RatingRefusedError
from common.rating.usage_document import Place, read_request
from common.tariff.compile import CompiledTariff, compile_tariff
from common.tariff.document import parse_tariff


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one request costs under both tariffs, in minor units; None where a tariff refuses it, and why."""

    name: str
    old: int | None
    new: int | None
    reason: str = ""
    reason_zh: str = ""

    @property
    def difference(self) -> int | None:
        """Return how much more the new tariff costs, None when either refuses."""
        return None if self.old is None or self.new is None else self.new - self.old


def read_tariff(text: str, name: str) -> CompiledTariff:
    """Return the tariff that a text says; `name` is how its faults call the text.

    Raises:
        TextFaultsError: the text has faults; all are listed with their lines.
    """
    loaded = load_text(text, name)
    try:
        return compile_tariff(parse_tariff(loaded.data))
    except FaultsError as refusal:
        raise loaded.placed(refusal) from refusal


def read_requests(text: str, name: str) -> list[dict[str, object]]:
    """Return the requests that a text lists under `requests`.

    Raises:
        TextFaultsError: it is no such list.
    """
    loaded = load_text(text, name)
    entries = loaded.data.get("requests")
    if isinstance(entries, list) and entries and all(isinstance(entry, dict) for entry in entries):
        return entries
    what, remedy = "there are no requests", "write `requests:` and a list of them"
    raise TextFaultsError(
        name, [LineFault(where="requests", what=what, remedy=remedy, line=loaded.line_of("requests"))]
    )


def price(tariff: CompiledTariff, usage: Mapping[str, object], place: Place) -> RatedLine:
    """Return the line of a request as a person writes it.

    Raises:
        FaultsError: the request has faults; all are listed.
        RatingRefusedError: the tariff cannot price it.
    """
    return rate(tariff, read_request(usage, tariff.document, place))


def price_text(tariff: CompiledTariff, usage: Loaded, place: Place) -> RatedLine:
    """Return the line of a request that was read from a text.

    Raises:
        TextFaultsError: the request has faults; all are listed with their lines.
        RatingRefusedError: the tariff cannot price it.
    """
    try:
        return price(tariff, usage.data, place)
    except FaultsError as refusal:
        raise usage.placed(refusal) from refusal


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
    reasons_en: list[str] = []
    reasons_zh: list[str] = []
    for tariff, zh, en in ((old, "原", "old"), (new, "新", "new")):
        try:
            amounts.append(price(tariff, usage, place).amount_fen)
        except RefusalError as refusal:
            amounts.append(None)
            reason_zh, reason_en = _reasons(refusal)
            reasons_zh.append(f"{zh}: {reason_zh}")
            reasons_en.append(f"{en}: {reason_en}")
    return Change(
        name=str(request.get("name", "")),
        old=amounts[0],
        new=amounts[1],
        reason="; ".join(reasons_en),
        reason_zh="; ".join(reasons_zh),
    )


def _reasons(refusal: RefusalError) -> tuple[str, str]:
    """Return why a request is refused, in both languages, on one line."""
    if isinstance(refusal, RatingRefusedError):
        return refusal.detail_zh, refusal.detail_en
    faults = "; ".join(str(fault) for fault in refusal.faults) if isinstance(refusal, FaultsError) else str(refusal)
    return faults, faults
