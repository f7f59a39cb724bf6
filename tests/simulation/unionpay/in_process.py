"""UnionPay inside a test: no socket, the same application, one merchant and the product's client for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from cloud.payments.channels.trust import load_private_key
from cloud.payments.channels.unionpay.client import UnionPay, UnionPayMerchant
from cloud.payments.channels.unionpay.signing import Authorities
from tests.simulation.unionpay.channel import UnionPaySimulator
from tests.simulation.wechat.seals import SigningKey, kept_key

BASE_URL = "http://unionpay.test"
CERTIFICATE_ID = "69629715588"


class InProcessUnionPay:
    """UnionPay over a folder, answering through an in-process transport."""

    def __init__(self, folder: Path, now: Callable[[], datetime], *, hurry: int = 1000) -> None:
        self.simulator = UnionPaySimulator(folder, now, hurry=hurry)
        self._folder = folder
        self.transport = httpx.ASGITransport(app=self.simulator.app())
        self.http = httpx.AsyncClient(transport=self.transport, base_url=BASE_URL)
        self.client_skew_s = 0

    async def register(self, number: str) -> tuple[SigningKey, str]:
        """Register a merchant; return his key and the authority that issued UnionPay's certificate."""
        key = kept_key(self._folder / f"merchant-{number}.pem", CERTIFICATE_ID)
        told = await self.control("merchants", mchid=number, serial=CERTIFICATE_ID, public_pem=key.public_pem())
        return key, str(told["root_pem"])

    async def client(self, number: str) -> UnionPay:
        """Register a merchant and return the product's client for it."""
        key, root = await self.register(number)
        merchant = UnionPayMerchant(
            merchant_number=number,
            certificate_id=CERTIFICATE_ID,
            private_key=load_private_key(key.pem),
            authorities=Authorities.read([root.encode()]),
        )
        return UnionPay(self.http, BASE_URL, merchant, lambda: int(time.time()) + self.client_skew_s)

    async def control(self, act: str, **fields: Any) -> dict[str, Any]:
        """Call the back door; an answer that is not 200 is the test's mistake unless it asks for `refusal`."""
        answer = await self.http.post(f"/control/{act}", json=fields)
        told: dict[str, Any] = answer.json()
        return told if answer.status_code == httpx.codes.OK else {"refusal": told["code"]}

    async def close(self) -> None:
        """Close transport and book."""
        await self.http.aclose()
        self.simulator.channel.book.close()
