"""A small community in memory: premises, payers, meters, registers and prices, built by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from cloud.estate.kinds import Fact, PremisesKind
from cloud.estate.values import PayerSpan, Premises
from cloud.metering.registers import BILLED_QUANTITY, RegisterBook
from cloud.metering.sessions import UsageSession
from cloud.metering.usage import RegisterRef
from cloud.rating.drafts import Draft
from cloud.rating.lines import RatingException
from cloud.rating.scope import Desk, PlacedMeter, Scope
from cloud.rating.segments import Segment, segments_of
from cloud.tariffs.assignment import Assignment, AssignmentBook, Effect, Target, TargetKind
from cloud.tariffs.book import PriceBook
from cloud.tariffs.charge import ChargeBasis, ChargeItem, FundClass, Nature
from cloud.tariffs.facts import tariff_facts
from cloud.tariffs.pool import PoolRevision
from common.civil import Period, midnight
from common.ids import BuildingId, ChargeItemId, CommunityId, LegalEntityId, MeterId, PartyId, PremisesId, TariffId
from common.reading.reading import Quality, Quantity, Resource
from common.tariff.compile import CompiledTariff, compile_tariff
from common.tariff.document import parse_tariff
from common.tariff.revision import KnownRevision, RevisionRef
from tests.cloud.rating.documents import Document

ZONE = ZoneInfo("Asia/Shanghai")
COMMUNITY = CommunityId(UUID(int=0xC0))
KNOWN_AT = datetime(2027, 1, 1, tzinfo=UTC)
RECORDED = datetime(2025, 12, 1, tzinfo=UTC)
BUILDING = BuildingId(UUID(int=0xB1))
JANUARY = Period(date(2026, 1, 1), date(2026, 2, 1))
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))
APRIL = Period(date(2026, 4, 1), date(2026, 5, 1))
EVERYWHERE = Target(kind=TargetKind.COMMUNITY)
_NEW_YEAR = date(2026, 1, 1)


def flat(number: int) -> PremisesId:
    return PremisesId(UUID(int=0xF000 + number))


def party(number: int) -> PartyId:
    return PartyId(UUID(int=0xA000 + number))


def meter_id(number: int) -> MeterId:
    return MeterId(UUID(int=0x3000 + number))


def item(code: str, basis: ChargeBasis, resource: Resource | None = None) -> ChargeItem:
    return ChargeItem(
        charge_item_id=ChargeItemId(UUID(int=int.from_bytes(code[:8].encode()))),
        community_id=COMMUNITY,
        code=code,
        name_zh=code,
        name_en=code,
        basis=basis,
        resource=resource,
        nature=Nature.REVENUE,
        fund_class=FundClass.OPERATING,
        legal_entity_id=LegalEntityId(UUID(int=1)),
        tax_code="6%",
        tax_rate_micro=60_000,
        bears_late_charge=True,
    )


def tariff_of(code: str) -> TariffId:
    return TariffId(UUID(int=int.from_bytes(code[:8].encode()) + 1))


def meter(number: int, place: PremisesId | None, resource: Resource = Resource.ELECTRICITY) -> PlacedMeter:
    return PlacedMeter(
        meter_id=meter_id(number),
        resource=resource,
        premises_id=place,
        multiplier_milli=1000,
        digits=6,
        start=_NEW_YEAR,
        end=None,
        parent_meter_id=None,
    )


@dataclass
class Town:
    """What tests put together; `desk` lays it out as rating sees it."""

    period: Period = MARCH
    items: list[ChargeItem] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    revisions: dict[TariffId, list[KnownRevision]] = field(default_factory=dict)
    compiled: dict[str, CompiledTariff] = field(default_factory=dict)
    pools: list[PoolRevision] = field(default_factory=list)
    premises: list[Premises] = field(default_factory=list)
    payers: dict[PremisesId, tuple[PayerSpan, ...]] = field(default_factory=dict)
    meters: list[PlacedMeter] = field(default_factory=list)
    registers: dict[tuple[MeterId, Quantity], list[RegisterRef]] = field(default_factory=dict)
    sessions: list[UsageSession] = field(default_factory=list)
    earlier_sessions: list[UsageSession] = field(default_factory=list)
    known_at: datetime = KNOWN_AT

    def live(self, number: int, area: int | None = 100_000, **spans: tuple[date, date]) -> PremisesId:
        """Add a flat with its area in thousandths and its payers by party number, `p1=(start, end)`."""
        place = flat(number)
        facts = {} if area is None else {Fact.AREA: area}
        self.premises.append(
            Premises(
                id=place,
                community_id=COMMUNITY,
                building_id=BUILDING,
                label=f"1-1-{number}",
                kind=PremisesKind.RESIDENCE,
                facts=facts,
            )
        )
        owed = spans or {f"p{number}": (self.period.start, self.period.end)}
        self.payers[place] = tuple(
            PayerSpan(premises_id=place, party_id=party(int(name[1:])), start=start, end=end)
            for name, (start, end) in owed.items()
        )
        return place

    def price(self, document: Document, day: date = _NEW_YEAR, *, rev: int = 1, at: datetime = RECORDED) -> TariffId:
        """Record a revision."""
        compiled = compile_tariff(parse_tariff(document))
        tariff_id = tariff_of(compiled.code)
        ref = RevisionRef(tariff_code=compiled.code, effective_from=day, rev=rev, body_sha=compiled.body_sha)
        self.revisions.setdefault(tariff_id, []).append(KnownRevision(ref=ref, recorded_at=at))
        self.compiled[compiled.body_sha] = compiled
        return tariff_id

    def charge(
        self,
        what: ChargeItem,
        tariff_id: TariffId | None,
        *,
        target: Target = EVERYWHERE,
        day: date = _NEW_YEAR,
        effect: Effect = Effect.CHARGE,
    ) -> ChargeItem:
        """Assign a charge item."""
        if what not in self.items:
            self.items.append(what)
        self.assignments.append(
            Assignment(
                charge_item_id=what.charge_item_id,
                target=target,
                effective_from=day,
                rev=1,
                effect=effect,
                tariff_id=tariff_id,
                recorded_at=RECORDED,
            )
        )
        return what

    def read(self, placed: PlacedMeter, registers: Mapping[date, int], quality: Quality = Quality.GOOD) -> PlacedMeter:
        """Install a meter with its registers at midnights, in milli-units."""
        if placed not in self.meters:
            self.meters.append(placed)
        key = (placed.meter_id, BILLED_QUANTITY[placed.resource])
        for day, value in registers.items():
            ref = RegisterRef(
                meter_id=placed.meter_id,
                quantity=key[1],
                read_at=midnight(day, ZONE),
                value_milli=value,
                quality=quality,
                block_day=day,
                block_rev=1,
            )
            self.registers.setdefault(key, []).append(ref)
        return placed

    def show(self, placed: PlacedMeter, quantity: Quantity, registers: Mapping[datetime, int]) -> None:
        """Let an installed meter show a register at instants, in milli-units."""
        known = self.registers.setdefault((placed.meter_id, quantity), [])
        for instant, value in registers.items():
            known.append(
                RegisterRef(
                    meter_id=placed.meter_id,
                    quantity=quantity,
                    read_at=instant,
                    value_milli=value,
                    quality=Quality.GOOD,
                )
            )

    def replace_meter(self, old: PlacedMeter, day: date, new: PlacedMeter) -> PlacedMeter:
        """End one meter on a day and begin another; returns the new one as placed."""
        self.meters[self.meters.index(old)] = replace(old, end=day)
        begun = replace(new, start=day)
        self.meters.append(begun)
        return begun

    def scope(self) -> Scope:
        """Return the scope."""
        placed: dict[PremisesId, list[PlacedMeter]] = {}
        for one in self.meters:
            if one.premises_id is not None:
                placed.setdefault(one.premises_id, []).append(one)
        return Scope(
            community_id=COMMUNITY,
            zone=ZONE,
            zone_name="Asia/Shanghai",
            period=self.period,
            known_at=self.known_at,
            prices=PriceBook(
                known_at=self.known_at,
                items={one.charge_item_id: one for one in self.items},
                assignments=AssignmentBook(self.assignments, self.known_at),
                revisions={key: tuple(known) for key, known in self.revisions.items()},
                compiled=self.compiled,
                pools=tuple(self.pools),
            ),
            premises=tuple(self.premises),
            payers=self.payers,
            meters={key: tuple(ones) for key, ones in placed.items()},
            public_meters=tuple(one for one in self.meters if one.premises_id is None),
            sessions=tuple(self.sessions),
            earlier_sessions=tuple(self.earlier_sessions),
            calendar=None,
        )

    def desk(self) -> Desk:
        """Return the desk, with the same facts on every day of the period."""
        facts = {place.id: tariff_facts(place.facts) for place in self.premises}
        days = (self.period.start + timedelta(days=n) for n in range(self.period.days + 1))
        book = RegisterBook(self.registers, {}, ZONE)
        return Desk(scope=self.scope(), registers=book, intervals=book, facts=dict.fromkeys(days, facts))

    def segments(self, what: ChargeItem, number: int = 1) -> list[Segment | RatingException]:
        """Return the segments of a charge item at one flat."""
        place = next(one for one in self.premises if one.id == flat(number))
        return list(segments_of(self.scope(), what, place))


def only_segments(found: Sequence[Segment | RatingException]) -> list[Segment]:
    """Return the segments and insist that nothing else was found."""
    assert all(isinstance(one, Segment) for one in found), found
    return [one for one in found if isinstance(one, Segment)]


def only_drafts(found: Sequence[Draft | RatingException]) -> list[Draft]:
    """Return the drafts and insist that nothing else was found."""
    assert all(isinstance(one, Draft) for one in found), found
    return [one for one in found if isinstance(one, Draft)]


def only_exceptions(found: Sequence[Draft | Segment | RatingException]) -> list[RatingException]:
    """Return the exceptions and insist that nothing else was found."""
    assert all(isinstance(one, RatingException) for one in found), found
    return [one for one in found if isinstance(one, RatingException)]
