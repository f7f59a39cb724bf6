"""What kinds of papers there are, and in which words their standing is told."""

from __future__ import annotations

from enum import StrEnum


class PaperKind(StrEnum):
    """What a paper shows; its subject is the bill, payment, refund, deposit, settlement or letter of that id."""

    BILL = "bill"
    RECEIPT = "receipt"
    REFUND_VOUCHER = "refund_voucher"
    DEPOSIT_VOUCHER = "deposit_voucher"
    MOVE_OUT = "move_out"
    ARREARS_LETTER = "arrears_letter"


class Holds(StrEnum):
    """Whether what a paper says still holds."""

    CURRENT = "current"
    CORRECTED = "corrected"
    VOID = "void"


class Check(StrEnum):
    """What the bytes of a file tell."""

    GENUINE = "genuine"
    FOREIGN_SEAL = "foreign_seal"
    TAMPERED = "tampered"
    CHANGED_AFTER = "changed_after"
    UNSEALED = "unsealed"
    UNREADABLE = "unreadable"


KINDS: dict[PaperKind, tuple[str, str]] = {
    PaperKind.BILL: ("物业费账单", "Bill"),
    PaperKind.RECEIPT: ("收款收据", "Receipt"),
    PaperKind.REFUND_VOUCHER: ("退款凭证", "Refund voucher"),
    PaperKind.DEPOSIT_VOUCHER: ("押金凭证", "Deposit voucher"),
    PaperKind.MOVE_OUT: ("退租结算单", "Move-out statement"),
    PaperKind.ARREARS_LETTER: ("催缴函", "Letter of arrears"),
}
HOLDS: dict[Holds, tuple[str, str]] = {
    Holds.CURRENT: ("现行有效", "it holds as printed"),
    Holds.CORRECTED: ("已被后续单据更正", "later papers correct it"),
    Holds.VOID: ("已作废，不再有效", "it is void and no longer holds"),
}
CHECKS: dict[Check, tuple[str, str]] = {
    Check.GENUINE: ("电子印章真实，文件自盖章后未被改动", "the seal is true and the file is as it was sealed"),
    Check.FOREIGN_SEAL: ("文件完整，但印章不是本单位的", "the file is whole, but the seal is not one of ours"),
    Check.TAMPERED: ("文件已被篡改，印章不再成立", "the file was tampered with; its seal no longer holds"),
    Check.CHANGED_AFTER: ("盖章后文件又被修改", "the file was changed after it was sealed"),
    Check.UNSEALED: ("文件没有电子印章", "the file carries no seal"),
    Check.UNREADABLE: ("无法读取：不是完整的 PDF 文件", "it cannot be read: not a whole PDF file"),
}
