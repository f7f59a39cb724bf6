"""Agreements to deduct (委托代扣, the scheduled kind) at WeChat Pay over APIv3.

    pre-entrust-sign/h5 -> the payer signs -> contract asked about -> schedule (the amount) -> transactions/apply

The payer is shown the amount by WeChat itself once it is scheduled, and only a scheduled amount can be taken, within
the days that WeChat names. Contracts are named by the template (`plan_id`) that WeChat gave the merchant and our own
number; the contract's own id is needed to schedule and to take.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from cloud.payments.channels.deductions import Agreement, Agreements, AgreementState, AgreementWish
from cloud.payments.channels.provider import Refused, Unknown
from cloud.payments.channels.trust import unreadable
from cloud.payments.channels.wechat.client import WeChatPay, read
from cloud.payments.channels.wechat.messages import count, object_of, text, written

_PAPAY = "/v3/papay"
_MISSING = frozenset({"RESOURCE_NOT_EXISTS", "CONTRACT_NOT_EXISTS", "CONTRACT_NOT_EXIST", "NOT_FOUND"})
_ENDED = frozenset({"CONTRACT_TERMINATED", "CONTRACT_ALREADY_TERMINATED"})
_STATES = {"SIGNED": AgreementState.SIGNED, "TERMINATED": AgreementState.ENDED}
_SCHEDULES = frozenset({"NO_SCHEDULED", "SCHEDULED", "PAID", "EXPIRED"})


class WeChatAgreements(Agreements):
    """Agreements of one merchant account at WeChat Pay, under the template it was given for deductions."""

    def __init__(self, client: WeChatPay, plan: str) -> None:
        self._client = client
        self._plan = plan

    @override
    async def sign_page(self, wish: AgreementWish) -> str | Refused | Unknown:
        body = {
            "appid": self._client.app_id,
            "plan_id": int(self._plan),
            "out_contract_code": wish.number,
            "contract_display_account": wish.description,
            "contract_notify_url": wish.notify_url,
            "deduct_schedule": {
                "estimated_deduct_date": wish.first_on.isoformat(),
                "estimated_deduct_amount": {"total": wish.limit_fen, "currency": "CNY"},
                "description": wish.description,
            },
        }
        path = f"{_PAPAY}/scheduled-deduct-sign/contracts/pre-entrust-sign/h5"
        answer = await self._client.call("POST", path, written(body))
        return read(answer, lambda fields: text(fields, "redirect_url"))

    @override
    async def query(self, number: str) -> Agreement | Refused | Unknown:
        answer = await self._client.call("GET", self._path(number))
        if isinstance(answer, Refused) and answer.code in _MISSING:
            return Agreement(state=AgreementState.UNSIGNED)
        return read(answer, lambda fields: _contract(fields, number))

    @override
    async def announce(self, number: str, amount_fen: int) -> Refused | Unknown | None:
        answer = await self._client.call("GET", self._path(number))
        known = read(answer, lambda fields: (_contract(fields, number), _scheduled_fen(fields)))
        if isinstance(known, Refused | Unknown):
            return known
        contract, scheduled_fen = known
        if contract.state is not AgreementState.SIGNED:
            return Refused(code="CONTRACT_NOT_SIGNED", detail="the agreement no longer holds")
        if scheduled_fen == amount_fen:
            return None
        body = {"appid": self._client.app_id, "schedule_amount": {"total": amount_fen, "currency": "CNY"}}
        path = f"{_PAPAY}/pay/schedules/contract-id/{contract.number}/schedule"
        told = read(await self._client.call("POST", path, written(body)), _schedule_state)
        if isinstance(told, Refused | Unknown):
            return told
        return None if told == "SCHEDULED" else Refused(code=told, detail="the amount was not scheduled")

    @override
    async def end(self, number: str) -> Refused | Unknown | None:
        body = written({"contract_termination_remark": "用户终止自动缴费"})
        answer = await self._client.call("POST", f"{self._path(number)}/terminate", body)
        if isinstance(answer, Refused) and answer.code in _MISSING | _ENDED:
            return None
        return answer if isinstance(answer, Refused | Unknown) else None

    def _path(self, number: str) -> str:
        return f"{_PAPAY}/sign/contracts/plan-id/{self._plan}/out-contract-code/{number}"


def _contract(fields: Mapping[str, Any], number: str) -> Agreement:
    told = text(fields, "contract_state")
    state = _STATES.get(told)
    if state is None:
        raise unreadable(f"contract_state {told!r} is not known")
    if text(fields, "out_contract_code") != number:
        raise unreadable("the answer speaks of another agreement")
    return Agreement(state=state, number=text(fields, "contract_id") if state is AgreementState.SIGNED else "")


def _schedule_state(fields: Mapping[str, Any]) -> str:
    state = text(fields, "schedule_state")
    if state not in _SCHEDULES:
        raise unreadable(f"schedule_state {state!r} is not known")
    return state


def _scheduled_fen(fields: Mapping[str, Any]) -> int | None:
    """Return the amount that is scheduled and not yet taken, None when there is none."""
    if "deduct_schedule" not in fields:
        return None
    schedule = object_of(fields, "deduct_schedule")
    if _schedule_state(schedule) != "SCHEDULED":
        return None
    return count(object_of(schedule, "scheduled_amount"), "total")
