"""Storing batches: once, in any order; registers and usage as known at an instant."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest
from sqlalchemy import func, select

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError
from cloud.kit.events import Event
from cloud.metering.claims import claim_sessions, claimed_ids, record_session, sessions_ended, unclaimed_sessions
from cloud.metering.corrections import Correction, confirm_rollover, revise_reading
from cloud.metering.events import BatchUnpacked, OddityFound, ReadingRevised
from cloud.metering.origins import DayState, completeness, holes, origin
from cloud.metering.registers import RegisterBook, RegisterQuestion
from cloud.metering.service import register_book, store_readings, watermarks
from cloud.metering.sessions import SessionKind, UsageClaim, UsageSession
from cloud.metering.tables import MeterDayBlockRow
from cloud.metering.usage import MissingKind, MissingUsage, SegmentKind, Span, UsageSegment
from common.civil import Period
from common.errors import RefusalError
from common.ids import PremisesId, TenantId
from common.reading.reading import Quality, Quantity
from common.wire.batch import BatchContent
from common.wire.records import AnomalyNote, Gap, GapReason, ProvisionalLine, Record
from tests.cloud.metering.building import COMMUNITY, EPOCH, GATEWAY, HOUR_MS, ZONE, at, batch, column, homes, meter
from tests.support.clock import SettableClock

MONDAY = date(2026, 1, 5)
ENERGY = Quantity.ENERGY_FORWARD
LATER = at(date(2027, 1, 1))


async def store(database: Database, tenant: TenantId, actor: Actor, *contents: BatchContent) -> list[bool]:
    stored = []
    for content in contents:
        async with database.unit(tenant, actor) as unit:
            stored.append(await store_readings(unit, content, homes()))
            unit.record("tested", "gateway", GATEWAY)
    return stored


async def book(database: Database, tenant: TenantId, *days: date, known_at: datetime = LATER) -> RegisterBook:
    question = RegisterQuestion(
        community_id=COMMUNITY,
        meters=frozenset(homes()),
        quantities=frozenset({ENERGY}),
        days=frozenset(days),
        zone=ZONE,
        known_at=known_at,
    )
    async with database.view(tenant) as session:
        return await register_book(session, question)


def span(number: int, start: date, end: date, **facts: object) -> Span:
    base = {"multiplier_milli": 1000, "digits": 6} | facts
    return Span(meter_id=meter(number), quantity=ENERGY, period=Period(start, end), **base)  # type: ignore[arg-type]


def daily(sequence: int, values: list[int | None], start: date = MONDAY) -> BatchContent:
    return batch(sequence, at(start + timedelta(days=len(values))), [column(0, at(start), values)])


async def test_usage_is_the_difference_of_two_midnights(database: Database, tenant: TenantId, actor: Actor) -> None:
    await store(database, tenant, actor, daily(1, [100_000, 104_500, 110_000]))
    registers = await book(database, tenant, MONDAY, MONDAY + timedelta(days=2))
    usage = registers.usage(span(1, MONDAY, MONDAY + timedelta(days=2)))
    assert isinstance(usage, UsageSegment)
    assert usage.quantity_milli == 10_000
    assert (usage.kind, usage.from_register.block_day) == (SegmentKind.MEASURED, MONDAY)


async def test_a_replayed_batch_changes_nothing(database: Database, tenant: TenantId, actor: Actor) -> None:
    content = daily(1, [100_000, 104_500])
    assert await store(database, tenant, actor, content, content) == [True, False]
    async with database.view(tenant) as session:
        assert (await session.execute(select(func.count()).select_from(MeterDayBlockRow))).scalar_one() == 2


async def test_batches_in_any_order_give_the_same_blocks(
    database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    hours = [
        batch(n + 1, at(MONDAY, 8 * n + 8), [column(0, at(MONDAY, 8 * n), [n * 10, n * 10 + 5], step_ms=4 * HOUR_MS)])
        for n in range(3)
    ]
    newest = []
    for company, order in zip((tenant, other_tenant), list(permutations(hours))[::5], strict=True):
        await store(database, company, actor, *order)
        async with database.view(company) as session:
            query = select(MeterDayBlockRow).order_by(MeterDayBlockRow.rev.desc()).limit(1)
            newest.append((await session.execute(query)).scalar_one())
    assert newest[0].body == newest[1].body
    assert newest[0].count == 6


async def test_a_missing_midnight_is_missing_and_not_zero(database: Database, tenant: TenantId, actor: Actor) -> None:
    await store(database, tenant, actor, daily(1, [100_000, None, 110_000]))
    tuesday = MONDAY + timedelta(days=1)
    registers = await book(database, tenant, MONDAY, tuesday, tuesday + timedelta(days=1))
    missing = registers.usage(span(1, MONDAY, tuesday))
    assert isinstance(missing, MissingUsage)
    assert (missing.kind, missing.day) == (MissingKind.NO_READING, tuesday)
    whole = registers.usage(span(1, MONDAY, tuesday + timedelta(days=1)))
    assert isinstance(whole, UsageSegment)
    assert whole.quantity_milli == 10_000


async def test_a_suspect_reading_bills_nothing_until_a_person_confirms_it(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    suspect = column(0, at(MONDAY), [100_000, 900_000], flags=[(1, int(Quality.JUMP))])
    await store(database, tenant, actor, batch(1, at(MONDAY, 30), [suspect]))
    tuesday = MONDAY + timedelta(days=1)
    held = (await book(database, tenant, MONDAY, tuesday)).usage(span(1, MONDAY, tuesday))
    assert isinstance(held, MissingUsage)
    assert held.kind is MissingKind.HELD_READING
    async with database.unit(tenant, actor) as unit:
        await revise_reading(unit, correction(tuesday, 900_000, quality=Quality.GOOD, reason="seen on the dial"))
    usage = (await book(database, tenant, MONDAY, tuesday)).usage(span(1, MONDAY, tuesday))
    assert isinstance(usage, UsageSegment)
    assert usage.quantity_milli == 800_000


def correction(
    day: date, value_milli: int | None, *, quality: Quality = Quality.MANUAL, reason: str = "misread"
) -> Correction:
    return Correction(
        community_id=COMMUNITY,
        meter_id=meter(1),
        quantity=ENERGY,
        read_at=at(day),
        value_milli=value_milli,
        quality=quality,
        reason=reason,
    )


async def test_a_correction_counts_from_the_time_it_is_known(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock, published: list[Event]
) -> None:
    clock.set(at(MONDAY, 60))
    await store(database, tenant, actor, daily(1, [100_000, 140_000]))
    tuesday, before = MONDAY + timedelta(days=1), clock.now()
    clock.advance(days=20)
    async with database.unit(tenant, actor) as unit:
        assert await revise_reading(unit, correction(tuesday, 104_000)) == 1
    async with database.unit(tenant, actor) as unit:
        assert await revise_reading(unit, correction(tuesday, 104_000)) == 1
    was = (await book(database, tenant, MONDAY, tuesday, known_at=before)).usage(span(1, MONDAY, tuesday))
    is_now = (await book(database, tenant, MONDAY, tuesday)).usage(span(1, MONDAY, tuesday))
    assert isinstance(was, UsageSegment)
    assert isinstance(is_now, UsageSegment)
    assert (was.quantity_milli, is_now.quantity_milli) == (40_000, 4_000)
    assert (is_now.to_register.revision, is_now.to_register.block_rev) == (1, 1)
    assert sum(isinstance(event, ReadingRevised) for event in published) == 1


async def test_a_withdrawn_midnight_is_missing_unless_another_reading_is_near(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    near = column(0, at(MONDAY), [100, 101, 102], step_ms=HOUR_MS // 2)
    far = column(1, at(MONDAY), [100, 101], step_ms=2 * HOUR_MS)
    await store(database, tenant, actor, batch(1, at(MONDAY, 3), [near, far]))
    async with database.unit(tenant, actor) as unit:
        await revise_reading(unit, correction(MONDAY, None))
    registers = await book(database, tenant, MONDAY)
    stands = registers.at(meter(1), ENERGY, MONDAY)
    assert stands is not None
    assert stands.value_milli == 101
    async with database.unit(tenant, actor) as unit:
        withdrawn = Correction(
            community_id=COMMUNITY, meter_id=meter(2), quantity=ENERGY, read_at=at(MONDAY), value_milli=None, reason="x"
        )
        await revise_reading(unit, withdrawn)
    assert (await book(database, tenant, MONDAY)).at(meter(2), ENERGY, MONDAY) is None


async def test_a_rollover_is_usage_only_when_it_was_confirmed(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    await store(database, tenant, actor, daily(1, [999_990_000, 15_000]))
    tuesday = MONDAY + timedelta(days=1)
    backwards = (await book(database, tenant, MONDAY, tuesday)).usage(span(1, MONDAY, tuesday))
    assert isinstance(backwards, MissingUsage)
    assert backwards.kind is MissingKind.BACKWARDS
    async with database.unit(tenant, actor) as unit:
        await confirm_rollover(
            unit, community_id=COMMUNITY, meter_id=meter(1), quantity=ENERGY, day=MONDAY, reason="dial seen"
        )
    turned = (await book(database, tenant, MONDAY, tuesday)).usage(span(1, MONDAY, tuesday))
    assert isinstance(turned, UsageSegment)
    assert (turned.quantity_milli, turned.kind) == (25_000, SegmentKind.ROLLOVER)


async def test_the_watermark_does_not_pass_a_hole(database: Database, tenant: TenantId, actor: Actor) -> None:
    days = [MONDAY + timedelta(days=n) for n in range(4)]
    first, second, third = (daily(n + 1, [n], start=day) for n, day in enumerate(days[:3]))
    await store(database, tenant, actor, first, third)
    async with database.view(tenant) as session:
        assert await watermarks(session, [GATEWAY]) == {GATEWAY: at(days[1])}
    await store(database, tenant, actor, second)
    async with database.view(tenant) as session:
        assert await watermarks(session, [GATEWAY]) == {GATEWAY: at(days[3])}


async def test_a_stranger_and_an_anomaly_are_told_and_not_dropped(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock, published: list[Event]
) -> None:
    clock.set(at(MONDAY, 1))
    note = AnomalyNote(
        meter_id=meter(1), quantity="energy_forward", rule="jump", slot_ms=0, value_milli=9_000, limit_milli=2_000
    )
    content = batch(1, at(MONDAY, 1), [column(0, at(MONDAY), [5])], meters=[meter(9)], records=[note, note])
    await store(database, tenant, actor, content)
    told = [(event.reason, event.object_id) for event in published if isinstance(event, OddityFound)]
    assert told == [("unknown_meter", meter(9)), ("jump", meter(1))]
    assert sum(isinstance(event, BatchUnpacked) for event in published) == 1


async def test_gaps_and_estimates_are_stored_beside_the_readings(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    records: list[Record] = [
        Gap(
            meter_id=meter(1),
            quantities=("energy_forward",),
            first_slot_ms=1,
            last_slot_ms=1,
            slots=1,
            reason=GapReason.NO_ANSWER,
        ),
        estimate(700),
        estimate(750),
    ]
    content = batch(1, at(MONDAY, 1), [column(0, at(MONDAY), [5])], records=records)
    assert await store(database, tenant, actor, content, content) == [True, False]


def estimate(amount_fen: int) -> ProvisionalLine:
    return ProvisionalLine(
        meter_id=meter(1),
        charge_code="electricity",
        period_start="2026-01-01",
        period_end="2026-01-05",
        usage_milli=14_000,
        amount_fen=amount_fen,
        tariff_code="t",
        tariff_from="2026-01-01",
        tariff_rev=1,
        tariff_sha="aa",
        input_sha="bb",
    )


def parked(number: int, day: date) -> UsageSession:
    return UsageSession(
        session_id=UUID(int=number),
        community_id=COMMUNITY,
        kind=SessionKind.PARKING,
        place="north",
        premises_id=PremisesId(UUID(int=5)),
        started_at=at(day, 9),
        ended_at=at(day, 11),
        ended_day=day,
    )


async def test_a_session_is_stored_once_and_billed_at_most_once(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    session, other = parked(1, MONDAY), parked(2, MONDAY + timedelta(days=1))
    claim = UsageClaim(session_id=session.session_id, bill_id=UUID(int=70), line_n=1)
    async with database.unit(tenant, actor) as unit:
        assert [await record_session(unit, one) for one in (session, other, session)] == [True, True, False]
        await claim_sessions(unit, COMMUNITY, [claim])
    async with database.unit(tenant, actor) as unit:
        await claim_sessions(unit, COMMUNITY, [claim])
    with pytest.raises(ConflictError):
        async with database.unit(tenant, actor) as unit:
            await claim_sessions(unit, COMMUNITY, [replace(claim, bill_id=UUID(int=71))])
    async with database.view(tenant) as view:
        assert await unclaimed_sessions(view, COMMUNITY, MONDAY + timedelta(days=9)) == (other,)
        assert await sessions_ended(view, COMMUNITY, Period(MONDAY, MONDAY + timedelta(days=1)), LATER) == (session,)
        assert await claimed_ids(view, COMMUNITY, [session.session_id, other.session_id]) == {session.session_id}


@pytest.mark.parametrize(
    ("value_milli", "reason"), [(-1, "typo"), (5, " "), (5, "x" * 501)], ids=["negative", "no reason", "long reason"]
)
def test_a_broken_correction_is_refused(value_milli: int, reason: str) -> None:
    with pytest.raises(RefusalError):
        correction(MONDAY, value_milli, reason=reason)


async def test_a_rollover_is_confirmed_once_and_with_a_reason(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    async def confirm(reason: str) -> None:
        async with database.unit(tenant, actor) as unit:
            await confirm_rollover(
                unit, community_id=COMMUNITY, meter_id=meter(1), quantity=ENERGY, day=MONDAY, reason=reason
            )

    with pytest.raises(RefusalError):
        await confirm("")
    await confirm("dial seen")
    with pytest.raises(ConflictError):
        await confirm("dial seen again")


async def test_an_unpacked_company_is_not_seen_by_another(
    database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    await store(database, tenant, actor, daily(1, [100_000, 104_500]))
    registers = await book(database, other_tenant, MONDAY)
    assert registers.at(meter(1), ENERGY, MONDAY) is None


async def test_a_register_is_traced_to_the_batch_that_first_brought_it(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    morning = batch(1, at(MONDAY, 1), [column(0, at(MONDAY), [100])])
    evening = batch(2, at(MONDAY, 20), [column(0, at(MONDAY, 18), [170])])
    await store(database, tenant, actor, morning, evening)
    async with database.unit(tenant, actor) as unit:
        await revise_reading(unit, correction(MONDAY, 95, reason="misread"))
    register = (await book(database, tenant, MONDAY)).at(meter(1), ENERGY, MONDAY)
    assert register is not None
    assert (register.value_milli, register.block_rev) == (95, 2)
    async with database.view(tenant) as session:
        found = await origin(session, COMMUNITY, register)
    assert (found.gateway_id, found.store_epoch, found.sequence) == (GATEWAY, EPOCH, 1)
    assert (found.original_milli, found.revision, found.reason) == (100, 1, "misread")


async def test_a_register_that_was_only_ever_read_by_hand_comes_from_no_batch(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with database.unit(tenant, actor) as unit:
        await revise_reading(unit, correction(MONDAY, 95, reason="read by hand"))
    register = (await book(database, tenant, MONDAY)).at(meter(1), ENERGY, MONDAY)
    assert register is not None
    async with database.view(tenant) as session:
        found = await origin(session, COMMUNITY, register)
    assert (found.gateway_id, found.original_milli, found.reason) == (None, None, "read by hand")


async def test_completeness_names_the_days_that_wait(database: Database, tenant: TenantId, actor: Actor) -> None:
    suspect = column(0, at(MONDAY), [1, None, 3, 4, None, 6], flags=[(3, int(Quality.SUSPECT))])
    await store(database, tenant, actor, batch(1, at(MONDAY, 130), [suspect]))
    async with database.unit(tenant, actor) as unit:
        await revise_reading(unit, correction(MONDAY + timedelta(days=4), 5, reason="read by hand"))
    question = RegisterQuestion(
        community_id=COMMUNITY,
        meters=frozenset({meter(1)}),
        quantities=frozenset({ENERGY}),
        days=frozenset(MONDAY + timedelta(days=n) for n in range(5)),
        zone=ZONE,
        known_at=LATER,
    )
    async with database.view(tenant) as session:
        days = await completeness(session, question)
    assert [(day.state, day.count) for day in days] == [
        (DayState.COMPLETE, 1),
        (DayState.MISSING, 0),
        (DayState.COMPLETE, 1),
        (DayState.HELD, 1),
        (DayState.COMPLETE, 0),
    ]
    assert [day.day.day for day in holes(days)] == [6, 8]


async def test_a_batch_from_the_future_tells_of_the_clock(
    database: Database, tenant: TenantId, actor: Actor, published: list[Event]
) -> None:
    late = database.clock.now() + timedelta(hours=2)
    await store(database, tenant, actor, batch(1, late, []))
    assert [event.reason for event in published if isinstance(event, OddityFound)] == ["clock_skew"]
