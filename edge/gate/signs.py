"""What a driver reads and hears at a lane: a ruling in a few Chinese words. Pure; the boards hold GBK only."""

from __future__ import annotations

from datetime import datetime, timedelta

from common.clock import from_epoch_ms
from common.money.amount import CNY, format_minor
from edge.driver.signs import Sign
from edge.gate.rules import Act, Decision, Reason, Ruling, Sight

_HELD = {
    Reason.NO_PLATE: ("未识别车牌", "请稍候 人工处理"),
    Reason.BLACKLISTED: ("禁止驶入", "请联系物业"),
    Reason.FULL: ("车位已满", "请稍候"),
    Reason.NO_PRICE: ("暂无收费标准", "请稍候 人工处理"),
    Reason.NO_ENTRY: ("无入场记录", "请稍候 人工处理"),
}
_MINUTES_AN_HOUR = 60


def sign_of(sight: Sight, ruling: Ruling, ticket: str | None = None) -> Sign | None:
    """Return what to show; None for a record from the past, whose car is not there any more."""
    if sight.offline:
        return None
    name = sight.plate or ""
    if ruling.reason is Reason.TICKET and ticket is not None:
        return Sign(lines=(f"停车码{ticket}", "请牢记 出场用"), voice=f"无牌车,停车码{ticket},请牢记")
    if ruling.decision is Decision.OPEN:
        return _open(name, sight, ruling)
    if ruling.reason is Reason.PAYMENT_DUE and sight.quote is not None and sight.stay is not None:
        owed = max(0, sight.quote.amount_fen - sight.stay.paid_fen)
        yuan = format_minor(owed, CNY)
        stayed = duration_text(from_epoch_ms(sight.stay.entered_ms), sight.seen_at)
        return Sign(lines=(name, f"停{stayed}", f"请缴费{yuan}元"), voice=f"{name},停车{stayed},请缴费{yuan}元")
    first, second = _HELD.get(ruling.reason, ("请稍候", "人工处理"))
    return Sign(lines=(name or first, first if name else second), voice=f"{name} {first},{second}".strip())


def duration_text(start: datetime, end: datetime) -> str:
    """Return a duration in hours and minutes as a driver reads it."""
    minutes = max(0, (end - start) // timedelta(minutes=1))
    hours, rest = divmod(minutes, _MINUTES_AN_HOUR)
    return f"{hours}小时{rest}分" if hours else f"{rest}分钟"


def _open(name: str, sight: Sight, ruling: Ruling) -> Sign:
    entering = ruling.act is Act.ENTRY or (ruling.act is None and sight.stay is not None)
    if entering:
        second = "欢迎回家" if ruling.reason is Reason.PERMIT else "欢迎光临"
        return Sign(lines=(name, second), voice=f"{name},{second}")
    return Sign(lines=(name, "一路平安"), voice=f"{name},一路平安")
