"""Alipay inside a test: no socket, the same application, one merchant and the product's client for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from cloud.payments.channels.alipay.client import Alipay, AlipayMerchant
from cloud.payments.channels.trust import load_private_key, load_public_key
from tests.simulation.alipay.channel import AlipaySimulator
from tests.simulation.wechat.seals import SigningKey, kept_key

BASE_URL = "http://alipay.test"
APP_ID = "2021000000000001"


class InProcessAlipay:
    """Alipay over a folder, answering through an in-process transport."""

    def __init__(self, folder: Path, now: Callable[[], datetime], *, hurry: int = 1000) -> None:
        self.simulator = AlipaySimulator(folder, now, hurry=hurry)
        self.simulator.channel.base_url = BASE_URL
        self._folder = folder
        self.transport = httpx.ASGITransport(app=self.simulator.app())
        self.http = httpx.AsyncClient(transport=self.transport, base_url=BASE_URL)
        self.client_skew_s = 0

    async def register(self, seller: str) -> tuple[SigningKey, str]:
        """Register a merchant; return his key and Alipay's public key."""
        key = kept_key(self._folder / f"merchant-{seller}.pem", "app")
        told = await self.control("merchants", mchid=seller, appid=APP_ID, public_pem=key.public_pem())
        return key, str(told["public_pem"])

    async def client(self, seller: str) -> Alipay:
        """Register a merchant and return the product's client for it."""
        key, public = await self.register(seller)
        merchant = AlipayMerchant(
            seller_id=seller,
            app_id=APP_ID,
            private_key=load_private_key(key.pem),
            channel_keys=(load_public_key(public.encode()),),
        )
        return Alipay(self.http, BASE_URL, merchant, lambda: int(time.time()) + self.client_skew_s)

    async def control(self, act: str, **fields: Any) -> dict[str, Any]:
        """Call the back door; an answer that is not 200 is the test's mistake unless it asks for `refusal`."""
        answer = await self.http.post(f"/control/{act}", json=fields)
        told: dict[str, Any] = answer.json()
        return told if answer.status_code == httpx.codes.OK else {"refusal": told["code"]}

    async def close(self) -> None:
        """Close transport and book."""
        await self.http.aclose()
        self.simulator.channel.book.close()
