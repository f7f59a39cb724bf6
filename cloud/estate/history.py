"""The premises of a community on many days, read once: each day's facts are those of its newest statement by then.

Days between which no fact changes share one answer, so two years of months cost what the changes in them cost.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from cloud.estate.kinds import Fact
from cloud.estate.values import Premises
from common.ids import PremisesId


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedFact:
    """A fact of premises from a day on; of one day's statements only the newest is given."""

    premises_id: PremisesId
    fact: Fact
    effective_from: date
    value_milli: int


class PremisesHistory:
    """All premises asked about, by label, with the facts that hold on any day."""

    def __init__(self, premises: Sequence[Premises], facts: Iterable[StatedFact]) -> None:
        self._premises = premises
        self._stated = sorted(facts, key=lambda one: one.effective_from)
        self._days = sorted({one.effective_from for one in self._stated})
        self._known: dict[int, tuple[Premises, ...]] = {}

    def on(self, day: date) -> tuple[Premises, ...]:
        """Return the premises with the facts that hold on a day; the same object for days without a change between."""
        turn = bisect_right(self._days, day)
        if turn not in self._known:
            facts: dict[PremisesId, dict[Fact, int]] = defaultdict(dict)
            for one in self._stated:
                if one.effective_from > day:
                    break
                facts[one.premises_id][one.fact] = one.value_milli
            self._known[turn] = tuple(replace(place, facts=facts.get(place.id, {})) for place in self._premises)
        return self._known[turn]
