"""Small builders of tariffs for tests: the least document that can be priced, with what the test is about on top."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from common.civil import Period
from common.rating.request import RatingRequest, Session, Visit
from common.rating.usage_document import Place, read_request
from common.tariff.compile import CompiledTariff, compile_tariff
from common.tariff.document import parse_tariff
from tests.common.tariff.library import SHANGHAI

JUNE = Period(date(2026, 6, 1), date(2026, 7, 1))
YEAR = Period(date(2026, 1, 1), date(2027, 1, 1))


def body(**fields: object) -> dict[str, object]:
    """Return a tariff document with the fields a test is about."""
    return {"format": "gatehouse-tariff/1", "code": "test/tariff", "name": "test", "unit": "kWh", **fields}


def tariff(**fields: object) -> CompiledTariff:
    """Return a compiled tariff with the fields a test is about."""
    return compile_tariff(parse_tariff(body(**fields)))


def unit_price(price: str, **fields: object) -> CompiledTariff:
    """Return a tariff of one price per unit."""
    return tariff(charges=[{"key": "energy", "price": price}], **fields)


def graduated(bounds: list[str], prices: list[str], **fields: object) -> CompiledTariff:
    """Return a tariff of graduated tiers."""
    return tariff(tiers={"bounds": bounds}, charges=[{"key": "energy", "prices": prices}], **fields)


def usage(quantity_milli: int, prior_milli: int = 0, period: Period = JUNE) -> RatingRequest:
    """Return a request for metered usage."""
    return RatingRequest(period=period, quantity_milli=quantity_milli, prior_milli=prior_milli)


def written(compiled: CompiledTariff, source: Mapping[str, object], place: Place = SHANGHAI) -> RatingRequest:
    """Return a request written as a person writes it, June 2026 unless it says otherwise."""
    period = {} if "visits" in source else {"period": ["2026-06-01", "2026-07-01"]}
    return read_request({**period, **source}, compiled.document, place)


def stay(*visits: tuple[str, str | None], granted_minutes: int = 0, paid_at: str | None = None) -> Session:
    """Return a session of local times in Shanghai."""

    def instant(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI.zone).astimezone(UTC)

    return Session(
        visits=tuple(Visit(entry=instant(start), exit=instant(end) if end else None) for start, end in visits),
        zone=SHANGHAI.zone,
        zone_name=SHANGHAI.zone_name,
        granted_minutes=granted_minutes,
        paid_at=instant(paid_at) if paid_at else None,
    )
