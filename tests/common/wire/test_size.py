"""How many bytes a reading takes on the wire, everything counted: header, dictionary, signature, parcel."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from common.ids import MeterId, uuid7
from common.wire import codec
from common.wire.batch import BatchContent, Series
from common.wire.columns import Sample, arrange
from common.wire.signing import Purpose, sign
from common.wire.stamp import ClockSource, Stamp
from tests.common.wire.builders import GATEWAY_KEY, NOW, NOW_MS, QUARTER_MS, header
from tests.support.randomness import seeded_bytes

METERS = 500
STEP_BITS = 6
SWEEP_MS = 100_000
SEED = 20260301


def building(quantities: Sequence[str]) -> tuple[Series, ...]:
    random_bytes = seeded_bytes(SEED)
    meters = sorted(MeterId(uuid7(NOW, random_bytes)) for _ in range(METERS))
    return tuple(
        Series(meter_id=meter, quantity=quantity, unit="kWh", profile="dlt645-2007@1")
        for meter in meters
        for quantity in quantities
    )


def batch(slots: int, quantities: Sequence[str]) -> tuple[BatchContent, int]:
    """Return 15-minute readings of registers that creep by 0 to 63 hundredths a slot, uniformly: 6 bits each."""
    random_bytes = seeded_bytes(SEED + slots)
    dictionary = building(quantities)
    samples = []
    for number in range(len(dictionary)):
        register = int.from_bytes(random_bytes(4)) % 100_000_000
        late_ms = int.from_bytes(random_bytes(3)) % SWEEP_MS
        for slot, step in enumerate(random_bytes(slots)):
            register += step % (1 << STEP_BITS)
            slot_ms = NOW_MS + slot * QUARTER_MS
            stamp = Stamp(
                boot_no=3,
                boot_ms=slot_ms - NOW_MS + late_ms,
                at_ms=slot_ms + late_ms,
                source=ClockSource.SYNCHRONISED,
                uncertainty_ms=20 + step,
            )
            samples.append(Sample(series=number, slot_ms=slot_ms, value_milli=register * 10, quality=0, stamp=stamp))
    columns, rows = arrange(samples)
    assert rows == ()
    return BatchContent(header=header(), series=dictionary, columns=columns), len(samples)


@pytest.mark.parametrize(
    ("slots", "quantities", "bytes_max"),
    [
        (4, ["energy_forward"], 4.5),
        (4, ["energy_forward", "power", "voltage", "current"], 4.5),
        (96, ["energy_forward"], 2.0),
    ],
    ids=["hourly, 1 point a meter", "hourly, 4 points", "daily, 1 point"],
)
def test_a_reading_stays_within_its_bytes(slots: int, quantities: Sequence[str], bytes_max: float) -> None:
    made, readings = batch(slots, quantities)
    signed = sign(GATEWAY_KEY, Purpose.BATCH, codec.pack_content(made))
    parcel = codec.pack_parcel(signed, ())
    assert readings == METERS * slots * len(quantities)
    assert len(parcel) / readings <= bytes_max
    assert codec.unpack_content(codec.pack_content(made)) == made


def test_the_series_of_the_size_test_really_has_its_entropy() -> None:
    made, readings = batch(96, ["energy_forward"])
    entropy_bytes = readings * STEP_BITS / 8
    assert len(codec.pack_content(made)) > entropy_bytes
