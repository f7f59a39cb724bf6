"""Waits are spread over the whole ceiling, the ceiling doubles, and it has a top."""

from __future__ import annotations

import pytest
from tenacity import AsyncRetrying, RetryCallState

from edge.uplink.backoff import FullJitter


def after(attempt: int, entropy: bytes) -> float:
    state = RetryCallState(AsyncRetrying(), None, (), {})
    state.attempt_number = attempt
    return FullJitter(lambda count: entropy[:count])(state)


@pytest.mark.parametrize(("attempt", "ceiling_s"), [(1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (1_000, 300)])
def test_the_ceiling_doubles_up_to_a_top(attempt: int, ceiling_s: int) -> None:
    assert after(attempt, bytes(4)) == 0
    assert after(attempt, b"\x80\x00\x00\x00") == ceiling_s / 2
    assert ceiling_s * 0.99 < after(attempt, b"\xff\xff\xff\xff") < ceiling_s
