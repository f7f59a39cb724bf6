"""Texts: the signature is the one the gateway publishes, and a clock that is off sends nothing."""

from __future__ import annotations

import httpx

from cloud.kit.calls import Later
from cloud.notices.kinds import Language, NoticeKind, Way
from cloud.notices.providers.sms import SmsAccount, SmsGateway, signature
from cloud.notices.providers.values import Template
from tests.contract.message_benches import machine_s, open_message_bench
from tests.simulation.messages import sms

# The worked example of the gateway's own guide to signatures, with its test key.
PUBLISHED = {
    "AccessKeyId": "testId",
    "Action": "SendSms",
    "Format": "XML",
    "OutId": "123",
    "PhoneNumbers": "15300000001",
    "RegionId": "cn-hangzhou",
    "SignName": "阿里云短信测试专用",
    "SignatureMethod": "HMAC-SHA1",
    "SignatureNonce": "45e25e9b-0a6f-4070-8c85-2956eda1b466",
    "SignatureVersion": "1.0",
    "TemplateCode": "SMS_71390007",
    "TemplateParam": '{"customer":"test"}',
    "Timestamp": "2017-07-12T02:42:19Z",
    "Version": "2017-05-25",
}


def test_the_signature_is_the_published_one() -> None:
    assert signature("testSecret", "GET", PUBLISHED) == "zJDF+Lrzhj/ThnlvIToysFRq6t4="
    assert signature("testSecret", "GET", {**PUBLISHED, "OutId": "124"}) != "zJDF+Lrzhj/ThnlvIToysFRq6t4="


async def test_letters_that_other_encodings_spoil_are_signed_as_they_are_sent() -> None:
    async with open_message_bench(Way.SMS) as bench:
        letter = bench.letter()
        facts = {**letter.facts, "place": "a+b *~%/ 湖", "amount": "1"}
        template = Template(kind=NoticeKind.OVERDUE, language=Language.ZH, code=sms.TEMPLATE, fields=())
        assert template.filled(facts) == facts
        outcome = await bench.carrier.send(
            type(letter)(
                letter_id=letter.letter_id,
                to=letter.to,
                kind=letter.kind,
                language=Language.EN,
                title="",
                body="",
                facts=facts,
            )
        )
        assert not isinstance(outcome, Later), outcome
        assert bench.arrived() == [("13800138000", "1")]


async def test_a_clock_that_is_an_hour_off_sends_nothing() -> None:
    simulator = sms.SmsSimulator(machine_s())
    template = Template(kind=NoticeKind.OVERDUE, language=Language.ZH, code=sms.TEMPLATE, fields=())
    account = SmsAccount(key_id=sms.KEY_ID, secret=sms.SECRET, sign_name=sms.SIGN_NAME, templates=(template,))
    async with (
        open_message_bench(Way.SMS) as bench,
        httpx.AsyncClient(transport=httpx.ASGITransport(app=simulator.app())) as http,
    ):
        late = SmsGateway(http, "http://messages.test", account, lambda: machine_s() + 3600, lambda: "n")
        assert await late.send(bench.letter()) == Later(reason="InvalidTimeStamp.Expired")
    assert simulator.texts == []
