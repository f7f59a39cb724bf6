"""The desk: open with a count, find by keyboard or scanner, take cash, print, close with a count; a person's way."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from cloud.identity.policy import RoleName
from cloud.ledger.accounts import Book
from cloud.payments import desk
from cloud.tariffs.charge import FundClass
from tests.cloud.web.browsing import send
from tests.cloud.web.front import Front, words_of

FRONT_BOX = "前台钱箱"
_FIELD = re.compile(r'name="(payment_id|account_id)" value="([^"]+)"')
_CHOICE = re.compile(r'name="cash_box_id" value="([^"]+)"')


@pytest_asyncio.fixture
async def cashier(front: Front) -> AsyncIterator[httpx.AsyncClient]:
    await front.bill_some_of_everything()
    async with front.person(RoleName.CASHIER) as browser:
        yield browser


@pytest_asyncio.fixture
async def box(front: Front, cashier: httpx.AsyncClient) -> UUID:
    del cashier
    return await add_box(front)


async def add_box(front: Front) -> UUID:
    """Add the cash box of the company's operating money."""
    book = Book(
        community_id=front.counter.office.site.community_id,
        legal_entity_id=front.counter.entity,
        fund_class=FundClass.OPERATING,
    )
    async with front.counter.database.unit(front.counter.tenant, front.counter.office.site.actor) as unit:
        return await desk.add_cash_box(unit, book, FRONT_BOX)


async def open_shift(cashier: httpx.AsyncClient, **fields: str) -> httpx.Response:
    (cash_box_id,) = _CHOICE.findall((await cashier.get("/desk")).text)
    return await send(cashier, "/desk", "/desk/shifts", {"cash_box_id": cash_box_id, "counted": "0", **fields})


async def room_of(cashier: httpx.AsyncClient, typed: str) -> str:
    answer = await cashier.get("/desk", params={"q": typed})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def take(cashier: httpx.AsyncClient, room: str, fields: Mapping[str, str]) -> httpx.Response:
    hidden = dict(_FIELD.findall((await cashier.get(room)).text))
    return await send(cashier, room, "/desk/payments", {**hidden, **fields})


async def test_without_a_cash_box_the_page_says_whom_to_ask(cashier: httpx.AsyncClient) -> None:
    assert "还没有钱箱" in words_of(await cashier.get("/desk"))


@pytest.mark.usefixtures("box")
async def test_a_first_count_that_is_not_what_was_left_asks_for_the_reason(cashier: httpx.AsyncClient) -> None:
    asked = await open_shift(cashier, counted="200")
    assert "清点 counted ¥200.00， 上次留存 left last time ¥0.00， 差额 difference ¥200.00" in words_of(asked, 400)
    opened = await open_shift(cashier, counted="200", reason="备用金")
    assert (opened.status_code, opened.headers["location"]) == (303, "/desk?done=shift-opened")
    assert "收款台 Cash desk 前台钱箱" in words_of(await cashier.get("/desk"))


@pytest.mark.usefixtures("box")
async def test_a_room_is_found_by_label_bill_number_and_the_code_on_the_bill(
    front: Front, cashier: httpx.AsyncClient
) -> None:
    await open_shift(cashier)
    (bill,) = await front.bills(1)
    led = await send(cashier, f"/bills/{bill.bill_id}", f"/bills/{bill.bill_id}/pay", {})
    by_label = await room_of(cashier, " 1-1-002 ")
    assert await room_of(cashier, bill.number.lower()) == by_label
    assert await room_of(cashier, f"http://house.test{led.headers['location']}") == by_label
    several = words_of(await cashier.get("/desk", params={"q": "1-1"}))
    assert all(label in several for label in ("1-1-001", "1-1-002", "1-1-003"))
    assert "没有找到" in words_of(await cashier.get("/desk", params={"q": "9-9"}))
    assert "没有找到" in words_of(await cashier.get("/desk", params={"q": f"http://x/pay/{'A' * 24}"}))


@pytest.mark.usefixtures("box")
async def test_cash_pays_all_that_is_open_with_change_and_a_receipt_to_print(
    front: Front, cashier: httpx.AsyncClient
) -> None:
    await open_shift(cashier)
    room = await room_of(cashier, "1-1-001")
    shown = await cashier.get(room)
    assert "owner" not in words_of(shown)
    assert 'value="332.00"' in shown.text
    taken = await take(cashier, room, {"amount": "332.00", "tendered": "400"})
    receipt = words_of(await cashier.get(taken.headers["location"]))
    assert "收现 Handed over 400.00" in receipt
    assert "找零 Change 68.00" in receipt
    assert "下一位 Next" in receipt
    assert await front.counter.open_fen() == 0
    assert "GARDEN-R2026-000001" in words_of(await cashier.get("/desk"))


@pytest.mark.usefixtures("box")
@pytest.mark.parametrize(("amount", "open_after", "ahead"), [("100", 23_200, 0), ("400", 0, 6_800)])
async def test_cash_in_part_and_ahead(
    front: Front, cashier: httpx.AsyncClient, amount: str, open_after: int, ahead: int
) -> None:
    await open_shift(cashier)
    assert (await take(cashier, await room_of(cashier, "1-1-001"), {"amount": amount, "tendered": "500"})).is_redirect
    assert (await front.counter.open_fen(), await front.counter.ahead_fen()) == (open_after, ahead)


@pytest.mark.usefixtures("box")
async def test_pressing_twice_takes_money_once(front: Front, cashier: httpx.AsyncClient) -> None:
    await open_shift(cashier)
    room = await room_of(cashier, "1-1-001")
    hidden = dict(_FIELD.findall((await cashier.get(room)).text))
    for _ in range(2):
        await send(cashier, room, "/desk/payments", {**hidden, "amount": "10", "tendered": "10"})
    assert [payment.amount_fen for payment in await front.counter.payments()] == [1_000]


@pytest.mark.usefixtures("box")
async def test_less_cash_than_is_to_be_taken_is_refused(front: Front, cashier: httpx.AsyncClient) -> None:
    await open_shift(cashier)
    answer = await take(cashier, await room_of(cashier, "1-1-001"), {"amount": "332", "tendered": "300"})
    assert answer.status_code == 400
    assert await front.counter.payments() == ()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"amount": "332", "tendered": "400"}, "找零 Change ¥68.00"),
        ({"amount": "332", "tendered": "300"}, "找零 Change 还差 short by ¥32.00"),
        ({"amount": "332", "tendered": ""}, "找零 Change —"),
        ({"amount": "x", "tendered": "1"}, "找零 Change —"),
    ],
)
async def test_the_change_is_told_while_it_is_typed(
    cashier: httpx.AsyncClient, typed: dict[str, str], words: str
) -> None:
    assert words_of(await cashier.get("/desk/change", params=typed)) == words


@pytest.mark.usefixtures("box")
async def test_a_shift_closes_with_a_count_and_a_difference_needs_its_reason(cashier: httpx.AsyncClient) -> None:
    await open_shift(cashier)
    await take(cashier, await room_of(cashier, "1-1-001"), {"amount": "332", "tendered": "332"})
    assert "332" not in words_of(await cashier.get("/desk/close"))
    asked = words_of(await send(cashier, "/desk/close", "/desk/close", {"counted": "331"}), 400)
    assert "清点 counted ¥331.00， 账面 the book says ¥332.00， 差额 difference -¥1.00" in asked
    closed = await send(cashier, "/desk/close", "/desk/close", {"counted": "331", "reason": "少找一元"})
    report = words_of(await cashier.get(closed.headers["location"]))
    assert "长短款 Difference -¥1.00" in report
    assert "少找一元" in report
    assert (await cashier.get("/desk/close")).status_code == 404
    assert "开班 Open a shift" in words_of(await cashier.get("/desk"))


async def test_nobody_but_a_cashier_enters_the_desk(front: Front) -> None:
    for role in (RoleName.MANAGER, RoleName.TECHNICIAN, RoleName.RESIDENT):
        async with front.person(role) as browser:
            assert (await browser.get("/desk")).status_code == 403
            assert (await browser.get(f"/desk/shifts/{UUID(int=1)}")).status_code == 403


async def test_a_receipt_of_another_room_is_not_a_residents(front: Front, cashier: httpx.AsyncClient) -> None:
    del cashier
    await front.counter.settle(await front.counter.start(0))
    (payment,) = await front.counter.payments()
    async with front.resident(1) as browser:
        assert (await browser.get(f"/receipts/{payment.payment_id}")).status_code == 404
