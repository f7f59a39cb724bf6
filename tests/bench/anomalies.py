"""Hits, misses and false alarms of the edge's rules on real water series that the limits were not set on.

    python -m tests.bench.anomalies FOLDER

FOLDER holds `water_hourly_alicante_2016.csv` and its `_events.csv` (DAIAD project trials, CC BY-SA 4.0; never part of
this repository). Of the meters in the order of their keys, every other one is the half on which limits were looked at;
the table is made from the rest. An event is hit when a rule of its kind fired inside it or within a day after; a
finding outside every event of its kind is a false alarm; a missed event is holed when readings are missing inside it.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from common.clock import to_epoch_ms
from common.reading.anomaly import DAY_MS, LIMITS, PAIR_MS_MAX, Moment, Rule, WatchState, observe
from common.reading.reading import Resource

SERIES = "water_hourly_alicante_2016.csv"
EVENTS = "water_hourly_alicante_2016_events.csv"
RULES = {
    "reading_goes_back": {Rule.BACKWARDS, Rule.REVERSE_FLOW},
    "impossible_jump": {Rule.JUMP, Rule.BACKWARDS},
    "gap_over_24h": {Rule.GAP},
    "continuous_flow_72h_plus": {Rule.CONTINUOUS_FLOW, Rule.NIGHT_FLOW, Rule.ABNORMAL_DAYS},
}
NO_LABEL = frozenset({Rule.SPIKE, Rule.STUCK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that was found in the file by hand, with its first and last instant in milliseconds."""

    meter: str
    kind: str
    first_ms: int
    last_ms: int


def readings(path: Path) -> Iterator[tuple[str, int, int]]:
    """Yield meter, instant in milliseconds and register in litres; rows that are no whole number are left out."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            if row["meter reading"].isdigit():
                yield row["user key"], _ms(row["datetime"], "%d/%m/%Y %H:%M:%S"), int(row["meter reading"])


def events(path: Path) -> list[Event]:
    """Return the events of the kinds that a rule answers for."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Event(
                meter=row["user key"],
                kind=row["event"],
                first_ms=_ms(row["from"], "%Y-%m-%d %H:%M:%S"),
                last_ms=_ms(row["to"], "%Y-%m-%d %H:%M:%S"),
            )
            for row in csv.DictReader(file)
            if row["event"] in RULES
        ]


def findings(series: Sequence[tuple[int, int]]) -> list[tuple[int, Rule]]:
    """Return what the rules say of one meter's registers."""
    state: WatchState | None = None
    found = []
    for at_ms, litres in series:
        local = datetime.fromtimestamp(at_ms / 1000, UTC)
        moment = Moment(at_ms=at_ms, day=at_ms // DAY_MS, minute=local.hour * 60 + local.minute)
        verdict = observe(state, moment, litres, LIMITS[Resource.WATER])
        state = verdict.state
        found += [(at_ms, finding.rule) for finding in verdict.findings]
    return found


def table(folder: Path) -> str:
    """Return the table for both halves; only the second was kept apart."""
    by_meter: dict[str, list[tuple[int, int]]] = {}
    for meter, at_ms, litres in readings(folder / SERIES):
        by_meter.setdefault(meter, []).append((at_ms, litres))
    labelled = events(folder / EVENTS)
    lines = []
    for half, title in ((0, "limits were looked at on these"), (1, "kept apart")):
        meters = sorted(by_meter)[half::2]
        found = {meter: findings(sorted(by_meter[meter])) for meter in meters}
        days = sum((max(by_meter[m])[0] - min(by_meter[m])[0]) // DAY_MS for m in meters)
        lines.append(f"{len(meters)} meters, {days} meter days ({title})")
        lines.append(f"{'kind':<28}{'events':>8}{'hit':>6}{'missed':>8}{'holed':>8}{'false':>8}")
        for kind, rules in RULES.items():
            wanted = [event for event in labelled if event.kind == kind and event.meter in found]
            missed = [
                event for event in wanted if not any(_inside(event, at, rule, rules) for at, rule in found[event.meter])
            ]
            holed = sum(_holed(event, by_meter[event.meter]) for event in missed)
            false = sum(
                not any(event.meter == meter and _inside(event, at, rule, RULES[event.kind]) for event in labelled)
                for meter in meters
                for at, rule in found[meter]
                if rule in rules
            )
            lines.append(
                f"{kind:<28}{len(wanted):>8}{len(wanted) - len(missed):>6}{len(missed):>8}{holed:>8}{false:>8}"
            )
        told = {rule: sum(r is rule for meter in meters for _, r in found[meter]) for rule in sorted(NO_LABEL)}
        lines.append("without a label in the file: " + ", ".join(f"{rule} {count}" for rule, count in told.items()))
    return "\n".join(lines) + "\n"


def _inside(event: Event, at_ms: int, rule: Rule, rules: set[Rule]) -> bool:
    return rule in rules and event.first_ms <= at_ms <= event.last_ms + DAY_MS


def _holed(event: Event, series: Sequence[tuple[int, int]]) -> bool:
    """Return whether readings are missing inside the event, so that nobody can know whether the flow went on."""
    inside = sorted(at_ms for at_ms, _ in series if event.first_ms <= at_ms <= event.last_ms)
    return any(after - before > PAIR_MS_MAX for before, after in pairwise(inside))


def _ms(text: str, layout: str) -> int:
    return to_epoch_ms(datetime.strptime(text, layout).replace(tzinfo=UTC) + timedelta())


if __name__ == "__main__":
    sys.stdout.write(table(Path(sys.argv[1])))
