"""The watch flags false registers, notes what is odd and remembers across restarts, a day of detail at most."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

from common.reading.reading import Quality, Quantity, Reading, Resource
from common.wire.records import AnomalyNote
from edge.buffer.records import Derived
from edge.driver.outcome import DeviceConfig
from edge.sampling.watch import Watch
from tests.edge.builders import START, meter

DEVICE = DeviceConfig(
    meter_id=meter(1),
    serial="W1",
    wire="bus",
    profile="water",
    address="1",
    resource=Resource.WATER,
    points=(Quantity.VOLUME, Quantity.FLOW),
)


def show(watch: Watch, days: int, value_milli: int, quantity: Quantity = Quantity.VOLUME) -> Derived:
    slot = START + timedelta(days=days)
    reading = Reading(meter_id=meter(1), quantity=quantity, read_at=slot, value_milli=value_milli)
    return watch.observe(DEVICE, slot, [reading])


def kept(*derived: Derived) -> dict[str, bytes]:
    return {state.name: state.body for item in derived for state in item.states if state.body is not None}


def test_a_register_that_goes_back_is_flagged_and_noted() -> None:
    watch = Watch({}, UTC)
    show(watch, 0, 5_000)
    derived = show(watch, 1, 4_000)
    assert derived.flags == {Quantity.VOLUME: Quality.BACKWARDS}
    (note,) = derived.records
    assert isinstance(note, AnomalyNote)
    assert (note.rule, note.value_milli, note.limit_milli) == ("backwards", -1_000, 0)


def test_the_memory_survives_a_restart() -> None:
    before = Watch({}, UTC)
    stored = kept(show(before, 0, 5_000), show(before, 1, 5_100))
    derived = show(Watch(stored, UTC), 2, 4_000)
    assert derived.flags == {Quantity.VOLUME: Quality.BACKWARDS}


def test_the_state_is_stored_once_a_day() -> None:
    watch = Watch({}, UTC)
    assert len(show(watch, 0, 5_000).states) == 1
    quarter = START + timedelta(minutes=15)
    reading = Reading(meter_id=meter(1), quantity=Quantity.VOLUME, read_at=quarter, value_milli=5_010)
    assert watch.observe(DEVICE, quarter, [reading]).states == ()
    assert len(show(watch, 1, 5_100).states) == 1


def test_instants_are_not_watched_as_registers() -> None:
    watch = Watch({}, UTC)
    show(watch, 0, 5_000, Quantity.FLOW)
    assert show(watch, 1, 10, Quantity.FLOW) == Derived()


def test_a_stored_state_that_does_not_decode_begins_anew() -> None:
    watch = Watch({f"{meter(1)}/volume": b"\xff"}, UTC)
    assert show(watch, 0, 5).flags == {}


def device(number: int) -> DeviceConfig:
    return replace(DEVICE, meter_id=meter(number), serial=f"W{number}", address=str(number))


def read(watch: Watch, number: int, hours: int, value_milli: int) -> list[str]:
    slot = START + timedelta(hours=hours)
    reading = Reading(meter_id=meter(number), quantity=Quantity.VOLUME, read_at=slot, value_milli=value_milli)
    records = watch.observe(device(number), slot, [reading]).records
    return [record.rule for record in records if isinstance(record, AnomalyNote)]


def test_two_meters_wired_the_wrong_way_round_are_told() -> None:
    watch = Watch({}, UTC)
    assert read(watch, 1, 0, 1_000_000) == read(watch, 2, 0, 50_000) == []
    assert read(watch, 1, 1, 50_010) == ["backwards"]
    assert read(watch, 2, 1, 1_000_010) == ["jump", "swapped_meters"]


def test_a_meter_silent_in_a_quarter_of_its_slots_is_told_the_next_day() -> None:
    watch = Watch({}, UTC)
    for hour in range(24):
        if hour % 4:
            assert read(watch, 1, hour, 1_000 + hour) == []
        else:
            assert watch.observe(device(1), START + timedelta(hours=hour), []) == Derived()
    assert read(watch, 1, 24, 1_030) == ["comms_quality"]
