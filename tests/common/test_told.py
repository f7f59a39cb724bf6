"""Faults, refusals and explanations read word for word as they were last agreed on."""

from __future__ import annotations

import json

import pytest

from tests.common.told import TOLD, Told, told


@pytest.fixture(scope="module")
def now() -> Told:
    return told()


@pytest.mark.parametrize("kind", ["faults", "requests", "refusals", "explanations"])
def test_what_is_told_is_told_in_the_same_words(kind: str, now: Told) -> None:
    assert now[kind] == json.loads(TOLD.read_text(encoding="utf-8"))[kind]


@pytest.mark.parametrize("kind", ["faults", "requests", "refusals", "explanations"])
def test_every_case_tells_something(kind: str, now: Told) -> None:
    assert all(now[kind])
