"""The cases that deposits open, in words for the person who will look."""

from __future__ import annotations

from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.deposits.values import Deduction, Deposit
from cloud.payments.values import Payment

WAITS = "deposit_waits"


def brought_again(deposit: Deposit, payment: Payment) -> CaseReport:
    """Return the report that money came for a deposit that was not due; it waits in the deposit fund."""
    return _report(
        deposit,
        "deposit_not_due",
        zh=f"收款 {payment.number} 对应的押金当前状态为 {deposit.state}, 款项暂存押金户, 建议退回",
        en=f"payment {payment.number} came for a deposit that is {deposit.state}; it waits, a refund is proposed",
        fen=payment.amount_fen,
    )


def waits_for_deduction(deposit: Deposit) -> CaseReport:
    """Return the report that a deposit could go back but for a deduction that nobody has decided."""
    return _report(
        deposit,
        WAITS,
        zh="押金退还条件已满足, 但有扣款尚未处理, 暂不退还",
        en="the deposit could go back, but a deduction is pending; decide it first",
        fen=deposit.held_fen,
    )


def disputed(deposit: Deposit, deduction: Deduction) -> CaseReport:
    """Return the report that the payer objects to a deduction."""
    return _report(
        deposit,
        "deduction_disputed",
        zh=f"业主对押金扣款提出异议: {deduction.answer}",
        en=f"the payer objects to a deduction: {deduction.answer}",
        fen=deduction.amount_fen,
    )


def _report(deposit: Deposit, reason: str, *, zh: str, en: str, fen: int) -> CaseReport:
    return CaseReport(
        kind=CaseKind.EXCEPTION,
        reason=reason,
        origin="deposits",
        object_kind="deposit",
        object_id=deposit.deposit_id,
        community_id=deposit.book.community_id,
        owner_role=OwnerRole.MANAGER,
        detail_zh=zh,
        detail_en=en,
        figures={"fen": fen},
    )
