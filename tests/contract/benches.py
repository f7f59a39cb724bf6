"""One bench for each channel: the product's client against its simulator, behind the same few deeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx

from cloud.payments.channel import Channel, Method
from cloud.payments.channels.provider import NOBODY, Order, OrderRef, Payer, Provider, RefundOrder
from tests.simulation.alipay.in_process import InProcessAlipay
from tests.simulation.unionpay.in_process import InProcessUnionPay
from tests.simulation.wechat.in_process import InProcessChannel

START = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)
NUMBER = "GH20260305AAAAAAAAAAAAA0"
OTHER = "GH20260305BBBBBBBBBBBBB0"
REFUND = "RF20260305AAAAAAAAAAAAA0"
MERCHANTS = {Channel.WECHAT: "1900000109", Channel.ALIPAY: "2088000000000009", Channel.UNIONPAY: "777290058110097"}
SCAN = {Channel.WECHAT: Method.NATIVE, Channel.ALIPAY: Method.PRECREATE, Channel.UNIONPAY: Method.QR}
CODES = {
    Channel.WECHAT: "134650000000000001",
    Channel.ALIPAY: "286500000000000001",
    Channel.UNIONPAY: "6220000000000000001",
}


class _Messenger(Protocol):
    async def deliver_due(self, http: httpx.AsyncClient) -> None: ...


class InProcess(Protocol):
    """A simulator inside a test."""

    async def control(self, act: str, **fields: Any) -> dict[str, Any]: ...

    async def close(self) -> None: ...


@dataclass(kw_only=True)
class Bench:
    """A client, its simulator, and the notifications that came."""

    channel: Channel
    client: Provider
    simulator: InProcess
    messenger: _Messenger
    heard: list[httpx.Request] = field(default_factory=list)

    @property
    def merchant(self) -> str:
        """Return the merchant number."""
        return MERCHANTS[self.channel]

    def order(self, number: str = NUMBER, fen: int = 12_345, **more: Any) -> Order:
        """Return an order of the usual method."""
        wish: dict[str, Any] = {"method": SCAN[self.channel], "payer": NOBODY} | more
        return Order(
            number=number,
            amount_fen=fen,
            description="翠湖花园 1-2-301 物业费+{2026}*03",
            notify_url="http://house.test/notify/abc",
            made_at=START,
            expires_at=START + timedelta(hours=2),
            **wish,
        )

    def shown(self, number: str = NUMBER, fen: int = 12_345) -> Order:
        """Return an order whose payer shows a code."""
        return self.order(number, fen, method=Method.CODE, payer=Payer(auth_code=CODES[self.channel]))

    @staticmethod
    def refund(transaction_id: str, fen: int = 45, number: str = REFUND, total_fen: int = 12_345) -> RefundOrder:
        """Return a refund of the usual order."""
        return RefundOrder(
            order_number=NUMBER,
            transaction_id=transaction_id,
            refund_number=number,
            made_at=START + timedelta(minutes=1),
            amount_fen=fen,
            order_total_fen=total_fen,
            reason="多收退回",
            notify_url="http://house.test/notify/abc",
        )

    async def pay(self, number: str = NUMBER, **wish: Any) -> str:
        """Let the payer pay an order and return the channel's transaction."""
        return str((await self.simulator.control("pay", number=number, **wish))["transaction_id"])

    async def paid(self, number: str = NUMBER, fen: int = 12_345) -> str:
        """Place an order and let the payer pay it."""
        await self.client.place(self.order(number, fen))
        return await self.pay(number)

    async def misbehave(self, kind: str, **more: Any) -> None:
        """Wish for a wrong."""
        await self.simulator.control("mischief", kind=kind, **more)

    async def listen(self) -> httpx.Request:
        """Return the last notification that is due, as it arrives."""

        def hear(request: httpx.Request) -> httpx.Response:
            self.heard.append(request)
            return httpx.Response(200, content=self.client.acknowledgement)

        async with httpx.AsyncClient(transport=httpx.MockTransport(hear)) as http:
            await self.messenger.deliver_due(http)
        return self.heard[-1]


def ref(number: str = NUMBER) -> OrderRef:
    """Return what the orders of a bench are asked about by."""
    return OrderRef(number=number, made_at=START)


async def open_bench(channel: Channel, folder: Path, now: Callable[[], datetime]) -> Bench:
    """Open the bench of a channel."""
    if channel is Channel.WECHAT:
        wechat = InProcessChannel(folder, now)
        client: Provider = await wechat.client(MERCHANTS[channel])
        return Bench(channel=channel, client=client, simulator=wechat, messenger=wechat.channel.messenger)
    if channel is Channel.ALIPAY:
        alipay = InProcessAlipay(folder, now)
        client = await alipay.client(MERCHANTS[channel])
        return Bench(channel=channel, client=client, simulator=alipay, messenger=alipay.simulator.messenger)
    union = InProcessUnionPay(folder, now)
    client = await union.client(MERCHANTS[channel])
    return Bench(channel=channel, client=client, simulator=union, messenger=union.simulator.messenger)
