"""The client of a seal service against the simulator of one, over real HTTP."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from cloud.documents.seal_service import SealService, ServiceAddress, ServicePace
from tests.cloud.documents import examples, tokens
from tests.cloud.documents.tokens import KEYS
from tests.simulation.seal_service.service import CLIENT, SECRET, SealHouse
from tests.support.browser import serving

CERTIFICATES = {label: tokens.certificate(key, examples.WHEN) for label, key in KEYS.items()}
NOW_S = int(examples.WHEN.timestamp())
QUICK = ServicePace(try_s=1.0, tries=3, pause_s=0.01)


@asynccontextmanager
async def opened(
    *, client: str = CLIENT, secret: str = SECRET, now_s: Callable[[], int] = lambda: NOW_S
) -> AsyncIterator[tuple[SealService, SealHouse]]:
    """Open a client of a service with a key of each kind, and the service."""
    house = SealHouse(now_s=lambda: NOW_S)
    for label, key in KEYS.items():
        house.keys[label] = key, CERTIFICATES[label]
    house.stranger = examples.key(serial=9).certificate
    async with serving(house.app()) as url, httpx.AsyncClient(trust_env=False) as http:
        address = ServiceAddress(url=url, client=client, secret=secret)
        yield SealService(http, address, now_s, lambda: secrets.token_hex(16), QUICK), house
