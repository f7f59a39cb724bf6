"""Whatever the pages may have to name about money has words in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cloud.web import money_words as w


@pytest.mark.parametrize("words", [w.FUNDS, w.CHANNELS, w.ROUTES, w.QUANTITIES, w.BREAKS, w.ACTIONS])
def test_every_kind_has_its_own_words_in_both_languages(words: Mapping[Any, w.Words]) -> None:
    assert all(zh and en and zh != en for zh, en in words.values())
    assert len(set(words.values())) == len(words)
