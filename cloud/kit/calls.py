"""How a client calls a provider outside over HTTP: once, bounded in time and size, never redirected.

A call that never reached the provider was certainly not sent (later); one that broke afterwards is unknown, and unknown
is asked about, never sent again by itself.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import httpx

CALL_S_MAX = 12
ANSWER_BYTES_MAX = 64 * 1024
_TOO_MANY = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A final no: the same request would be refused again."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Certainly not sent; another try may go well."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Nobody can say whether it was sent."""

    reason: str


async def call(
    http: httpx.AsyncClient,
    request: httpx.Request,
    *,
    seconds: int = CALL_S_MAX,
    bytes_max: int = ANSWER_BYTES_MAX,
) -> dict[str, Any] | Later | Unknown:
    """Return the JSON object that a provider answered, whatever its status."""
    try:
        async with asyncio.timeout(seconds):
            answer = await http.send(request, follow_redirects=False)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        return Later(reason=f"unreachable: {type(error).__name__}")
    except (httpx.HTTPError, TimeoutError) as error:
        return Unknown(reason=f"no answer: {type(error).__name__}")
    if answer.status_code == _TOO_MANY:
        return Later(reason="asked to slow down")
    if len(answer.content) > bytes_max:
        return Unknown(reason="the answer is larger than any the provider gives")
    try:
        told = json.loads(answer.content)
    except ValueError:
        return Unknown(reason=f"unreadable answer, status {answer.status_code}")
    return told if isinstance(told, dict) else Unknown(reason="the answer is no object")
