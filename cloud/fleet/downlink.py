"""The way out: enrolment, key changes and long polls of gateways, each request verified, each bundle signed.

A poll is answered at once when something newer is there, else when it comes or when the gateway's patience ends. The
challenge it must carry is derived from the cloud's key and machine time, so that any process can check it and no row
is written for a poll; a recorded poll is worth nothing after a few minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from math import ceil

from cloud.fleet import enrolment, service
from cloud.fleet.values import GatewayKey
from cloud.kit.actor import Actor, system_actor
from cloud.kit.db import Database
from cloud.kit.errors import ForbiddenError
from common.clock import Clock, to_epoch_ms
from common.ids import GatewayId, TenantId
from common.wire.bundle import Bundle, sign_bundle
from common.wire.refusal import Refusal, WireError
from common.wire.requests import (
    CHALLENGE_BYTES,
    Poll,
    open_enrolment,
    open_request,
    pack_answer,
    read_poll,
    read_rotation,
)
from common.wire.sequence import judge_key
from common.wire.signing import Purpose, SigningKey, verify

CHALLENGE_LIFE = timedelta(minutes=5)
LOOK_S = 1.0


@dataclass(slots=True, kw_only=True)
class Downlink:
    """The gateways' way to their news. `trusted` are further public keys of the cloud, such as the next one."""

    database: Database
    key: SigningKey
    machine_clock: Clock
    look_s: float = LOOK_S
    trusted: Mapping[bytes, bytes] = field(default_factory=dict)

    @property
    def cloud_keys(self) -> Mapping[bytes, bytes]:
        """Return the public keys that a certificate names, by key id."""
        return {self.key.key_id: self.key.public_key, **self.trusted}

    async def enrol(self, data: bytes) -> bytes:
        """Enrol a gateway and return its certificate and everything made for it.

        Raises:
            WireError: the sender does not hold the key it offers.
            ForbiddenError: the code is unknown, used or past its time.
        """
        request = open_enrolment(data)
        tenant = await enrolment.company_of_code(self.database, request.code)
        if tenant is None:
            raise ForbiddenError("this enrolment code is unknown; check the letters or ask for a new one")
        async with self.database.unit(tenant, system_actor("enrolment")) as unit:
            gateway_id = await enrolment.enrol(unit, request, self.cloud_keys)
        return await self._answer(tenant, gateway_id, {})

    async def rotate(self, data: bytes) -> bytes:
        """Change a gateway's key and return its new certificate.

        Raises:
            WireError: the sender does not hold both keys, or the old one may not sign.
            ForbiddenError: the key is another gateway's.
        """
        key, payload = await self.verified(data, Purpose.ROTATION)
        request = read_rotation(payload)
        actor = Actor(kind="gateway", id=key.gateway_id, name=f"gateway {key.gateway_id}")
        async with self.database.unit(key.tenant, actor) as unit:
            await enrolment.rotate_key(unit, key, request, self.cloud_keys)
        return await self._answer(key.tenant, key.gateway_id, {})

    async def poll(self, data: bytes) -> bytes:
        """Return what is newer than the gateway has, waiting for it as long as the gateway asked.

        Raises:
            WireError: the sender proved no gateway that may sign.
        """
        key, payload = await self.verified(data, Purpose.POLL)
        poll = read_poll(payload)
        if poll.gateway_id != key.gateway_id:
            raise WireError(Refusal.FOREIGN_GATEWAY, f"gateway {key.gateway_id} polled for {poll.gateway_id}")
        if poll.challenge not in (self._challenge(key.gateway_id, 0), self._challenge(key.gateway_id, 1)):
            return pack_answer(self._challenge(key.gateway_id, 0), ())
        await self._wait_for_news(key, poll)
        return await self._answer(key.tenant, key.gateway_id, poll.have)

    async def verified(self, data: bytes, purpose: Purpose) -> tuple[GatewayKey, bytes]:
        """Return which gateway's key signed a request for a purpose, and its payload.

        Raises:
            WireError: the sender proved no gateway that may sign.
        """
        envelope = open_request(data, purpose)
        key = await enrolment.find_key(self.database, envelope.key_id)
        if key is None:
            raise WireError(Refusal.UNKNOWN_KEY, f"no gateway enrolled with key {envelope.key_id.hex()}")
        payload = verify(envelope, key.public_key)
        if refusal := judge_key(key.standing, self.database.clock.now()):
            raise WireError(refusal, f"key {key.key_id.hex()} of gateway {key.gateway_id} may not sign any more")
        return key, payload

    async def _wait_for_news(self, key: GatewayKey, poll: Poll) -> None:
        """Return when something newer is there or the gateway's patience has ended; no connection is held between."""
        for _ in range(ceil(poll.wait_s / self.look_s)):
            if await self._news(key.tenant, key.gateway_id, poll.have):
                return
            await asyncio.sleep(self.look_s)

    async def _news(self, tenant: TenantId, gateway_id: GatewayId, have: Mapping[str, int]) -> list[Bundle]:
        async with self.database.view(tenant) as session:
            return await service.newer_bundles(session, gateway_id, have, self.database.clock.now())

    async def _answer(self, tenant: TenantId, gateway_id: GatewayId, have: Mapping[str, int]) -> bytes:
        bundles = await self._news(tenant, gateway_id, have)
        return pack_answer(self._challenge(gateway_id, 0), [sign_bundle(bundle, self.key) for bundle in bundles])

    def _challenge(self, gateway_id: GatewayId, age: int) -> bytes:
        life_ms = CHALLENGE_LIFE // timedelta(milliseconds=1)
        number = to_epoch_ms(self.machine_clock.now()) // life_ms - age
        return sha256(self.key.sign(b"challenge" + gateway_id.bytes + number.to_bytes(8))).digest()[:CHALLENGE_BYTES]
