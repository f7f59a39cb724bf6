"""Prices on the real database: revisions in two times, broken files refused whole, bundles for gateways."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind, Fact, PremisesKind
from cloud.estate.values import NewPremises
from cloud.fleet import service as fleet
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.kit.events import Event
from cloud.tariffs import service as tariffs
from cloud.tariffs.assignment import Effect, Target, TargetKind
from cloud.tariffs.book import PriceBook
from cloud.tariffs.bundles import publish_everywhere
from cloud.tariffs.calendars import official_calendar, record_calendar
from cloud.tariffs.charge import ChargeBasis, ChargeItem, FundClass, Nature
from cloud.tariffs.events import PricesChanged
from cloud.tariffs.service import AssignmentDraft, RevisionDraft
from common.civil import Period
from common.errors import FaultsError, RefusalError
from common.ids import ChargeItemId, CommunityId, GatewayId, LegalEntityId, MeterId, TariffId, TenantId
from common.reading.reading import Resource
from common.tariff.model import DayKind
from common.tariff.revision import NoRevisionError
from common.wire.bundle import BundleKind
from edge.prerate.prices import parse_prices
from tests.cloud.rating.documents import Document, electricity, parking
from tests.support.clock import SettableClock

NEW_YEAR, TENTH = date(2026, 1, 1), date(2026, 3, 10)
EVERYWHERE = Target(kind=TargetKind.COMMUNITY)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A community with a legal entity, a flat and its meter on a gateway."""

    database: Database
    tenant: TenantId
    actor: Actor
    clock: SettableClock
    community: CommunityId
    entity: LegalEntityId
    gateway: GatewayId
    meter: MeterId

    async def record(self, document: Document, day: date | None = NEW_YEAR) -> tuple[TariffId, int]:
        """Record a revision and return the tariff and the revision number."""
        draft = RevisionDraft(
            community_id=self.community,
            document=document,
            effective_from=day,
            basis_document="decision 1",
            decided_by="the owners",
        )
        async with self.database.unit(self.tenant, self.actor) as unit:
            tariff_id, ref = await tariffs.record_revision(unit, draft)
            unit.record("tested", "tariff", tariff_id)
        return tariff_id, ref.rev

    async def charge(self, code: str, basis: ChargeBasis, tariff_id: TariffId, target: Target) -> ChargeItemId:
        """Add a charge item and assign it."""
        async with self.database.unit(self.tenant, self.actor) as unit:
            item = self.item(code, basis, unit.new_id())
            await tariffs.add_charge_item(unit, item)
            await tariffs.assign(
                unit,
                AssignmentDraft(
                    community_id=self.community,
                    charge_item_id=item.charge_item_id,
                    target=target,
                    effective_from=NEW_YEAR,
                    tariff_id=tariff_id,
                ),
            )
        return item.charge_item_id

    def item(self, code: str, basis: ChargeBasis, item_id: UUID) -> ChargeItem:
        """Return a charge item."""
        return ChargeItem(
            charge_item_id=ChargeItemId(item_id),
            community_id=self.community,
            code=code,
            name_zh=code,
            name_en=code,
            basis=basis,
            resource=Resource.ELECTRICITY if basis is ChargeBasis.METERED else None,
            nature=Nature.AGENCY,
            fund_class=FundClass.OPERATING,
            legal_entity_id=self.entity,
            tax_code="6%",
            tax_rate_micro=60_000,
            bears_late_charge=False,
        )

    async def book(self) -> PriceBook:
        """Return the prices known now."""
        async with self.database.view(self.tenant) as session:
            return await tariffs.price_book(session, self.community, self.clock.now())


@pytest_asyncio.fixture
async def place(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Place:
    async with database.unit(tenant, actor) as unit:
        entity = await estate.add_legal_entity(unit, kind=EntityKind.COMPANY, name="物业")
        community = await estate.create_community(unit, code="lake", name="湖畔", starts=NEW_YEAR)
        new = NewPremises(
            label="1-1-101", kind=PremisesKind.RESIDENCE, effective_from=NEW_YEAR, facts={Fact.PERSONS: 3_000}
        )
        flat = await estate.add_premises(unit, community, new)
        gateway, _ = await fleet.create_gateway(unit, label="one")
        meter = await fleet.add_meter(unit, serial="E1", resource=Resource.ELECTRICITY)
        await unit.session.flush()
        await fleet.install_meter(unit, meter_id=meter, community_id=community, premises_id=flat, start=NEW_YEAR)
    return Place(
        database=database,
        tenant=tenant,
        actor=actor,
        clock=clock,
        community=community,
        entity=entity,
        gateway=gateway,
        meter=meter,
    )


async def test_the_same_document_again_is_the_same_revision_and_another_the_next(place: Place) -> None:
    first = await place.record(electricity())
    assert first[1] == 1
    assert await place.record(electricity()) == first
    assert await place.record(electricity(("0.60", "0.65", "0.90"))) == (first[0], 2)
    assert await place.record(electricity(("0.60", "0.65", "0.90")), TENTH) == (first[0], 1)


async def test_a_price_holds_from_its_day_and_is_known_from_its_recording(place: Place) -> None:
    tariff_id, _ = await place.record(electricity())
    known_before = await place.book()
    place.clock.advance(days=100)
    await place.record(electricity(("9.00", "9.10", "9.20")), TENTH)
    period = Period(date(2026, 3, 1), date(2026, 4, 1))
    assert len(known_before.parts(tariff_id, period)) == 1
    assert [days.start for days, _ in (await place.book()).parts(tariff_id, period)] == [period.start, TENTH]


async def test_a_withdrawn_price_leaves_days_without_one(place: Place) -> None:
    tariff_id, _ = await place.record(electricity())
    async with place.database.unit(place.tenant, place.actor) as unit:
        for _ in range(2):
            await tariffs.withdraw_revision(
                unit, place.community, "electricity", effective_from=NEW_YEAR, basis_document="court"
            )
    with pytest.raises(NoRevisionError):
        (await place.book()).revision_on(tariff_id, TENTH)
    with pytest.raises(NotFoundError):
        async with place.database.unit(place.tenant, place.actor) as unit:
            await tariffs.withdraw_revision(
                unit, place.community, "electricity", effective_from=TENTH, basis_document="court"
            )


async def test_a_broken_tariff_is_refused_with_all_its_faults_and_nothing_is_stored(place: Place) -> None:
    broken: dict[str, Any] = dict(electricity())
    broken["charges"] = [{"key": "energy", "tiers": {"bounds": ["4200", "2160"]}, "prices": ["0.50", "-1", "x"]}]
    broken["unit"] = "parsec"
    with pytest.raises(FaultsError) as refusal:
        await place.record(broken)
    assert len(refusal.value.faults) >= 3
    assert (await place.book()).revisions == {}


async def test_a_tariff_that_names_no_day_needs_one(place: Place) -> None:
    with pytest.raises(RefusalError, match="effective_from"):
        await place.record(electricity(), None)


async def test_a_code_of_a_charge_item_is_taken_once(place: Place) -> None:
    tariff_id, _ = await place.record(electricity())
    await place.charge("power", ChargeBasis.METERED, tariff_id, EVERYWHERE)
    with pytest.raises(ConflictError):
        await place.charge("power", ChargeBasis.METERED, tariff_id, EVERYWHERE)


@pytest.mark.parametrize(("effect", "named"), [(Effect.CHARGE, False), (Effect.EXEMPT, True), (Effect.INHERIT, True)])
async def test_an_assignment_names_a_tariff_to_charge_by_and_none_otherwise(
    place: Place, effect: Effect, *, named: bool
) -> None:
    tariff_id, _ = await place.record(electricity())
    item_id = await place.charge("power", ChargeBasis.METERED, tariff_id, EVERYWHERE)
    draft = AssignmentDraft(
        community_id=place.community,
        charge_item_id=item_id,
        target=EVERYWHERE,
        effective_from=TENTH,
        effect=effect,
        tariff_id=tariff_id if named else None,
    )
    with pytest.raises(RefusalError):
        async with place.database.unit(place.tenant, place.actor) as unit:
            await tariffs.assign(unit, draft)


async def test_one_unit_of_work_tells_of_its_changes_once(place: Place, published: list[Event]) -> None:
    tariff_id, _ = await place.record(electricity())
    published.clear()
    async with place.database.unit(place.tenant, place.actor) as unit:
        item = place.item("power", ChargeBasis.METERED, unit.new_id())
        await tariffs.add_charge_item(unit, item)
        for day in (NEW_YEAR, TENTH):
            await tariffs.assign(
                unit,
                AssignmentDraft(
                    community_id=place.community,
                    charge_item_id=item.charge_item_id,
                    target=EVERYWHERE,
                    effective_from=day,
                    tariff_id=tariff_id,
                ),
            )
    assert sum(isinstance(one, PricesChanged) for one in published) == 1


async def publish(place: Place) -> dict[str, Any]:
    """Publish prices and return the body of the newest bundle of them."""
    async with place.database.unit(place.tenant, place.actor) as unit:
        await publish_everywhere(unit)
        unit.record("tested", "gateway", place.gateway)
        bundles = await fleet.newer_bundles(unit.session, place.gateway, {}, unit.now)
    return next((dict(bundle.body) for bundle in bundles if bundle.kind is BundleKind.TARIFFS), {})


async def give_site(place: Place) -> None:
    site = {"devices": [{"meter_id": str(place.meter)}], "gate": {"lots": [{"lot": "north"}]}}
    async with place.database.unit(place.tenant, place.actor) as unit:
        await fleet.publish_bundle(unit, place.gateway, BundleKind.SITE, site)


async def test_a_gateway_gets_the_prices_of_its_own_meters_and_lots_and_can_read_them(place: Place) -> None:
    power, _ = await place.record(electricity())
    stay, _ = await place.record(parking())
    await place.charge("power", ChargeBasis.METERED, power, EVERYWHERE)
    await place.charge("stay", ChargeBasis.PARKING, stay, Target(kind=TargetKind.LOT, key="north"))
    assert await publish(place) == {}
    await give_site(place)
    prices = parse_prices(await publish(place))
    (assigned,) = prices.meters[place.meter]
    assert (assigned.charge_code, assigned.tariff_code, assigned.facts) == ("power", "electricity", {"persons": 3})
    assert prices.lots["north"].tariff_code == "parking"


async def test_a_gateway_gets_the_official_calendars_around_today_and_hears_of_a_new_one(
    place: Place, published: list[Event]
) -> None:
    stay, _ = await place.record(parking())
    await place.charge("stay", ChargeBasis.PARKING, stay, Target(kind=TargetKind.LOT, key="north"))
    await give_site(place)
    assert parse_prices(await publish(place)).calendar is None
    published.clear()
    async with place.database.unit(place.tenant, place.actor) as unit:
        this_year = unit.now.year
        for year in (this_year - 2, this_year):
            notice = {"year": year, "source": "notice", "days_off": [], "workdays": [], "statutory": []}
            await record_calendar(unit, notice, basis_document="notice")
    assert sum(isinstance(one, PricesChanged) for one in published) == 1
    calendar = parse_prices(await publish(place)).calendar
    assert calendar is not None
    assert set(calendar.years) == {this_year}


async def test_publishing_again_makes_a_new_version_only_when_something_changed(place: Place) -> None:
    power, _ = await place.record(electricity())
    await place.charge("power", ChargeBasis.METERED, power, EVERYWHERE)
    await give_site(place)
    first = await publish(place)
    assert await publish(place) == first
    await place.record(electricity(("0.60", "0.65", "0.90")), TENTH)
    assert len((await publish(place))["revisions"]) == len(first["revisions"]) + 1


async def test_two_communities_that_mean_different_things_by_one_code_do_not_mix(
    place: Place, database: Database
) -> None:
    power, _ = await place.record(electricity())
    await place.charge("power", ChargeBasis.METERED, power, EVERYWHERE)
    async with database.unit(place.tenant, place.actor) as unit:
        other = await estate.create_community(unit, code="hill", name="山庄", starts=NEW_YEAR)
        draft = RevisionDraft(
            community_id=other,
            document=electricity(("0.70", "0.75", "0.99")),
            effective_from=NEW_YEAR,
            basis_document="decision 2",
            decided_by="the owners",
        )
        tariff_id, _ = await tariffs.record_revision(unit, draft)
        item = place.item("power", ChargeBasis.METERED, unit.new_id())
        new = NewPremises(label="2", kind=PremisesKind.RESIDENCE, effective_from=NEW_YEAR)
        flat = await estate.add_premises(unit, other, new)
        meter = await fleet.add_meter(unit, serial="E2", resource=Resource.ELECTRICITY)
        await unit.session.flush()
        await fleet.install_meter(unit, meter_id=meter, community_id=other, premises_id=flat, start=NEW_YEAR)
        await tariffs.add_charge_item(
            unit, ChargeItem(**{name: getattr(item, name) for name in item.__slots__} | {"community_id": other})
        )
        await tariffs.assign(
            unit,
            AssignmentDraft(
                community_id=other,
                charge_item_id=item.charge_item_id,
                target=EVERYWHERE,
                effective_from=NEW_YEAR,
                tariff_id=tariff_id,
            ),
        )
        site = {"devices": [{"meter_id": str(place.meter)}, {"meter_id": str(meter)}]}
        await fleet.publish_bundle(unit, place.gateway, BundleKind.SITE, site)
    prices = parse_prices(await publish(place))
    names = {prices.meters[one][0].tariff_code for one in (place.meter, meter)}
    assert names == {"lake/electricity", "hill/electricity"}


async def test_a_calendar_is_known_from_its_recording_and_a_year_without_one_is_not_guessed(place: Place) -> None:
    notice = {
        "year": 2026,
        "source": "notice of the State Council",
        "days_off": [{"from": "2026-01-01", "to": "2026-01-03"}],
        "workdays": ["2026-01-04"],
        "statutory": ["2026-01-01"],
    }
    async with place.database.unit(place.tenant, place.actor) as unit:
        assert await record_calendar(unit, notice, basis_document="notice") == 1
        assert await record_calendar(unit, notice, basis_document="notice") == 1
    async with place.database.view(place.tenant) as session:
        known = await official_calendar(session, Period(NEW_YEAR, TENTH), place.clock.now())
        unknown = await official_calendar(session, Period(NEW_YEAR, TENTH), place.clock.now() - timedelta(days=1))
    assert unknown is None
    assert known is not None
    assert known.calendar.kind_of(date(2026, 1, 4)) is DayKind.WORKDAY
