"""Asks the cloud about paying: what is open on a bill, and by our signature what became of a code that a payer showed.

A code goes out once, in one signed request, and is kept nowhere. No answer is told apart from never having reached the
cloud, because only then is it certain that nothing was taken.
"""

from __future__ import annotations

import asyncio
import re
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from common.wire.charge import NO_CODE, ChargeAnswer, ChargeRequest, Silence, open_charge_answer, sign_charge
from common.wire.refusal import WireError
from edge.transport.web import web_client
from edge.uplink.errors import LinkError
from edge.uplink.identity import Identity
from edge.uplink.link import CloudLink

ASK_S_MOST = 4.0
CHARGE_S_MOST = 15.0
CHARGES_PATH = "/gateway/v1/charges"
_ANSWER_BYTES_MOST = 256 * 1024
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}", re.ASCII)


class CloudCashier:
    """The cloud's cashier as the kiosk reaches it."""

    def __init__(self, cloud_url: str | None, identity: Identity) -> None:
        self._cloud_url = cloud_url
        self._identity = identity

    async def open_fen(self, address: str) -> int | None:
        """Return what is open on the bill of an address in fen; None when the cloud is away or does not know it."""
        return await open_fen_at(self._cloud_url, address)

    async def charge(
        self, wish: UUID, token: str, amount_fen: int = 0, auth_code: str = NO_CODE
    ) -> ChargeAnswer | Silence:
        """Hand a shown code over, or without one ask where its wish stands."""
        if self._cloud_url is None or not self._identity.enrolled:
            return Silence.AWAY
        identity = self._identity
        request = ChargeRequest(
            gateway_id=identity.gateway_id, wish=wish, token=token, amount_fen=amount_fen, auth_code=auth_code
        )
        patience_s = CHARGE_S_MOST if auth_code else ASK_S_MOST
        try:
            async with web_client(self._cloud_url) as http:
                reply = await CloudLink(http, self._cloud_url).post(
                    CHARGES_PATH, sign_charge(request, identity.key), wait_s=patience_s
                )
            return open_charge_answer(reply.body, wish, identity.trusted)
        except LinkError as error:
            return Silence.UNKNOWN if error.sent else Silence.AWAY
        except WireError:
            return Silence.UNKNOWN


async def open_fen_at(cloud_url: str | None, address: str) -> int | None:
    """Return what is open on the bill of an address in fen; None when the cloud is away or does not know it."""
    token = token_of(address)
    if cloud_url is None or token is None:
        return None
    try:
        async with asyncio.timeout(ASK_S_MOST), web_client(cloud_url) as http:
            answer = await http.get(f"{cloud_url}/pay/{token}/dues")
    except (TimeoutError, httpx.HTTPError):
        return None
    if answer.status_code != httpx.codes.OK or len(answer.content) > _ANSWER_BYTES_MOST:
        return None
    try:
        open_fen = answer.json().get("open_fen")
    except (ValueError, AttributeError):
        return None
    return open_fen if isinstance(open_fen, int) else None


def token_of(text: str) -> str | None:
    """Return the token of a cashier address, of a bill's code that was scanned for instance; None for anything else."""
    path = urlsplit(text.strip()).path
    token = path.rpartition("/pay/")[2].strip("/") if "/pay/" in path else path.strip("/")
    return token if _TOKEN.fullmatch(token) else None
