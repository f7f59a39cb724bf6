"""What stands behind a channel in words: e-CNY, 云闪付, kinds of cards, as the channel names them in its own answers.

A payment keeps the channel's name as it came (`sub_method`); only names that are known here are shown to people, so a
new one changes nothing until its words are added. e-CNY is an acquirer's way of paying and no channel of ours
(decision 0009): it is known by the names DCEP and ECNY. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Words = tuple[str, str]
E_CNY: Words = ("数字人民币", "e-CNY")
QUICK_PASS: Words = ("云闪付", "UnionPay app")
_CARD = "card "
_KNOWN: Mapping[str, Words] = MappingProxyType(
    {
        "DCEP": E_CNY,
        "ECNY": E_CNY,
        "QUICKPASS": QUICK_PASS,
        # Alipay's fund channels
        "PCREDIT": ("花呗", "Huabei credit"),
        "BANKCARD": ("银行卡", "bank card"),
        # UnionPay's payType
        "0002": ("快捷支付", "quick payment"),
        "0201": ("网银", "online banking"),
    }
)
_ENDINGS: Mapping[str, Words] = MappingProxyType(
    {"_DEBIT": ("借记卡", "debit card"), "_CREDIT": ("信用卡", "credit card")}  # WeChat's bank types
)


def words_of(sub_method: str) -> Words | None:
    """Return the words of a sub-method, None when its channel told none that is known; several sources are joined."""
    if sub_method.startswith(_CARD):
        tail = sub_method.removeprefix(_CARD)
        return f"卡尾号 {tail}", f"card ending {tail}"
    found = dict.fromkeys(words for one in sub_method.split("+") if (words := _one(one)) is not None)
    return ("、".join(zh for zh, _ in found), ", ".join(en for _, en in found)) if found else None


def told(channel: Words, sub_method: str) -> Words:
    """Return a channel's words with what stands behind it."""
    more = words_of(sub_method)
    return channel if more is None else (f"{channel[0]} · {more[0]}", f"{channel[1]}, {more[1]}")


def _one(name: str) -> Words | None:
    plain = name.strip().upper().replace("-", "").replace("E_CNY", "ECNY")
    ending = next((words for end, words in _ENDINGS.items() if plain.endswith(end)), None)
    return _KNOWN.get(plain) or (E_CNY if plain.startswith(("DCEP_", "ECNY_")) else ending)
