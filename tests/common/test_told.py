"""Faults, refusals and explanations read word for word as they were last agreed on."""

from __future__ import annotations

import json

import pytest

from tests.common.told import TELLERS, TOLD, told


@pytest.mark.parametrize("kind", TELLERS)
def test_what_is_told_is_told_in_the_same_words(kind: str) -> None:
    now = told(kind)
    assert all(now)
    assert now == json.loads(TOLD.read_text(encoding="utf-8"))[kind]
