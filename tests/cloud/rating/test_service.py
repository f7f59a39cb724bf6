"""Rating a community on the real database: what goes in by services comes out as items, exceptions and kept inputs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
import pytest_asyncio
from sqlalchemy import event

from cloud.cases import service as cases
from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind, Fact, PartyKind, PremisesKind, Role
from cloud.estate.values import NewPremises
from cloud.fleet import service as fleet
from cloud.kit.actor import Actor
from cloud.kit.db import Database, Unit
from cloud.kit.errors import NotFoundError
from cloud.kit.events import Event
from cloud.metering.corrections import Correction, revise_reading
from cloud.metering.events import EstimatesStored
from cloud.metering.service import store_readings
from cloud.metering.unpacking import MeterHome
from cloud.rating.lines import ExceptionKind, RatingOutcome
from cloud.rating.service import check_estimates, inputs, keep, rate_period, replayed
from cloud.tariffs import service as tariffs
from cloud.tariffs.charge import ChargeBasis
from cloud.tariffs.service import AssignmentDraft, PoolDraft, RevisionDraft
from common.civil import Period
from common.ids import ChargeItemId, CommunityId, LegalEntityId, MeterId, PartyId, PremisesId, TenantId
from common.rating.plain import line_to_plain
from common.reading.reading import Quantity, Resource
from common.tariff.canonical import canonical_json
from common.tariff.document import parse_tariff
from common.wire.records import ProvisionalLine
from tests.cloud.metering.building import ZONE, at, batch, column
from tests.cloud.rating.documents import Document, area_fee, electricity, public_energy
from tests.cloud.rating.town import EVERYWHERE, JANUARY, item
from tests.support.clock import SettableClock

NEW_YEAR, TENTH, FEBRUARY = date(2026, 1, 1), date(2026, 1, 10), date(2026, 2, 1)
KNOWN_AT = datetime(2026, 3, 1, tzinfo=UTC)
KWH = 1000


@dataclass(frozen=True, kw_only=True)
class Village:
    """Two flats and a public meter: flat one is sold on the tenth, flat two used nothing unusual."""

    tenant: TenantId
    community: CommunityId
    flats: tuple[PremisesId, PremisesId]
    seller: PartyId
    buyer: PartyId
    neighbour: PartyId
    meters: tuple[MeterId, MeterId, MeterId]


async def add_flat(unit: Unit, community: CommunityId, label: str, area_milli: int) -> PremisesId:
    facts = {Fact.AREA: area_milli}
    new = NewPremises(label=label, kind=PremisesKind.RESIDENCE, facts=facts, effective_from=NEW_YEAR)
    return await estate.add_premises(unit, community, new)


async def charge(
    unit: Unit, community: CommunityId, entity: LegalEntityId, basis: ChargeBasis, document: Document
) -> ChargeItemId:
    resource = Resource.ELECTRICITY if basis is ChargeBasis.METERED else None
    made = replace(
        item(document["code"], basis, resource),
        charge_item_id=ChargeItemId(unit.new_id()),
        community_id=community,
        legal_entity_id=entity,
    )
    await tariffs.add_charge_item(unit, made)
    draft = RevisionDraft(
        community_id=community,
        document=document,
        effective_from=NEW_YEAR,
        basis_document="decision 1",
        decided_by="the owners",
    )
    tariff_id, _ = await tariffs.record_revision(unit, draft)
    await tariffs.assign(
        unit,
        AssignmentDraft(
            community_id=community,
            charge_item_id=made.charge_item_id,
            target=EVERYWHERE,
            effective_from=NEW_YEAR,
            tariff_id=tariff_id,
        ),
    )
    return made.charge_item_id


@pytest_asyncio.fixture
async def village(database: Database, tenant: TenantId, actor: Actor) -> Village:
    async with database.unit(tenant, actor) as unit:
        entity = await estate.add_legal_entity(unit, kind=EntityKind.COMPANY, name="业主委员会")
        community = await estate.create_community(unit, code="lake", name="湖畔", starts=NEW_YEAR)
        flats = (
            await add_flat(unit, community, "1-1-101", 100_000),
            await add_flat(unit, community, "1-1-102", 60_000),
        )
        seller, buyer, neighbour = [
            await estate.add_party(unit, kind=PartyKind.ORGANISATION, name=name) for name in ("甲", "乙", "丙")
        ]
        for flat_id, owner in zip(flats, (seller, neighbour), strict=True):
            await estate.relate(unit, party_id=owner, premises_id=flat_id, role=Role.OWNER, starts=NEW_YEAR)
        await estate.sell(unit, premises_id=flats[0], from_party=seller, to_party=buyer, day=TENTH)
        meters = []
        for serial, place in (("E1", flats[0]), ("E2", flats[1]), ("P1", None)):
            meter_id = await fleet.add_meter(unit, serial=serial, resource=Resource.ELECTRICITY)
            await unit.session.flush()
            await fleet.install_meter(
                unit, meter_id=meter_id, community_id=community, premises_id=place, start=NEW_YEAR
            )
            meters.append(meter_id)
        await charge(unit, community, entity, ChargeBasis.AREA, area_fee())
        await charge(unit, community, entity, ChargeBasis.METERED, electricity())
        shared = await charge(unit, community, entity, ChargeBasis.SHARE, public_energy())
        await tariffs.record_pool(
            unit,
            PoolDraft(community_id=community, charge_item_id=shared, meter_id=meters[2], effective_from=NEW_YEAR),
        )
    return Village(
        tenant=tenant,
        community=community,
        flats=flats,
        seller=seller,
        buyer=buyer,
        neighbour=neighbour,
        meters=(meters[0], meters[1], meters[2]),
    )


async def read(
    database: Database, village: Village, actor: Actor, first: list[int | None], second: list[int | None]
) -> None:
    """Store daily registers of both flats and a public meter that counts ten a day."""
    columns = [
        column(0, at(NEW_YEAR), first),
        column(1, at(NEW_YEAR), second),
        column(2, at(NEW_YEAR), [n * 10 * KWH for n in range(32)]),
    ]
    content = batch(1, at(FEBRUARY, 1), columns, meters=village.meters)
    homes = {one: MeterHome(community_id=village.community, zone=ZONE) for one in village.meters}
    async with database.unit(village.tenant, actor) as unit:
        await store_readings(unit, content, homes)


def month(daily_kwh: int) -> list[int | None]:
    return [n * daily_kwh * KWH for n in range(32)]


async def outcome(database: Database, village: Village, premises: list[PremisesId] | None = None) -> RatingOutcome:
    async with database.view(village.tenant) as session:
        return await rate_period(
            session, community_id=village.community, period=JANUARY, known_at=KNOWN_AT, premises=premises
        )


async def test_periods_rated_together_come_to_what_each_comes_to_alone(
    database: Database, village: Village, actor: Actor
) -> None:
    await read(database, village, actor, month(10), month(2))
    days = [NEW_YEAR, date(2026, 1, 8), date(2026, 1, 21), FEBRUARY, date(2026, 3, 1)]
    periods = [Period(start, end) for start, end in pairwise(days)]
    for premises in (None, village.flats[:1]):
        async with database.view(village.tenant) as session:
            together = await rate_period.each(
                session, community_id=village.community, periods=periods, known_at=KNOWN_AT, premises=premises
            )
            alone = [
                await rate_period(
                    session, community_id=village.community, period=period, known_at=KNOWN_AT, premises=premises
                )
                for period in periods
            ]
        assert list(together) == alone
        assert all(one.items for one in together[:3])
        assert together[3].exceptions  # nothing was read in February


async def test_a_month_of_a_community_is_rated_from_what_the_services_were_told(
    database: Database, village: Village, actor: Actor
) -> None:
    await read(database, village, actor, month(10), month(2))
    rated = await outcome(database, village)
    assert rated.exceptions == ()
    found = {(one.party_id, one.charge_code): one.line.amount_fen for one in rated.items}
    assert found == {
        (village.seller, "area-fee"): 58_06,
        (village.buyer, "area-fee"): 141_94,
        (village.neighbour, "area-fee"): 120_00,
        (village.seller, "electricity"): 45_00,  # nine days of ten
        (village.buyer, "electricity"): 110_00,
        (village.neighbour, "electricity"): 31_00,
        (village.seller, "public-energy"): 31_43,  # 310 x 0.5588 = 173.23, 100/160 of it, 9/31 of that
        (village.buyer, "public-energy"): 76_84,
        (village.neighbour, "public-energy"): 64_96,
    }
    assert [split.total_fen for split in rated.apportionments] == [173_23]


async def test_a_meter_that_was_not_read_is_an_exception_and_the_rest_is_rated(
    database: Database, village: Village, actor: Actor
) -> None:
    await read(database, village, actor, month(10), [n * 2 * KWH for n in range(31)])
    rated = await outcome(database, village)
    assert [(one.kind, one.premises_id, one.object_id) for one in rated.exceptions] == [
        (ExceptionKind.NO_READING, village.flats[1], village.meters[1])
    ]
    assert len(rated.items) == 8


async def test_rated_again_from_the_same_knowledge_it_is_the_same_to_the_byte(
    database: Database, village: Village, actor: Actor, clock: SettableClock
) -> None:
    clock.set(KNOWN_AT - timedelta(days=20))
    await read(database, village, actor, month(10), month(2))
    first = await outcome(database, village)
    clock.set(KNOWN_AT + timedelta(days=5))
    async with database.unit(village.tenant, actor) as unit:
        await revise_reading(
            unit,
            Correction(
                community_id=village.community,
                meter_id=village.meters[1],
                quantity=Quantity.ENERGY_FORWARD,
                read_at=at(FEBRUARY),
                value_milli=55 * KWH,
                reason="misread",
            ),
        )
    assert await outcome(database, village) == first


async def test_inputs_are_kept_once_under_their_own_hash(database: Database, village: Village, actor: Actor) -> None:
    await read(database, village, actor, month(10), month(2))
    rated = await outcome(database, village)
    for _ in range(2):
        async with database.unit(village.tenant, actor) as unit:
            await keep(unit, village.community, rated)
    async with database.view(village.tenant) as session:
        kept = await inputs(session, village.community, [one.sha for one in rated.inputs])
    assert set(kept.values()) == set(rated.inputs)
    assert all(hashlib.sha256(one.body).hexdigest() == sha for sha, one in kept.items())
    assert {one.input_sha for one in rated.items} <= set(kept)


async def test_a_kept_input_rated_again_gives_the_same_lines_to_the_byte_whatever_was_recorded_since(
    database: Database, village: Village, actor: Actor, clock: SettableClock
) -> None:
    await read(database, village, actor, month(10), month(2))
    rated = await outcome(database, village)
    async with database.unit(village.tenant, actor) as unit:
        await keep(unit, village.community, rated)
    clock.advance(days=90)
    async with database.unit(village.tenant, actor) as unit:
        dearer = RevisionDraft(
            community_id=village.community,
            document=area_fee("9.00"),
            effective_from=NEW_YEAR,
            basis_document="decision 2",
            decided_by="the owners",
        )
        await tariffs.record_revision(unit, dearer)
    billed: dict[str, list[bytes]] = {}
    for one in rated.items:
        billed.setdefault(one.input_sha, []).append(canonical_json(line_to_plain(one.line)))
    async with database.view(village.tenant) as session:
        for sha, lines in billed.items():
            again = await replayed(session, village.community, sha)
            assert [canonical_json(line_to_plain(line)) for line in again] == lines
        with pytest.raises(NotFoundError):
            await replayed(session, village.community, "0" * 64)


async def test_asked_for_one_flat_only_its_items_come_and_the_pool_is_still_split_over_all(
    database: Database, village: Village, actor: Actor
) -> None:
    await read(database, village, actor, month(10), month(2))
    whole = await outcome(database, village)
    part = await outcome(database, village, [village.flats[1]])
    assert part.items == tuple(one for one in whole.items if one.premises_id == village.flats[1])


async def test_the_count_of_statements_does_not_grow_with_the_count_of_flats(
    database: Database, village: Village, actor: Actor
) -> None:
    await read(database, village, actor, month(10), month(2))
    before = await statements(database, village)
    async with database.unit(village.tenant, actor) as unit:
        for number in range(12):
            flat_id = await add_flat(unit, village.community, f"1-2-{number}", 50_000)
            await estate.relate(unit, party_id=village.neighbour, premises_id=flat_id, role=Role.OWNER, starts=NEW_YEAR)
            meter_id = await fleet.add_meter(unit, serial=f"F{number}", resource=Resource.ELECTRICITY)
            await unit.session.flush()
            await fleet.install_meter(
                unit, meter_id=meter_id, community_id=village.community, premises_id=flat_id, start=NEW_YEAR
            )
    assert await statements(database, village) == before


async def statements(database: Database, village: Village) -> int:
    """Return how many statements one rating sends."""
    counted = 0

    def count(*_: object) -> None:
        nonlocal counted
        counted += 1

    engine = database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        await outcome(database, village)
    finally:
        event.remove(engine, "before_cursor_execute", count)
    return counted


async def test_another_company_rates_nothing_of_ours(
    database: Database, village: Village, other_tenant: TenantId, actor: Actor
) -> None:
    await read(database, village, actor, month(10), month(2))
    with pytest.raises(Exception, match="no community"):
        await outcome(database, replace(village, tenant=other_tenant))


def estimate(village: Village, meter: int, usage_kwh: int, amount_fen: int, sha: str) -> ProvisionalLine:
    return ProvisionalLine(
        meter_id=village.meters[meter],
        charge_code="electricity",
        period_start="2026-01-01",
        period_end="2026-02-01",
        usage_milli=usage_kwh * KWH,
        amount_fen=amount_fen,
        tariff_code="electricity",
        tariff_from="2026-01-01",
        tariff_rev=1,
        tariff_sha=sha,
        input_sha="",
    )


async def told(database: Database, village: Village, actor: Actor, sequence: int, *lines: ProvisionalLine) -> int:
    """Store estimates, compare them, and return how many differ."""
    content = batch(sequence, at(FEBRUARY, sequence), [], meters=village.meters, records=lines)
    homes = {one: MeterHome(community_id=village.community, zone=ZONE) for one in village.meters}
    async with database.unit(village.tenant, actor) as unit:
        await store_readings(unit, content, homes)
    async with database.unit(village.tenant, actor) as unit:
        return await check_estimates(unit, village.community, JANUARY)


async def test_an_estimate_that_differs_from_the_cloud_is_an_alarm_until_it_agrees(
    database: Database, village: Village, actor: Actor, clock: SettableClock, published: list[Event]
) -> None:
    clock.set(at(FEBRUARY, 1))
    await read(database, village, actor, month(10), month(2))
    sha = parse_tariff(electricity()).body_sha
    right = estimate(village, 0, 310, 155_00, sha)
    assert await told(database, village, actor, 2, right, estimate(village, 1, 62, 30_00, sha)) == 1
    assert [one.period for one in published if isinstance(one, EstimatesStored)] == [JANUARY]
    async with database.view(village.tenant) as session:
        (case,) = await cases.open_cases(session)
    assert (case.reason, case.object_id) == ("estimate_differs", village.meters[1])
    assert "30.00" in case.detail_en
    assert "31.00" in case.detail_en
    clock.advance(hours=1)
    assert await told(database, village, actor, 3, estimate(village, 1, 62, 31_00, sha)) == 0
    async with database.view(village.tenant) as session:
        assert await cases.open_cases(session) == ()


async def test_an_estimate_of_other_usage_at_the_same_amount_is_an_alarm_too(
    database: Database, village: Village, actor: Actor, clock: SettableClock
) -> None:
    clock.set(at(FEBRUARY, 1))
    await read(database, village, actor, month(10), month(2))
    assert await told(database, village, actor, 2, estimate(village, 1, 63, 31_00, "")) == 1


async def test_an_estimate_whose_registers_the_cloud_does_not_have_is_left_to_the_bill_run(
    database: Database, village: Village, actor: Actor, clock: SettableClock
) -> None:
    clock.set(at(FEBRUARY, 1))
    assert await told(database, village, actor, 1, estimate(village, 0, 310, 155_00, "")) == 0
