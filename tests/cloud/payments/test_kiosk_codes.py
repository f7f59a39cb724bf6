"""A gateway hands over a shown code by its signature: charged once, answered signed, the code kept nowhere."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from cloud.billing import service as billing
from cloud.fleet import service as fleet
from cloud.fleet.counters import GatewayMetrics
from cloud.fleet.downlink import Downlink
from cloud.kit.httpapi import install_error_handlers
from cloud.payments import links
from cloud.payments.channel import Channel
from cloud.payments.endpoints import build_kiosk_router
from cloud.payments.kiosk_codes import KioskDesk
from common.ids import GatewayId
from common.wire.charge import ChargeAnswer, ChargeRequest, ChargeState, open_charge_answer, sign_charge
from common.wire.requests import EnrolmentRequest, sign_enrolment
from common.wire.signing import SigningKey
from tests.cloud.payments.halls import SHOWN, Hall, open_hall
from tests.support.randomness import seeded_bytes

KEY, STRANGER, CLOUD = SigningKey(b"g" * 32), SigningKey(b"s" * 32), SigningKey(b"c" * 32)
WISH = UUID(int=0x1)
BILLED, FEE = 12_345, 74


@dataclass(slots=True, kw_only=True)
class Kiosk:
    """A gateway's side of the road, by hand."""

    hall: Hall
    http: httpx.AsyncClient
    gateway_id: GatewayId
    token: str

    async def post(self, *, key: SigningKey = KEY, **wish: Any) -> httpx.Response:
        fields: dict[str, Any] = {"gateway_id": self.gateway_id, "wish": WISH, "token": self.token} | wish
        return await self.http.post("/gateway/v1/charges", content=sign_charge(ChargeRequest(**fields), key))

    async def ask(self, **wish: Any) -> ChargeAnswer:
        """Ask, or with a code charge; the answer must be the cloud's."""
        answer = await self.post(**wish)
        assert answer.status_code == 200, answer.text
        return open_charge_answer(answer.content, wish.get("wish", WISH), {CLOUD.key_id: CLOUD.public_key})

    async def charge(self, channel: Channel = Channel.WECHAT, amount_fen: int = BILLED, **wish: Any) -> ChargeAnswer:
        return await self.ask(auth_code=SHOWN[channel], amount_fen=amount_fen, **wish)

    async def book_fen(self, channel: Channel) -> int:
        """Return what the channel holds for us."""
        merchant = self.hall.accounts[channel].merchant_number
        told: dict[str, Any] = await self.hall.simulator(channel).control("book", mchid=merchant)
        return int(told["merchant_fen"])


@pytest_asyncio.fixture
async def kiosk(office: Any, tmp_path: Path) -> AsyncIterator[Kiosk]:
    async with open_hall(office, tmp_path) as hall:
        counter = hall.counter
        await counter.bill(0, BILLED)
        account_id = await office.account(office.site.flats[0])
        async with counter.database.unit(counter.tenant, office.site.actor) as unit:
            (bill,) = await billing.bills_of(unit.session, [account_id])
            token = await links.link_for(unit, bill.bill_id, seeded_bytes(3))
            gateway_id, code = await fleet.create_gateway(unit, label="building 1")
        downlink = Downlink(database=counter.database, key=CLOUD, machine_clock=office.clock)
        request = EnrolmentRequest(code=code, public_key=KEY.public_key, epoch=1, hardware="")
        await downlink.enrol(sign_enrolment(request, KEY))
        app = FastAPI()
        install_error_handlers(app)
        desk = KioskDesk(counter.database, downlink, counter.cashier)
        app.include_router(build_kiosk_router(desk, GatewayMetrics(CollectorRegistry())))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://cloud") as http:
            yield Kiosk(hall=hall, http=http, gateway_id=gateway_id, token=token)


@pytest.mark.parametrize("channel", sorted(SHOWN))
async def test_a_shown_code_is_charged_in_one_go_and_asking_again_charges_nothing(
    kiosk: Kiosk, channel: Channel
) -> None:
    look = await kiosk.ask()
    assert (look.state, look.amount_fen) == (ChargeState.ABSENT, BILLED)
    told = await kiosk.charge(channel)
    if told.state is ChargeState.WAITING:  # UnionPay answers the next question
        told = await kiosk.ask()
    (payment,) = await kiosk.hall.counter.payments()
    assert (told.state, told.amount_fen, told.receipt) == (ChargeState.PAID, BILLED, payment.number)
    assert told.channel == channel
    assert await kiosk.charge(channel) == await kiosk.ask() == told
    assert await kiosk.book_fen(channel) == BILLED - FEE
    assert (await kiosk.ask(wish=UUID(int=2))).reason == "nothing_open"


async def test_a_payer_who_must_confirm_is_waited_for(kiosk: Kiosk) -> None:
    await kiosk.hall.wechat.control("mischief", kind="code_waits")
    assert (await kiosk.charge()).state is ChargeState.WAITING
    assert (await kiosk.ask()).state is ChargeState.WAITING
    (order,) = await orders(kiosk)
    await kiosk.hall.wechat.control("pay", number=order)
    assert (await kiosk.ask()).state is ChargeState.PAID
    assert await orders(kiosk) == [order]


async def test_what_is_not_known_is_asked_and_never_sent_again(kiosk: Kiosk) -> None:
    await kiosk.hall.wechat.control("mischief", kind="commit_then_error")
    assert (await kiosk.charge()).state is ChargeState.WAITING
    assert (await kiosk.charge()).state is ChargeState.PAID
    assert len(await orders(kiosk)) == 1
    assert await kiosk.book_fen(Channel.WECHAT) == BILLED - FEE


async def test_a_payer_who_never_confirms_pays_nothing(kiosk: Kiosk) -> None:
    await kiosk.hall.wechat.control("mischief", kind="code_waits")
    await kiosk.charge()
    kiosk.hall.counter.office.clock.advance(seconds=40)
    await kiosk.hall.counter.work()
    assert (await kiosk.ask()).state is ChargeState.FAILED
    assert await kiosk.hall.counter.payments() == ()


async def test_a_code_that_the_channel_refuses_is_final_and_a_fresh_wish_can_pay(kiosk: Kiosk) -> None:
    await kiosk.hall.wechat.control("mischief", kind="code_refused")
    assert (await kiosk.charge()).state is ChargeState.FAILED
    assert (await kiosk.charge()).state is ChargeState.FAILED
    assert (await kiosk.charge(wish=UUID(int=2))).state is ChargeState.PAID


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"auth_code": "123", "amount_fen": BILLED}, "no_code"),
        ({"auth_code": "1" * 18, "amount_fen": BILLED - 1}, "amount_changed"),
        ({"auth_code": "1" * 18, "amount_fen": BILLED + 1}, "amount_changed"),
        ({"auth_code": "1" * 18, "amount_fen": BILLED, "token": "A" * 24}, "unknown_bill"),
        ({"token": "short"}, "unknown_bill"),
    ],
)
async def test_what_cannot_be_charged_is_refused_with_its_reason(
    kiosk: Kiosk, wish: dict[str, Any], reason: str
) -> None:
    told = await kiosk.ask(**wish)
    assert (told.state, told.reason) == (ChargeState.REFUSED, reason)
    assert await orders(kiosk) == []


async def test_the_wish_of_another_bill_is_not_told(kiosk: Kiosk) -> None:
    attempt = await kiosk.hall.start(Channel.WECHAT, 0, amount_fen=5)
    told = await kiosk.ask(wish=attempt.intent_id)
    assert (told.state, told.reason) == (ChargeState.REFUSED, "other_wish")


async def test_a_stranger_a_foreign_name_and_junk_charge_nothing(kiosk: Kiosk) -> None:
    wish: dict[str, Any] = {"auth_code": SHOWN[Channel.WECHAT], "amount_fen": BILLED}
    assert (await kiosk.post(key=STRANGER, **wish)).status_code == 401
    assert (await kiosk.post(gateway_id=GatewayId(UUID(int=9)), **wish)).status_code == 403
    for junk in (b"", b"\xff" * 200, bytes(20_000)):
        assert (await kiosk.http.post("/gateway/v1/charges", content=junk)).status_code in {413, 422}
    assert await orders(kiosk) == []


async def test_the_code_is_kept_in_no_table_and_no_log(kiosk: Kiosk) -> None:
    heard = io.StringIO()
    with redirect_stdout(heard):
        await kiosk.charge()
    assert (await kiosk.ask()).state is ChargeState.PAID
    code = SHOWN[Channel.WECHAT]
    assert code not in heard.getvalue()
    counter, looked_at = kiosk.hall.counter, 0
    async with counter.database.view(counter.tenant) as session:
        readable = "table_schema = 'public' and privilege_type = 'SELECT'"
        tables = await session.scalars(
            text(f"select table_name from information_schema.table_privileges where {readable}")  # noqa: S608 - above
        )
        for name in set(tables):
            rows = await session.scalars(text(f'select to_jsonb(t)::text from "{name}" t'))  # noqa: S608 - catalogue's
            assert not any(code in row for row in rows), name
            looked_at += 1
    assert looked_at > 50


async def orders(kiosk: Kiosk) -> list[str]:
    """Return the order numbers of all attempts."""
    counter = kiosk.hall.counter
    async with counter.database.view(counter.tenant) as session:
        return list(await session.scalars(text("select order_number from payment_attempt")))
