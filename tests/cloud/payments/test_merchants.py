"""Merchant accounts: keys checked when added, sealed at rest, one for each fund, renewed by rotation."""

from __future__ import annotations

import secrets
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from cloud.kit.errors import NotFoundError
from cloud.kit.secretbox import SecretBox
from cloud.payments import merchants
from cloud.payments.channel import Channel
from cloud.payments.errors import NoMerchantAccountError
from cloud.payments.merchants import NewMerchantAccount
from cloud.payments.service import Way
from cloud.tariffs.charge import FundClass
from common.errors import RefusalError
from tests.cloud.payments.counter import Counter
from tests.simulation.wechat.in_process import API_KEY, APP_ID

BOX = SecretBox(bytes(range(32)))


async def another(counter: Counter, **changes: object) -> NewMerchantAccount:
    key = await counter.channel.register("1900000110")
    new = NewMerchantAccount(
        legal_entity_id=counter.entity,
        fund_class=FundClass.MAINTENANCE,
        channel=Channel.WECHAT,
        label="维修基金",
        merchant_number="1900000110",
        app_id=APP_ID,
        merchant_serial=key.serial,
        private_key_pem=key.pem.decode(),
        api_key=API_KEY,
        channel_keys=(await counter.channel.control("keys"))["keys"],
    )
    return replace(new, **changes)  # type: ignore[arg-type]


async def added(counter: Counter, new: NewMerchantAccount) -> UUID:
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        return await merchants.add_merchant_account(unit, BOX, new, secrets.token_urlsafe(24))


async def test_secrets_are_sealed_and_never_shown(counter: Counter) -> None:
    await added(counter, await another(counter))
    async with counter.database.view(counter.tenant) as session:
        stored = (await session.execute(text("select m::text from merchant_account m"))).scalars().all()
        audited = (await session.execute(text("select a::text from audit a"))).scalars().all()
        values = [repr(account) for account in await merchants.merchant_accounts(session)]
    everything = " ".join([*stored, *audited, *values])
    assert API_KEY not in everything
    assert "PRIVATE KEY" not in everything
    assert API_KEY.encode().hex() not in everything


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"api_key": "testMchAPIv3Key0"}, "16 bytes"),
        ({"private_key_pem": "nothing"}, "PEM"),
        ({"channel_keys": {}}, "no channel key"),
        ({"channel_keys": {"A": "nothing"}}, "PEM"),
    ],
)
async def test_a_wrong_key_is_refused_when_the_account_is_added(
    counter: Counter, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(RefusalError, match=message):
        await added(counter, await another(counter, **changes))


async def test_one_open_account_for_an_entity_a_fund_and_a_channel(counter: Counter) -> None:
    clash = await another(counter, fund_class=FundClass.OPERATING)
    with pytest.raises(IntegrityError):
        await added(counter, clash)


async def test_money_of_another_fund_finds_no_account(counter: Counter) -> None:
    await counter.bill(0, 500)
    request = replace(await counter.request(amount_fen=5), fund_class=FundClass.MAINTENANCE)
    with pytest.raises(NoMerchantAccountError, match="maintenance"):
        await counter.cashier.start(counter.tenant, counter.office.site.actor, request, Way.usual(Channel.WECHAT))


async def test_a_rotated_channel_key_is_believed_once_it_is_added_and_the_old_one_stays(counter: Counter) -> None:
    await counter.bill(0, 500, 700)
    told = await counter.channel.control("rotate")
    first = await counter.start(0)
    await counter.scan(first)
    await counter.deliver()
    assert counter.counted("unknown_serial") == 1
    serial = told["current"]
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        account_id = counter.account.merchant_account_id
        await merchants.add_channel_key(unit, account_id, serial, told["keys"][serial])
        stranger = counter.channel.channel.keys.stranger.public_pem()
        with pytest.raises(RefusalError, match="another key"):
            await merchants.add_channel_key(unit, account_id, serial, stranger)
        with pytest.raises(NotFoundError):
            await merchants.add_channel_key(unit, UUID(int=1), serial, told["keys"][serial])
    await counter.settle(await counter.start(1))
    await counter.deliver()
    await counter.work()
    assert (await counter.open_fen(0), await counter.open_fen(1)) == (0, 0)
