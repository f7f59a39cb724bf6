"""The decisions about refunds: who must approve, where the money is taken from, which move follows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.ledger.journals import LineRef
from cloud.payments.channel import Channel
from cloud.refunds.rules import (
    TRANSITIONS,
    Doubt,
    Facts,
    RefundSource,
    RefundState,
    SettledPart,
    decide,
    in_window,
    may_move,
    take,
)
from common.ids import BillId
from tests.cloud.refunds.till import LIMITS

NOW = datetime(2026, 5, 1, tzinfo=UTC)
FEN = st.integers(0, 10_000)


def facts(**more: Any) -> Facts:
    words: dict[str, Any] = {
        "amount_fen": 100,
        "source": RefundSource.AHEAD,
        "route_is_original": True,
        "paid_ago": timedelta(days=1),
        "refunded_today_fen": 0,
        "reopened_fen": 0,
        "overdue_fen": 0,
    }
    return Facts(**(words | more))


@pytest.mark.parametrize(
    ("more", "persons", "doubts"),
    [
        ({}, 0, []),
        ({"amount_fen": 10_000}, 0, []),
        ({"amount_fen": 10_001}, 1, [Doubt.ABOVE_LIMIT]),
        ({"amount_fen": 50_000}, 2, [Doubt.ABOVE_LIMIT, Doubt.ABOVE_DAY_LIMIT]),
        ({"refunded_today_fen": 19_900}, 0, []),
        ({"refunded_today_fen": 19_901}, 1, [Doubt.ABOVE_DAY_LIMIT]),
        ({"paid_ago": timedelta(days=30)}, 0, []),
        ({"paid_ago": timedelta(days=30, seconds=1)}, 1, [Doubt.TOO_OLD]),
        ({"route_is_original": False}, 2, [Doubt.OTHER_ROUTE]),
        ({"reopened_fen": 1}, 1, [Doubt.BILL_OPENS_AGAIN]),
        ({"overdue_fen": 1}, 1, [Doubt.ARREARS]),
        ({"source": RefundSource.DEPOSIT, "amount_fen": 100_000, "paid_ago": timedelta(days=400)}, 0, []),
        ({"source": RefundSource.DEPOSIT, "amount_fen": 100_001}, 2, [Doubt.ABOVE_LIMIT]),
    ],
)
def test_the_policy_decides_how_many_persons_approve(more: dict[str, Any], persons: int, doubts: list[Doubt]) -> None:
    decision = decide(LIMITS, facts(**more))
    assert (decision.persons, list(decision.doubts)) == (persons, doubts)


def test_without_a_policy_two_persons_approve_everything() -> None:
    assert decide(None, facts(amount_fen=1)).persons == 2


@given(FEN.filter(bool), FEN, FEN, st.lists(FEN, max_size=5))
def test_a_refund_is_taken_whole_and_never_more_than_is_there(
    amount_fen: int, unsettled_fen: int, ahead_fen: int, settled: list[int]
) -> None:
    parts = [SettledPart(line=LineRef(bill_id=BillId(UUID(int=n)), n=1), fen=fen) for n, fen in enumerate(settled)]
    origin = take(amount_fen, unsettled_fen=unsettled_fen, ahead_fen=ahead_fen, settled=parts)
    if origin is None:
        assert amount_fen > ahead_fen + sum(settled)
        return
    assert origin.ahead_fen + origin.reopened_fen == amount_fen
    assert 0 <= origin.ahead_fen <= ahead_fen
    by_line = {part.line: part.fen for part in parts}
    assert all(0 < part.fen <= by_line[part.line] for part in origin.reopened)


def test_the_line_settled_last_opens_first() -> None:
    parts = [SettledPart(line=LineRef(bill_id=BillId(UUID(int=n)), n=1), fen=100) for n in (1, 2)]
    origin = take(150, unsettled_fen=0, ahead_fen=0, settled=parts)
    assert origin is not None
    assert [(part.line.bill_id.int, part.fen) for part in origin.reopened] == [(2, 100), (1, 50)]


@pytest.mark.parametrize(
    ("channel", "ago", "taken"),
    [
        (Channel.WECHAT, timedelta(days=364), True),
        (Channel.WECHAT, timedelta(days=365), False),
        (Channel.CASH, timedelta(days=4_000), True),
    ],
)
def test_a_channel_takes_refunds_within_its_window(channel: Channel, ago: timedelta, *, taken: bool) -> None:
    assert in_window(channel, NOW - ago, NOW) is taken


def test_what_is_over_stays_over_and_arriving_needs_a_reservation() -> None:
    over = [state for state, following in TRANSITIONS.items() if not following]
    assert sorted(over) == ["arrived", "failed", "rejected"]
    assert not may_move(RefundState.APPROVED, RefundState.ARRIVED)
    assert not may_move(RefundState.ACCEPTED, RefundState.SUBMITTED)
    assert may_move(RefundState.SUBMITTED, RefundState.ARRIVED)
