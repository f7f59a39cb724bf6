"""Agreements to deduct (周期扣款) at Alipay: the page where a payer signs, where an agreement stands, and its end.

The page's address carries the signed wish and calls nobody. What the payer did there is asked for; the number of the
agreement is Alipay's and is needed to take money, ours names it in every question. A field that is missing or unknown
is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from cloud.payments.channels.alipay.client import Alipay
from cloud.payments.channels.alipay.messages import word, yuan
from cloud.payments.channels.provider import Refused, Unknown, UnknownReason
from cloud.payments.channels.trust import DistrustedError, unreadable

_PRODUCT, _SCENE = "CYCLE_PAY_AUTH_P", "INDUSTRY|PROPERTY"
_MISSING = frozenset({"USER_AGREEMENT_NOT_EXIST", "AGREEMENT_NOT_EXIST"})


class AgreementState(StrEnum):
    """Where an agreement stands at Alipay."""

    UNSIGNED = "unsigned"
    SIGNED = "signed"
    ENDED = "ended"


_STATES = {"TEMP": AgreementState.UNSIGNED, "NORMAL": AgreementState.SIGNED, "STOP": AgreementState.ENDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """An agreement as Alipay tells it; `number` is Alipay's, empty before it was signed."""

    state: AgreementState
    number: str = field(default="", repr=False)


async def sign_page(client: Alipay, number: str, limit_fen: int, first_on: date, return_url: str) -> str:
    """Return the address where a payer agrees to one deduction a month of at most an amount."""
    content = {
        "personal_product_code": _PRODUCT,
        "product_code": "CYCLE_PAY_AUTH",
        "sign_scene": _SCENE,
        "external_agreement_no": number,
        "access_params": {"channel": "QRCODE"},
        "period_rule_params": {
            "period_type": "MONTH",
            "period": "1",
            "execute_time": first_on.isoformat(),
            "single_amount": yuan(limit_fen),
        },
    }
    return await client.sign_page(content, "", return_url)


async def query(client: Alipay, number: str) -> Agreement | Refused | Unknown:
    """Ask where an agreement stands; one that Alipay does not know was not signed."""
    answer = await client.ask("alipay.user.agreement.query", _question(number))
    if isinstance(answer, Refused) and answer.code in _MISSING:
        return Agreement(state=AgreementState.UNSIGNED)
    if isinstance(answer, Refused | Unknown):
        return answer
    try:
        return _read(answer)
    except DistrustedError as error:
        return Unknown(reason=UnknownReason.UNREADABLE, detail=str(error))


async def end(client: Alipay, number: str) -> Refused | Unknown | None:
    """End an agreement; None when it no longer holds."""
    answer = await client.ask("alipay.user.agreement.unsign", _question(number))
    if isinstance(answer, Refused) and answer.code in _MISSING:
        return None
    return answer if isinstance(answer, Refused | Unknown) else None


def _question(number: str) -> dict[str, Any]:
    return {"personal_product_code": _PRODUCT, "sign_scene": _SCENE, "external_agreement_no": number}


def _read(fields: Mapping[str, Any]) -> Agreement:
    told = word(fields, "status")
    state = _STATES.get(told)
    if state is None:
        raise unreadable(f"status {told!r} is not known")
    return Agreement(state=state, number=word(fields, "agreement_no") if state is AgreementState.SIGNED else "")
