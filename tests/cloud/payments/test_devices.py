"""Who scans decides the channel; whose code was shown is told by its first digits."""

from __future__ import annotations

import pytest

from cloud.payments.channel import METHODS, Channel, Method
from cloud.payments.devices import channel_of_code, offered

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"


@pytest.mark.parametrize(
    ("agent", "first"),
    [
        (f"{IPHONE} MicroMessenger/8.0.49", (Channel.WECHAT, Method.JSAPI)),
        (f"{IPHONE} AlipayClient/10.5.80", (Channel.ALIPAY, Method.WAP)),
        (f"{IPHONE} UnionPay/1.0 CloudPay", (Channel.UNIONPAY, Method.GATEWAY)),
        (IPHONE, (Channel.WECHAT, Method.H5)),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120", (Channel.WECHAT, Method.NATIVE)),
        ("", (Channel.WECHAT, Method.NATIVE)),
    ],
)
def test_the_app_that_scans_decides_the_way(agent: str, first: tuple[Channel, Method]) -> None:
    assert offered(agent)[0] == first


def test_inside_an_app_no_other_channel_is_offered_and_every_way_belongs_to_its_channel() -> None:
    assert {channel for channel, _ in offered("MicroMessenger")} == {Channel.WECHAT}
    for agent in ("MicroMessenger", "AlipayClient", IPHONE, ""):
        assert all(method in METHODS[channel] for channel, method in offered(agent))


@pytest.mark.parametrize(
    ("code", "channel"),
    [
        ("134650000000000001", Channel.WECHAT),
        ("286500000000000001", Channel.ALIPAY),
        ("6220000000000000001", Channel.UNIONPAY),
        ("1234", None),
        ("99999999999999999999", None),
        ("http://example/pay", None),
        ("\uff11\uff13" + "0" * 16, None),
    ],
)
def test_a_shown_code_names_its_channel(code: str, channel: Channel | None) -> None:
    assert channel_of_code(code) is channel
