"""The cases that payments open, in words for the person who will look."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.payments.rules import Difference
from cloud.payments.values import Attempt, Payment

_ORIGIN = "payments"


def answer_differs(attempt: Attempt, found: Sequence[Difference]) -> CaseReport:
    """Return the report that the channel told another amount, merchant or currency than we asked for."""
    what = "; ".join(f"{one.what}: asked {one.asked}, told {one.answered}" for one in found)
    return CaseReport(
        kind=CaseKind.EXCEPTION,
        reason="answer_differs",
        origin=_ORIGIN,
        object_kind="payment_attempt",
        object_id=attempt.attempt_id,
        community_id=attempt.community_id,
        owner_role=OwnerRole.CASHIER,
        detail_zh=f"渠道信息与订单 {attempt.order_number} 不一致 ({what}), 未据此入账, 请人工核对",
        detail_en=f"the channel told other things than order {attempt.order_number} asked ({what}); nothing was booked",
    )


def duplicate_payment(payment: Payment) -> CaseReport:
    """Return the report that a payment came for bills that were already settled, with the proposal to refund it."""
    return CaseReport(
        kind=CaseKind.EXCEPTION,
        reason="duplicate_payment",
        origin=_ORIGIN,
        object_kind="payment",
        object_id=payment.payment_id,
        community_id=payment.book.community_id,
        owner_role=OwnerRole.CASHIER,
        detail_zh=f"收款 {payment.number} 对应的账单已被付清, 金额已转入预存, 建议原路退回",
        detail_en=f"payment {payment.number} came for bills already paid; it is held ahead, a refund is proposed",
        figures={"amount_fen": payment.amount_fen},
    )


def order_not_ours(merchant_account_id: UUID, notification_id: UUID) -> CaseReport:
    """Return the report of a true notification of an order we do not know: who else uses the merchant number?"""
    return CaseReport(
        kind=CaseKind.ALARM,
        reason="order_not_ours",
        origin=_ORIGIN,
        object_kind="merchant_account",
        object_id=merchant_account_id,
        community_id=None,
        owner_role=OwnerRole.MANAGER,
        detail_zh=f"收到非本系统订单的支付通知 ({notification_id}), 未入账, 请核对是否有其他系统使用同一商户号",
        detail_en=f"a notification ({notification_id}) names an order that is not ours; nothing was booked",
    )
