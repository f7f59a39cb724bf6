"""From readings and stays to issued bill lines: time of use by readings, and a parking cap across visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest_asyncio

from cloud.billing import runs, service
from cloud.billing.documents import BillView
from cloud.billing.runs import RunRater
from cloud.ingest.service import BatchRef, Ingest, open_batch
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.metering.claims import record_session
from cloud.metering.service import store_readings
from cloud.metering.sessions import SessionKind, UsageSession
from cloud.metering.tasks import homes_of
from cloud.rating.service import keep, rate_period, replayed
from cloud.tariffs import service as tariffs
from cloud.tariffs.service import RevisionDraft
from common.ids import TenantId
from common.reading.reading import Quantity
from common.wire import codec
from common.wire.batch import Column, Series
from common.wire.signing import Purpose, sign
from tests.cloud.billing.lakeside import CLOUD_KEY, JANUARY, LOT, Lakeside, build_lakeside
from tests.cloud.metering.building import at, column
from tests.cloud.rating.documents import parking, time_of_use
from tests.support.clock import SettableClock

QUARTER_MS = 900_000
CAR = UUID(int=0xCA)
FIRST, TENTH = JANUARY.start, date(2026, 1, 10)


@pytest_asyncio.fixture
async def lake(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Lakeside:
    built = await build_lakeside(database, tenant, actor, clock)
    capped = {"blocks": [{"every": 60, "price": "5.00"}], "cut": "calendar_day", "day_cap": "20.00"}
    async with database.unit(tenant, actor) as unit:
        for document in ({**time_of_use(), "code": "electricity"}, {**parking(), "session": capped}):
            draft = RevisionDraft(
                community_id=built.community_id,
                document=document,
                effective_from=FIRST,
                basis_document="decision 2",
                decided_by="the owners",
            )
            await tariffs.record_revision(unit, draft)
    return built


async def send(lake: Lakeside, quantities: Sequence[Quantity], columns: Sequence[Column]) -> None:
    """Let the gateway sign and the cloud unpack the registers of January."""
    content = lake.gateway.content((), (lake.meter_id,))
    series = [Series(meter_id=lake.meter_id, quantity=str(one), unit="kWh", profile="p@1") for one in quantities]
    whole = replace(content, series=tuple(series), columns=tuple(columns), rows=())
    signed = sign(lake.gateway.key, Purpose.BATCH, codec.pack_content(whole))
    await Ingest(lake.database, CLOUD_KEY).take(codec.pack_parcel(signed, []))
    async with lake.database.unit(lake.tenant, lake.actor) as unit:
        ref = BatchRef(gateway_id=lake.gateway.gateway_id, epoch=lake.gateway.epoch, sequence=1)
        stored = await open_batch(unit.session, ref)
        await store_readings(unit, stored, await homes_of(unit.session, stored))


async def bill(lake: Lakeside, worker_database: Database, clock: SettableClock) -> BillView:
    """Bill January and return the only bill."""
    clock.set(datetime(2026, 2, 2, tzinfo=UTC))
    async with lake.database.unit(lake.tenant, lake.actor) as unit:
        scope = await service.create_period(unit, lake.community_id, period=JANUARY, due_on=date(2026, 2, 15))
    async with worker_database.unit(lake.tenant, lake.actor) as unit:
        await runs.run_chunk(unit, RunRater(by_value=rate_period, known_at=clock.now()), scope, after=None)
    number = await lake.only_bill()
    async with lake.database.view(lake.tenant) as session:
        return await service.bill_numbered(session, number)


async def test_a_meter_with_one_register_is_billed_by_time_of_use_from_its_quarter_hours(
    lake: Lakeside, worker_database: Database, clock: SettableClock
) -> None:
    values = [100 * n for n in range(31 * 96 + 1)]
    await send(lake, [Quantity.ENERGY_FORWARD], [column(0, at(FIRST), values, step_ms=QUARTER_MS)])
    (line,) = (await bill(lake, worker_database, clock)).lines
    peak, valley = 31 * 56 * 100, 31 * 40 * 100
    assert line.line.fen == (peak * 60 + valley * 30) // 1000


async def test_a_meter_by_time_of_use_is_billed_by_its_rate_registers(
    lake: Lakeside, worker_database: Database, clock: SettableClock
) -> None:
    daily: list[list[int | None]] = [[(total * n) // 31 for n in range(32)] for total in (150_000, 90_000, 60_000)]
    quantities = [Quantity.ENERGY_FORWARD, Quantity.ENERGY_T2, Quantity.ENERGY_T4]
    await send(lake, quantities, [column(n, at(FIRST), values) for n, values in enumerate(daily)])
    (line,) = (await bill(lake, worker_database, clock)).lines
    assert line.line.fen == 90 * 60 + 60 * 30


async def park(lake: Lakeside, day: date, hour: int, hours: int) -> None:
    started = at(day, hour)
    async with lake.database.unit(lake.tenant, lake.actor) as unit:
        stay: dict[str, Any] = {"session_id": unit.new_id(), "community_id": lake.community_id, "place": LOT}
        await record_session(
            unit,
            UsageSession(
                **stay,
                kind=SessionKind.PARKING,
                premises_id=lake.flat,
                permit_id=CAR,
                started_at=started,
                ended_at=started + timedelta(hours=hours),
                ended_day=day,
                facts={"vehicle_class": "temporary"},
            ),
        )


async def test_a_cap_of_the_day_is_billed_once_over_the_visits_of_one_car(
    lake: Lakeside, worker_database: Database, clock: SettableClock
) -> None:
    for day, hour in ((TENTH, 8), (TENTH, 13), (TENTH, 18), (date(2026, 1, 11), 8)):
        await park(lake, day, hour, 3)
    lines = (await bill(lake, worker_database, clock)).lines
    assert sorted(line.line.fen for line in lines) == [0, 5_00, 15_00, 15_00]


async def test_a_line_across_visits_is_rated_again_from_its_kept_input(lake: Lakeside, clock: SettableClock) -> None:
    for hour in (8, 13):
        await park(lake, TENTH, hour, 3)
    clock.set(datetime(2026, 2, 2, tzinfo=UTC))
    async with lake.database.unit(lake.tenant, lake.actor) as unit:
        outcome = await rate_period(unit.session, community_id=lake.community_id, period=JANUARY, known_at=clock.now())
        await keep(unit, lake.community_id, outcome)
    for item in outcome.items:
        async with lake.database.view(lake.tenant) as session:
            assert item.line in await replayed(session, lake.community_id, item.input_sha)
    assert [item.line.amount_fen for item in outcome.items] == [15_00, 5_00]
