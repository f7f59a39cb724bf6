"""Small builders of wire values with plain defaults, and Hypothesis strategies over all of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st

from common.ids import GatewayId, MeterId
from common.wire.batch import (
    GENESIS,
    VERSION,
    BatchContent,
    BatchHeader,
    PersonalRef,
    Row,
    Series,
)
from common.wire.columns import Sample, arrange
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
from common.wire.signing import SigningKey
from common.wire.stamp import Anchor, ClockSource, Stamp

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NOW_MS = 1_772_323_200_000
QUARTER_MS = 900_000
GATEWAY = GatewayId(UUID(int=0x0197_0000_0000_7000_8000_0000_0000_0001))
METER = MeterId(UUID(int=0x0197_0000_0000_7000_8000_0000_0000_0101))
OTHER_METER = MeterId(UUID(int=0x0197_0000_0000_7000_8000_0000_0000_0102))
GATEWAY_KEY = SigningKey(bytes(range(32)))
OTHER_KEY = SigningKey(bytes(range(1, 33)))
CLOUD_KEY = SigningKey(bytes(range(2, 34)))
TRUSTED = {CLOUD_KEY.key_id: CLOUD_KEY.public_key}


def stamp(at_ms: int = NOW_MS, *, source: ClockSource = ClockSource.SYNCHRONISED, uncertainty_ms: int = 40) -> Stamp:
    return Stamp(boot_no=3, boot_ms=at_ms % 10_000_000, at_ms=at_ms, source=source, uncertainty_ms=uncertainty_ms)


def header(sequence: int = 1, previous: bytes = GENESIS, **changes: Any) -> BatchHeader:
    fields: dict[str, Any] = {
        "version": VERSION,
        "gateway_id": GATEWAY,
        "epoch": 77,
        "previous_epoch": 0,
        "sequence": sequence,
        "previous_hash": previous,
        "made": stamp(),
    }
    return BatchHeader(**{**fields, **changes})


def sample(series: int = 0, slot: int = 0, value: int = 1000, *, late_ms: int = 3_000, quality: int = 0) -> Sample:
    slot_ms = NOW_MS + slot * QUARTER_MS
    return Sample(series=series, slot_ms=slot_ms, value_milli=value, quality=quality, stamp=stamp(slot_ms + late_ms))


def series(meter: MeterId = METER, quantity: str = "energy_forward") -> Series:
    return Series(meter_id=meter, quantity=quantity, unit="kWh", profile="dlt645-2007@1")


def content(*records: Record, **changes: Any) -> BatchContent:
    columns, rows = arrange([sample(slot=slot, value=1000 + 7 * slot) for slot in range(4)])
    fields: dict[str, Any] = {
        "header": header(),
        "series": (series(),),
        "columns": columns,
        "rows": rows,
        "entries": tuple(Entry(seq=n + 1, stamp=stamp(), record=record) for n, record in enumerate(records)),
    }
    return BatchContent(**{**fields, **changes})


calm = settings(max_examples=40, deadline=None)  # the machine may be busy; the long run is the soak's

ids = st.integers(0, 2**128 - 1).map(lambda number: UUID(int=number))
int64 = st.integers(-(2**63), 2**63 - 1)
counts = st.integers(0, 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
stamps = st.builds(
    Stamp,
    boot_no=counts,
    boot_ms=counts,
    at_ms=int64,
    source=st.sampled_from(ClockSource),
    uncertainty_ms=counts,
)
anchors = st.builds(
    Anchor,
    boot_no=counts,
    boot_ms=counts,
    utc_ms=int64,
    source=st.sampled_from(ClockSource),
    uncertainty_ms=counts,
)
some_texts = st.none() | texts
records: st.SearchStrategy[Record] = st.one_of(
    st.builds(
        Gap,
        meter_id=ids,
        quantities=st.lists(texts, max_size=4).map(tuple),
        first_slot_ms=int64,
        last_slot_ms=int64,
        slots=counts,
        reason=st.sampled_from(GapReason),
        detail=texts,
    ),
    st.builds(
        Evidence,
        meter_id=ids,
        serial=texts,
        slot_ms=int64,
        profile=texts,
        request=st.binary(max_size=40),
        response=st.binary(max_size=40),
    ),
    st.builds(
        ParkingEvent,
        event_id=ids,
        lot=texts,
        what=texts,
        session_id=st.none() | ids,
        vehicle=st.none() | ids,
        vehicle_class=texts,
        camera=texts,
        camera_ms=int64,
        decision=texts,
        reason=texts,
        offline=st.booleans(),
        quote_fen=st.none() | int64,
        tariff_code=some_texts,
        tariff_rev=st.none() | counts,
        tariff_from=some_texts,
        entered_ms=st.none() | int64,
    ),
    st.builds(
        ChargingEvent,
        event_id=ids,
        pile=texts,
        connector=counts,
        what=texts,
        session_id=st.none() | ids,
        holder=st.none() | ids,
        started_ms=int64,
        ended_ms=int64,
        sample_ms=st.lists(int64, max_size=3).map(tuple),
        sample_wh=st.lists(counts, max_size=3).map(tuple),
        idle_from_ms=st.none() | int64,
        idle_to_ms=st.none() | int64,
        reason=texts,
        quote_fen=st.none() | int64,
        tariff_code=some_texts,
        tariff_rev=st.none() | counts,
        tariff_from=some_texts,
    ),
    st.builds(AccessEvent, event_id=ids, door=texts, decision=texts, reason=texts, holder=st.none() | ids),
    st.builds(KioskReceipt, event_id=ids, kiosk=texts, bill_number=texts, amount_fen=int64, channel=texts),
    st.builds(
        ProvisionalLine,
        meter_id=ids,
        charge_code=texts,
        period_start=texts,
        period_end=texts,
        usage_milli=int64,
        amount_fen=int64,
        tariff_code=texts,
        tariff_from=texts,
        tariff_rev=counts,
        tariff_sha=texts,
        input_sha=texts,
    ),
    st.builds(
        AnomalyNote,
        meter_id=ids,
        quantity=texts,
        rule=texts,
        slot_ms=int64,
        value_milli=int64,
        limit_milli=int64,
    ),
    st.builds(Health, counters=st.dictionaries(texts, int64, max_size=5)),
    st.builds(BundleEffect, kind=texts, version=counts, effect=texts, detail=texts),
    st.builds(Note, what=texts, detail=texts),
)
samples = st.builds(
    Sample,
    series=st.integers(0, 3),
    slot_ms=st.integers(-4, 8).map(lambda slot: NOW_MS + slot * QUARTER_MS) | int64,
    value_milli=st.integers(0, 5_000).map(lambda tens: tens * 10) | int64,
    quality=st.sampled_from([0, 0, 0, 1, 40]),
    stamp=stamps,
).map(
    # Most readings are dated and taken soon after their slot.
    lambda made: (
        made
        if made.value_milli % 3 == 0
        else Sample(
            series=made.series,
            slot_ms=made.slot_ms,
            value_milli=made.value_milli,
            quality=made.quality,
            stamp=Stamp(
                boot_no=1,
                boot_ms=5,
                at_ms=min(made.slot_ms + 1_000, 2**63 - 1),
                source=ClockSource.RTC,
                uncertainty_ms=9,
            ),
        )
    )
)


@st.composite
def contents(draw: st.DrawFn) -> BatchContent:
    dictionary = draw(
        st.lists(
            st.builds(Series, meter_id=ids, quantity=texts, unit=texts, profile=texts),
            min_size=4,
            max_size=6,
        )
    )
    columns, rows = arrange(draw(st.lists(samples, max_size=12)))
    return BatchContent(
        header=header(
            sequence=draw(st.integers(1, 2**63 - 1)),
            previous=draw(st.binary(min_size=32, max_size=32)),
            epoch=draw(counts),
            previous_epoch=draw(counts),
            made=draw(stamps),
        ),
        anchors=tuple(draw(st.lists(anchors, max_size=3))),
        series=tuple(dictionary),
        columns=columns,
        rows=tuple(draw(st.permutations(rows))) if rows else (),
        entries=tuple(draw(st.lists(st.builds(Entry, seq=counts, stamp=stamps, record=records), max_size=3))),
        personal=tuple(
            draw(
                st.lists(
                    st.builds(
                        PersonalRef,
                        item_id=ids,
                        retention=texts,
                        digest=st.binary(min_size=32, max_size=32),
                    ),
                    max_size=3,
                )
            )
        ),
    )


def row(slot_ms: int = NOW_MS, value: int = 5, number: int = 0) -> Row:
    return Row(series=number, slot_ms=slot_ms, value_milli=value, quality=0, stamp=stamp())
