"""What people are told, in which languages, and what becomes of a notice."""

from __future__ import annotations

from enum import StrEnum


class NoticeKind(StrEnum):
    """What a notice tells."""

    DUE_SOON = "due_soon"
    DUE_TODAY = "due_today"
    OVERDUE = "overdue"
    OVERDUE_LONG = "overdue_long"
    DEDUCTION = "deduction"
    DEBIT = "debit"
    DEBIT_FAILED = "debit_failed"


class Language(StrEnum):
    """In which language somebody wants to be told."""

    ZH = "zh"
    EN = "en"


class Way(StrEnum):
    """By whom a notice is carried beside the inbox, which always shows it."""

    SMS = "sms"
    WECHAT = "wechat"
    MAIL = "mail"


class DeliveryState(StrEnum):
    """Where a delivery stands; `unknown` means that nobody can say whether it was sent: it is never sent again."""

    WAITING = "waiting"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"


class NoticeState(StrEnum):
    """Where a notice stands; `dropped` means that its reason was gone before it was told."""

    WRITTEN = "written"
    TOLD = "told"
    DROPPED = "dropped"


DUNNING = frozenset({NoticeKind.DUE_SOON, NoticeKind.DUE_TODAY, NoticeKind.OVERDUE, NoticeKind.OVERDUE_LONG})
INBOX = "inbox"
