"""A reading that cannot be true cannot be built."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from common.errors import InvariantError
from common.ids import MeterId
from common.reading.reading import Quality, Quantity, Reading

METER = MeterId(UUID(int=1))


def test_a_reading_is_good_unless_something_is_known_against_it() -> None:
    reading = Reading(
        meter_id=METER, quantity=Quantity.VOLUME, read_at=datetime(2026, 3, 1, tzinfo=UTC), value_milli=12_345
    )
    assert reading.quality is Quality.GOOD


@pytest.mark.parametrize(
    ("read_at", "value_milli"),
    [(datetime(2026, 3, 1), 1), (datetime(2026, 3, 1, tzinfo=UTC), 2**63)],  # noqa: DTZ001 - the naive case
)
def test_a_naive_instant_or_a_value_beyond_64_bits_is_a_bug(read_at: datetime, value_milli: int) -> None:
    with pytest.raises(InvariantError):
        Reading(meter_id=METER, quantity=Quantity.VOLUME, read_at=read_at, value_milli=value_milli)
