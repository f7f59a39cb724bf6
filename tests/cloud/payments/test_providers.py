"""Every online channel through the product's own cashier, inbox, worker and book."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cloud.kit.errors import NotFoundError
from cloud.payments.channel import ONLINE, Channel, Method
from cloud.payments.channels.alipay.agreements import AlipayAgreements
from cloud.payments.channels.provider import PromptKind
from cloud.payments.channels.trust import DistrustedError
from cloud.payments.channels.wechat.agreements import WeChatAgreements
from cloud.payments.rules import AttemptState
from common.errors import RefusalError
from tests.cloud.billing.conftest import Office
from tests.cloud.payments.halls import Hall, open_hall

CHANNELS = pytest.mark.parametrize("channel", sorted(ONLINE))


@pytest_asyncio.fixture
async def hall(office: Office, tmp_path: Path) -> AsyncIterator[Hall]:
    async with open_hall(office, tmp_path) as opened:
        await opened.counter.bill(0, 12_345, 20_000)
        yield opened


async def booked(hall: Hall, flat: int = 0) -> list[tuple[Channel, Method, int]]:
    return [(one.channel, one.method, one.amount_fen) for one in await hall.counter.payments(flat)]


@CHANNELS
async def test_a_scanned_payment_is_booked_once_from_ten_notifications(hall: Hall, channel: Channel) -> None:
    attempt = await hall.start(channel)
    assert (attempt.state, attempt.prompt) == (AttemptState.SENT, PromptKind.SCAN)
    order = attempt.order_number
    await hall.simulator(channel).control("mischief", kind="notify_parallel", value=10, order=order)
    await hall.settle(channel, attempt)
    assert [(c, fen) for c, _, fen in await booked(hall)] == [(channel, 12_345)]
    assert await hall.counter.open_fen() == 0


@CHANNELS
async def test_a_payment_that_nobody_announced_is_found_by_asking(hall: Hall, channel: Channel) -> None:
    attempt = await hall.start(channel)
    await hall.simulator(channel).control("mischief", kind="notify_never", order=attempt.order_number)
    await hall.settle(channel, attempt)
    hall.counter.office.clock.advance(minutes=2)
    await hall.counter.work()
    assert len(await booked(hall)) == 1


@CHANNELS
async def test_a_lie_by_one_fen_books_nothing_and_the_truth_is_booked(hall: Hall, channel: Channel) -> None:
    attempt = await hall.start(channel)
    await hall.simulator(channel).control("mischief", kind="notify_wrong_amount", order=attempt.order_number)
    await hall.settle(channel, attempt)
    assert [fen for _, _, fen in await booked(hall)] == [12_345]
    assert hall.counter.counted("differs") == 1


@CHANNELS
async def test_money_after_the_closing_is_booked(hall: Hall, channel: Channel) -> None:
    attempt = await hall.start(channel)
    hall.counter.office.clock.advance(hours=3)
    await hall.counter.work()
    assert (await hall.counter.state(attempt)).state is AttemptState.CLOSED
    await hall.settle(channel, attempt, late=True)
    assert len(await booked(hall)) == 1


@CHANNELS
async def test_a_shown_code_is_booked_in_the_same_second(hall: Hall, channel: Channel) -> None:
    attempt = await hall.start(channel, shown=True)
    hall.counter.office.clock.advance(seconds=6)
    await hall.counter.work()
    assert [one[:2] for one in await booked(hall)] == [(channel, Method.CODE)]
    assert (await hall.counter.state(attempt)).state is AttemptState.PAID


@CHANNELS
async def test_a_shown_code_that_is_not_confirmed_is_undone_until_the_channel_says_so(
    hall: Hall, channel: Channel
) -> None:
    await hall.simulator(channel).control("mischief", kind="code_waits")
    await hall.simulator(channel).control("mischief", kind="reverse_again", times=2)
    attempt = await hall.start(channel, shown=True)
    assert attempt.state is AttemptState.SENT
    for _ in range(12):
        hall.counter.office.clock.advance(seconds=6)
        await hall.counter.work()
    assert (await hall.counter.state(attempt)).state in {AttemptState.CLOSED, AttemptState.FAILED}
    assert "refusal" in await hall.pay(channel, attempt)
    assert await booked(hall) == []


@CHANNELS
async def test_a_notification_at_another_channels_address_is_nobodys(hall: Hall, channel: Channel) -> None:
    token = hall.accounts[channel].notify_token
    for other in ONLINE - {channel}:
        answer = await hall.counter.http.post(f"/pay/{other}/notify/{token}", content=b"a=1")
        assert answer.status_code == 404


@CHANNELS
async def test_junk_at_the_right_address_writes_nothing(hall: Hall, channel: Channel) -> None:
    token = hall.accounts[channel].notify_token
    answer = await hall.counter.http.post(f"/pay/{channel}/notify/{token}", content=b"\x00" * 100)
    assert 400 <= answer.status_code < 500


async def test_one_wish_paid_at_two_channels_is_a_duplicate_case_and_no_money_is_lost(hall: Hall) -> None:
    wish = await hall.counter.request(0)
    first = await hall.start(Channel.WECHAT)
    second = await hall.start(Channel.ALIPAY)
    del wish
    await hall.settle(Channel.WECHAT, first)
    await hall.settle(Channel.ALIPAY, second)
    assert sorted(fen for _, _, fen in await booked(hall)) == [12_345, 12_345]
    assert await hall.counter.ahead_fen() == 12_345


async def test_agreements_are_kept_at_alipay_and_at_wechat_with_a_template(hall: Hall) -> None:
    providers = hall.counter.providers
    kept = {channel for channel, account in hall.accounts.items() if providers.keeps_agreements(account)}
    assert kept == {Channel.ALIPAY, Channel.WECHAT}
    assert isinstance(providers.agreements(hall.accounts[Channel.ALIPAY]), AlipayAgreements)
    assert isinstance(providers.agreements(hall.accounts[Channel.WECHAT]), WeChatAgreements)
    with pytest.raises(RefusalError, match="plan_id"):
        providers.agreements(hall.accounts[Channel.UNIONPAY])


def test_the_errors_that_the_inbox_answers_with_are_refusals() -> None:
    assert issubclass(DistrustedError, RefusalError)
    assert issubclass(NotFoundError, RefusalError)
