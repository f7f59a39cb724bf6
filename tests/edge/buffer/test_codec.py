"""Every kind of record comes back from its bytes as it was."""

from __future__ import annotations

import pytest

from common.errors import InvariantError
from common.wire.batch import PersonalItem
from common.wire.records import AnomalyNote, Evidence, Gap, GapReason, Health, Note, ParkingEvent
from edge.buffer.codec import EVENT_BYTES_MAX, decode, encode
from edge.buffer.records import Record
from tests.edge.builders import meter

RECORDS: list[Record] = [
    Gap(meter_id=meter(1), quantities=("volume",), first_slot_ms=1, last_slot_ms=2, slots=2, reason=GapReason.SHED),
    Evidence(meter_id=meter(1), serial="W1", slot_ms=1, profile="p", request=b"\x00\xff", response=b""),
    AnomalyNote(meter_id=meter(1), quantity="volume", rule="jump", slot_ms=1, value_milli=-5, limit_milli=2**62),
    Health(counters={"commits": 5}),
    Note(what="boot", detail="换卡"),
    PersonalItem(item_id=meter(2), retention="parking", kind="plate", value="苏A12345"),
    ParkingEvent(
        event_id=meter(3),
        lot="north",
        what="entry",
        session_id=meter(4),
        vehicle=meter(2),
        vehicle_class="temporary",
        camera="CAM-1",
        camera_ms=1,
        decision="open",
        reason="temporary",
        quote_fen=None,
    ),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.KIND)
def test_a_record_survives_the_round_trip(record: Record) -> None:
    assert decode(record.KIND, encode(record)) == record


def test_an_oversize_record_is_refused() -> None:
    with pytest.raises(InvariantError, match="exceeds"):
        encode(Note(what="x", detail="y" * EVENT_BYTES_MAX))


@pytest.mark.parametrize(("kind", "body"), [("unheard", b""), ("note", b"\xc1"), ("note", b"\x05")])
def test_a_body_that_is_no_record_breaks_an_invariant(kind: str, body: bytes) -> None:
    with pytest.raises(InvariantError):
        decode(kind, body)
