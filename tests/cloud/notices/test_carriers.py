"""The client of an account is built once from its opened secret, of the kind that its way needs."""

from __future__ import annotations

from dataclasses import replace

import httpx

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.secretbox import SecretBox
from cloud.notices import provider_accounts as accounts
from cloud.notices.carriers import Carriers, MessageUrls
from cloud.notices.kinds import Way
from cloud.notices.providers.mail import SmtpServer
from cloud.notices.providers.sms import SmsGateway
from cloud.notices.providers.values import Accepted
from cloud.notices.providers.wechat import WeChatMessages
from common.ids import TenantId
from tests.cloud.notices.conftest import text_account
from tests.contract.message_benches import machine_s, open_message_bench
from tests.simulation.messages import smtp
from tests.simulation.messages.smtp import SmtpSimulator

BOX = SecretBox(bytes(range(32)))


async def test_each_way_has_its_client_and_an_account_keeps_it(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with open_message_bench(Way.MAIL) as bench, httpx.AsyncClient() as http:
        assert isinstance(bench.simulator, SmtpSimulator)
        relays = frozenset({"127.0.0.1"})
        carriers = Carriers(http, MessageUrls(plain_mail_hosts=relays), BOX, machine_s, str)
        mail = accounts.NewAccount(
            way=Way.MAIL,
            login=smtp.LOGIN,
            secret=smtp.PASSWORD,
            sender="bill@example.com",
            host="127.0.0.1",
            port=bench.simulator.port,
        )
        async with database.unit(tenant, actor) as unit:
            for new in (text_account(), replace(text_account(), way=Way.WECHAT), mail):
                await accounts.open_account(unit, BOX, new, relays)
            by_way = {one.way: one for one in await accounts.accounts(unit.session)}
        assert isinstance(carriers.of(by_way[Way.SMS]), SmsGateway)
        assert isinstance(carriers.of(by_way[Way.WECHAT]), WeChatMessages)
        client = carriers.of(by_way[Way.MAIL])
        assert isinstance(client, SmtpServer)
        assert carriers.of(by_way[Way.MAIL]) is client
        assert isinstance(await client.send(bench.letter()), Accepted)
        assert len(bench.arrived()) == 1
