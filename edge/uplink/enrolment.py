"""Becoming known to the cloud, and changing the key later: both signed, neither gives a private key away."""

from __future__ import annotations

import asyncio
import json
import platform
from collections.abc import Callable
from typing import Protocol

import structlog

from common.errors import RefusalError
from common.wire.bundle import BundleKind
from common.wire.refusal import WireError
from common.wire.requests import EnrolmentRequest, PollAnswer, sign_enrolment, sign_rotation, unpack_answer
from edge.transport.web import web_client
from edge.uplink.errors import LinkError
from edge.uplink.identity import Identity
from edge.uplink.link import CBOR, CloudLink, Reply

ENROL_PATH = "/gateway/v1/enrol"
KEYS_PATH = "/gateway/v1/keys"
_log = structlog.get_logger()


class Door(Protocol):
    """The way to the cloud."""

    async def post(self, path: str, body: bytes) -> Reply:
        """Send bytes and return what came back, or raise LinkError."""
        ...


async def enrol(link: Door, identity: Identity, *, code: str, epoch: int, hardware: str) -> PollAnswer:
    """Enrol with a one-time code; the certificate is kept when this returns, and the first bundles are in the answer.

    Raises:
        LinkError: the cloud was not reached; the same code can be used again.
        RefusalError: the cloud refused the code, or its answer does not hold together.
    """
    request = EnrolmentRequest(code=code, public_key=identity.key.public_key, epoch=epoch, hardware=hardware)
    reply = await link.post(ENROL_PATH, sign_enrolment(request, identity.key))
    answer = _answer(reply)
    await _take_certificate(answer, identity.enrol)
    return answer


async def enrol_at(cloud_url: str | None, identity: Identity, *, epoch: int, code: str) -> str:
    """Enrol at an address with a one-time code and return the id the cloud gave.

    Raises:
        RefusalError: no cloud is set or reached, or it refused the code.
    """
    if cloud_url is None:
        raise RefusalError("no cloud is set; give cloud.url in settings.yaml")
    async with web_client(cloud_url) as http:
        try:
            await enrol(CloudLink(http, cloud_url), identity, code=code, epoch=epoch, hardware=platform.machine())
        except LinkError as error:
            raise RefusalError(f"the cloud was not reached ({error}); try the same code again later") from error
    _log.info("gateway_enrolled", gateway=str(identity.gateway_id))
    return str(identity.gateway_id)


async def change_key(link: Door, identity: Identity, entropy: Callable[[int], bytes]) -> None:
    """Change to a fresh key; repeated after a failure it goes on with the same one.

    Raises:
        LinkError: the cloud was not reached; the old key goes on.
        RefusalError: the cloud refused, or its answer does not hold together; the old key goes on.
    """
    fresh = await asyncio.to_thread(identity.next_key, entropy)
    reply = await link.post(KEYS_PATH, sign_rotation(identity.gateway_id, fresh, identity.key))
    await _take_certificate(_answer(reply), identity.change_key)


def _answer(reply: Reply) -> PollAnswer:
    if reply.media_type != CBOR:
        raise RefusalError(f"the cloud refused: {_reason(reply)}")
    return unpack_answer(reply.body)


def _reason(reply: Reply) -> str:
    """Return what a problem document says, or the status where it is none."""
    try:
        document = json.loads(reply.body)
    except ValueError:
        document = None
    detail = document.get("detail") if isinstance(document, dict) else None
    return detail if isinstance(detail, str) else f"status {reply.status}"


async def _take_certificate(answer: PollAnswer, take: Callable[[bytes], None]) -> None:
    """Give the first bundle that is a certificate for us to its taker."""
    refused: WireError | None = None
    for signed in answer.bundles:
        try:
            await asyncio.to_thread(take, signed)
        except WireError as error:
            refused = refused or error
        else:
            return
    raise RefusalError(f"the cloud's answer holds no {BundleKind.CERTIFICATE} for this gateway") from refused
