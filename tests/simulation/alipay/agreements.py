"""Agreements to deduct: a payer signs on a page of Alipay, may end it at any time, and money is taken by its number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from sqlite3 import Row
from typing import TYPE_CHECKING, Any

from tests.simulation.alipay.told import Refusal, amount_fen
from tests.simulation.wechat.book import BEIJING

if TYPE_CHECKING:
    from tests.simulation.alipay.channel import AlipayChannel

Content = dict[str, Any]
_EARLY_DAYS = 5


def methods(channel: AlipayChannel) -> dict[str, Callable[[Row, Content, Mapping[str, str]], Content]]:
    """Return the gateway's methods about agreements."""

    def page_sign(merchant: Row, wish: Content, form: Mapping[str, str]) -> Content:
        channel.agreements[wish["external_agreement_no"]] = {
            "mchid": merchant["mchid"],
            "status": "TEMP",
            "cap": wish["period_rule_params"]["single_amount"],
            "day": wish["period_rule_params"]["execute_time"],
            "taken": "",
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
        raise Refusal("40004", "ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED", "周期扣款金额超过限制")
    cycle = _cycle(date.fromisoformat(found["day"]), channel.now().astimezone(BEIJING).date())
    if cycle is None or cycle.isoformat() == found["taken"]:
        raise Refusal("40004", "ACQ.CYCLE_PAY_DATE_NOT_MATCH", "扣款日期不在签约时的允许范围之内")
    return f"2088{number[-12:]}"


def note_taken(channel: AlipayChannel, wish: Content) -> None:
    """Note that the deduction of this cycle succeeded: there is one a cycle."""
    number = wish.get("agreement_params", {}).get("agreement_no")
    for found in channel.agreements.values():
        if found["agreement_no"] == number:
            cycle = _cycle(date.fromisoformat(found["day"]), channel.now().astimezone(BEIJING).date())
            found["taken"] = cycle.isoformat() if cycle else ""


def _cycle(first: date, today: date) -> date | None:
    """Return the execution day whose window, five days before up to the day, holds today."""
    for months in range(2):
        day = (today.replace(day=1) + timedelta(days=31 * months)).replace(day=first.day)
        if day >= first and day - timedelta(days=_EARLY_DAYS) <= today <= day:
            return day
    return None
