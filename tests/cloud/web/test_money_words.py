"""Whatever the pages may have to name about money has words in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cloud.billing.settling import Settling, SettlingOrder
from cloud.web import money_words as w


@pytest.mark.parametrize("words", [w.FUNDS, w.CHANNELS, w.ROUTES, w.QUANTITIES, w.BREAKS, w.ACTIONS, w.SETTLING])
def test_every_kind_has_its_own_words_in_both_languages(words: Mapping[Any, w.Words]) -> None:
    assert all(zh and en and zh != en for zh, en in words.values())
    assert len(set(words.values())) == len(words)


def test_the_order_of_settling_names_the_items_that_come_first() -> None:
    assert w.settling_words(Settling()) == w.SETTLING[SettlingOrder.OLDEST_FIRST]
    zh, en = w.settling_words(Settling(order=SettlingOrder.ITEMS_FIRST, items=("service", "water")))
    assert zh.endswith("（service、water）")
    assert en.endswith("(service, water)")
