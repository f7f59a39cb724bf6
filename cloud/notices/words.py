"""The templates of notices, in both languages: a title and a text for each kind, filled with plain facts.

A text names amounts, days and numbers of bills, never another person; a reminder says that nothing is shut off.
"""

from __future__ import annotations

from collections.abc import Mapping

from cloud.notices.kinds import Language, NoticeKind
from common.errors import ensure

_KEEPS_ON_ZH = "欠费不会影响您家的水、电和回家的路。"
_KEEPS_ON_EN = "Your water, power and way home are never cut for debt."
_WORDS: Mapping[tuple[NoticeKind, Language], tuple[str, str]] = {
    (NoticeKind.DUE_SOON, Language.ZH): (
        "账单 {number} 三天后到期",
        "{place}的账单 {number} 还有 {amount} 元未缴，应缴日 {due}。可扫账单上的二维码缴费，已缴请忽略。",
    ),
    (NoticeKind.DUE_SOON, Language.EN): (
        "Bill {number} is due in three days",
        "{amount} yuan of bill {number} for {place} are open, due {due}. Scan the code on the bill to pay.",
    ),
    (NoticeKind.DUE_TODAY, Language.ZH): (
        "账单 {number} 今天到期",
        "{place}的账单 {number} 还有 {amount} 元未缴，今天是应缴日。如有疑问请提出异议，提出后不再催缴。",
    ),
    (NoticeKind.DUE_TODAY, Language.EN): (
        "Bill {number} is due today",
        "{amount} yuan of bill {number} for {place} are open and due today. Raise a dispute if it is wrong.",
    ),
    (NoticeKind.OVERDUE, Language.ZH): (
        "账单 {number} 已逾期",
        "{place}的账单 {number} 还有 {amount} 元未缴，应缴日 {due} 已过。" + _KEEPS_ON_ZH,
    ),
    (NoticeKind.OVERDUE, Language.EN): (
        "Bill {number} is overdue",
        "{amount} yuan of bill {number} for {place} were due {due}. " + _KEEPS_ON_EN,
    ),
    (NoticeKind.OVERDUE_LONG, Language.ZH): (
        "账单 {number} 逾期一个月",
        "{place}的账单 {number} 还有 {amount} 元未缴，应缴日 {due}。有困难请联系管理处商量分期。" + _KEEPS_ON_ZH,
    ),
    (NoticeKind.OVERDUE_LONG, Language.EN): (
        "Bill {number} is a month overdue",
        "{amount} yuan of bill {number} for {place} were due {due}. Ask the office for instalments. " + _KEEPS_ON_EN,
    ),
    (NoticeKind.DEDUCTION, Language.ZH): (
        "拟从您的押金扣款",
        "{place}：拟从押金扣款 {amount} 元。如不同意，请在 {due} 前提出异议；不提出也不等于同意，由管理处复核。",
    ),
    (NoticeKind.DEDUCTION, Language.EN): (
        "Part of your deposit may be kept",
        "{place}: {amount} yuan of your deposit are proposed to be kept. You may object until {due}.",
    ),
    (NoticeKind.DEBIT, Language.ZH): (
        "将自动扣款 {amount} 元",
        "{place}：按自动缴费协议，将自 {due} 起扣款，最多 {amount} 元。此前自行缴清则不再扣款，也可暂停或解约。",
    ),
    (NoticeKind.DEBIT, Language.EN): (
        "{amount} yuan will be deducted",
        "{place}: up to {amount} yuan are deducted from {due} on, not if you pay before. You may pause or end it.",
    ),
    (NoticeKind.DEBIT_FAILED, Language.ZH): (
        "自动扣款未成功",
        "{place}：{due} 的自动扣款 {amount} 元未成功，账单仍未缴清，本期不再扣款，请自行缴费。" + _KEEPS_ON_ZH,
    ),
    (NoticeKind.DEBIT_FAILED, Language.EN): (
        "The automatic deduction did not succeed",
        "{place}: {amount} yuan could not be deducted by {due}. Please pay the open bills yourself. " + _KEEPS_ON_EN,
    ),
}
ensure(
    set(_WORDS) == {(kind, language) for kind in NoticeKind for language in Language},
    "every notice has words in every language",
)


def text_of(kind: NoticeKind, language: Language, facts: Mapping[str, str]) -> tuple[str, str]:
    """Return title and text of a notice; `facts` are number, place, amount and due."""
    title, body = _WORDS[kind, language]
    return title.format_map(facts), body.format_map(facts)
