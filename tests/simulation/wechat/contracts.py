"""Contracts to deduct (委托代扣, the scheduled kind): signed by a payer, scheduled by amount, taken in WeChat's days.

A deduction is taken on asynchronously: the answer says only that it was accepted, the order and a notification say how
it ended. The days in which a scheduled amount may be taken are the second to the ninth after it was scheduled.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.simulation.wechat.book import BEIJING, ChannelRefusalError
from tests.simulation.wechat.mischief import Mischief
from tests.simulation.wechat.parts import Call, Channel, order_fields

_FIRST, _LAST = timedelta(days=2), timedelta(days=9)
_LIFE = timedelta(days=7)
_PLAN_DIGITS = 5


def pre_sign(channel: Channel, call: Call) -> dict[str, Any]:
    """Keep a wish and return the address that opens it on a phone."""
    wish = call.fields
    if wish.get("appid") != call.merchant["appid"] or len(str(wish.get("plan_id"))) != _PLAN_DIGITS:
        raise ChannelRefusalError(400, "PARAM_ERROR", "模板不存在")
    code = wish["out_contract_code"]
    if not code.isalnum() or not wish.get("contract_display_account") or "?" in wish["contract_notify_url"]:
        raise ChannelRefusalError(400, "PARAM_ERROR", "参数错误")
    known = channel.contracts.get(code)
    if known is None or known["contract_state"] == "":
        channel.contracts[code] = {
            "mchid": call.merchant["mchid"],
            "appid": wish["appid"],
            "plan_id": int(wish["plan_id"]),
            "out_contract_code": code,
            "contract_display_account": wish["contract_display_account"],
            "contract_state": "",
            "notify_url": wish["contract_notify_url"],
            "estimated": wish["deduct_schedule"],
            "schedule": {"schedule_state": "NO_SCHEDULED"},
        }
    return {"redirect_url": f"{channel.base_url}/entrust?code={code}"}


def query(channel: Channel, call: Call) -> dict[str, Any]:
    """Tell where a contract stands."""
    return told(_contract(channel, call))


def terminate(channel: Channel, call: Call) -> None:
    """End a contract for the merchant."""
    contract = _contract(channel, call)
    if not call.fields.get("contract_termination_remark"):
        raise ChannelRefusalError(400, "PARAM_ERROR", "解约备注必填")
    _end(channel, contract, "MCH_API_TERMINATE")


def schedule(channel: Channel, call: Call) -> dict[str, Any]:
    """Tell the payer of an amount and say in which days it may be taken."""
    contract = _by_id(channel, call, call.request.path_params["contract"])
    fen = call.fields["schedule_amount"]["total"]
    standing = contract["schedule"]
    if standing["schedule_state"] == "SCHEDULED" and date.fromisoformat(standing["deduct_end_date"]) >= _today(channel):
        raise ChannelRefusalError(403, "RULE_LIMIT", "本期已预约扣费")
    contract["schedule"] = {
        "schedule_state": "SCHEDULED",
        "deduct_start_date": (_today(channel) + _FIRST).isoformat(),
        "deduct_end_date": (_today(channel) + _LAST).isoformat(),
        "scheduled_amount": {"total": fen, "currency": "CNY"},
    }
    return dict(contract["schedule"])


def apply(channel: Channel, call: Call) -> dict[str, Any]:
    """Accept a deduction, and take it when nothing speaks against it."""
    wish = call.fields
    number, fen = wish["out_trade_no"], wish["amount"]["total"]
    contract = _by_id(channel, call, wish["contract_id"])
    planned = contract["schedule"]
    if planned["schedule_state"] != "SCHEDULED":
        raise ChannelRefusalError(403, "RULE_LIMIT", "没有可扣费的预约")
    days = (planned["deduct_start_date"], planned["deduct_end_date"])
    if not days[0] <= _today(channel).isoformat() <= days[1]:
        raise ChannelRefusalError(403, "RULE_LIMIT", "不在可扣费日期内")
    if fen > planned["scheduled_amount"]["total"]:
        raise ChannelRefusalError(403, "RULE_LIMIT", "扣费金额超过预约金额")
    if channel.mischiefs.take(Mischief.CODE_REFUSED, number) is not None:
        raise ChannelRefusalError(403, "NOT_ENOUGH", "用户账户余额不足")
    expires = (channel.now() + _LIFE).isoformat(timespec="seconds")
    order = {**wish, "notify_url": wish["transaction_notify_url"], "time_expire": expires}
    channel.book.place(call.merchant["mchid"], order)
    if channel.mischiefs.take(Mischief.CODE_WAITS, number) is None:
        row = channel.book.pay(number, contract["openid"], channel.now(), late=False)
        contract["schedule"] = {**planned, "schedule_state": "PAID", "deduct_date": _today(channel).isoformat()}
        resource = order_fields(row, call.merchant)
        channel.messenger.announce("TRANSACTION.SUCCESS", call.merchant, row["notify_url"], resource, row["paid_at"])
    return {"out_trade_no": number, "amount": {"total": fen, "currency": "CNY"}}


def sign(channel: Channel, fields: dict[str, Any]) -> dict[str, Any]:
    """Let a payer sign on his phone."""
    contract = channel.contracts[fields["external"]]
    contract["contract_state"] = "SIGNED"
    contract["contract_id"] = f"2026{len(channel.contracts):014d}"
    contract["openid"] = "oPayerOfContracts"
    contract["contract_signed_time"] = channel.now().astimezone(BEIJING).isoformat(timespec="seconds")
    _announce(channel, contract, "ENTRUST.SIGN")
    return {"contract_id": contract["contract_id"]}


def end(channel: Channel, fields: dict[str, Any]) -> dict[str, Any]:
    """Let a payer end a contract on his phone."""
    _end(channel, channel.contracts[fields["external"]], "USER_TERMINATE")
    return {}


def told(contract: dict[str, Any]) -> dict[str, Any]:
    """Return a contract as the channel tells it."""
    hidden = {"notify_url", "estimated", "schedule"}
    estimated = {key: value for key, value in contract["estimated"].items() if key != "description"}
    shown = {key: value for key, value in contract.items() if key not in hidden}
    return {**shown, "deduct_schedule": {**estimated, **contract["schedule"]}}


def _end(channel: Channel, contract: dict[str, Any], mode: str) -> None:
    if contract["contract_state"] != "SIGNED":
        raise ChannelRefusalError(403, "CONTRACT_TERMINATED", "协议已解约")
    contract["contract_state"] = "TERMINATED"
    at = channel.now().astimezone(BEIJING).isoformat(timespec="seconds")
    contract["contract_terminate_info"] = {"contract_termination_mode": mode, "contract_terminated_time": at}
    _announce(channel, contract, "ENTRUST.TERMINATE")


def _announce(channel: Channel, contract: dict[str, Any], kind: str) -> None:
    merchant = channel.book.merchant(contract["mchid"])
    if merchant is not None:
        at = channel.now().astimezone(BEIJING).isoformat(timespec="seconds")
        channel.messenger.announce(kind, merchant, contract["notify_url"], told(contract), at)


def _contract(channel: Channel, call: Call) -> dict[str, Any]:
    params = call.request.path_params
    contract = channel.contracts.get(params["code"])
    ours = contract is not None and (contract["mchid"], str(contract["plan_id"])) == (
        call.merchant["mchid"],
        params["plan"],
    )
    if contract is None or not ours or not contract["contract_state"]:
        raise ChannelRefusalError(404, "RESOURCE_NOT_EXISTS", "签约协议不存在")
    return contract


def _by_id(channel: Channel, call: Call, contract_id: str) -> dict[str, Any]:
    for contract in channel.contracts.values():
        if contract.get("contract_id") == contract_id and contract["mchid"] == call.merchant["mchid"]:
            if contract["contract_state"] != "SIGNED" or call.fields.get("appid") != contract["appid"]:
                raise ChannelRefusalError(403, "CONTRACT_TERMINATED", "协议已解约")
            return contract
    raise ChannelRefusalError(404, "RESOURCE_NOT_EXISTS", "签约协议不存在")


def _today(channel: Channel) -> date:
    return channel.now().astimezone(BEIJING).date()
