"""Whoever holds a bill pays it at its address: whole, in part, ahead; the page says honestly where a payment stands."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.cloud.web.browsing import reading, send
from tests.cloud.web.front import Front, words_of

_FIELD = re.compile(r'name="(intent_id|legal_entity_id|fund_class)" value="([^"]+)"')


@pytest_asyncio.fixture
async def stranger(front: Front) -> AsyncIterator[httpx.AsyncClient]:
    async with reading(front.app) as browser:
        yield browser


async def address(front: Front) -> str:
    """Bill the flats and return the address of the first bill."""
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    async with front.resident() as browser:
        led = await send(browser, f"/bills/{bill.bill_id}", f"/bills/{bill.bill_id}/pay", {})
    return led.headers["location"]


async def begin(stranger: httpx.AsyncClient, path: str, **wish: str) -> str:
    """Begin a payment with the form that stands on the page, and return the order's address."""
    fields = dict(_FIELD.findall((await stranger.get(path)).text))
    answer = await send(stranger, path, f"{path}/begin", {**fields, **wish})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def scan(front: Front, words: str) -> str:
    number = re.search(r"Order (\S+)", words)
    assert number
    await front.counter.channel.control("pay", number=number[1])
    return number[1]


async def test_the_page_says_what_is_open_and_nothing_about_persons(front: Front, stranger: httpx.AsyncClient) -> None:
    words = words_of(await stranger.get(await address(front)))
    assert "花园 1-1-001" in words
    assert "本账单 This bill ¥332.00" in words
    assert "花园物业有限公司 · 物业经营 operating" in words
    assert "owner" not in words


async def test_a_payment_shows_a_code_waits_and_is_paid_once_the_channel_says_so(
    front: Front, stranger: httpx.AsyncClient
) -> None:
    path = await address(front)
    order = await begin(stranger, path)
    page = await stranger.get(order)
    words = words_of(page)
    assert "等待付款 Waiting for the payment ¥332.00" in words
    assert page.text.count("qrline") == 1
    assert f'hx-get="{order}/state?seen=sent"' in page.text
    assert (await stranger.get(f"{order}/state?seen=sent")).status_code == 204
    await scan(front, words)
    await front.notified()
    changed = await stranger.get(f"{order}/state?seen=sent")
    assert "已收到付款 Paid ¥332.00" in words_of(changed)
    assert "hx-trigger" not in changed.text
    assert "qrline" not in changed.text
    assert "<html" not in changed.text
    assert "已缴清" in words_of(await stranger.get(path))


@pytest.mark.parametrize(
    ("wish", "paid", "open_after"),
    [
        ({"amount": "100"}, "¥100.00", 23_200),
        ({"amount": "￥1，000.50"}, "¥1,000.50", 0),
        ({"what": "account"}, "¥332.00", 0),
    ],
)
async def test_a_part_more_than_all_and_the_whole_account_can_be_paid(
    front: Front, stranger: httpx.AsyncClient, wish: dict[str, str], paid: str, open_after: int
) -> None:
    order = await begin(stranger, await address(front), **wish)
    words = words_of(await stranger.get(order))
    assert paid in words
    await scan(front, words)
    await front.notified()
    assert await front.counter.open_fen() == open_after


async def test_an_order_whose_end_is_unknown_is_being_asked_about_and_asks_nobody_to_pay_twice(
    front: Front, stranger: httpx.AsyncClient
) -> None:
    path = await address(front)
    await front.counter.channel.control("mischief", kind="commit_then_error")
    order = await begin(stranger, path)
    page = await stranger.get(order)
    assert "正在查询支付结果 The payment is being asked about" in words_of(page)
    assert "请不要重复付款" in words_of(page)
    assert "qrline" not in page.text


async def test_who_says_that_he_has_paid_has_the_channel_asked_at_once(
    front: Front, stranger: httpx.AsyncClient
) -> None:
    order = await begin(stranger, await address(front))
    await front.counter.channel.control("mischief", kind="notify_never")
    await scan(front, words_of(await stranger.get(order)))
    assert "等待付款" in words_of(await stranger.get(order))
    assert "已收到付款" in words_of(await stranger.get(f"{order}/state?ask=true"))


async def test_an_order_past_its_time_is_closed_and_can_be_begun_again(
    front: Front, stranger: httpx.AsyncClient
) -> None:
    path = await address(front)
    order = await begin(stranger, path)
    front.counter.office.clock.advance(hours=3)
    await front.counter.work()
    words = words_of(await stranger.get(order))
    assert "该订单已关闭，未收款" in words
    assert "重新支付 Begin again" in words
    assert await begin(stranger, path) != order


async def test_the_same_form_twice_is_one_order(front: Front, stranger: httpx.AsyncClient) -> None:
    path = await address(front)
    fields = dict(_FIELD.findall((await stranger.get(path)).text))
    first = await send(stranger, path, f"{path}/begin", fields)
    second = await send(stranger, path, f"{path}/begin", fields)
    assert first.headers["location"] == second.headers["location"]


@pytest.mark.parametrize("amount", ["-1", "0", "abc", "1.234", "99999999999"])
async def test_an_amount_that_cannot_be_paid_is_refused_in_words(
    front: Front, stranger: httpx.AsyncClient, amount: str
) -> None:
    path = await address(front)
    fields = dict(_FIELD.findall((await stranger.get(path)).text))
    answer = await send(stranger, path, f"{path}/begin", {**fields, "amount": amount})
    assert answer.status_code in {400, 422}
    assert "alert-danger" in answer.text


@pytest.mark.parametrize("token", ["short", "A" * 24])
async def test_an_address_that_leads_nowhere_is_told(stranger: httpx.AsyncClient, token: str) -> None:
    assert (await stranger.get(f"/pay/{token}")).status_code == 404


async def test_an_order_of_another_address_is_not_shown(front: Front, stranger: httpx.AsyncClient) -> None:
    path = await address(front)
    foreign = await front.counter.start(1)
    assert (await stranger.get(f"{path}/orders/{foreign.attempt_id}")).status_code == 404


PHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148"}
IN_WECHAT = {"user-agent": PHONE["user-agent"] + " MicroMessenger/8.0.49"}
IN_ALIPAY = {"user-agent": PHONE["user-agent"] + " AlipayClient/10.5.80"}


async def test_the_app_that_scans_decides_what_is_offered(front: Front, stranger: httpx.AsyncClient) -> None:
    path = await address(front)
    assert "打开微信支付" in words_of(await stranger.get(path, headers=PHONE))
    assert "微信扫码" in words_of(await stranger.get(path))
    assert "在浏览器中打开后缴费" in words_of(await stranger.get(path, headers=IN_WECHAT))
    assert "请到收款台缴纳" in words_of(await stranger.get(path, headers=IN_ALIPAY))


async def test_a_phones_browser_is_led_to_the_channels_own_page(front: Front, stranger: httpx.AsyncClient) -> None:
    path = await address(front)
    stranger.headers.update(PHONE)
    order = await begin(stranger, path, way="wechat:h5")
    page = await stranger.get(order)
    assert 'href="http://channel.test/cgi-bin/mmpayweb-bin/checkmweb' in page.text
    assert "qrline" not in page.text


@pytest.mark.parametrize("way", ["wechat:page", "gold", "wechat:code", "cash:counter", "alipay:wap"])
async def test_a_way_that_is_not_offered_begins_nothing(front: Front, stranger: httpx.AsyncClient, way: str) -> None:
    path = await address(front)
    fields = dict(_FIELD.findall((await stranger.get(path)).text))
    answer = await send(stranger, path, f"{path}/begin", {**fields, "way": way})
    assert 400 <= answer.status_code < 500
