"""Payment codes are told by their length and first digits."""

from __future__ import annotations

import pytest

from common.errors import RefusalError
from edge.protocol.pay_code import PayProvider, describe_pay_code, provider_of


@pytest.mark.parametrize(
    ("code", "provider"),
    [
        ("150211238899912330", PayProvider.WECHAT),
        ("284567890123456789", PayProvider.ALIPAY),
        ("2845678901234567", PayProvider.ALIPAY),
        ("6223456789012345678", PayProvider.UNIONPAY),
        ("160211238899912330", None),
        ("15021123889991233", None),
        ("", None),
        ("\uff11\uff150211238899912330", None),
    ],
)
def test_the_provider_of_a_code(code: str, provider: PayProvider | None) -> None:
    assert provider_of(code) is provider


def test_another_code_is_refused_with_what_to_show() -> None:
    with pytest.raises(RefusalError, match="open the payment code"):
        describe_pay_code(b"https://qr.example/1")
