"""What every channel that keeps agreements to deduct promises, by the same sentences: two clients, two simulators."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from cloud.payments.channel import Channel, Method
from cloud.payments.channels.alipay.agreements import AlipayAgreements
from cloud.payments.channels.alipay.client import Alipay
from cloud.payments.channels.deductions import Agreement, Agreements, AgreementState, AgreementWish
from cloud.payments.channels.provider import (
    OrderRef,
    OrderView,
    Payer,
    PlacedOrder,
    PromptKind,
    Refused,
    TradeState,
    Unknown,
)
from cloud.payments.channels.trust import DistrustedError
from cloud.payments.channels.wechat.agreements import WeChatAgreements
from cloud.payments.channels.wechat.client import WeChatPay
from tests.contract.benches import NUMBER, OTHER, START, Bench, open_bench
from tests.support.clock import SettableClock

OURS = "DK20260305AAAAAAAAAAAAA0"
PLAN = "12535"
FIRST_ON = date(2026, 3, 12)
LIMIT_FEN = 20_000
DAY = datetime(2026, 3, 10, 2, tzinfo=UTC)  # in the days of both channels: five days after START, two before FIRST_ON


@dataclass(slots=True, kw_only=True)
class Desk:
    """The agreements of a bench."""

    bench: Bench
    agreements: Agreements
    clock: SettableClock

    async def page(self, limit_fen: int = LIMIT_FEN) -> str:
        """Let the payer open the page where he signs."""
        wish = AgreementWish(
            number=OURS,
            limit_fen=limit_fen,
            first_on=FIRST_ON,
            description="翠湖花园",
            return_url="http://house.test/my/auto-pay",
            notify_url="http://house.test/notify/abc",
        )
        page = await self.agreements.sign_page(wish)
        assert isinstance(page, str), page
        if self.bench.channel is Channel.ALIPAY:  # its page is the wish; WeChat was told it when it gave the page
            assert (await getattr(self.bench.simulator, "http").get(page)).status_code == httpx.codes.OK  # noqa: B009
        return page

    async def query(self) -> Agreement:
        """Ask where the agreement stands."""
        told = await self.agreements.query(OURS)
        assert isinstance(told, Agreement), told
        return told

    async def signed(self, fen: int = 12_345) -> str:
        """Let the payer sign, announce an amount, let its days come, and return the channel's number."""
        await self.page()
        await self.bench.simulator.control("sign-agreement", external=OURS)
        assert await self.agreements.announce(OURS, fen) is None
        self.clock.set(DAY)
        return (await self.query()).number

    async def take(self, agreement: str, fen: int = 12_345, number: str = NUMBER) -> object:
        """Take money by an agreement; return the refusal, or where the order stands."""
        order = self.bench.order(number, fen, method=Method.DEDUCTION, payer=Payer(agreement=agreement))
        placed = await self.bench.client.place(order)
        if isinstance(placed, Refused | Unknown):
            return placed
        assert isinstance(placed, OrderView) or placed.kind is PromptKind.WAIT
        return await self.bench.client.query(OrderRef(number=number, made_at=START))


@pytest_asyncio.fixture(params=[Channel.ALIPAY, Channel.WECHAT])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    clock = SettableClock(START)
    bench = await open_bench(Channel(request.param), tmp_path / "channel", clock.now)
    client = bench.client
    agreements: Agreements
    if isinstance(client, Alipay):
        agreements = AlipayAgreements(client)
    else:
        assert isinstance(client, WeChatPay)
        agreements = WeChatAgreements(client, PLAN)
    yield Desk(bench=bench, agreements=agreements, clock=clock)
    await bench.simulator.close()


async def test_nothing_is_signed_before_the_payer_signed(desk: Desk) -> None:
    assert await desk.query() == Agreement(state=AgreementState.UNSIGNED)
    await desk.page()
    assert await desk.query() == Agreement(state=AgreementState.UNSIGNED)
    await desk.bench.simulator.control("sign-agreement", external=OURS)
    signed = await desk.query()
    assert signed.state is AgreementState.SIGNED
    assert signed.number


async def test_an_announced_amount_is_taken_and_asking_tells(desk: Desk) -> None:
    taken = await desk.take(await desk.signed())
    assert isinstance(taken, OrderView), taken
    assert (taken.state, taken.total_fen, taken.paid_at) == (TradeState.PAID, 12_345, DAY)
    book = await desk.bench.simulator.control("book", mchid=desk.bench.merchant)
    assert book["merchant_fen"] == 12_345 - 74


async def test_money_is_taken_once_a_cycle(desk: Desk) -> None:
    number = await desk.signed()
    assert isinstance(await desk.take(number), OrderView)
    assert isinstance(await desk.take(number, number=OTHER), Refused)


async def test_nothing_is_taken_above_what_was_agreed_or_announced(desk: Desk) -> None:
    assert isinstance(await desk.take(await desk.signed(LIMIT_FEN), LIMIT_FEN + 1), Refused)


async def test_nothing_is_taken_before_its_days(desk: Desk) -> None:
    number = await desk.signed()
    desk.clock.set(START + timedelta(days=1))
    assert isinstance(await desk.take(number), Refused)


async def test_an_amount_is_announced_once_however_often_it_is_told(desk: Desk) -> None:
    number = await desk.signed()
    for _ in range(3):
        assert await desk.agreements.announce(OURS, 12_345) is None
    assert isinstance(await desk.take(number), OrderView)


@pytest.mark.parametrize("by", ["payer", "us"])
async def test_either_side_ends_an_agreement_and_then_nothing_is_taken(desk: Desk, by: str) -> None:
    number = await desk.signed()
    if by == "us":
        assert await desk.agreements.end(OURS) is None
    else:
        await desk.bench.simulator.control("end-agreement", external=OURS)
    assert await desk.query() == Agreement(state=AgreementState.ENDED)
    assert isinstance(await desk.take(number), Refused)
    assert await desk.agreements.end(OURS) is None


async def test_an_agreement_that_nobody_knows_is_not_there_to_end(desk: Desk) -> None:
    assert await desk.agreements.end(OURS) is None


@pytest.mark.parametrize("kind", ["server_error", "rate_limited", "wrong_key", "unsigned"])
async def test_an_answer_that_proves_nothing_is_unknown(desk: Desk, kind: str) -> None:
    await desk.signed()
    await desk.bench.misbehave(kind)
    assert isinstance(await desk.agreements.query(OURS), Unknown)
    await desk.bench.misbehave(kind)
    assert isinstance(await desk.agreements.end(OURS), Unknown)


async def test_a_deduction_without_an_answer_is_unknown_and_asking_tells(desk: Desk) -> None:
    number = await desk.signed()
    await desk.bench.misbehave("commit_then_error", order=NUMBER)
    assert isinstance(await desk.take(number), Unknown)
    view = await desk.bench.client.query(OrderRef(number=NUMBER, made_at=START))
    assert isinstance(view, OrderView)
    assert view.state is TradeState.PAID


# Alipay's agreements are asked about; nothing it tells of them is listened to.
@pytest.mark.parametrize("desk", [Channel.WECHAT], indirect=True)
async def test_wechat_tells_of_signing_and_ending_and_a_forged_word_is_not_believed(desk: Desk) -> None:
    await desk.signed()
    heard = await desk.bench.listen()
    notice = desk.bench.client.open_notification(heard.headers, heard.content)
    assert (notice.event_type, notice.agreement_number, notice.view) == ("ENTRUST.SIGN", OURS, None)
    await desk.bench.misbehave("notify_forged", order=OURS)
    await desk.bench.simulator.control("end-agreement", external=OURS)
    forged = await desk.bench.listen()
    with pytest.raises(DistrustedError):
        desk.bench.client.open_notification(forged.headers, forged.content)


# Alipay answers a deduction at once.
@pytest.mark.parametrize("desk", [Channel.WECHAT], indirect=True)
async def test_wechat_takes_on_a_deduction_and_says_later_how_it_ended(desk: Desk) -> None:
    number = await desk.signed()
    await desk.bench.misbehave("code_waits", order=NUMBER)
    order = desk.bench.order(method=Method.DEDUCTION, payer=Payer(agreement=number))
    assert isinstance(await desk.bench.client.place(order), PlacedOrder)
    waiting = await desk.bench.client.query(order.ref)
    assert isinstance(waiting, OrderView)
    assert waiting.state is TradeState.NOT_PAID
    await desk.bench.pay()
    heard = await desk.bench.listen()
    notice = desk.bench.client.open_notification(heard.headers, heard.content)
    assert notice.view is not None
    assert (notice.order_number, notice.view.state) == (NUMBER, TradeState.PAID)
