"""Reading of what follows pricing: discounts, minimum, cap, and the rounding plan."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from common.money.amount import Currency
from common.money.rounding import RoundingMode
from common.tariff.model import Adjustment, AdjustmentKind, Per, RoundingStage, RoundingStep
from common.tariff.parse.section import Section
from common.tariff.parse.vocabulary import Vocabulary
from common.tariff.parse.words import read_words

_STAGES = tuple(RoundingStage)


def read_adjustments(root: Section, vocabulary: Vocabulary, keys: frozenset[str]) -> tuple[Adjustment, ...]:
    """Return the adjustments in the order in which they are applied."""
    sections = root.sections("adjust")
    adjustments = tuple(_read_adjustment(section, vocabulary, keys) for section in sections)
    names = [adjustment.key for adjustment in adjustments]
    for index, name in enumerate(names):
        if name in names[:index] or name in keys:
            sections[index].fault("key", f"{name!r} stands twice", "give each adjustment a key of its own")
    _check_cap(root, adjustments)
    return adjustments


def _read_adjustment(section: Section, vocabulary: Vocabulary, keys: frozenset[str]) -> Adjustment:
    written = [kind for kind in AdjustmentKind if kind in section]
    if len(written) != 1:
        remedy = f"write exactly one of {', '.join(AdjustmentKind)}"
        section.fault("", "it is not clear what the adjustment does", remedy)
    kind = written[0] if written else AdjustmentKind.DISCOUNT
    value = vocabulary.read_formula(section, kind)
    if kind is AdjustmentKind.DISCOUNT and value.constant is not None and value.constant > 1:
        section.fault(kind, f"{value.text} takes off more than all", 'write a rate, "0.3" for 30 percent')
    on = frozenset(str(item) for item in section.items("applies_to"))
    for name in sorted(on - keys):
        section.fault("applies_to", f"there is no charge {name!r}", f"use {', '.join(sorted(keys))}")
    key = section.text("key", str(kind))
    adjustment = Adjustment(
        kind=kind,
        key=key,
        label=read_words(section, "label", key),
        value=value,
        per=section.choice("per", Per, Per.ONCE),
        on=on,
        condition=vocabulary.read_condition(section),
    )
    section.close()
    return adjustment


def _check_cap(root: Section, adjustments: tuple[Adjustment, ...]) -> None:
    amounts: dict[AdjustmentKind, Fraction] = {}
    for adjustment in adjustments:
        if adjustment.value.constant is not None and adjustment.per is Per.ONCE and adjustment.condition.always:
            amounts[adjustment.kind] = adjustment.value.constant
    cap, minimum = amounts.get(AdjustmentKind.CAP), amounts.get(AdjustmentKind.MINIMUM)
    if cap is not None and minimum is not None and cap < minimum:
        root.fault("adjust", f"the cap {cap} is below the minimum {minimum}", "raise the cap or lower the minimum")


def read_rounding(root: Section, currency: Currency) -> tuple[RoundingStep, ...]:
    """Return the rounding plan; a plan without a stage for the line rounds it half up to the minor unit."""
    steps = tuple(_read_step(section, currency) for section in root.sections("rounding"))
    order = [_STAGES.index(step.stage) for step in steps]
    if any(later <= earlier for earlier, later in pairwise(order)):
        remedy = f"use each stage once, in the order {', '.join(_STAGES)}"
        root.fault("rounding", "the stages are not in the order in which amounts come about", remedy)
    if not any(step.stage is RoundingStage.LINE for step in steps):
        line = RoundingStep(stage=RoundingStage.LINE, grid=1, mode=RoundingMode.HALF_UP)
        position = sum(step.stage is not RoundingStage.BILL for step in steps)
        return (*steps[:position], line, *steps[position:])
    return steps


def _read_step(section: Section, currency: Currency) -> RoundingStep:
    grid = section.decimal("to", currency.exponent)
    if grid == 0:
        section.fault("to", "a grid of zero rounds nothing", 'write "0.01", "0.1" or "1"')
    step = RoundingStep(
        stage=section.choice("stage", RoundingStage),
        grid=max(grid, 1),
        mode=section.choice("mode", RoundingMode, RoundingMode.HALF_UP),
    )
    section.close()
    return step
