"""A counter that takes money over every online channel: the other two channels beside WeChat, in the same process."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from cloud.kit.secretbox import SecretBox
from cloud.payments import merchants
from cloud.payments.channel import Channel, Method
from cloud.payments.channels.provider import Payer
from cloud.payments.merchants import MerchantAccount, NewMerchantAccount
from cloud.payments.service import Way
from cloud.payments.values import Attempt
from cloud.tariffs.charge import FundClass
from tests.cloud.billing.conftest import Office
from tests.cloud.payments.counter import Counter, open_counter
from tests.simulation.alipay.in_process import APP_ID as ALIPAY_APP
from tests.simulation.alipay.in_process import BASE_URL as ALIPAY_URL
from tests.simulation.alipay.in_process import InProcessAlipay
from tests.simulation.unionpay.in_process import BASE_URL as UNIONPAY_URL
from tests.simulation.unionpay.in_process import CERTIFICATE_ID, InProcessUnionPay
from tests.simulation.wechat.in_process import InProcessChannel

SELLER = "2088000000000009"
MER_ID = "777290058110097"
SCANS = {Channel.WECHAT: Method.NATIVE, Channel.ALIPAY: Method.PRECREATE, Channel.UNIONPAY: Method.QR}
SHOWN = {Channel.WECHAT: "134650000000000001", Channel.ALIPAY: "286500000000000001", Channel.UNIONPAY: "62" + "0" * 17}


@dataclass(slots=True, kw_only=True)
class Hall:
    """The counter, the three channels, and the merchant account at each."""

    counter: Counter
    wechat: InProcessChannel
    alipay: InProcessAlipay
    unionpay: InProcessUnionPay
    accounts: dict[Channel, MerchantAccount]

    def simulator(self, channel: Channel) -> Any:
        """Return the simulator of a channel."""
        return {Channel.WECHAT: self.wechat, Channel.ALIPAY: self.alipay, Channel.UNIONPAY: self.unionpay}[channel]

    def messenger(self, channel: Channel) -> Any:
        """Return what delivers a channel's notifications."""
        simulator = self.simulator(channel)
        return simulator.channel.messenger if channel is Channel.WECHAT else simulator.simulator.messenger

    async def start(self, channel: Channel, flat: int = 0, *, shown: bool = False, **wish: Any) -> Attempt:
        """Begin a payment of a flat over a channel; with `shown` its payer shows a code."""
        counter = self.counter
        request = await counter.request(flat, **wish)
        way = Way.shown_code(channel) if shown else Way(channel=channel, method=SCANS[channel])
        payer = Payer(auth_code=SHOWN[channel] if shown else "")
        return await counter.cashier.start(counter.tenant, counter.office.site.actor, request, way, payer)

    async def pay(self, channel: Channel, attempt: Attempt, **wish: Any) -> dict[str, Any]:
        """Let the payer pay an order."""
        told: dict[str, Any] = await self.simulator(channel).control("pay", number=attempt.order_number, **wish)
        return told

    async def deliver(self, channel: Channel) -> None:
        """Deliver the notifications of a channel that are due."""
        await self.messenger(channel).deliver_due(self.counter.http)

    async def settle(self, channel: Channel, attempt: Attempt, **wish: Any) -> None:
        """Pay, notify, and let the worker book."""
        await self.pay(channel, attempt, **wish)
        await self.deliver(channel)
        await self.counter.work()


@asynccontextmanager
async def open_hall(office: Office, folder: Path) -> AsyncIterator[Hall]:
    """Open a counter with a merchant account at each online channel."""
    now = office.clock.now
    wechat = InProcessChannel(folder / "wechat", now, hurry=1_000_000)
    alipay = InProcessAlipay(folder / "alipay", now, hurry=1_000_000)
    unionpay = InProcessUnionPay(folder / "unionpay", now, hurry=1_000_000)
    wechat.http = httpx.AsyncClient(
        transport=wechat.http._transport,
        mounts={ALIPAY_URL: alipay.transport, UNIONPAY_URL: unionpay.transport},
        base_url=str(wechat.http.base_url),
    )
    try:
        async with open_counter(office, wechat) as counter:
            accounts = {Channel.WECHAT: counter.account}
            key, public = await alipay.register(SELLER)
            fields = {"merchant_number": SELLER, "app_id": ALIPAY_APP, "merchant_serial": ""}
            fields |= {"private_key_pem": key.pem.decode(), "api_key": ""}
            accounts[Channel.ALIPAY] = await _added(counter, Channel.ALIPAY, {"alipay": public}, fields)
            key, root = await unionpay.register(MER_ID)
            fields = {"merchant_number": MER_ID, "app_id": "", "merchant_serial": CERTIFICATE_ID}
            fields |= {"private_key_pem": key.pem.decode(), "api_key": ""}
            accounts[Channel.UNIONPAY] = await _added(counter, Channel.UNIONPAY, {"root": root}, fields)
            yield Hall(counter=counter, wechat=wechat, alipay=alipay, unionpay=unionpay, accounts=accounts)
    finally:
        await wechat.close()
        await alipay.close()
        await unionpay.close()


async def _added(counter: Counter, channel: Channel, keys: dict[str, str], fields: dict[str, str]) -> MerchantAccount:
    new = NewMerchantAccount(
        legal_entity_id=counter.entity,
        fund_class=FundClass.OPERATING,
        channel=channel,
        label="物业费",
        channel_keys=keys,
        **fields,
    )
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        account_id = await merchants.add_merchant_account(
            unit, SecretBox(bytes(range(32))), new, secrets.token_urlsafe(24)
        )
    async with counter.database.view(counter.tenant) as session:
        return await merchants.merchant_account(session, account_id)
