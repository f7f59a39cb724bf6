"""Why a line could not be rated. Each refusal becomes an open exception with an owner, never a free line."""

from __future__ import annotations

from enum import StrEnum

from common.errors import RefusalError


class RefusalKind(StrEnum):
    """What is missing or wrong; the order is the order in which refusals win."""

    NO_PLAN = "no_plan"
    NO_TRAIT = "no_trait"
    NO_FACT = "no_fact"
    NO_USAGE = "no_usage"
    NEGATIVE_USAGE = "negative_usage"
    USAGE_MISMATCH = "usage_mismatch"
    NO_PRICE = "no_price"
    CROSSES_RESET = "crosses_reset"
    PART_MONTH = "part_month"
    NO_SESSION = "no_session"
    OPEN_SESSION = "open_session"
    BAD_SESSION = "bad_session"
    NO_CALENDAR = "no_calendar"
    NO_DEBTS = "no_debts"
    FORMULA = "formula"
    NEGATIVE_AMOUNT = "negative_amount"
    TOO_LARGE = "too_large"


_WORDS_ZH = {
    RefusalKind.NO_PLAN: "没有适用的价格方案",
    RefusalKind.NO_TRAIT: "缺少类别",
    RefusalKind.NO_FACT: "缺少计费依据",
    RefusalKind.NO_USAGE: "缺少用量",
    RefusalKind.NEGATIVE_USAGE: "用量为负",
    RefusalKind.USAGE_MISMATCH: "分时用量与总用量不符",
    RefusalKind.NO_PRICE: "没有对应的价格",
    RefusalKind.CROSSES_RESET: "账期跨越阶梯周期起点",
    RefusalKind.PART_MONTH: "不足整月",
    RefusalKind.NO_SESSION: "缺少停车记录",
    RefusalKind.OPEN_SESSION: "尚未出场",
    RefusalKind.BAD_SESSION: "停车记录有误",
    RefusalKind.NO_CALENDAR: "缺少官方日历",
    RefusalKind.NO_DEBTS: "缺少欠费记录",
    RefusalKind.FORMULA: "公式无法计算",
    RefusalKind.NEGATIVE_AMOUNT: "金额为负",
    RefusalKind.TOO_LARGE: "金额超出范围",
}


class RatingRefusedError(RefusalError):
    """A line that cannot be priced: the kind, and the fact, day or formula it is about."""

    def __init__(self, kind: RefusalKind, detail: str) -> None:
        self.kind = kind
        self.detail = detail
        super().__init__(f"{kind}: {detail}")

    @property
    def detail_zh(self) -> str:
        """Return the reason in Chinese."""
        return f"{_WORDS_ZH[self.kind]}: {self.detail}"

    @property
    def detail_en(self) -> str:
        """Return the reason in English."""
        return f"{self.kind.replace('_', ' ')}: {self.detail}"
