"""Prices for gateways: the revisions and assignments that a gateway's own meters and lots need, as one bundle.

With them go the official calendars of last year, this one and the next, as far as they are known.
What a gateway has is read from the site bundle it was given. An unchanged bundle makes no new version, so publishing
again is harmless. Tariff codes are unique in a community; where two communities of one gateway mean different things by
one code, each is sent under the community's own name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.fleet import service as fleet
from cloud.kit.db import Unit
from cloud.tariffs import service as tariffs
from cloud.tariffs.assignment import Effect, Target
from cloud.tariffs.book import PriceBook
from cloud.tariffs.calendars import official_notices
from cloud.tariffs.charge import ChargeBasis, ChargeItem
from cloud.tariffs.facts import tariff_facts
from cloud.tariffs.targets import lot_target, meter_target, targets_of
from common.civil import Period, civil_day
from common.ids import GatewayId, MeterId, TariffId
from common.wire.bundle import BundleKind

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteParts:
    """The meters and lots of one gateway."""

    meters: frozenset[MeterId]
    lots: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """One assignment for a gateway, before the code of its tariff is settled."""

    community: str
    tariff_id: TariffId
    entry: Mapping[str, Any]


async def publish_prices(unit: Unit, gateway_id: GatewayId) -> int | None:
    """Publish the prices that a gateway needs today and return the version; None while it has no site."""
    parts = await _site_of(unit, gateway_id)
    if parts is None:
        return None
    books: dict[str, PriceBook] = {}
    priced: list[Priced] = []
    for community in await estate.communities(unit.session):
        book = await tariffs.price_book(unit.session, community.id, unit.now)
        books[community.code] = book
        day = civil_day(unit.now, community.zone)
        priced += await _meter_prices(unit.session, community, book, parts, day)
        priced += _lot_prices(community.code, book, parts, day)
    body = bundle_body(books, priced)
    notices = await official_notices(unit.session, unit.now)
    body["calendars"] = [notice for year, notice in notices.items() if abs(year - unit.now.year) <= 1]
    return await fleet.publish_bundle(unit, gateway_id, BundleKind.TARIFFS, body)


async def publish_everywhere(unit: Unit) -> None:
    """Publish to every gateway of the company."""
    for gateway in await fleet.gateways(unit.session):
        await publish_prices(unit, gateway.gateway_id)


def bundle_body(books: Mapping[str, PriceBook], priced: Iterable[Priced]) -> dict[str, Any]:
    """Return the bundle of some assignments: each with the code of its tariff, and every revision of those tariffs."""
    entries = sorted(priced, key=_order)
    by_code: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(dict)
    for one in entries:
        revisions = _revisions(books[one.community], one.tariff_id)
        by_code[revisions[0]["tariff_code"]][one.community] = revisions
    named: dict[tuple[str, str], str] = {}
    sent: dict[str, list[dict[str, Any]]] = {}
    for code, communities in by_code.items():
        alike = all(revisions == next(iter(communities.values())) for revisions in communities.values())
        for community, revisions in communities.items():
            name = code if alike else f"{community}/{code}"
            named[(community, code)] = name
            sent[name] = [{**revision, "tariff_code": name} for revision in revisions]
    assignments = [
        {**one.entry, "tariff_code": named[(one.community, _code(books[one.community], one.tariff_id))]}
        for one in entries
    ]
    return {
        "revisions": [revision for name in sorted(sent) for revision in sent[name]],
        "assignments": assignments,
    }


def _order(priced: Priced) -> tuple[str, str, str, str]:
    entry = priced.entry
    return priced.community, entry["charge_code"], str(entry.get("meter_id", "")), str(entry.get("lot", ""))


def site_parts(site: Mapping[str, Any]) -> SiteParts:
    """Return the meters, lots and charging piles that a site bundle names; a pile is priced like a lot."""
    devices = site.get("devices") or ()
    lots = (site.get("gate") or {}).get("lots") or ()
    piles = (site.get("charging") or {}).get("piles") or ()
    return SiteParts(
        meters=frozenset(MeterId(_uuid(device["meter_id"])) for device in devices),
        lots=frozenset(str(lot["lot"]) for lot in lots) | {str(pile["pile"]) for pile in piles},
    )


async def _site_of(unit: Unit, gateway_id: GatewayId) -> SiteParts | None:
    newest = await fleet.newer_bundles(unit.session, gateway_id, {}, unit.now)
    site = next((bundle for bundle in newest if bundle.kind is BundleKind.SITE), None)
    return None if site is None else site_parts(site.body)


async def _meter_prices(
    session: AsyncSession, community: Community, book: PriceBook, parts: SiteParts, day: date
) -> list[Priced]:
    premises = {place.id: place for place in await estate.premises_in(session, community.id, day=day)}
    found: list[Priced] = []
    for meter in await fleet.installed_meters(session, community.id, Period(day, day + _ONE_DAY)):
        place = None if meter.premises_id is None else premises.get(meter.premises_id)
        if place is None or meter.meter_id not in parts.meters:
            continue
        entry = {"meter_id": str(meter.meter_id), "facts": tariff_facts(place.facts)}
        items = (item for item in book.items.values() if item.resource is meter.resource)
        found += _assigned(
            community.code, book, items, ((*targets_of(place), meter_target(meter.meter_id)), day), entry
        )
    return found


def _lot_prices(community: str, book: PriceBook, parts: SiteParts, day: date) -> Iterator[Priced]:
    items = [item for item in book.items.values() if item.basis is ChargeBasis.PARKING]
    for lot in sorted(parts.lots):
        yield from _assigned(community, book, items, ((lot_target(lot),), day), {"lot": lot})


def _assigned(
    community: str,
    book: PriceBook,
    items: Iterable[ChargeItem],
    where: tuple[tuple[Target, ...], date],
    entry: Mapping[str, Any],
) -> Iterator[Priced]:
    targets, day = where
    for item in items:
        assigned = book.assignments.assigned(item.charge_item_id, targets, day)
        tariff_id = assigned.tariff_id if assigned is not None and assigned.effect is Effect.CHARGE else None
        if tariff_id is not None and tariff_id in book.revisions:
            yield Priced(community=community, tariff_id=tariff_id, entry={**entry, "charge_code": item.code})


def _revisions(book: PriceBook, tariff_id: TariffId) -> list[dict[str, Any]]:
    return [
        {
            "tariff_code": known.ref.tariff_code,
            "effective_from": known.ref.effective_from.isoformat(),
            "rev": known.ref.rev,
            "body_sha": known.ref.body_sha,
            "body": book.compiled[known.ref.body_sha].document.body if known.ref.body_sha else None,
        }
        for known in book.revisions[tariff_id]
    ]


def _code(book: PriceBook, tariff_id: TariffId) -> str:
    return book.revisions[tariff_id][0].ref.tariff_code


def _uuid(value: object) -> UUID:
    return UUID(bytes=value) if isinstance(value, bytes) else UUID(str(value))
