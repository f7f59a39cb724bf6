"""The wire forms of stamps and of every kind of record; `schema.cddl` lists the same fields in the same order.

A record goes as `[code, fields...]`. Codes are given once and never used again for something else.
"""

from __future__ import annotations

from typing import Any

from common.wire.limits import (
    COUNTERS_MAX,
    DETAIL_BYTES_MAX,
    ENTRIES_MAX,
    FRAME_BYTES_MAX,
    QUANTITIES_MAX,
    SAMPLES_MAX,
)
from common.wire.records import (
    AccessEvent,
    AnomalyNote,
    BundleEffect,
    ChargingEvent,
    Entry,
    Evidence,
    Gap,
    GapReason,
    Health,
    KioskReceipt,
    Note,
    ParkingEvent,
    ProvisionalLine,
    Record,
)
from common.wire.refusal import WireError
from common.wire.shapes import (
    BOOLEAN,
    COUNT,
    INTEGER,
    TEXT,
    UNIQUE_ID,
    Kind,
    Shape,
    choice,
    counters,
    many,
    octets,
    optional,
    refuse,
    shape_of,
    text,
)
from common.wire.stamp import Anchor, ClockSource, Stamp

_STAMP_FIELDS = {"boot_no": COUNT, "boot_ms": COUNT}
STAMP = shape_of(Stamp, **_STAMP_FIELDS, at_ms=INTEGER, source=choice(ClockSource), uncertainty_ms=COUNT)
ANCHOR = shape_of(Anchor, **_STAMP_FIELDS, utc_ms=INTEGER, source=choice(ClockSource), uncertainty_ms=COUNT)
_FRAME = octets(FRAME_BYTES_MAX)
_DETAIL = text(DETAIL_BYTES_MAX)

_SHAPES: dict[int, Shape[Any]] = {
    1: shape_of(
        Gap,
        meter_id=UNIQUE_ID,
        quantities=many(TEXT, QUANTITIES_MAX),
        first_slot_ms=INTEGER,
        last_slot_ms=INTEGER,
        slots=COUNT,
        reason=choice(GapReason),
        detail=_DETAIL,
    ),
    2: shape_of(
        Evidence,
        meter_id=UNIQUE_ID,
        serial=TEXT,
        slot_ms=INTEGER,
        profile=TEXT,
        request=_FRAME,
        response=_FRAME,
    ),
    3: shape_of(
        ParkingEvent,
        event_id=UNIQUE_ID,
        lot=TEXT,
        what=TEXT,
        session_id=optional(UNIQUE_ID),
        vehicle=optional(UNIQUE_ID),
        vehicle_class=TEXT,
        camera=TEXT,
        camera_ms=INTEGER,
        decision=TEXT,
        reason=TEXT,
        offline=BOOLEAN,
        quote_fen=optional(INTEGER),
        tariff_code=optional(TEXT),
        tariff_rev=optional(COUNT),
        tariff_from=optional(TEXT),
        entered_ms=optional(INTEGER),
    ),
    4: shape_of(AccessEvent, event_id=UNIQUE_ID, door=TEXT, decision=TEXT, reason=TEXT, holder=optional(UNIQUE_ID)),
    5: shape_of(KioskReceipt, event_id=UNIQUE_ID, kiosk=TEXT, bill_number=TEXT, amount_fen=INTEGER, channel=TEXT),
    6: shape_of(
        ProvisionalLine,
        meter_id=UNIQUE_ID,
        charge_code=TEXT,
        period_start=TEXT,
        period_end=TEXT,
        usage_milli=INTEGER,
        amount_fen=INTEGER,
        tariff_code=TEXT,
        tariff_from=TEXT,
        tariff_rev=COUNT,
        tariff_sha=TEXT,
        input_sha=TEXT,
    ),
    7: shape_of(
        AnomalyNote,
        meter_id=UNIQUE_ID,
        quantity=TEXT,
        rule=TEXT,
        slot_ms=INTEGER,
        value_milli=INTEGER,
        limit_milli=INTEGER,
    ),
    8: shape_of(Health, counters=counters(COUNTERS_MAX)),
    9: shape_of(BundleEffect, kind=TEXT, version=COUNT, effect=TEXT, detail=_DETAIL),
    10: shape_of(Note, what=TEXT, detail=_DETAIL),
    11: shape_of(
        ChargingEvent,
        event_id=UNIQUE_ID,
        pile=TEXT,
        connector=COUNT,
        what=TEXT,
        session_id=optional(UNIQUE_ID),
        holder=optional(UNIQUE_ID),
        started_ms=INTEGER,
        ended_ms=INTEGER,
        sample_ms=many(INTEGER, SAMPLES_MAX),
        sample_wh=many(COUNT, SAMPLES_MAX),
        idle_from_ms=optional(INTEGER),
        idle_to_ms=optional(INTEGER),
        reason=TEXT,
        quote_fen=optional(INTEGER),
        tariff_code=optional(TEXT),
        tariff_rev=optional(COUNT),
        tariff_from=optional(TEXT),
    ),
}
_CODES: dict[type, int] = {
    Gap: 1, Evidence: 2, ParkingEvent: 3, AccessEvent: 4, KioskReceipt: 5, ProvisionalLine: 6, AnomalyNote: 7,
    Health: 8, BundleEffect: 9, Note: 10, ChargingEvent: 11,
}  # fmt: skip


def _pack_record(record: Record) -> list[object]:
    code = _CODES[type(record)]
    return [code, *_SHAPES[code].pack(record)]


def _unpack_record(value: object, what: str) -> Record:
    if not isinstance(value, list) or not value or type(value[0]) is not int or value[0] not in _SHAPES:
        refuse(what, "is no record of a known kind")
    record: Record = _SHAPES[value[0]].unpack(value[1:], what)
    return record


ENTRY = shape_of(Entry, seq=COUNT, stamp=STAMP.kind(), record=Kind(_pack_record, _unpack_record))
ENTRIES = many(ENTRY.kind(), ENTRIES_MAX)


def fits_the_wire(entry: Entry) -> bool:
    """Return whether an entry keeps the bounds of the wire, so that the other side will read what this one seals."""
    try:
        ENTRY.unpack(ENTRY.pack(entry), "entry")
    except WireError:
        return False
    return True
