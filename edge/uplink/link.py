"""The HTTP side of the uplink: bytes out, bytes back, and one word for every way a link can fail.

Identical bytes go out at each attempt. What came back is only bytes here; whether it is a receipt is decided by those
who can verify it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from common.wire.limits import POLL_ANSWER_BYTES_MAX
from edge.uplink.errors import LinkError

POST_S_MAX = 30.0
CONNECT_S_MAX = 5.0
PROBE_S_MAX = 2.0
SERVER_ERRORS = 500
TOO_MANY_REQUESTS = 429
COSE = "application/cose"
CBOR = "application/cbor"
_HTTPS_PORT, _HTTP_PORT = 443, 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back: the status, the media type without parameters, and the body."""

    status: int
    media_type: str
    body: bytes


class CloudLink:
    """The way to the cloud over one pooled HTTP client, which the composition root opens and closes."""

    def __init__(self, http: httpx.AsyncClient, base_url: str) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")

    async def post(self, path: str, body: bytes, *, wait_s: float = POST_S_MAX) -> Reply:
        """Send bytes and return what came back, at most `wait_s` seconds later.

        Raises:
            LinkError: the cloud was not reached, did not answer whole and in time, or says it cannot now.
        """
        try:
            async with asyncio.timeout(wait_s):
                reply = await self._exchange(path, body, httpx.Timeout(wait_s, connect=CONNECT_S_MAX))
        except TimeoutError as error:
            raise LinkError(f"no answer within {wait_s:.0f} s", answered=False) from error
        except httpx.HTTPError as error:
            sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            raise LinkError(f"{type(error).__name__}: {error}", answered=False, sent=sent) from error
        if reply.status >= SERVER_ERRORS or reply.status == TOO_MANY_REQUESTS:
            raise LinkError(f"the cloud answered {reply.status}", answered=True)
        return reply

    async def _exchange(self, path: str, body: bytes, patience: httpx.Timeout) -> Reply:
        request = self._http.stream(
            "POST", self._base_url + path, content=body, headers={"content-type": CBOR}, timeout=patience
        )
        async with request as response:
            taken = bytearray()
            async for chunk in response.aiter_bytes():
                taken += chunk
                if len(taken) > POLL_ANSWER_BYTES_MAX:
                    raise LinkError(f"the answer exceeds {POLL_ANSWER_BYTES_MAX} bytes", answered=True)
            media_type = response.headers.get("content-type", "").split(";")[0].strip()
            return Reply(status=response.status_code, media_type=media_type, body=bytes(taken))

    async def ask(self, path: str, body: bytes, wait_s: float) -> bytes:
        """Send a signed request and return the body of a good answer.

        Raises:
            LinkError: as `post`, and when the cloud refused.
        """
        reply = await self.post(path, body, wait_s=wait_s)
        if reply.media_type != CBOR:
            raise LinkError(f"{path} was answered with status {reply.status}", answered=True)
        return reply.body

    async def probe(self) -> bool:
        """Return whether somebody takes connections at the cloud's address; costs one handshake."""
        parts = urlsplit(self._base_url)
        port = parts.port or (_HTTPS_PORT if parts.scheme == "https" else _HTTP_PORT)
        try:
            async with asyncio.timeout(PROBE_S_MAX):
                _, writer = await asyncio.open_connection(parts.hostname, port)
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError):
            return False
        return True
