"""Which ways of paying are offered to whom: decided by the app or browser that scanned a bill's code.

Inside an app only its own channel works; another phone's browser can open the apps; a large screen shows codes. Pure.
"""

from __future__ import annotations

from cloud.payments.channel import Channel, Method

Pair = tuple[Channel, Method]
_IN_WECHAT: tuple[Pair, ...] = ((Channel.WECHAT, Method.JSAPI),)
_IN_ALIPAY: tuple[Pair, ...] = ((Channel.ALIPAY, Method.WAP),)
_IN_BANK_APP: tuple[Pair, ...] = ((Channel.UNIONPAY, Method.GATEWAY),)
_ON_PHONE: tuple[Pair, ...] = (
    (Channel.WECHAT, Method.H5),
    (Channel.ALIPAY, Method.WAP),
    (Channel.UNIONPAY, Method.GATEWAY),
)
_ON_SCREEN: tuple[Pair, ...] = (
    (Channel.WECHAT, Method.NATIVE),
    (Channel.ALIPAY, Method.PRECREATE),
    (Channel.UNIONPAY, Method.QR),
    (Channel.ALIPAY, Method.PAGE),
    (Channel.UNIONPAY, Method.GATEWAY),
)
# What an app writes into its browser's name, in lower case; the first that is found decides.
_APPS: tuple[tuple[str, tuple[Pair, ...]], ...] = (
    ("micromessenger", _IN_WECHAT),
    ("alipayclient", _IN_ALIPAY),
    ("unionpay", _IN_BANK_APP),
    ("mobile", _ON_PHONE),
    ("android", _ON_PHONE),
    ("iphone", _ON_PHONE),
)


def offered(user_agent: str) -> tuple[Pair, ...]:
    """Return what is offered to a browser, the best first."""
    name = user_agent.lower()
    return next((pairs for word, pairs in _APPS if word in name), _ON_SCREEN)


def channel_of_code(code: str) -> Channel | None:
    """Return whose payment code a payer showed, by the documented prefixes; None when nobody's."""
    if not (code.isascii() and code.isdigit()):
        return None
    length = len(code)
    if length == 18 and code[:2] in {"10", "11", "12", "13", "14", "15"}:  # noqa: PLR2004 - WeChat's length
        return Channel.WECHAT
    if 16 <= length <= 24 and 25 <= int(code[:2]) <= 30:  # noqa: PLR2004 - Alipay's lengths and prefixes
        return Channel.ALIPAY
    if length in {19, 20} and code[:2] == "62":
        return Channel.UNIONPAY
    return None
