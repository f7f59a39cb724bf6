"""The cases that tax invoices open, in words for the person who will look."""

from __future__ import annotations

from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.invoices.values import Invoice


def refused(invoice: Invoice, why: str) -> CaseReport:
    """Return the report that the platform refused an invoice or a red letter."""
    return _report(
        invoice,
        "invoice_refused",
        zh=f"发票申请 {invoice.order_number} 未开具 ({why}), 请核对后重新申请",
        en=f"invoice {invoice.order_number} was not issued ({why}); look at it and ask anew",
    )


def unknown(invoice: Invoice) -> CaseReport:
    """Return the report that nobody could say what became of an invoice."""
    return _report(
        invoice,
        "invoice_unknown",
        zh=f"开票平台始终未答复 {invoice.order_number}, 系统不会重复提交, 请到平台核对后再次查询",
        en=f"the platform never told what became of {invoice.order_number}; it is not sent again, look there, then ask",
    )


def differs(invoice: Invoice, what: str) -> CaseReport:
    """Return the report that the platform issued another invoice than we asked for."""
    return _report(
        invoice,
        "invoice_differs",
        zh=f"平台开具的发票与申请 {invoice.order_number} 不一致 ({what}), 请人工核对",
        en=f"what the platform issued for {invoice.order_number} is not what was asked for ({what}); look at it",
    )


def _report(invoice: Invoice, reason: str, *, zh: str, en: str) -> CaseReport:
    return CaseReport(
        kind=CaseKind.EXCEPTION,
        reason=reason,
        origin="invoices",
        object_kind="tax_invoice",
        object_id=invoice.invoice_id,
        community_id=invoice.community_id,
        owner_role=OwnerRole.CASHIER,
        detail_zh=zh,
        detail_en=en,
        figures={"total_fen": invoice.total_fen},
    )
