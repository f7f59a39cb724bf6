"""The words of tax invoices on pages: Chinese first, English beside it."""

from __future__ import annotations

from collections.abc import Mapping

from cloud.invoices.values import Colour, InvoiceKind, InvoiceState, RedReason
from common.errors import ensure

STATES: Mapping[InvoiceState, tuple[str, str]] = {
    InvoiceState.REQUESTED: ("已申请", "asked for"),
    InvoiceState.SENDING: ("提交中", "being handed over"),
    InvoiceState.ACCEPTED: ("开具中", "being issued"),
    InvoiceState.CONFIRMING: ("待购方确认", "waits for the buyer"),
    InvoiceState.ISSUED: ("已开具", "issued"),
    InvoiceState.REFUSED: ("未开具", "not issued"),
    InvoiceState.UNKNOWN: ("结果待核实", "being looked into"),
}
KINDS: Mapping[str, tuple[str, str]] = {
    InvoiceKind.ORDINARY: ("普通发票", "ordinary"),
    InvoiceKind.SPECIAL: ("专用发票", "special"),
    Colour.BLUE: ("蓝字", "invoice"),
    Colour.RED: ("红字", "red letter"),
}
REASONS: Mapping[RedReason, tuple[str, str]] = {
    RedReason.WRONG: ("开票有误", "wrongly issued"),
    RedReason.RETURNED: ("款项退回", "money went back"),
    RedReason.STOPPED: ("服务中止", "service stopped"),
    RedReason.ALLOWANCE: ("销售折让", "allowance"),
}
ensure(set(STATES) == set(InvoiceState) and set(REASONS) == set(RedReason), "every code of invoices has its words")
