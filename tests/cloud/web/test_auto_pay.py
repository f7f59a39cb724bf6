"""A resident agrees to automatic deduction, pauses, resumes, ends; staff act for him; strangers see nothing."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from cloud.documents.printer import Printer
from cloud.identity.policy import RoleName
from cloud.payments.channel import Channel
from tests.cloud.billing.conftest import Office
from tests.cloud.payments.halls import Hall, open_hall
from tests.cloud.web.browsing import reading, send, sign_in
from tests.cloud.web.front import Front, open_front, words_of

NAMES = {Channel.ALIPAY: "支付宝", Channel.WECHAT: "微信支付"}
_FIELDS = ("mandate_id", "account_id", "merchant_account_id")


@pytest_asyncio.fixture
async def hall(office: Office, tmp_path: Path) -> AsyncIterator[Hall]:
    async with open_hall(office, tmp_path) as opened:
        await opened.counter.bill(0, 12_345, 20_000)
        yield opened


@pytest_asyncio.fixture
async def house(hall: Hall, tmp_path: Path, printer: Printer) -> Front:
    return open_front(hall.counter, tmp_path, printer)


def form_of(page: httpx.Response, hall: Hall, channel: Channel = Channel.ALIPAY, **more: str) -> dict[str, str]:
    """Return the fields of the offer of a channel."""
    wanted = str(hall.accounts[channel].merchant_account_id)
    form = next(text for text in page.text.split("<form")[1:] if wanted in text)
    fields = {name: re.search(rf'name="{name}" value="([^"]+)"', form) for name in _FIELDS}
    return {name: found[1] for name, found in fields.items() if found} | more


async def agreed(hall: Hall, browser: httpx.AsyncClient, channel: Channel = Channel.ALIPAY) -> str:
    """Agree as a resident does: fill in, sign at the channel, come back. Return where the agreement is."""
    wish = form_of(await browser.get("/my/auto-pay"), hall, channel, limit="200.00", day_of_month="25")
    answer = await send(browser, "/my/auto-pay", "/my/auto-pay", wish)
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    page = await browser.get(path)
    assert NAMES[channel] in words_of(page)
    if channel is Channel.ALIPAY:
        address = html.unescape(re.search(r'href="(http://alipay[^"]+)"', page.text)[1])  # type: ignore[index]
        assert (await hall.alipay.http.get(address)).status_code == 200
        (number,) = hall.alipay.simulator.channel.agreements
    else:
        assert re.search(r'href="[^"]+/entrust\?code=DK', page.text)
        (number,) = hall.wechat.channel.contracts
    await hall.simulator(channel).control("sign-agreement", external=number)
    assert (await send(browser, path, f"{path}/check", {})).status_code == 303
    return str(path)


@pytest.mark.parametrize("channel", NAMES)
async def test_a_resident_agrees_pauses_resumes_and_ends(hall: Hall, house: Front, channel: Channel) -> None:
    async with house.resident() as browser:
        before = words_of(await browser.get("/my/auto-pay"))
        assert "不会扣款" in before
        assert "提前一整天" in before
        path = await agreed(hall, browser, channel)
        after = words_of(await browser.get("/my/auto-pay"))
        assert "生效中" in after
        assert NAMES[channel] in after
        assert "签约自动缴费" not in after
        for deed, words in (("pause", "已暂停"), ("resume", "生效中"), ("end", "已终止")):
            assert (await send(browser, "/my/auto-pay", f"{path}/{deed}", {})).status_code == 303
            assert words in words_of(await browser.get("/my/auto-pay"))
    if channel is Channel.ALIPAY:
        (told,) = hall.alipay.simulator.channel.agreements.values()
        assert told["status"] == "STOP"
    else:
        (contract,) = hall.wechat.channel.contracts.values()
        assert contract["contract_state"] == "TERMINATED"


async def test_what_cannot_be_agreed_to_is_refused_in_words(hall: Hall, house: Front) -> None:
    async with house.resident() as browser:
        wish = form_of(await browser.get("/my/auto-pay"), hall)
        for wrong in ({"limit": "0.50", "day_of_month": "25"}, {"limit": "100", "day_of_month": "29"}):
            answer = await send(browser, "/my/auto-pay", "/my/auto-pay", wish | wrong)
            assert answer.status_code == 400
        unable = hall.accounts[Channel.UNIONPAY].merchant_account_id
        foreign = wish | {"merchant_account_id": str(unable)}
        answer = await send(browser, "/my/auto-pay", "/my/auto-pay", foreign | {"limit": "100", "day_of_month": "5"})
        assert answer.status_code == 404


async def test_a_neighbour_neither_sees_nor_ends_it(hall: Hall, house: Front) -> None:
    async with house.resident() as browser:
        path = await agreed(hall, browser)
    async with house.resident(1) as neighbour:
        assert "生效中" not in words_of(await neighbour.get("/my/auto-pay"))
        assert (await neighbour.get(path)).status_code == 404
        assert (await send(neighbour, "/my/auto-pay", f"{path}/end", {})).status_code == 404


async def test_staff_see_every_agreement_and_pause_or_end_but_never_resume(hall: Hall, house: Front) -> None:
    async with house.resident() as browser:
        path = await agreed(hall, browser)
    async with reading(house.app) as desk:
        await sign_in(desk, await house.code(RoleName.CASHIER))
        assert "生效中" in words_of(await desk.get("/auto-pay"))
        staff = path.replace("/my/", "/")
        assert (await send(desk, "/auto-pay", f"{staff}/pause", {})).status_code == 303
        assert "已暂停" in words_of(await desk.get("/auto-pay"))
        assert (await send(desk, "/auto-pay", f"{staff}/resume", {})).status_code == 404
        assert (await send(desk, "/auto-pay", f"{staff}/end", {})).status_code == 303
        assert "已终止" in words_of(await desk.get("/auto-pay"))
