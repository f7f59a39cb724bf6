"""Asks the cloud what is open on a bill, at the bill's own cashier address; a cloud that is away is said to be."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import urlsplit

import httpx

ASK_S_MOST = 4.0
_ANSWER_BYTES_MOST = 256 * 1024
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}", re.ASCII)


async def open_fen_at(cloud_url: str | None, address: str) -> int | None:
    """Return what is open on the bill of an address in fen; None when the cloud is away or does not know it."""
    token = token_of(address)
    if cloud_url is None or token is None:
        return None
    try:
        async with asyncio.timeout(ASK_S_MOST), httpx.AsyncClient() as http:
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
