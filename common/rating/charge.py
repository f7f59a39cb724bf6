"""From the registers of one charge at a pile to what a tariff prices: energy by window, idle minutes. Pure.

Energy between two registers is spread evenly over the time between them and cut at the edges of the windows, in whole
watt-hours; the parts sum to the difference of the registers. A register that goes backwards refuses the charge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise

from common.civil import Period, civil_day
from common.clock import from_epoch_ms
from common.errors import ensure
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import RatingRequest
from common.rating.windows import WindowFinder
from common.tariff.compile import CompiledTariff
from common.tariff.daytype import OfficialCalendar
from common.tariff.model import Window

IDLE_FACT = "idle_minutes"
SAMPLES_FACT = "samples"
_ONE_DAY = timedelta(days=1)
_MINUTE_MS = 60_000
_TICK = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One charge: registers in watt-hours at instants (UTC milliseconds), the start first, and idle minutes."""

    samples: tuple[tuple[int, int], ...]
    idle_minutes: int = 0
    facts: Mapping[str, int] = field(default_factory=dict)
    traits: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that there is a start and nothing negative."""
        ensure(len(self.samples) > 0, "a charge has its first register")
        ensure(self.idle_minutes >= 0, "idle minutes are counted from 0")

    @property
    def energy_wh(self) -> int:
        """Return the energy taken."""
        return self.samples[-1][1] - self.samples[0][1]


def request_of(
    tariff: CompiledTariff, charge: Charge, zone: tzinfo, calendar: OfficialCalendar | None
) -> RatingRequest:
    """Return the rating request of a charge under a tariff; quantities are milli-kWh.

    Raises:
        RatingRefusedError: a register goes backwards in value or time, or no window holds an instant.
    """
    start, end = from_epoch_ms(charge.samples[0][0]), from_epoch_ms(charge.samples[-1][0])
    windows = tariff.document.windows
    by_window: dict[str, int] = {}
    finder = WindowFinder(windows, zone, calendar)
    for (from_ms, from_wh), (to_ms, to_wh) in pairwise(charge.samples):
        if to_wh < from_wh or to_ms < from_ms:
            raise RatingRefusedError(RefusalKind.NEGATIVE_USAGE, f"the register falls from {from_wh} to {to_wh} Wh")
        if windows and to_wh > from_wh:
            _spread(finder, (from_epoch_ms(from_ms), from_epoch_ms(to_ms)), to_wh - from_wh, by_window)
    for window in windows:
        by_window.setdefault(window.name, 0)
    return RatingRequest(
        period=Period(civil_day(start, zone), civil_day(end, zone) + _ONE_DAY),
        quantity_milli=charge.energy_wh,
        windows_milli=by_window,
        facts={**charge.facts, IDLE_FACT: charge.idle_minutes},
        traits=charge.traits,
        calendar=calendar if windows else None,
    )


def thinned(samples: Sequence[tuple[int, int]], most: int) -> tuple[tuple[int, int], ...]:
    """Return at most so many samples, the first and the last among them, evenly over the others."""
    ensure(most > 1, "a start and an end are kept")
    if len(samples) <= most:
        return tuple(samples)
    last = len(samples) - 1
    return tuple(samples[n * last // (most - 1)] for n in range(most))


def pack_samples(samples: Sequence[tuple[int, int]]) -> str:
    """Return registers as one text, as they are kept beside a session."""
    return " ".join(f"{at_ms}:{wh}" for at_ms, wh in samples)


def unpack_samples(text: str) -> tuple[tuple[int, int], ...]:
    """Return the registers that `pack_samples` made a text of."""
    pairs = (one.split(":") for one in text.split())
    return tuple((int(at_ms), int(wh)) for at_ms, wh in pairs)


def idle_minutes(from_ms: int | None, to_ms: int | None) -> int:
    """Return the whole minutes between being full and being unplugged; 0 when one of them is not known."""
    if from_ms is None or to_ms is None or to_ms <= from_ms:
        return 0
    return (to_ms - from_ms) // _MINUTE_MS


def _spread(
    finder: WindowFinder[Window], between: tuple[datetime, datetime], wh: int, by_window: dict[str, int]
) -> None:
    start, end = between
    if start == end:
        name = finder.at(start).name
        by_window[name] = by_window.get(name, 0) + wh
        return
    given = 0
    for first, last in finder.pieces(start, end):
        until = wh * ((last - start) // _TICK) // ((end - start) // _TICK)
        name = finder.at(first).name
        by_window[name] = by_window.get(name, 0) + until - given
        given = until
