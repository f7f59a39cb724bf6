"""One bench for each way of messages: the product's client against its simulator, behind the same few deeds."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol
from uuid import UUID

import httpx

from cloud.notices.kinds import Language, NoticeKind, Way
from cloud.notices.providers.mail import MailAccount, Security, SmtpServer
from cloud.notices.providers.sms import SmsAccount, SmsGateway
from cloud.notices.providers.values import Carrier, Letter, Question, Template
from cloud.notices.providers.wechat import WeChatAccount, WeChatMessages
from tests.simulation.messages import sms, smtp, wechat

START = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)
TO = {Way.SMS: "13800138000", Way.WECHAT: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", Way.MAIL: "li@example.com"}
NOBODY = {Way.SMS: sms.DEAD_NUMBER, Way.WECHAT: wechat.UNFOLLOWED, Way.MAIL: smtp.NOBODY}
FACTS = {"number": "B-1", "amount": "123.45", "due": "2026-03-20", "place": "湖畔 1-101"}
_URL = "http://messages.test"


class Troubled(Protocol):
    """A simulator: what is to happen next."""

    trouble: str


@dataclass(slots=True, kw_only=True)
class MessageBench:
    """A client and its simulator."""

    way: Way
    carrier: Carrier
    stranger: Carrier
    simulator: Troubled

    def letter(self, n: int = 1, to: str = "", kind: NoticeKind = NoticeKind.OVERDUE) -> Letter:
        return Letter(
            letter_id=UUID(int=n),
            to=to or TO[self.way],
            kind=kind,
            language=Language.ZH,
            title="账单 B-1 已逾期",
            body=f"还有 {FACTS['amount']} 元未缴\n.点开头的一行",
            facts=FACTS,
        )

    def question(self, n: int = 1, reference: str = "") -> Question:
        return Question(letter_id=UUID(int=n), to=TO[self.way], reference=reference, day=date(2026, 3, 5))

    def arrived(self) -> list[tuple[str, str]]:
        """Return to whom what was said, as the simulator took it on."""
        match self.simulator:
            case sms.SmsSimulator() as gateway:
                return [(text.number, text.words["amount"]) for text in gateway.texts]
            case wechat.WeChatSimulator() as server:
                return [(str(one["touser"]), _value(one["data"], "amount2")) for one in server.messages]
            case smtp.SmtpSimulator() as server:
                texts = [(one.to, str(one.message.get_content())) for one in server.mails]
                return [(to, FACTS["amount"] if FACTS["amount"] in text else "") for to, text in texts]
            case _:
                raise AssertionError(self.simulator)


def _value(data: object, name: str) -> str:
    assert isinstance(data, Mapping)
    return str(data[name]["value"])


@asynccontextmanager
async def open_message_bench(way: Way) -> AsyncIterator[MessageBench]:
    """Open the bench of a way."""
    if way is Way.MAIL:
        server = smtp.SmtpSimulator()
        await server.open()
        context = ssl.create_default_context()
        right, wrong = (SmtpServer(mail_account(server.port, password=p), context) for p in (smtp.PASSWORD, "x"))
        yield MessageBench(way=way, carrier=right, stranger=wrong, simulator=server)
        await server.close()
        return
    simulator = sms.SmsSimulator(int(START.timestamp())) if way is Way.SMS else wechat.WeChatSimulator()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=simulator.app())) as http:
        yield MessageBench(
            way=way, carrier=_client(way, http, ""), stranger=_client(way, http, "x"), simulator=simulator
        )


def mail_account(port: int, *, password: str = smtp.PASSWORD, security: Security = Security.PLAIN) -> MailAccount:
    """Return the account at a simulated mail server."""
    return MailAccount(
        host="127.0.0.1",
        port=port,
        security=security,
        login=smtp.LOGIN,
        password=password,
        sender="bill@example.com",
        sender_name="东方物业",
    )


def _client(way: Way, http: httpx.AsyncClient, spoilt: str) -> Carrier:
    if way is Way.SMS:
        template = Template(kind=NoticeKind.OVERDUE, language=Language.ZH, code=sms.TEMPLATE, fields=())
        account = SmsAccount(
            key_id=sms.KEY_ID, secret=sms.SECRET + spoilt, sign_name=sms.SIGN_NAME, templates=(template,)
        )
        return SmsGateway(http, _URL, account, machine_s, lambda: secrets.token_hex(16))
    fields = (("thing1", "place"), ("amount2", "amount"))
    template = Template(kind=NoticeKind.OVERDUE, language=Language.ZH, code=wechat.TEMPLATE, fields=fields)
    application = WeChatAccount(app_id=wechat.APP_ID, secret=wechat.SECRET + spoilt, templates=(template,))
    return WeChatMessages(http, _URL, application, machine_s)


def machine_s() -> int:
    """Return the machine clock of a bench."""
    return int(START.timestamp())
