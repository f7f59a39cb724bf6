"""From an answer to a sample: what observers are shown, what their flags do, and why a point is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from common.reading.reading import Quality, Quantity, Reading
from common.wire.records import Evidence, Gap, GapReason
from edge.buffer.records import Derived
from edge.driver.outcome import DeviceConfig, Exchange, FailureKind, PointValue, ReadFailure, ReadOutcome
from edge.sampling.samples import Panel, Taken, make_sample
from tests.edge.driver.builders import NOON, device

EXCHANGE = Exchange(request=b"\1", response=b"\2")
UNITS = {Quantity.ENERGY_FORWARD: "kWh", Quantity.VOLTAGE: "V"}


@dataclass
class Looker:
    """Looks at one quantity, flags what it is told to and remembers what it was shown."""

    quantity: Quantity
    flag: Quality = Quality.GOOD
    shown: list[tuple[Quantity, Quality]] = field(default_factory=list)

    @property
    def looks_at(self) -> frozenset[Quantity]:
        return frozenset({self.quantity})

    def observe(self, device: DeviceConfig, slot: datetime, readings: Sequence[Reading]) -> Derived:
        del device, slot
        self.shown += [(one.quantity, one.quality) for one in readings]
        return Derived(flags={self.quantity: self.flag}) if self.flag else Derived()


def answer(*quantities: Quantity, failures: tuple[ReadFailure, ...] = ()) -> Taken:
    points = tuple(
        PointValue(quantity=one, raw=b"", value_milli=n, exchange=EXCHANGE) for n, one in enumerate(quantities, 1)
    )
    meter = device(1, "eastron-sdm120", "1", Quantity.ENERGY_FORWARD, Quantity.VOLTAGE)
    outcome = ReadOutcome(meter_id=meter.meter_id, points=points, failures=failures)
    return Taken(meter, NOON, NOON + timedelta(seconds=1), 5, outcome)


def test_observers_are_shown_the_registers_somebody_looks_at_with_the_flags_of_those_before() -> None:
    first = Looker(Quantity.ENERGY_FORWARD, Quality.JUMP)
    second = Looker(Quantity.ENERGY_FORWARD, Quality.SUSPECT)
    taken = answer(Quantity.VOLTAGE, Quantity.ENERGY_FORWARD)

    sample = make_sample(taken, UNITS, Panel([first, second]), with_evidence=False)

    assert first.shown == [(Quantity.ENERGY_FORWARD, Quality.GOOD)]
    assert second.shown == [(Quantity.ENERGY_FORWARD, Quality.JUMP)]
    assert [(one.quantity, one.unit, one.value_milli, one.quality) for one in sample.points] == [
        ("voltage", "V", 1, 0),
        ("energy_forward", "kWh", 2, int(Quality.JUMP | Quality.SUSPECT)),
    ]
    assert all(type(one.quantity) is str for one in sample.points)


def test_a_meter_that_answered_with_other_registers_is_not_taken_for_a_silent_one() -> None:
    looker = Looker(Quantity.ENERGY_FORWARD)

    make_sample(answer(Quantity.VOLTAGE), UNITS, Panel([looker]), with_evidence=False)
    make_sample(answer(), UNITS, Panel([looker]), with_evidence=False)

    assert looker.shown == [(Quantity.VOLTAGE, Quality.GOOD)]


def test_a_point_without_a_value_is_a_gap_with_its_reason_and_the_frame_is_kept_as_evidence() -> None:
    failure = ReadFailure(kind=FailureKind.TIMEOUT, points=(Quantity.VOLTAGE,), detail="d" * 500)

    sample = make_sample(answer(Quantity.ENERGY_FORWARD, failures=(failure,)), UNITS, Panel([]), with_evidence=True)

    gap, evidence = sample.records
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.quantities, len(gap.detail)) == (GapReason.NO_ANSWER, ("voltage",), 200)
    assert isinstance(evidence, Evidence)
    assert (evidence.request, evidence.response) == (b"\1", b"\2")
