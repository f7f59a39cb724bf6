"""A gateway waits for its news, gets each once, and nobody else gets them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
import pytest

from cloud.fleet import enrolment
from cloud.fleet import service as fleet
from cloud.fleet.downlink import CHALLENGE_LIFE
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from common.ids import GatewayId, TenantId
from common.wire.bundle import Bundle, BundleKind, open_bundle
from common.wire.refusal import WireError
from common.wire.requests import (
    NO_CHALLENGE,
    EnrolmentRequest,
    Poll,
    PollAnswer,
    sign_enrolment,
    sign_poll,
    unpack_answer,
)
from common.wire.signing import SigningKey
from tests.support.clock import SettableClock

SITE = {"zone": "Asia/Shanghai", "wires": []}


class Box:
    """A gateway's side of the downlink, by hand."""

    def __init__(self, http: httpx.AsyncClient, key: SigningKey, gateway_id: GatewayId, cloud: SigningKey) -> None:
        self.http, self.key, self.gateway_id = http, key, gateway_id
        self.trusted = {cloud.key_id: cloud.public_key}
        self.challenge = NO_CHALLENGE

    async def post(
        self, have: Mapping[str, int], *, wait_s: int = 0, gateway_id: GatewayId | None = None
    ) -> httpx.Response:
        poll = Poll(gateway_id=gateway_id or self.gateway_id, challenge=self.challenge, have=have, wait_s=wait_s)
        return await self.http.post("/gateway/v1/downlink", content=sign_poll(poll, self.key))

    async def poll(self, *, wait_s: int = 0, **have: int) -> list[Bundle]:
        answer: PollAnswer = unpack_answer((await self.post(have, wait_s=wait_s)).content)
        self.challenge = answer.challenge
        return [open_bundle(data, self.trusted) for data in answer.bundles]


@pytest.fixture
async def box(
    http: httpx.AsyncClient, planned: tuple[GatewayId, str], gateway_key: SigningKey, cloud_key: SigningKey
) -> Box:
    request = EnrolmentRequest(code=planned[1], public_key=gateway_key.public_key, epoch=1, hardware="")
    answer = await http.post("/gateway/v1/enrol", content=sign_enrolment(request, gateway_key))
    made = Box(http, gateway_key, planned[0], cloud_key)
    made.challenge = unpack_answer(answer.content).challenge
    return made


async def publish(database: Database, tenant: TenantId, actor: Actor, box: Box, **body: object) -> int:
    async with database.unit(tenant, actor) as unit:
        version = await fleet.publish_bundle(unit, box.gateway_id, BundleKind.SITE, {**SITE, **body})
        unit.record("tried", "gateway", box.gateway_id)
    return version


async def test_a_poll_brings_what_the_gateway_does_not_have(
    box: Box, database: Database, tenant: TenantId, actor: Actor
) -> None:
    await publish(database, tenant, actor, box)
    await publish(database, tenant, actor, box, wires=["bus 1"])
    (news,) = await box.poll(certificate=1)
    assert (news.kind, news.version, news.body["wires"]) == (BundleKind.SITE, 2, ["bus 1"])
    assert await box.poll(certificate=1, site=2) == []
    assert [bundle.kind for bundle in await box.poll(site=2)] == [BundleKind.CERTIFICATE]


async def test_an_unchanged_body_makes_no_new_version(
    box: Box, database: Database, tenant: TenantId, actor: Actor
) -> None:
    assert await publish(database, tenant, actor, box) == 1
    assert await publish(database, tenant, actor, box) == 1


async def test_a_waiting_poll_is_answered_when_news_come(
    box: Box, database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(box.poll(certificate=1, wait_s=10))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await publish(database, tenant, actor, box)
    assert [bundle.version for bundle in waiting.result()] == [1]


async def test_a_poll_ends_with_the_gateways_patience(box: Box) -> None:
    assert await box.poll(certificate=1, wait_s=1) == []


async def test_a_bundle_past_its_time_is_not_sent(
    box: Box, database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    async with database.unit(tenant, actor) as unit:
        body = {"open": "lane 1"}
        await fleet.publish_bundle(unit, box.gateway_id, BundleKind.COMMAND, body, expires_at=clock.now())
    assert await box.poll(certificate=1) == []


async def test_a_recorded_poll_is_worth_nothing_later(
    box: Box, database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    await publish(database, tenant, actor, box)
    assert len(await box.poll()) == 2
    clock.advance(seconds=2 * int(CHALLENGE_LIFE.total_seconds()))
    stale = box.challenge
    assert await box.poll() == []
    assert box.challenge != stale
    assert len(await box.poll()) == 2


async def test_another_gateways_news_cannot_be_had(
    box: Box, http: httpx.AsyncClient, database: Database, tenant: TenantId, actor: Actor, cloud_key: SigningKey
) -> None:
    async with database.unit(tenant, actor) as unit:
        other_id, _ = await fleet.create_gateway(unit, label="building 2")
    foreign = await box.post({}, gateway_id=other_id)
    assert (foreign.status_code, foreign.json()["reason"]) == (403, "foreign_gateway")
    stranger = Box(http, SigningKey(b"z" * 32), box.gateway_id, cloud_key)
    unknown = await stranger.post({})
    assert (unknown.status_code, unknown.json()["reason"]) == (401, "unknown_key")


async def test_a_revoked_gateway_gets_no_news(box: Box, database: Database, tenant: TenantId, actor: Actor) -> None:
    async with database.unit(tenant, actor) as unit:
        await enrolment.revoke(unit, box.gateway_id)
    answer = await box.post({})
    assert (answer.status_code, answer.json()["reason"]) == (401, "revoked_key")


async def test_a_body_the_wire_does_not_carry_is_refused_when_published(
    box: Box, database: Database, tenant: TenantId, actor: Actor
) -> None:
    with pytest.raises(WireError, match="float"):
        await publish(database, tenant, actor, box, price=0.5)
