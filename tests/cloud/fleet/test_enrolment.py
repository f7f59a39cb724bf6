"""A gateway enrols with a one-time code, changes its key without a visit, and is revoked without one."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from cloud.fleet import enrolment
from cloud.fleet import service as fleet
from cloud.fleet.enrolment import KEY_OVERLAP
from cloud.fleet.kinds import GatewayState
from cloud.fleet.service import CODE_LIFE
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError
from common.ids import GatewayId, TenantId
from common.wire.bundle import Certificate, open_first_certificate
from common.wire.refusal import Refusal
from common.wire.requests import EnrolmentRequest, sign_enrolment, sign_rotation, unpack_answer
from common.wire.sequence import judge_key
from common.wire.signing import SigningKey
from tests.support.clock import SettableClock

Planned = tuple[GatewayId, str]
OTHER = SigningKey(b"o" * 32)


def request(code: str, key: SigningKey) -> bytes:
    return sign_enrolment(EnrolmentRequest(code=code, public_key=key.public_key, epoch=5, hardware="pi 5"), key)


def certificate(answer: httpx.Response, key: SigningKey) -> Certificate:
    assert answer.status_code == 200, answer.text
    return open_first_certificate(unpack_answer(answer.content).bundles[0], key.public_key)


async def test_a_code_binds_the_gateways_own_key(
    http: httpx.AsyncClient, database: Database, planned: Planned, gateway_key: SigningKey, cloud_key: SigningKey
) -> None:
    gateway_id, code = planned
    answer = await http.post("/gateway/v1/enrol", content=request(code.lower(), gateway_key))
    made = certificate(answer, gateway_key)
    assert made.gateway_id == gateway_id
    assert made.cloud_keys == {cloud_key.key_id: cloud_key.public_key}
    found = await enrolment.find_key(database, gateway_key.key_id)
    assert found is not None
    assert (found.gateway_id, found.public_key) == (gateway_id, gateway_key.public_key)
    async with database.view(found.tenant) as session:
        (gateway,) = await fleet.gateways(session)
    assert (gateway.state, gateway.hardware) == (GatewayState.ENROLLED, "pi 5")


async def test_an_answer_that_was_lost_is_given_once_more(
    http: httpx.AsyncClient, planned: Planned, gateway_key: SigningKey
) -> None:
    first = await http.post("/gateway/v1/enrol", content=request(planned[1], gateway_key))
    again = await http.post("/gateway/v1/enrol", content=request(planned[1], gateway_key))
    assert first.content == again.content


async def test_an_enrolment_code_used_twice_is_refused(
    http: httpx.AsyncClient, database: Database, planned: Planned, gateway_key: SigningKey, registry: CollectorRegistry
) -> None:
    await http.post("/gateway/v1/enrol", content=request(planned[1], gateway_key))
    answer = await http.post("/gateway/v1/enrol", content=request(planned[1], OTHER))
    assert answer.status_code == 403
    assert "used before" in answer.json()["detail"]
    assert await enrolment.find_key(database, OTHER.key_id) is None
    labels = {"endpoint": "enrol", "reason": "forbidden"}
    assert registry.get_sample_value("gatehouse_gateway_refusals_total", labels) == 1


@pytest.mark.parametrize("code", ["AAAAA-BBBBB-CCCCC", ""])
async def test_an_unknown_code_is_refused(http: httpx.AsyncClient, code: str, gateway_key: SigningKey) -> None:
    answer = await http.post("/gateway/v1/enrol", content=request(code, gateway_key))
    assert (answer.status_code, answer.json()["reason"]) == (403, "forbidden")


async def test_a_code_past_its_time_is_refused(
    http: httpx.AsyncClient, clock: SettableClock, planned: Planned, gateway_key: SigningKey
) -> None:
    clock.advance(days=CODE_LIFE.days)
    answer = await http.post("/gateway/v1/enrol", content=request(planned[1], gateway_key))
    assert answer.status_code == 403
    assert "past its time" in answer.json()["detail"]


async def test_a_newer_code_takes_the_older_ones_worth(
    http: httpx.AsyncClient,
    database: Database,
    tenant: TenantId,
    actor: Actor,
    planned: Planned,
    gateway_key: SigningKey,
) -> None:
    async with database.unit(tenant, actor) as unit:
        newer = await fleet.issue_code(unit, planned[0])
    old = await http.post("/gateway/v1/enrol", content=request(planned[1], gateway_key))
    new = await http.post("/gateway/v1/enrol", content=request(newer, gateway_key))
    assert (old.status_code, new.status_code) == (403, 200)


async def test_a_request_signed_with_another_key_is_refused(
    http: httpx.AsyncClient, database: Database, planned: Planned, gateway_key: SigningKey
) -> None:
    stolen = EnrolmentRequest(code=planned[1], public_key=gateway_key.public_key, epoch=5, hardware="")
    answer = await http.post("/gateway/v1/enrol", content=sign_enrolment(stolen, OTHER))
    assert (answer.status_code, answer.json()["reason"]) == (401, "bad_signature")
    assert await enrolment.find_key(database, gateway_key.key_id) is None


async def test_garbage_is_refused(http: httpx.AsyncClient) -> None:
    for path in ("enrol", "keys", "downlink"):
        answer = await http.post(f"/gateway/v1/{path}", content=b"\xff\x00garbage")
        assert (answer.status_code, answer.json()["reason"]) == (422, "malformed")


async def test_both_keys_are_valid_while_a_key_changes(
    http: httpx.AsyncClient, database: Database, clock: SettableClock, planned: Planned, gateway_key: SigningKey
) -> None:
    await http.post("/gateway/v1/enrol", content=request(planned[1], gateway_key))
    change = sign_rotation(planned[0], OTHER, gateway_key)
    first = await http.post("/gateway/v1/keys", content=change)
    again = await http.post("/gateway/v1/keys", content=change)
    assert certificate(first, OTHER).public_key == OTHER.public_key
    assert first.content == again.content
    old = await enrolment.find_key(database, gateway_key.key_id)
    new = await enrolment.find_key(database, OTHER.key_id)
    assert old is not None
    assert new is not None
    assert judge_key(old.standing, clock.now()) is None
    assert judge_key(new.standing, clock.now()) is None
    assert judge_key(old.standing, clock.now() + KEY_OVERLAP) is Refusal.EXPIRED_KEY
    assert judge_key(new.standing, clock.now() + KEY_OVERLAP) is None


async def test_a_key_change_in_the_name_of_another_gateway_is_refused(
    http: httpx.AsyncClient,
    database: Database,
    tenant: TenantId,
    actor: Actor,
    planned: Planned,
    gateway_key: SigningKey,
) -> None:
    await http.post("/gateway/v1/enrol", content=request(planned[1], gateway_key))
    async with database.unit(tenant, actor) as unit:
        other_id, other_code = await fleet.create_gateway(unit, label="building 2")
    answer = await http.post("/gateway/v1/keys", content=sign_rotation(other_id, OTHER, gateway_key))
    assert answer.status_code == 403
    await http.post("/gateway/v1/enrol", content=request(other_code, OTHER))
    shared = await http.post("/gateway/v1/keys", content=sign_rotation(planned[0], OTHER, gateway_key))
    assert shared.status_code == 403


async def test_a_revoked_gateway_signs_nothing_any_more(
    http: httpx.AsyncClient,
    database: Database,
    tenant: TenantId,
    actor: Actor,
    planned: Planned,
    gateway_key: SigningKey,
) -> None:
    await http.post("/gateway/v1/enrol", content=request(planned[1], gateway_key))
    async with database.unit(tenant, actor) as unit:
        await enrolment.revoke(unit, planned[0])
    answer = await http.post("/gateway/v1/keys", content=sign_rotation(planned[0], OTHER, gateway_key))
    assert (answer.status_code, answer.json()["reason"]) == (401, "revoked_key")
    async with database.unit(tenant, actor) as unit:
        with pytest.raises(ConflictError, match="retired"):
            await fleet.issue_code(unit, planned[0])
        unit.record("tried", "gateway", planned[0])


async def test_an_old_codes_hash_is_all_that_is_kept(database: Database, tenant: TenantId, planned: Planned) -> None:
    async with database.view(tenant) as session:
        rows = (await session.execute(text("select code_sha from enrolment_code"))).all()
    assert planned[1].replace("-", "") not in str(rows)
    assert len(rows) == 1


def test_a_code_lives_no_longer_than_the_overlap_of_keys() -> None:
    assert timedelta(0) < CODE_LIFE < KEY_OVERLAP
