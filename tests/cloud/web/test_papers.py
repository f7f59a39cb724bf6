"""A resident fetches his bill and receipt as sealed files; whoever holds the bill fetches it too; nobody else does."""

from __future__ import annotations

import httpx

from cloud.documents.kinds import Check
from cloud.documents.verifying import examine
from cloud.identity.policy import RoleName
from tests.cloud.web.browsing import reading, send
from tests.cloud.web.front import Front, words_of


async def issued(front: Front, browser: httpx.AsyncClient) -> str:
    """Press the button on the first flat's bill and return where it led."""
    (bill,) = await front.bills()
    led = await send(browser, f"/bills/{bill.bill_id}", f"/papers/bill/{bill.bill_id}", {})
    assert led.status_code == 303
    return led.headers["location"]


async def test_a_bills_button_leads_to_its_paper_which_is_sealed_by_the_worker(front: Front) -> None:
    await front.bill_some_of_everything()
    async with front.resident() as browser:
        path = await issued(front, browser)
        assert "正在盖章" in words_of(await browser.get(path))
        assert f'hx-get="{path}/state"' in (await browser.get(path)).text
        unsealed = await browser.get(f"{path}/file")
        assert examine(unsealed.content, []).check is Check.UNSEALED
        await front.counter.work()
        state = await browser.get(f"{path}/state")
        assert "已加盖电子印章 Sealed" in words_of(state)
        assert "hx-trigger" not in state.text
        file = await browser.get(f"{path}/file")
    assert file.headers["content-type"] == "application/pdf"
    assert file.headers["content-disposition"].startswith("attachment")
    assert examine(file.content, []).check is Check.FOREIGN_SEAL


async def test_the_button_again_leads_to_the_same_paper(front: Front) -> None:
    await front.bill_some_of_everything()
    async with front.resident() as browser:
        assert await issued(front, browser) == await issued(front, browser)


async def test_a_neighbour_sees_neither_the_paper_nor_its_file(front: Front) -> None:
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    async with front.resident() as browser:
        path = await issued(front, browser)
    async with front.resident(1) as neighbour:
        for address in (path, f"{path}/state", f"{path}/file"):
            assert (await neighbour.get(address)).status_code == 404
        assert (await send(neighbour, "/my", f"/papers/bill/{bill.bill_id}", {})).status_code == 404


async def test_a_receipt_has_its_paper_too_and_a_cashier_may_fetch_it(front: Front) -> None:
    await front.bill_some_of_everything()
    await front.counter.settle(await front.counter.start())
    (payment, *_) = await front.counter.payments()
    async with front.person(RoleName.CASHIER) as browser:
        page = f"/receipts/{payment.payment_id}"
        led = await send(browser, page, f"/papers/receipt/{payment.payment_id}", {})
        assert f"收款收据 Receipt {payment.number}" in words_of(await browser.get(led.headers["location"]))


async def test_whoever_holds_the_bill_fetches_its_paper_without_signing_in(front: Front) -> None:
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    async with front.resident() as browser:
        led = await send(browser, f"/bills/{bill.bill_id}", f"/bills/{bill.bill_id}/pay", {})
    path = led.headers["location"]
    async with reading(front.app) as stranger:
        assert (await stranger.get(f"{path}/paper")).status_code == 404
        assert (await send(stranger, path, f"{path}/paper", {})).headers["location"] == f"{path}/paper"
        await front.counter.work()
        assert "Sealed" in words_of(await stranger.get(f"{path}/paper"))
        assert "Sealed" in words_of(await stranger.get(f"{path}/paper/state"))
        file = await stranger.get(f"{path}/paper/file")
    assert examine(file.content, []).check is Check.FOREIGN_SEAL
