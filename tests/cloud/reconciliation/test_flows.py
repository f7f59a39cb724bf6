"""The second leg: trades, refunds and fees against what moved; whatever else moved is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.payments.channels.bill import FlowKind
from cloud.reconciliation.flows import Flow, FlowFinding, Trade, match_flows


def trade(number: str, fen: int, fee_millifen: int = 0, order: str | None = None) -> Trade:
    return Trade(number=number, order_number=order or number, fen=fen, fee_millifen=fee_millifen)


def flow(kind: FlowKind, number: str, fen: int) -> Flow:
    return Flow(kind=kind, number=number, fen=fen)


PAID = [trade("GH1", 10_000, 60_000), trade("RF1", -500, -3_000, "GH1")]


@pytest.mark.parametrize("refund_named", ["RF1", "GH1"])
def test_a_day_whose_every_movement_is_a_trade_or_its_fee_is_explained(refund_named: str) -> None:
    moved = [
        flow(FlowKind.TRADE, "GH1", 10_000),
        flow(FlowKind.FEE, "GH1", -60),
        flow(FlowKind.REFUND, refund_named, -500),
        flow(FlowKind.FEE, "RF1", 3),
        flow(FlowKind.WITHDRAWAL, "WD1", -9_000),
    ]
    found = match_flows(PAID, moved)
    assert found.explained
    assert (found.traded_fen, found.fees_fen, found.withdrawn_fen, found.moved_fen) == (9_500, 57, 9_000, 443)


@pytest.mark.parametrize(
    ("flows", "kinds"),
    [
        ([], [FlowFinding.FLOW_MISSING]),
        ([flow(FlowKind.TRADE, "GH1", 9_999)], [FlowFinding.FLOW_DIFFERS]),
        (
            [flow(FlowKind.TRADE, "GH1", 10_000), flow(FlowKind.TRADE, "GH9", 5)],
            [FlowFinding.FLOW_UNKNOWN],
        ),
        ([flow(FlowKind.TRADE, "GH1", 10_000), flow(FlowKind.TRADE, "GH1", 10_000)], [FlowFinding.FLOW_UNKNOWN]),
        ([flow(FlowKind.TRADE, "GH1", 10_000), flow(FlowKind.FEE, "GH1", -60)], [FlowFinding.FEE_DIFFERS]),
        ([flow(FlowKind.TRADE, "GH1", 10_000), flow(FlowKind.COMPLAINT, "C1", -5)], [FlowFinding.COMPLAINT]),
        ([flow(FlowKind.TRADE, "GH1", 10_000), flow(FlowKind.OTHER, "X", -5)], [FlowFinding.FLOW_UNKNOWN]),
    ],
)
def test_each_way_to_differ_has_its_name(flows: list[Flow], kinds: list[FlowFinding]) -> None:
    assert [one.kind for one in match_flows([trade("GH1", 10_000)], flows).findings] == kinds


def test_a_fee_may_differ_by_one_fen_and_not_by_two() -> None:
    trades = [trade("GH1", 10_000, 60_400)]
    for fee_fen, explained in ((-60, True), (-61, True), (-62, False)):
        flows = [flow(FlowKind.TRADE, "GH1", 10_000), flow(FlowKind.FEE, "GH1", fee_fen)]
        assert match_flows(trades, flows).explained is explained


@given(st.lists(st.integers(1, 10_000), max_size=20), st.data())
def test_a_movement_left_out_is_always_found(amounts: list[int], data: st.DataObject) -> None:
    trades = [trade(f"GH{n}", fen) for n, fen in enumerate(amounts)]
    flows = [flow(FlowKind.TRADE, f"GH{n}", fen) for n, fen in enumerate(amounts)]
    assert match_flows(trades, flows).explained
    if flows:
        flows.pop(data.draw(st.integers(0, len(flows) - 1)))
        assert [one.kind for one in match_flows(trades, flows).findings] == [FlowFinding.FLOW_MISSING]
