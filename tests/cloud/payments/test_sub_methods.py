"""What a channel says of where the money came from, in words; a name that is not known is not shown."""

from __future__ import annotations

import pytest

from cloud.payments.sub_methods import E_CNY, QUICK_PASS, told, words_of


@pytest.mark.parametrize("name", ["DCEP", "ECNY", "e-CNY", "E_CNY", "ecny", "DCEP_ICBC", "ECNY_DEBIT"])
def test_digital_renminbi_is_known_by_its_names(name: str) -> None:
    assert words_of(name) == E_CNY


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("quickpass", QUICK_PASS),
        ("CMB_DEBIT", ("借记卡", "debit card")),
        ("ICBC_CREDIT", ("信用卡", "credit card")),
        ("card 4321", ("卡尾号 4321", "card ending 4321")),
        ("BANKCARD+DCEP", ("银行卡、数字人民币", "bank card, e-CNY")),
        ("DCEP+ECNY", E_CNY),
        ("COUPON+PCREDIT", ("花呗", "Huabei credit")),
        ("OTHERS", None),
        ("ALIPAYACCOUNT", None),
        ("", None),
        ("<script>", None),
    ],
)
def test_a_sub_method_has_words_or_is_not_shown(name: str, words: tuple[str, str] | None) -> None:
    assert words_of(name) == words


def test_a_channel_is_told_with_what_stands_behind_it() -> None:
    assert told(("银联", "UnionPay"), "quickpass") == ("银联 · 云闪付", "UnionPay, UnionPay app")
    assert told(("微信支付", "WeChat Pay"), "OTHERS") == ("微信支付", "WeChat Pay")
