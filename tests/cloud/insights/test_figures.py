"""Figures derived from figures."""

from __future__ import annotations

from cloud.insights.figures import Collected


def test_what_is_open_is_billed_less_received() -> None:
    assert Collected(billed_fen=1_000, received_fen=400).open_fen == 600
    assert Collected(billed_fen=0, received_fen=0).open_fen == 0
