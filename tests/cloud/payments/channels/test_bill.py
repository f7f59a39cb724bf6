"""What all files must hold: sums that agree and a balance that runs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cloud.payments.channels.bill import FlowKind, FlowRow, require_equal, require_running, unreadable
from common.errors import FaultsError


def flow(line: int, fen: int, balance_fen: int) -> FlowRow:
    return FlowRow(
        line=line,
        kind=FlowKind.TRADE,
        at=datetime(2026, 3, 5, tzinfo=UTC),
        number="GH1",
        flow_id="1",
        fen=fen,
        balance_fen=balance_fen,
        remark="",
    )


def test_every_figure_that_differs_is_told() -> None:
    require_equal([("rows", 2, 2)])
    with pytest.raises(FaultsError) as caught:
        require_equal([("rows", 2, 3), ("sum", 5, 5), ("fees", 1, 2)])
    assert [fault.where for fault in caught.value.faults] == ["rows", "fees"]


def test_a_balance_that_does_not_follow_shows_the_row() -> None:
    require_running([flow(2, 5, 105), flow(3, -5, 100)])
    with pytest.raises(FaultsError) as caught:
        require_running([flow(2, 5, 105), flow(3, 5, 100)])
    assert caught.value.faults[0].where == "line 3"


def test_a_file_is_refused_for_one_reason() -> None:
    assert unreadable("line 1", "what").faults[0].what == "what"
