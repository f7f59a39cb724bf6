"""Agreements at Alipay, against its simulator: signed on its page, asked about, ended by either side, never guessed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest_asyncio

from cloud.payments.channel import Method
from cloud.payments.channels.alipay.agreements import AlipayAgreements
from cloud.payments.channels.alipay.client import Alipay
from cloud.payments.channels.deductions import Agreement, AgreementState, AgreementWish
from cloud.payments.channels.provider import Order, OrderView, Payer, Refused, TradeState, Unknown
from tests.simulation.alipay.in_process import InProcessAlipay
from tests.support.clock import SettableClock

OURS = "DK20260301AAAAAAAAAAAAA0"
WISH = AgreementWish(
    number=OURS,
    limit_fen=20_000,
    first_on=date(2026, 3, 12),
    description="翠湖花园",
    return_url="http://house.test/back",
    notify_url="http://house.test/notify/abc",
)
START = datetime(2026, 3, 10, 2, tzinfo=UTC)


@dataclass(kw_only=True)
class Desk:
    alipay: InProcessAlipay
    client: Alipay
    clock: SettableClock

    async def sign(self) -> str:
        """Open the page, sign, and return Alipay's number."""
        page = await AlipayAgreements(self.client).sign_page(WISH)
        assert (await self.alipay.http.get(page)).status_code == httpx.codes.OK
        await self.alipay.control("sign-agreement", external=OURS)
        told = await AlipayAgreements(self.client).query(OURS)
        assert isinstance(told, Agreement)
        assert told.state is AgreementState.SIGNED
        return told.number

    async def take(self, agreement: str, fen: int = 12_345, number: str = "GH20260310AAAAAAAAAAAAA0") -> object:
        """Take money by an agreement."""
        now = self.clock.now()
        order = Order(
            number=number,
            amount_fen=fen,
            description="翠湖花园",
            notify_url="http://house.test/notify/abc",
            made_at=now,
            expires_at=now + timedelta(hours=6),
            method=Method.DEDUCTION,
            payer=Payer(agreement=agreement),
        )
        return await self.client.place(order)


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = SettableClock(START)
    alipay = InProcessAlipay(tmp_path / "alipay", clock.now)
    yield Desk(alipay=alipay, client=await alipay.client("2088000000000009"), clock=clock)
    await alipay.close()


async def test_nothing_is_signed_before_the_payer_signed(desk: Desk) -> None:
    assert await AlipayAgreements(desk.client).query(OURS) == Agreement(state=AgreementState.UNSIGNED)
    await AlipayAgreements(desk.client).sign_page(WISH)
    assert await AlipayAgreements(desk.client).query(OURS) == Agreement(state=AgreementState.UNSIGNED)


async def test_money_is_taken_once_a_cycle_and_never_above_the_cap(desk: Desk) -> None:
    number = await desk.sign()
    above = await desk.take(number, 20_001)
    assert isinstance(above, Refused)
    assert above.code == "ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED"
    taken = await desk.take(number)
    assert isinstance(taken, OrderView)
    assert (taken.state, taken.total_fen) == (TradeState.PAID, 12_345)
    again = await desk.take(number, number="GH20260310BBBBBBBBBBBBB0")
    assert isinstance(again, Refused)
    assert again.code == "ACQ.CYCLE_PAY_DATE_NOT_MATCH"


async def test_money_is_not_taken_before_its_days(desk: Desk) -> None:
    number = await desk.sign()
    desk.clock.set(START - timedelta(days=6))
    early = await desk.take(number)
    assert isinstance(early, Refused)
    assert early.code == "ACQ.CYCLE_PAY_DATE_NOT_MATCH"


async def test_either_side_ends_an_agreement_and_then_nothing_is_taken(desk: Desk) -> None:
    number = await desk.sign()
    assert await AlipayAgreements(desk.client).end(OURS) is None
    assert await AlipayAgreements(desk.client).query(OURS) == Agreement(state=AgreementState.ENDED)
    refused = await desk.take(number)
    assert isinstance(refused, Refused)
    assert refused.code == "ACQ.AGREEMENT_NOT_EXIST"
    assert await AlipayAgreements(desk.client).end(OURS) is None


async def test_an_answer_that_proves_nothing_is_unknown(desk: Desk) -> None:
    await desk.sign()
    for kind in ("server_error", "wrong_key", "unsigned"):
        await desk.alipay.control("mischief", kind=kind)
        assert isinstance(await AlipayAgreements(desk.client).query(OURS), Unknown)
    await desk.alipay.control("mischief", kind="server_error")
    assert isinstance(await AlipayAgreements(desk.client).end(OURS), Unknown)


async def test_a_state_nobody_knows_is_not_guessed(desk: Desk) -> None:
    await desk.sign()
    desk.alipay.simulator.channel.agreements[OURS]["status"] = "FROZEN"
    assert isinstance(await AlipayAgreements(desk.client).query(OURS), Unknown)
