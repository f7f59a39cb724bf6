"""Payments whose payer shows a code: taken at once, waiting for his word, refused, or undone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.simulation.wechat.book import ChannelRefusalError
from tests.simulation.wechat.mischief import Mischief
from tests.simulation.wechat.parts import Call, Channel, order_fields

_LIFE = timedelta(minutes=5)


def pay_by_code(channel: Channel, call: Call) -> dict[str, Any]:
    """Take the money of whoever showed the code, or wait until he confirms."""
    wish, number = call.fields, call.fields["out_trade_no"]
    code = wish.get("payer", {}).get("auth_code", "")
    if len(code) != 18 or channel.mischiefs.take(Mischief.CODE_REFUSED, number) is not None:
        raise ChannelRefusalError(400, "AUTH_CODE_INVALID", "付款码无效")
    expires = (channel.now() + _LIFE).isoformat(timespec="seconds")
    channel.book.place(call.merchant["mchid"], {**wish, "notify_url": "", "time_expire": expires})
    if channel.mischiefs.take(Mischief.CODE_WAITS, number) is not None:
        raise ChannelRefusalError(400, "USERPAYING", "需要用户输入支付密码")
    row = channel.book.pay(number, f"o{code[-6:]}", channel.now(), late=False)
    return order_fields(row, call.merchant)


def reverse(channel: Channel, call: Call) -> None:
    """Undo an order; when told so, ask to be called again first."""
    number = call.request.path_params["number"]
    if channel.mischiefs.take(Mischief.REVERSE_AGAIN, number) is not None:
        raise ChannelRefusalError(500, "SYSTEM_ERROR", "系统错误")
    channel.book.reverse(call.merchant["mchid"], number, channel.now())
