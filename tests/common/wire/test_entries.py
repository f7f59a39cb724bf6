"""Every kind of record has one code for ever, and what would break the bounds is known before it is sealed."""

from __future__ import annotations

from typing import get_args

from hypothesis import given

from common.wire.entries import ENTRIES, fits_the_wire
from common.wire.limits import FRAME_BYTES_MAX
from common.wire.records import Entry, Evidence, Note, Record
from tests.common.wire.builders import METER, NOW, NOW_MS, calm, records, stamp


@calm
@given(records)
def test_an_honest_record_fits(record: Record) -> None:
    assert fits_the_wire(Entry(seq=1, stamp=stamp(), record=record))


def test_a_record_beyond_the_bounds_does_not() -> None:
    frame = bytes(FRAME_BYTES_MAX + 1)
    too_long = Evidence(meter_id=METER, serial="1", slot_ms=NOW_MS, profile="p", request=frame, response=b"")
    for record in (too_long, Note(what="x" * 300, detail="")):
        assert not fits_the_wire(Entry(seq=1, stamp=stamp(), record=record))


def test_the_codes_of_the_records_are_frozen() -> None:
    codes = {
        "gap": 1,
        "evidence": 2,
        "parking": 3,
        "access": 4,
        "kiosk_receipt": 5,
        "provisional": 6,
        "anomaly": 7,
        "health": 8,
        "bundle_effect": 9,
        "note": 10,
        "charging": 11,
    }
    assert {kind.KIND for kind in get_args(Record)} == codes.keys()
    packed = ENTRIES.pack([Entry(seq=1, stamp=stamp(), record=Note(what="boot", detail=""))])
    assert packed[0][2] == [codes["note"], "boot", ""]  # type: ignore[index]


def test_a_stamp_tells_its_instant() -> None:
    assert stamp().at == NOW
