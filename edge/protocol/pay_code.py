"""Payment codes that residents show on their phones: which provider's they are. Pure; valid about a minute, once."""

from __future__ import annotations

from enum import StrEnum

from common.errors import RefusalError

_WECHAT_LENGTH = 18
_ALIPAY_LENGTHS = range(16, 25)
_UNIONPAY_LENGTH = 19


class PayProvider(StrEnum):
    """Whose code it is."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    UNIONPAY = "unionpay"


def provider_of(code: str) -> PayProvider | None:
    """Return whose payment code a text is, or None."""
    if not code.isascii() or not code.isdigit():
        return None
    head = int(code[:2] or "0")
    if len(code) == _WECHAT_LENGTH and 10 <= head <= 15:  # noqa: PLR2004 - the provider's own range
        return PayProvider.WECHAT
    if len(code) in _ALIPAY_LENGTHS and 25 <= head <= 30:  # noqa: PLR2004 - the provider's own range
        return PayProvider.ALIPAY
    return PayProvider.UNIONPAY if len(code) == _UNIONPAY_LENGTH and code.startswith("62") else None


def describe_pay_code(data: bytes) -> dict[str, object]:
    """Return provider and length of a code.

    Raises:
        RefusalError: it is none.
    """
    code = data.decode("ascii", errors="replace").strip()
    provider = provider_of(code)
    if provider is None:
        raise RefusalError(
            "this is no payment code of WeChat, Alipay or UnionPay; open the payment code, not the collection code"
        )
    return {"provider": provider.value, "length": len(code)}
