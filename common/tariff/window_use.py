"""What a tariff asks of a meter for its time windows: whether their usage must be told apart, now and before. Pure."""

from __future__ import annotations

from common.tariff.document import TariffDocument
from common.tariff.model import WindowOrder

_SINGLE = "single"


def priced_by_window_only(document: TariffDocument) -> bool:
    """Return whether a tariff has windows and no price for a meter with one register."""
    metering = [plan.condition.traits.get("metering", frozenset()) for plan in document.plans]
    return bool(document.windows) and not any(_SINGLE in choices for choices in metering)


def counts_windows_apart(document: TariffDocument) -> bool:
    """Return whether a running total of each window is asked for, because its tiers count on their own."""
    charges = (charge for plan in document.plans for charge in plan.charges)
    apart = any(one.tiers is not None and one.tiers.windows is WindowOrder.SEPARATE for one in charges)
    return apart and bool(document.accumulation.starts)
