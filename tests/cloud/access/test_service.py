"""Access on the real database: cards told to the gateway, charges billed once, nothing about debt anywhere near."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cloud.access import service
from cloud.access.events import CardsChanged
from cloud.access.kinds import PlaceKind
from cloud.access.service import CardDraft, add_place, give_card, publish_cards, revoke_card, take_uses
from cloud.fleet import service as fleet
from cloud.ingest.service import open_batch
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.kit.events import Event
from cloud.metering.sessions import SessionKind
from common.clock import to_epoch_ms
from common.errors import RefusalError
from common.rating.charge import unpack_samples
from common.wire.batch import PersonalItem
from common.wire.bundle import BundleKind
from common.wire.records import AccessEvent, ChargingEvent
from tests.cloud.parking.yard import Yard, open_yard
from tests.support.clock import SettableClock

CARD, HOLDER, CHARGE = "B4F62CEF", UUID(int=0x31), UUID(int=0x32)
ITEM = PersonalItem(item_id=HOLDER, retention="charging", kind="card", value=CARD)
START = datetime(2026, 1, 5, 2, tzinfo=UTC)
EVENT = ChargingEvent(
    event_id=UUID(int=0x33),
    pile="P1",
    connector=1,
    what="ended",
    session_id=CHARGE,
    holder=HOLDER,
    started_ms=to_epoch_ms(START),
    ended_ms=to_epoch_ms(START + timedelta(hours=2)),
    sample_ms=(to_epoch_ms(START), to_epoch_ms(START + timedelta(hours=2))),
    sample_wh=(1_000, 15_000),
    idle_from_ms=to_epoch_ms(START + timedelta(hours=2)),
    idle_to_ms=to_epoch_ms(START + timedelta(hours=3)),
    reason="Local",
    quote_fen=2_000,
)


@pytest.fixture
async def yard(database: Any, tenant: Any, actor: Any, clock: SettableClock) -> Yard:
    opened = await open_yard(database, tenant, actor, clock)
    async with database.unit(tenant, actor) as unit:
        for place, kind in (("P1", PlaceKind.PILE), ("door-1", PlaceKind.DOOR)):
            await add_place(unit, opened.community, place=place, kind=kind, gateway_id=opened.gateway.gateway_id)
    return opened


def draft(yard: Yard, **changes: Any) -> CardDraft:
    whole: dict[str, Any] = {
        "community_id": yard.community,
        "card": f" {CARD.lower()} ",
        "premises_id": yard.flat,
        "places": ("P1", "door-1"),
        "valid_from": datetime(2025, 1, 1, tzinfo=UTC),
        "valid_to": datetime(2030, 1, 1, tzinfo=UTC),
    }
    return CardDraft(**(whole | changes))


async def give(yard: Yard, **changes: Any) -> UUID:
    async with yard.database.unit(yard.tenant, yard.actor) as unit:
        return await give_card(unit, draft(yard, **changes))


async def take(yard: Yard, *records: Any) -> None:
    ref = await yard.send(*records, plates=(ITEM,))
    for _ in range(2):
        async with yard.database.unit(yard.tenant, yard.actor) as unit:
            await take_uses(unit, await open_batch(unit.session, ref))


async def told(yard: Yard) -> list[dict[str, Any]]:
    async with yard.database.unit(yard.tenant, yard.actor) as unit:
        await publish_cards(unit, yard.gateway.gateway_id)
        bundles = await fleet.newer_bundles(unit.session, yard.gateway.gateway_id, {}, unit.now)
    (body,) = [bundle.body for bundle in bundles if bundle.kind is BundleKind.ACCESS]
    permits: list[dict[str, Any]] = list(body["permits"])
    return permits


async def test_a_card_is_told_to_the_gateway_of_its_places_by_its_hash(yard: Yard, published: list[Event]) -> None:
    permit_id = await give(yard)
    assert [one.gateway_id for one in published if isinstance(one, CardsChanged)] == [yard.gateway.gateway_id]
    (permit,) = await told(yard)
    assert (permit["doors"], permit["piles"], permit["revoked"]) == (["door-1"], ["P1"], False)
    assert CARD not in json.dumps(permit)
    async with yard.database.unit(yard.tenant, yard.actor) as unit:
        await revoke_card(unit, yard.community, permit_id, "lost")
        await revoke_card(unit, yard.community, permit_id, "lost again")
    assert [permit["revoked"] for permit in await told(yard)] == [True]


async def test_a_charge_of_a_households_card_becomes_its_usage_once(yard: Yard) -> None:
    await give(yard)
    await take(yard, EVENT)
    (usage,) = await yard.usages()
    assert (usage.kind, usage.place, usage.premises_id) == (SessionKind.CHARGING, "P1", yard.flat)
    assert unpack_samples(str(usage.facts["samples"])) == tuple(zip(EVENT.sample_ms, EVENT.sample_wh, strict=True))
    assert (usage.facts["idle_minutes"], usage.ended_day) == (60, date(2026, 1, 5))
    assert await yard.reasons() == []


@pytest.mark.parametrize("changes", [{"premises_id": None}, {"places": ("door-1",)}, {"card": "OTHER"}])
async def test_a_charge_that_no_permit_gives_a_household_is_a_case(yard: Yard, changes: dict[str, Any]) -> None:
    await give(yard, **changes)
    await take(yard, EVENT)
    assert await yard.usages() == ()
    assert await yard.reasons() == ["charge_without_household"]


@pytest.mark.parametrize("what", ["late", "unknown"])
async def test_an_end_that_belongs_to_no_charge_is_a_case_and_never_billed(yard: Yard, what: str) -> None:
    await give(yard)
    await take(yard, replace(EVENT, what=what, session_id=None if what == "unknown" else CHARGE))
    assert await yard.usages() == ()
    assert await yard.reasons() == [f"charge_{what}"]


async def test_acts_at_doors_are_kept_and_unknown_places_told(yard: Yard) -> None:
    known = AccessEvent(event_id=UUID(int=1), door="door-1", decision="open", reason="admitted", holder=None)
    await take(yard, known, replace(known, event_id=UUID(int=2), door="door-9"))
    assert await yard.reasons() == ["unknown_place"]


async def test_places_have_names_of_their_own_and_permits_known_places(yard: Yard) -> None:
    with pytest.raises(ConflictError):
        async with yard.database.unit(yard.tenant, yard.actor) as unit:
            await add_place(unit, yard.community, place="P1", kind=PlaceKind.DOOR, gateway_id=yard.gateway.gateway_id)
    with pytest.raises(NotFoundError, match="door-9"):
        await give(yard, places=("door-9",))
    with pytest.raises(NotFoundError):
        async with yard.database.unit(yard.tenant, yard.actor) as unit:
            await revoke_card(unit, yard.community, UUID(int=9), "lost")


@pytest.mark.parametrize("changes", [{"card": " "}, {"places": ()}, {"valid_to": datetime(2024, 1, 1, tzinfo=UTC)}])
def test_a_broken_permit_is_refused(changes: dict[str, Any]) -> None:
    whole: dict[str, Any] = {
        "community_id": UUID(int=1),
        "card": CARD,
        "premises_id": None,
        "places": ("P1",),
        "valid_from": datetime(2025, 1, 1, tzinfo=UTC),
        "valid_to": datetime(2030, 1, 1, tzinfo=UTC),
    }
    with pytest.raises(RefusalError):
        CardDraft(**(whole | changes))


def test_promise_9_nothing_of_access_can_ask_what_anybody_owes() -> None:
    """No module of the domain imports one that knows of bills, payments or the ledger."""
    money = {"billing", "ledger", "payments", "refunds", "deposits", "reconciliation", "rating"}
    for file in Path(service.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            touched = {name.split(".")[1] for name in names if name.startswith("cloud.")}
            assert not touched & money, f"{file.name} imports {touched & money}"
