"""Agreements to deduct (周期扣款) at Alipay: the page where a payer signs, where an agreement stands, and its end.

The page's address carries the signed wish and calls nobody. What the payer did there is asked for; the number of the
agreement is Alipay's and is needed to take money, ours names it in every question. Alipay tells the payer nothing
before a deduction, so nothing is announced to it. A field that is missing or unknown is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from cloud.payments.channels.alipay.client import Alipay
from cloud.payments.channels.alipay.messages import word, yuan
from cloud.payments.channels.deductions import Agreement, Agreements, AgreementState, AgreementWish
from cloud.payments.channels.provider import Refused, Unknown, UnknownReason
from cloud.payments.channels.trust import DistrustedError, unreadable

_PRODUCT, _SCENE = "CYCLE_PAY_AUTH_P", "INDUSTRY|PROPERTY"
_MISSING = frozenset({"USER_AGREEMENT_NOT_EXIST", "AGREEMENT_NOT_EXIST"})
_STATES = {"TEMP": AgreementState.UNSIGNED, "NORMAL": AgreementState.SIGNED, "STOP": AgreementState.ENDED}


class AlipayAgreements(Agreements):
    """Agreements of one merchant account at Alipay."""

    def __init__(self, client: Alipay) -> None:
        self._client = client

    @override
    async def sign_page(self, wish: AgreementWish) -> str:
        content = {
            "personal_product_code": _PRODUCT,
            "product_code": "CYCLE_PAY_AUTH",
            "sign_scene": _SCENE,
            "external_agreement_no": wish.number,
            "access_params": {"channel": "QRCODE"},
            "period_rule_params": {
                "period_type": "MONTH",
                "period": "1",
                "execute_time": wish.first_on.isoformat(),
                "single_amount": yuan(wish.limit_fen),
            },
        }
        return await self._client.sign_page(content, "", wish.return_url)

    @override
    async def query(self, number: str) -> Agreement | Refused | Unknown:
        answer = await self._client.ask("alipay.user.agreement.query", _question(number))
        if isinstance(answer, Refused) and answer.code in _MISSING:
            return Agreement(state=AgreementState.UNSIGNED)
        if isinstance(answer, Refused | Unknown):
            return answer
        try:
            return _read(answer)
        except DistrustedError as error:
            return Unknown(reason=UnknownReason.UNREADABLE, detail=str(error))

    @override
    async def announce(self, number: str, amount_fen: int) -> None:
        return None

    @override
    async def end(self, number: str) -> Refused | Unknown | None:
        answer = await self._client.ask("alipay.user.agreement.unsign", _question(number))
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
