"""A merchant account that cannot speak at its channel is refused when it is added."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest

from cloud.payments.channel import Channel
from cloud.payments.channels import credentials
from cloud.payments.channels.credentials import Identity
from common.errors import RefusalError
from tests.cloud.payments.channels.vectors import der
from tests.simulation.wechat.seals import new_key

KEY = new_key("A")
GOOD = Identity(
    merchant_number="2088000000000009",
    app_id="2021000000000001",
    merchant_serial="S",
    channel_keys={"K1": KEY.public_pem()},
    private_key_pem=KEY.pem.decode(),
    api_key="0123456789abcdef0123456789abcdef",
)


def pem(name: str) -> str:
    body = b64encode(der("alipay", name)).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("channel", [Channel.WECHAT, Channel.ALIPAY, Channel.POS])
def test_a_good_account_is_taken(channel: Channel) -> None:
    credentials.check(channel, GOOD)


@pytest.mark.parametrize(
    ("channel", "changes"),
    [
        (Channel.WECHAT, {"api_key": "short"}),
        (Channel.WECHAT, {"channel_keys": {}}),
        (Channel.WECHAT, {"private_key_pem": "no key"}),
        (Channel.ALIPAY, {"channel_keys": {}}),
        (Channel.ALIPAY, {"channel_keys": {"K1": KEY.public_pem(), "app": "x"}}),
        (Channel.UNIONPAY, {}),
        (Channel.UNIONPAY, {"channel_keys": {}}),
        (Channel.POS, {"merchant_number": ""}),
        (Channel.CASH, {}),
        (Channel.BANK, {}),
    ],
)
def test_an_account_that_cannot_speak_is_refused(channel: Channel, changes: dict[str, object]) -> None:
    with pytest.raises(RefusalError):
        credentials.check(channel, replace(GOOD, **changes))  # type: ignore[arg-type]


def test_certificate_mode_sends_both_serials() -> None:
    roots = "".join(pem(f"ali-root-{n}") for n in range(4))
    keys = {"K1": KEY.public_pem(), "app": pem("ali-app-cert"), "root": roots}
    assert credentials.alipay(replace(GOOD, channel_keys=keys)).numbers == {
        "app_cert_sn": "866efef280dec9137a87d047ac446315",
        "alipay_root_cert_sn": "687b59193f3f462dd5336e5abf83c5d8_02941eef3187dddf3d3b83462e1dfcf6",
    }
