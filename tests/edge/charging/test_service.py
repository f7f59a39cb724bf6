"""Charges over a real store: each sealed once with its registers, through repeats, restarts, power cuts, late ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from common.errors import RefusalError
from common.wire.batch import PersonalItem
from common.wire.records import ChargingEvent
from edge.buffer.writer import StoreUnavailableError
from edge.driver.pile_events import Plug, Sampled, StartTold, StopTold, Verdict
from tests.edge.charging.yard import CARD, PileYard

HOUR = timedelta(hours=1)


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[PileYard]:
    yard = PileYard(tmp_path / "store.db")
    yield yard
    yard.store.close()


def start(yard: PileYard, card: str = CARD, wh: int = 1_000, pile: str = "P1") -> StartTold:
    return StartTold(pile=pile, connector=1, card=card, meter_wh=wh, at_ms=yard.now_ms())


def stop(yard: PileYard, transaction: int | None, wh: int, reason: str = "Local") -> StopTold:
    return StopTold(pile="P1", transaction=transaction, meter_wh=wh, at_ms=yard.now_ms(), reason=reason)


async def begun(yard: PileYard) -> int:
    await yard.stage.plug("P1", 1, Plug.PLUGGED, yard.now_ms())
    transaction, verdict = await yard.stage.start(start(yard))
    assert verdict is Verdict.ACCEPTED
    await yard.stage.plug("P1", 1, Plug.CHARGING, yard.now_ms())
    return transaction


async def test_a_charge_is_sealed_when_the_plug_is_pulled_with_registers_idle_time_and_price(yard: PileYard) -> None:
    transaction = await begun(yard)
    yard.clock.advance(HOUR)
    sample = Sampled(pile="P1", connector=1, transaction=transaction, meter_wh=8_000, at_ms=yard.now_ms())
    await yard.stage.sample(sample)
    yard.clock.advance(HOUR)
    await yard.stage.stop(stop(yard, transaction, 11_000))
    assert await yard.sealed() == []
    yard.clock.advance(timedelta(minutes=45))
    await yard.stage.plug("P1", 1, Plug.FREE, yard.now_ms())
    (event,) = await yard.sealed()
    assert (event.what, event.sample_wh, event.quote_fen) == ("ended", (1_000, 8_000, 11_000), 1_000 + 450)
    assert (event.idle_to_ms or 0) - (event.idle_from_ms or 0) == 45 * 60_000
    assert (event.tariff_code, event.tariff_rev) == ("pile", 2)
    assert not yard.stage.charges()


async def test_the_card_stands_in_the_personal_lane_only(yard: PileYard) -> None:
    transaction = await begun(yard)
    await yard.stage.stop(stop(yard, transaction, 2_000))
    await yard.stage.plug("P1", 1, Plug.FREE, yard.now_ms())
    records = await yard.records()
    (item,) = [record for record in records if isinstance(record, PersonalItem)]
    (event,) = [record for record in records if isinstance(record, ChargingEvent)]
    assert (item.kind, item.value, event.holder) == ("card", CARD, item.item_id)
    assert CARD not in str(asdict(event))


async def test_a_start_and_an_end_told_again_change_nothing(yard: PileYard) -> None:
    told = start(yard)
    first, _ = await yard.stage.start(told)
    assert (await yard.stage.start(told))[0] == first
    await yard.stage.stop(stop(yard, first, 5_000))
    assert len(await yard.sealed()) == 1
    assert (await yard.stage.start(told))[0] == first
    await yard.stage.stop(stop(yard, first, 5_000))
    assert len(await yard.sealed()) == 1
    assert not yard.stage.charges()


async def test_a_charge_goes_on_over_a_restart_of_the_gateway(yard: PileYard) -> None:
    transaction = await begun(yard)
    await yard.restart()
    yard.clock.advance(HOUR)
    await yard.stage.stop(stop(yard, transaction, 9_000))
    (event,) = await yard.sealed()
    assert event.sample_wh == (1_000, 9_000)
    again, _ = await yard.stage.start(start(yard, wh=9_000))
    assert again == transaction + 1


async def test_a_pile_that_lost_its_power_ends_its_charge_afterwards(yard: PileYard) -> None:
    transaction = await begun(yard)
    yard.clock.advance(HOUR)
    assert await yard.stage.boot("P1")
    await yard.stage.plug("P1", 1, Plug.FREE, yard.now_ms())
    yard.clock.advance(timedelta(minutes=5))
    await yard.stage.sweep()
    assert await yard.sealed() == []
    await yard.stage.stop(stop(yard, transaction, 6_000, "PowerLoss"))
    (event,) = await yard.sealed()
    assert (event.what, event.reason, event.sample_wh) == ("ended", "PowerLoss", (1_000, 6_000))


async def test_a_charge_whose_end_never_comes_is_sealed_at_its_last_register_and_a_late_end_told_apart(
    yard: PileYard,
) -> None:
    transaction = await begun(yard)
    yard.clock.advance(HOUR)
    at_ms = yard.now_ms()
    await yard.stage.sample(Sampled(pile="P1", connector=1, transaction=transaction, meter_wh=7_500, at_ms=at_ms))
    await yard.stage.boot("P1")
    yard.clock.advance(2 * HOUR)
    await yard.stage.sweep()
    (event,) = await yard.sealed()
    assert (event.what, event.sample_wh, event.ended_ms) == ("interrupted", (1_000, 7_500), at_ms)
    await yard.stage.stop(stop(yard, transaction, 7_500))
    assert len(await yard.sealed()) == 1
    await yard.stage.stop(stop(yard, transaction, 9_000))
    await yard.stage.stop(stop(yard, transaction, 9_000))
    late = (await yard.sealed())[1:]
    assert [(one.what, one.sample_wh) for one in late] == [("late", (1_000, 9_000))]


async def test_an_end_that_nobody_began_is_told_and_not_billed(yard: PileYard) -> None:
    await yard.stage.stop(stop(yard, None, 4_000))
    (event,) = await yard.sealed()
    assert (event.what, event.session_id, event.quote_fen) == ("unknown", None, None)


async def test_a_new_start_at_a_connector_seals_the_charge_that_stood_there(yard: PileYard) -> None:
    await begun(yard)
    yard.clock.advance(HOUR)
    await yard.stage.start(start(yard, wh=6_000))
    (event,) = await yard.sealed()
    assert event.what == "interrupted"
    assert len(yard.stage.charges()) == 1


async def test_a_full_car_idles_from_then_and_a_day_at_most(yard: PileYard) -> None:
    transaction = await begun(yard)
    yard.clock.advance(HOUR)
    await yard.stage.plug("P1", 1, Plug.FULL, yard.now_ms())
    yard.clock.advance(HOUR)
    await yard.stage.stop(stop(yard, transaction, 8_000))
    yard.clock.advance(timedelta(hours=25))
    await yard.stage.sweep()
    (event,) = await yard.sealed()
    assert (event.idle_to_ms or 0) - (event.idle_from_ms or 0) == 26 * 3_600_000


@pytest.mark.parametrize(
    ("pile", "card", "verdict"),
    [
        ("P1", CARD, Verdict.ACCEPTED),
        ("P2", CARD, Verdict.UNKNOWN),
        ("P1", "0000", Verdict.UNKNOWN),
        ("P9", CARD, Verdict.UNKNOWN),
    ],
)
async def test_who_may_charge_where_is_known_without_asking(
    yard: PileYard, pile: str, card: str, verdict: Verdict
) -> None:
    assert await yard.stage.authorize(pile, card) is verdict


async def test_an_expired_card_is_told_apart(yard: PileYard) -> None:
    yard.clock.advance(timedelta(days=40))
    assert await yard.stage.authorize("P1", CARD) is Verdict.EXPIRED


async def test_a_pile_clock_in_the_future_is_not_believed_and_a_falling_register_is_passed_over(yard: PileYard) -> None:
    told = StartTold(pile="P1", connector=1, card=CARD, meter_wh=1_000, at_ms=yard.now_ms(timedelta(days=300)))
    transaction, _ = await yard.stage.start(told)
    (charge,) = yard.stage.charges().values()
    assert charge.started_ms == yard.now_ms()
    falling = Sampled(pile="P1", connector=1, transaction=transaction, meter_wh=900, at_ms=yard.now_ms())
    await yard.stage.sample(falling)
    await yard.stage.stop(stop(yard, transaction, 800))
    (event,) = await yard.sealed()
    assert set(event.sample_wh) == {1_000}


async def test_while_the_disk_refuses_a_pile_gets_no_answer_and_tells_again(yard: PileYard) -> None:
    yard.store.close()
    with pytest.raises(StoreUnavailableError):
        await yard.stage.start(start(yard))
    assert not yard.stage.charges()


async def test_remote_commands_name_what_is_wrong(yard: PileYard) -> None:
    with pytest.raises(RefusalError, match="no charging pile"):
        await yard.stage.remote_start("P9", 1, CARD)
    with pytest.raises(RefusalError, match="not under way"):
        await yard.stage.remote_stop(UUID(int=1))
