"""A small estate and a price book by hand: rated items as rating would hand them over, of amounts the test chooses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import count
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.estate.kinds import PartyKind, PremisesKind, Role
from cloud.estate.values import NewPremises
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.rating.lines import ExceptionKind, RatedItem, RatingException, RatingOutcome
from cloud.tariffs.charge import ChargeBasis, FundClass, Nature
from common.civil import Period, nth_period
from common.ids import ChargeItemId, CommunityId, LegalEntityId, MeterId, PartyId, PremisesId, TariffId, TenantId
from common.money.amount import CNY
from common.rating.line import Component, ComponentKind, RatedLine
from common.tariff.model import Words
from common.tariff.revision import RevisionRef

START = date(2026, 1, 1)
MONTHS = tuple(nth_period(START, n) for n in range(24))
COMPANY = LegalEntityId(UUID(int=0xE0))
COMMITTEE = LegalEntityId(UUID(int=0xE1))
SHOP = UUID(int=0x5E)
SHA = "ab" * 32
Flat = tuple[PremisesId, PartyId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A charge item of the test's price book."""

    code: str
    number: int
    basis: ChargeBasis = ChargeBasis.METERED
    nature: Nature = Nature.REVENUE
    fund_class: FundClass = FundClass.OPERATING
    entity: LegalEntityId = COMPANY
    tax_rate_micro: int = 60_000

    @property
    def id(self) -> ChargeItemId:
        return ChargeItemId(UUID(int=0x1000 + self.number))


ELECTRICITY = Item(code="electricity", number=1, nature=Nature.AGENCY, tax_rate_micro=130_000)
SERVICE = Item(code="service", number=2, basis=ChargeBasis.AREA)
WATER = Item(code="water", number=3)
FUND = Item(code="maintenance", number=4, nature=Nature.LIABILITY, fund_class=FundClass.MAINTENANCE, entity=COMMITTEE)


def rated(
    flat: Flat, item: Item, period: Period, fen: int, *, meter: MeterId | None = None, session: UUID | None = None
) -> RatedItem:
    words = Words(zh="用量", en="usage")
    component = Component(
        kind=ComponentKind.UNIT,
        key="unit",
        charge=item.code,
        label=words,
        amount=Fraction(fen),
        fen=fen,
        quantity=Fraction(fen),
        unit="kWh",
        price_micro=10_000,
    )
    line = RatedLine(
        tariff_code=item.code,
        body_sha=SHA,
        plan=words,
        currency=CNY,
        period=period,
        amount_fen=fen,
        components=(component,),
        input_sha=SHA,
        engine_version=1,
        exact=Fraction(fen),
    )
    return RatedItem(
        premises_id=flat[0],
        party_id=flat[1],
        charge_item_id=item.id,
        charge_code=item.code,
        charge_name_zh=item.code,
        charge_name_en=item.code,
        kind=item.basis,
        nature=item.nature,
        fund_class=item.fund_class,
        legal_entity_id=item.entity,
        tax_code="3040801",
        tax_rate_micro=item.tax_rate_micro,
        bears_late_charge=True,
        service=period,
        line=line,
        tariff_id=TariffId(UUID(int=7)),
        revision=RevisionRef(tariff_code=item.code, effective_from=START, rev=1, body_sha=SHA),
        input_sha=SHA,
        quantity_milli=fen * 1000,
        meter_id=meter,
        session_id=session,
    )


@dataclass(slots=True)
class PriceBook:
    """A rater that knows each amount by heart; what is unknown is an exception, never a zero."""

    amounts: dict[tuple[Flat, Item, Period], int] = field(default_factory=dict)
    unknown: set[tuple[PremisesId, Item, date]] = field(default_factory=set)
    calls: int = 0

    def set(self, flat: Flat, item: Item, period: Period, fen: int) -> None:
        self.amounts[flat, item, period] = fen

    async def __call__(
        self,
        session: AsyncSession,
        *,
        community_id: CommunityId,
        period: Period,
        known_at: datetime,
        premises: frozenset[PremisesId] | None = None,
    ) -> RatingOutcome:
        del session, community_id, known_at
        self.calls += 1
        items = [
            rated(flat, item, service, fen)
            for (flat, item, service), fen in self.amounts.items()
            if period.overlap(service)
            and (premises is None or flat[0] in premises)
            and (flat[0], item, period.start) not in self.unknown
        ]
        exceptions = [
            RatingException(
                premises_id=premises_id,
                charge_item_id=item.id,
                kind=ExceptionKind.NO_READING,
                detail_zh="缺少读数",
                detail_en="a reading is missing",
            )
            for premises_id, item, start in sorted(self.unknown, key=lambda u: (u[0], u[1].code, u[2]))
            if start == period.start and (premises is None or premises_id in premises)
        ]
        return RatingOutcome(items=tuple(items), exceptions=tuple(exceptions), inputs=())

    async def each(
        self,
        session: AsyncSession,
        *,
        community_id: CommunityId,
        periods: Sequence[Period],
        known_at: datetime,
        premises: frozenset[PremisesId] | None = None,
    ) -> tuple[RatingOutcome, ...]:
        return tuple(
            [
                await self(session, community_id=community_id, period=period, known_at=known_at, premises=premises)
                for period in periods
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A community with flats that each have an owner."""

    database: Database
    worker_database: Database
    tenant: TenantId
    actor: Actor
    community_id: CommunityId
    flats: tuple[Flat, ...]


async def build_site(database: Database, worker_database: Database, tenant: TenantId, actor: Actor, flats: int) -> Site:
    async with database.unit(tenant, actor) as unit:
        community_id = await estate.create_community(unit, code="GARDEN", name="花园", starts=START, zone="UTC")
        built = []
        for number in range(1, flats + 1):
            premises_id = await estate.add_premises(
                unit,
                community_id,
                NewPremises(label=f"1-1-{number:03d}", kind=PremisesKind.RESIDENCE, effective_from=START),
            )
            party_id = await estate.add_party(unit, kind=PartyKind.ORGANISATION, name=f"owner {number}")
            await estate.relate(unit, party_id=party_id, premises_id=premises_id, role=Role.OWNER, starts=START)
            built.append((premises_id, party_id))
    return Site(
        database=database,
        worker_database=worker_database,
        tenant=tenant,
        actor=actor,
        community_id=community_id,
        flats=tuple(built),
    )


def counted_bytes() -> Callable[[int], bytes]:
    """Return a source of bytes that is the same in every run."""
    numbers = count()
    return lambda length: hashlib.sha256(str(next(numbers)).encode()).digest()[:length]


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
