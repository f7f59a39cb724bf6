"""Agreements to deduct: a payer signs on a page of Alipay, may end it at any time, and money is taken by its number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from sqlite3 import Row
from typing import TYPE_CHECKING, Any

from tests.simulation.alipay.told import Refusal, amount_fen

if TYPE_CHECKING:
    from tests.simulation.alipay.channel import AlipayChannel

Content = dict[str, Any]


def methods(channel: AlipayChannel) -> dict[str, Callable[[Row, Content, Mapping[str, str]], Content]]:
    """Return the gateway's methods about agreements."""

    def page_sign(merchant: Row, wish: Content, form: Mapping[str, str]) -> Content:
        channel.agreements[wish["external_agreement_no"]] = {
            "mchid": merchant["mchid"],
            "status": "TEMP",
            "cap": wish["period_rule_params"]["single_amount"],
            "notify_url": form.get("notify_url", ""),
            "agreement_no": f"2026{len(channel.agreements):012d}",
        }
        return {}

    def query(merchant: Row, wish: Content, form: Mapping[str, str]) -> Content:
        del form
        found = channel.agreements.get(wish["external_agreement_no"])
        if found is None or found["mchid"] != merchant["mchid"] or found["status"] == "TEMP":
            raise Refusal("40004", "USER_AGREEMENT_NOT_EXIST", "用户协议不存在")
        return {"agreement_no": found["agreement_no"], "status": found["status"], "single_amount": found["cap"]}

    def unsign(merchant: Row, wish: Content, form: Mapping[str, str]) -> Content:
        del merchant, form
        found = channel.agreements.get(wish["external_agreement_no"])
        if found is not None:
            found["status"] = "STOP"
        return {}

    return {
        "alipay.user.agreement.page.sign": page_sign,
        "alipay.user.agreement.query": query,
        "alipay.user.agreement.unsign": unsign,
    }


def acts(channel: AlipayChannel) -> dict[str, Callable[[Content], Content]]:
    """Return what a payer does: sign, and end an agreement."""

    def sign(fields: Content) -> Content:
        channel.agreements[fields["external"]]["status"] = "NORMAL"
        return {"agreement_no": channel.agreements[fields["external"]]["agreement_no"]}

    def end(fields: Content) -> Content:
        channel.agreements[fields["external"]]["status"] = "STOP"
        return {}

    return {"sign-agreement": sign, "end-agreement": end}


def payer_of(channel: AlipayChannel, wish: Content) -> str | None:
    """Return whose money is taken by an agreement, None when the payer showed a code instead."""
    number = wish.get("agreement_params", {}).get("agreement_no")
    if number is None:
        return None
    found = next((one for one in channel.agreements.values() if one["agreement_no"] == number), None)
    if found is None or found["status"] != "NORMAL":
        raise Refusal("40004", "ACQ.AGREEMENT_NOT_EXIST", "协议不存在或已解约")
    if amount_fen(wish["total_amount"]) > amount_fen(found["cap"]):
        raise Refusal("40004", "ACQ.AGREEMENT_AMOUNT_EXCEED", "扣款金额超过签约限额")
    return f"2088{number[-12:]}"
