"""The channel inside a test: no socket, the same application, one merchant and the product's client for it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from cloud.payments.channels.trust import load_private_key, load_public_key
from cloud.payments.channels.wechat.client import Merchant, WeChatPay
from cloud.payments.channels.wechat.signing import KeyRing, MerchantKey
from tests.simulation.wechat.channel import build_app, open_channel
from tests.simulation.wechat.seals import SigningKey, kept_key

BASE_URL = "http://channel.test"
APP_ID = "wxd678efh567hg6787"
API_KEY = "0123456789abcdef0123456789abcdef"
MERCHANT_SERIAL = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"


class InProcessChannel:
    """A channel over a folder, answering through an in-process transport."""

    def __init__(self, folder: Path, now: Callable[[], datetime], *, hurry: int = 1000) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.channel = open_channel(folder, now, hurry=hurry)
        self.channel.base_url = BASE_URL
        self._folder = folder
        self._app = build_app(self.channel)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self._app), base_url=BASE_URL)
        self.client_skew_s = 0

    async def register(self, mchid: str) -> SigningKey:
        """Register a merchant with a key of its own and return the key."""
        key = kept_key(self._folder / f"merchant-{mchid}.pem", MERCHANT_SERIAL)
        await self.control(
            "merchants",
            mchid=mchid,
            appid=APP_ID,
            serial=MERCHANT_SERIAL,
            public_pem=key.public_pem(),
            api_key=API_KEY,
        )
        return key

    async def client(self, mchid: str) -> WeChatPay:
        """Register a merchant and return the product's client for it."""
        key = await self.register(mchid)
        merchant = Merchant(
            key=MerchantKey(merchant_number=mchid, serial=key.serial, private_key=load_private_key(key.pem)),
            app_id=APP_ID,
            ring=await self.ring(),
            api_key=API_KEY.encode(),
        )
        return WeChatPay(self.http, BASE_URL, merchant, self.machine_s, lambda: secrets.token_hex(16))

    def machine_s(self) -> int:
        """Return the machine clock as the product's client sees it."""
        return int(time.time()) + self.client_skew_s

    async def ring(self) -> KeyRing:
        """Return the channel's public keys as they are now."""
        told = await self.control("keys")
        return KeyRing(keys={serial: load_public_key(pem.encode()) for serial, pem in told["keys"].items()})

    async def control(self, act: str, **fields: Any) -> dict[str, Any]:
        """Call the back door; an answer that is not 200 is the test's mistake unless it asks for `refusal`."""
        answer = await self.http.post(f"/control/{act}", json=fields)
        told: dict[str, Any] = answer.json()
        return told if answer.status_code == httpx.codes.OK else {"refusal": told["code"]}

    async def close(self) -> None:
        """Close transport and book."""
        await self.http.aclose()
        self.channel.book.close()
