"""The second leg as a function of values: every trade, refund and fee of a day against what moved on the balance.

A trade moves the merchant's balance by its amount and by its fee; whatever else moved there (a complaint, a withdrawal,
a correction) is named. Channels write either our refund number or our order number beside a refund, so a refund is
looked for under both. Fees may differ by one fen a row. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cloud.payments.channels.bill import FlowKind

FEE_SLACK_FEN = 1


class FlowFinding(StrEnum):
    """What the second leg can find."""

    FLOW_MISSING = "flow_missing"  # traded, but the balance did not move
    FLOW_DIFFERS = "flow_differs"  # the balance moved by another amount
    FLOW_UNKNOWN = "flow_unknown"  # the balance moved and no trade explains it
    FEE_DIFFERS = "fee_differs"
    COMPLAINT = "complaint"  # taken for a payer's complaint


_NAMED = {FlowKind.COMPLAINT: FlowFinding.COMPLAINT, FlowKind.OTHER: FlowFinding.FLOW_UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A row of the trade bill: positive for a payment, negative for a refund; `fee_millifen` as the bill states it."""

    number: str
    order_number: str
    fen: int
    fee_millifen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A movement of the balance."""

    kind: FlowKind
    number: str
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference: what the trade bill says and by how much the balance moved, in fen."""

    kind: FlowFinding
    number: str
    trade_fen: int | None
    flow_fen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegOutcome:
    """What the second leg found; `withdrawn_fen` waits for the bank's statement."""

    findings: tuple[Finding, ...]
    traded_fen: int
    moved_fen: int
    fees_fen: int
    withdrawn_fen: int

    @property
    def explained(self) -> bool:
        """Return whether every movement of the day is explained."""
        return not self.findings


def match_flows(trades: Sequence[Trade], flows: Sequence[Flow]) -> LegOutcome:
    """Compare a day's trades with what moved on the balance."""
    moved, fees = _summed(flows)
    findings: list[Finding] = []
    fee_due: Counter[str] = Counter()
    for trade in trades:
        flow_fen = _taken(moved, trade)
        fee_due[trade.order_number] += trade.fee_millifen
        if flow_fen is None:
            findings.append(_finding(FlowFinding.FLOW_MISSING, trade.number, trade.fen, None))
        elif flow_fen != trade.fen:
            findings.append(_finding(FlowFinding.FLOW_DIFFERS, trade.number, trade.fen, flow_fen))
    by_order = {trade.number: trade.order_number for trade in trades}
    paid: Counter[str] = Counter()
    for number, fen in fees.items():
        paid[by_order.get(number, number)] += fen
    for number in sorted(fee_due.keys() | paid.keys()):
        due_fen = -round(fee_due[number] / 1_000)
        if abs(due_fen - paid[number]) > FEE_SLACK_FEN:
            findings.append(_finding(FlowFinding.FEE_DIFFERS, number, due_fen, paid[number]))
    findings += [
        _finding(FlowFinding.FLOW_UNKNOWN, number, None, fen) for (_, number), parts in moved.items() for fen in parts
    ]
    findings += [_finding(_NAMED[flow.kind], flow.number, None, flow.fen) for flow in flows if flow.kind in _NAMED]
    return LegOutcome(
        findings=tuple(findings),
        traded_fen=sum(trade.fen for trade in trades),
        moved_fen=sum(flow.fen for flow in flows),
        fees_fen=-sum(fees.values()),
        withdrawn_fen=-sum(flow.fen for flow in flows if flow.kind is FlowKind.WITHDRAWAL),
    )


def _summed(flows: Sequence[Flow]) -> tuple[dict[tuple[FlowKind, str], list[int]], Mapping[str, int]]:
    """Return the trade movements by kind and number, and the fees summed by number."""
    moved: dict[tuple[FlowKind, str], list[int]] = {}
    fees: Counter[str] = Counter()
    for flow in flows:
        if flow.kind is FlowKind.FEE:
            fees[flow.number] += flow.fen
        elif flow.kind in {FlowKind.TRADE, FlowKind.REFUND}:
            moved.setdefault((flow.kind, flow.number), []).append(flow.fen)
    return moved, fees


def _taken(moved: dict[tuple[FlowKind, str], list[int]], trade: Trade) -> int | None:
    """Take a trade's movement out: the one of its amount under either number, else any under its own number."""
    kind = FlowKind.TRADE if trade.fen > 0 else FlowKind.REFUND
    for number in (trade.number, trade.order_number):
        parts = moved.get((kind, number), [])
        if trade.fen in parts:
            parts.remove(trade.fen)
            return trade.fen
    parts = moved.get((kind, trade.number), [])
    return parts.pop(0) if parts else None


def _finding(kind: FlowFinding, number: str, trade_fen: int | None, flow_fen: int | None) -> Finding:
    return Finding(kind=kind, number=number, trade_fen=trade_fen, flow_fen=flow_fen)
