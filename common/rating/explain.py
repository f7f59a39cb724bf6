"""A resident's explanation of a rated line, in Chinese or English, told from the trace; nothing is rated again.

Amounts are shown in whole minor units, which sum to the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Literal

from common.money.amount import Currency, format_minor
from common.money.rounding import RoundingMode, divide
from common.rating.line import Component, ComponentKind, RatedLine
from common.rating.request import SplitCause, SplitUsage

Language = Literal["zh", "en"]
_X = "\N{MULTIPLICATION SIGN}"
_MICRO = 1_000_000
_PERCENT = 100
_UNITS_ZH = {
    "kWh": "度",
    "m3": "立方米",
    "m2": "平方米",
    "GJ": "吉焦",
    "t": "吨",
    "min": "分钟",
    "h": "小时",
    "day": "天",
    "visit": "次",
    "month": "个月",
    "year": "年",
    "household": "户",
    "person": "人",
    "piece": "件",
}
_CURRENCY_ZH = {"CNY": "元"}
_PRICED = {ComponentKind.UNIT, ComponentKind.TIER, ComponentKind.SESSION}
_WORDS = {
    ComponentKind.FREE: ("{label} {quantity}", "{label} {quantity}"),
    ComponentKind.AMOUNT: ("{label}{times}: {amount}", "{label}{times}: {amount}"),
    ComponentKind.LATE: (
        "{label}: 本金 {principal} {x} {quantity} {x} 每日 {rate} = {amount}",
        "{label}: {principal} {x} {quantity} {x} {rate} a day = {amount}",
    ),
    ComponentKind.SHARE: (
        "{label}: 总额 {pool} 按权重分摊, 本户 {weight}, 共 {sharers} 户合计 {weights} = {amount}",
        "{label}: {pool} split by weight, yours {weight} of {weights} over {sharers} premises = {amount}",
    ),
    ComponentKind.DISCOUNT: ("{label}: {base} {x} {rate} = {amount}", "{label}: {base} {x} {rate} = {amount}"),
    ComponentKind.SURCHARGE: ("{label}: {base} {x} {rate} = {amount}", "{label}: {base} {x} {rate} = {amount}"),
    ComponentKind.REBATE: ("{label}: {amount}", "{label}: {amount}"),
    ComponentKind.MINIMUM: ("{label}: 补足最低收费 {amount}", "{label}: raised to the minimum by {amount}"),
    ComponentKind.CAP: ("{label}: 超出封顶部分 {amount}", "{label}: above the cap {amount}"),
    ComponentKind.ROUNDING: ("{label}: {amount}", "{label}: {amount}"),
}
_PART_WORDS = ("第 {part} 段, 共 {parts} 段, {start} 至 {last}", "Part {part} of {parts}, {start} to {last}")
_CAUSE_WORDS: Mapping[str, tuple[str, str]] = {
    SplitCause.PRICE: ("因价格调整分段", "split where the price changed"),
    SplitCause.PAYER: ("因缴费人变更分段", "split where the payer changed"),
    SplitCause.TIER_YEAR: ("因阶梯周期重新起算分段", "split where the tiers start anew"),
}
_USAGE_WORDS: Mapping[str, tuple[str, str]] = {
    SplitUsage.READINGS: ("用量按分段日的读数", "usage by the readings of those days"),
    SplitUsage.DAYS: ("分段日没有读数, 用量按天数分摊", "usage spread by days, as no reading stands between"),
}


def explain(line: RatedLine, language: Language) -> list[str]:
    """Return sentences, one a charge or adjustment, the total last.

    Priced components of one charge are told as one sum: `电费: 60 度 x 0.50 + 90 度 x 0.55 = 79.50 元`.
    """
    teller = _Teller(language, line.currency)
    sentences: list[str] = []
    if line.plan.zh:
        sentences.append(f"适用: {line.plan.zh}" if language == "zh" else f"Plan: {line.plan.en}")
    part: str | None = None
    for _, group in groupby(line.components, key=_group_key):
        components = list(group)
        if components[0].labels.get("part") not in {None, part}:
            part = components[0].labels["part"]
            sentences.append(_told_part(components[0].labels, language))
        if components[0].kind in _PRICED:
            sentences.append(teller.sum_of(components))
        else:
            sentences.extend(teller.single(component) for component in components)
    if line.carried_milli:
        carried = _decimal(Fraction(line.carried_milli, 1_000))
        sentences.append(f"结转下期 {carried}" if language == "zh" else f"{carried} carried to the next period")
    total = teller.money(line.amount_fen)
    return [*sentences, f"合计 {total}" if language == "zh" else f"Total {total}"]


def _group_key(component: Component) -> tuple[object, ...]:
    labels = component.labels
    place = (labels.get("part"), labels.get("day"), labels.get("from"))
    return component.kind in _PRICED, component.charge, component.label.zh, place


def _told_part(labels: Mapping[str, str], language: Language) -> str:
    """Return which part of a cut period follows, why it was cut, and how its usage was found."""
    place = 0 if language == "zh" else 1
    start, end = (date.fromisoformat(day) for day in labels["period"].split(".."))
    words = _PART_WORDS[place].format(start=start, last=end - timedelta(days=1), **labels)
    reasons = [_CAUSE_WORDS[labels["cause"]][place]] if "cause" in labels else []
    if "usage" in labels:
        reasons.append(_USAGE_WORDS[labels["usage"]][place])
    return ", ".join([words, *reasons])


class _Teller:
    """Puts components into words of one language."""

    def __init__(self, language: Language, currency: Currency) -> None:
        self._language: Language = language
        self._currency = currency

    def money(self, minor: Fraction | int) -> str:
        """Return an amount in words of money, in whole minor units."""
        unit = _CURRENCY_ZH.get(self._currency.code) if self._language == "zh" else None
        fen = divide(minor.numerator, minor.denominator, RoundingMode.HALF_UP)
        return f"{format_minor(fen, self._currency)} {unit or self._currency.code}"

    def sum_of(self, components: list[Component]) -> str:
        """Return priced components as one sum."""
        first = components[0]
        parts = " + ".join(self._product(component) for component in components)
        total = sum(component.fen for component in components)
        label = first.label.zh if self._language == "zh" else first.label.en
        return f"{label}{_clock(first)}: {parts} = {self.money(total)}"

    def single(self, component: Component) -> str:
        """Return a component that stands alone."""
        words = _WORDS[component.kind][0 if self._language == "zh" else 1]
        labels = component.labels
        return words.format(
            x=_X,
            label=component.label.zh if self._language == "zh" else component.label.en,
            amount=self.money(component.fen),
            quantity=self._quantity(component),
            times=self._times(component),
            weight=_decimal(component.quantity or Fraction(0)),
            weights=_decimal(Fraction(labels.get("weights", "0"))),
            sharers=labels.get("sharers"),
            pool=self.money(Fraction(labels.get("pool_fen", "0"))),
            principal=self.money(Fraction(labels.get("principal_fen", "0"))),
            base=self.money(Fraction(labels.get("base", "0"))),
            rate=_percent(Fraction(labels.get("rate", labels.get("value", "0")))),
        )

    def _product(self, component: Component) -> str:
        price = _price(component.price_micro or 0)
        return f"{self._quantity(component)} {_X} {price}{self._times(component)}"

    def _quantity(self, component: Component) -> str:
        number = _decimal(component.quantity or Fraction(0))
        size, _, name = component.unit.rpartition(" ")
        unit = _UNITS_ZH.get(name, name) if self._language == "zh" else name
        if size:
            return f"{number} {_X} {size} {unit}"
        return f"{number} {unit}" if unit else number

    def _times(self, component: Component) -> str:
        per = component.labels.get("per")
        if per is None:
            return ""
        times = Fraction(component.labels["times"])
        unit = _UNITS_ZH[per] if self._language == "zh" else per
        return f" {_X} {_decimal(times)} {unit}"


def _clock(component: Component) -> str:
    if "from" not in component.labels:
        return ""
    start, end = (datetime.fromisoformat(component.labels[name]) for name in ("from", "to"))
    same_day = start.date() == end.date()
    return f" {start:%m-%d %H:%M}-{end:%H:%M}" if same_day else f" {start:%m-%d %H:%M}-{end:%m-%d %H:%M}"


def _price(micro: int) -> str:
    digits = f"{micro % _MICRO:06d}".rstrip("0").ljust(2, "0")
    return f"{micro // _MICRO}.{digits}"


def _percent(rate: Fraction) -> str:
    return f"{_decimal(rate * _PERCENT)}%"


def _decimal(value: Fraction) -> str:
    """Return a value of at least zero with at most six decimals; one that needs more is told as a fraction."""
    micro = value * _MICRO
    if micro.denominator > 1:
        return str(value)
    whole, rest = divmod(micro.numerator, _MICRO)
    digits = f"{rest:06d}".rstrip("0")
    return f"{whole}.{digits}" if digits else f"{whole}"
