"""The names of the channels by which money reaches us, and of the ways in which a channel asks a payer."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Channel(StrEnum):
    """How money reaches us."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    UNIONPAY = "unionpay"
    POS = "pos"
    BANK = "bank"
    CASH = "cash"


class Method(StrEnum):
    """How the payer is asked; `code` and `deduction` ask nobody at a screen."""

    NATIVE = "native"  # a code to scan with WeChat
    JSAPI = "jsapi"  # inside WeChat, mini-programs too
    H5 = "h5"  # another browser opens WeChat
    PAGE = "page"  # a page of Alipay on a large screen
    WAP = "wap"  # a page of Alipay on a phone
    PRECREATE = "precreate"  # a code to scan with Alipay
    GATEWAY = "gateway"  # the payment page of UnionPay
    QR = "qr"  # a code to scan with a bank's app
    CODE = "code"  # we scan the code that the payer shows
    DEDUCTION = "deduction"  # agreed in advance
    COUNTER = "counter"  # a person at the desk
    TRANSFER = "transfer"  # the payer's own bank


METHODS: Mapping[Channel, tuple[Method, ...]] = MappingProxyType(
    {
        Channel.WECHAT: (Method.NATIVE, Method.JSAPI, Method.H5, Method.CODE, Method.DEDUCTION),
        Channel.ALIPAY: (Method.PRECREATE, Method.PAGE, Method.WAP, Method.CODE, Method.DEDUCTION),
        Channel.UNIONPAY: (Method.QR, Method.GATEWAY, Method.CODE),
        Channel.POS: (Method.COUNTER,),
        Channel.BANK: (Method.TRANSFER,),
        Channel.CASH: (Method.COUNTER,),
    }
)
ONLINE = frozenset({Channel.WECHAT, Channel.ALIPAY, Channel.UNIONPAY})


def usual_method(channel: Channel) -> Method:
    """Return the way a channel asks when nothing is known about the payer's device."""
    return METHODS[channel][0]
