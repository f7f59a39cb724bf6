"""The cases that refunds open, in words for the person who will look."""

from __future__ import annotations

from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.payments.values import Payment
from cloud.refunds.values import Refund, RefundRequest


def waiting_for_persons(refund: Refund) -> CaseReport:
    """Return the report that a refund is outside the policy and waits for approval."""
    why = ", ".join(refund.doubts)
    return _report(
        refund,
        "refund_waits",
        zh=f"退款 {refund.refund_number} 超出自动审批规则 ({why}), 需 {refund.persons_needed} 人审批",
        en=f"refund {refund.refund_number} is outside the policy ({why}); {refund.persons_needed} must approve",
    )


def failed(refund: Refund) -> CaseReport:
    """Return the report that a refund came to nothing; the money is where it was before."""
    return _report(
        refund,
        "refund_failed",
        zh=f"退款 {refund.refund_number} 未成功 ({refund.detail}), 款项已恢复原状, 请改用其他方式",
        en=f"refund {refund.refund_number} failed ({refund.detail}); the money is where it was, look for another way",
    )


def abnormal(refund: Refund) -> CaseReport:
    """Return the report that the channel holds the money because it cannot reach the payer's account."""
    return _report(
        refund,
        "refund_abnormal",
        zh=f"退款 {refund.refund_number} 渠道无法退至原账户, 请在渠道后台填写收款银行卡",
        en=f"the channel cannot reach the payer's account for refund {refund.refund_number}; name a bank card there",
    )


def differs(refund: Refund, what: str) -> CaseReport:
    """Return the report that the channel told another refund than we asked for."""
    return _report(
        refund,
        "refund_differs",
        zh=f"渠道告知的退款 {refund.refund_number} 与申请不一致 ({what}), 未据此入账, 请人工核对",
        en=f"the channel told other things than refund {refund.refund_number} asked ({what}); nothing was booked",
    )


def not_enough_at_channel(refund: Refund) -> CaseReport:
    """Return the report that the merchant account holds too little; the same refund is sent again once it does not."""
    return _report(
        refund,
        "merchant_balance_low",
        zh=f"商户号余额不足, 退款 {refund.refund_number} 排队等待, 请财务充值",
        en=f"the merchant account holds too little for refund {refund.refund_number}; it waits, put money in",
    )


def refused(wish: RefundRequest, payment: Payment, why: str) -> CaseReport:
    """Return the report that a part of a deposit could not be given back as it should."""
    return CaseReport(
        kind=CaseKind.EXCEPTION,
        reason="return_refused",
        origin="refunds",
        object_kind="refund",
        object_id=wish.refund_id,
        community_id=payment.book.community_id,
        owner_role=OwnerRole.MANAGER,
        detail_zh=f"收款 {payment.number} 的押金退还未能发起 ({why}), 请改用其他方式",
        detail_en=f"a deposit paid by {payment.number} could not go back ({why}); look for another way",
        figures={"amount_fen": wish.amount_fen},
    )


def _report(refund: Refund, reason: str, *, zh: str, en: str) -> CaseReport:
    return CaseReport(
        kind=CaseKind.EXCEPTION,
        reason=reason,
        origin="refunds",
        object_kind="refund",
        object_id=refund.refund_id,
        community_id=refund.book.community_id,
        owner_role=OwnerRole.MANAGER,
        detail_zh=zh,
        detail_en=en,
        figures={"amount_fen": refund.amount_fen},
    )
