"""What is sealed can be opened by the other side, whatever the store held."""

from __future__ import annotations

from uuid import UUID

from common.ids import GatewayId
from common.wire import codec
from common.wire.batch import GENESIS, BatchContent, PersonalItem
from common.wire.records import Gap, GapReason, Note, ParkingEvent
from common.wire.signing import Purpose, SigningKey, open_envelope, verify
from common.wire.stamp import Anchor, ClockSource, Stamp
from edge.buffer.records import EventRow, Lane, ReadingRow, Record, Sealed, SealMaterial, Series
from edge.uplink.sealer import UNSEALABLE, BatchSealer
from tests.common.wire.builders import GATEWAY, GATEWAY_KEY, NOW_MS
from tests.edge.builders import meter
from tests.support.randomness import seeded_bytes

PLATE = PersonalItem(item_id=UUID(int=3), retention="parking", kind="plate", value="沪A12345")


class Signer:
    """A gateway that may sign."""

    def __init__(self) -> None:
        self.gateway_id: GatewayId = GATEWAY
        self.key: SigningKey = GATEWAY_KEY


def stamp(at_ms: int = NOW_MS) -> Stamp:
    return Stamp(boot_no=1, boot_ms=5, at_ms=at_ms, source=ClockSource.SYNCHRONISED, uncertainty_ms=20)


def material(*records: Record, readings: tuple[ReadingRow, ...] = (), points: tuple[int, ...] = ()) -> SealMaterial:
    return SealMaterial(
        epoch=77,
        previous_epoch=9,
        number=1,
        lane=Lane.MEASURE,
        previous_hash=GENESIS,
        made=stamp(),
        anchors=(Anchor(boot_no=1, boot_ms=1, utc_ms=NOW_MS, source=ClockSource.RTC, uncertainty_ms=9),),
        series=tuple(
            Series(point_no=no, meter_id=meter(10 - no), serial="1", quantity="volume", unit="m3", profile="p@1")
            for no in points
        ),
        readings=readings,
        events=tuple(
            EventRow(seq=seq, lane=Lane.GATE, stamp=stamp(), record=record) for seq, record in enumerate(records)
        ),
    )


def opened(sealed: Sealed) -> tuple[BatchContent, codec.Parcel]:
    parcel = codec.unpack_parcel(sealed.body)
    assert parcel.digest == sealed.digest
    payload = verify(open_envelope(parcel.signed, Purpose.BATCH), GATEWAY_KEY.public_key)
    return codec.unpack_content(payload), parcel


def seal(made: SealMaterial) -> Sealed:
    return BatchSealer(Signer(), seeded_bytes(1))(made)


def test_the_header_says_what_the_store_said() -> None:
    content, _ = opened(seal(material(Note(what="boot", detail=""))))
    header = content.header
    assert (header.gateway_id, header.epoch, header.previous_epoch, header.sequence) == (GATEWAY, 77, 9, 1)
    assert (header.previous_hash, header.made) == (GENESIS, stamp())
    assert content.anchors[0].source is ClockSource.RTC


def test_readings_keep_their_meter_whatever_the_order_of_the_points() -> None:
    readings = tuple(
        ReadingRow(seq=no, point_no=no, slot_ms=NOW_MS, value_milli=no * 1_000, quality=0, stamp=stamp(NOW_MS + 900))
        for no in (1, 2, 3)
    )
    content, _ = opened(seal(material(readings=readings, points=(1, 2, 3))))
    assert {point.series.meter_id: point.value_milli for point in content.points()} == {
        meter(9): 1_000,
        meter(8): 2_000,
        meter(7): 3_000,
    }
    assert [series.meter_id for series in content.series] == [meter(7), meter(8), meter(9)]


def test_one_sealer_names_the_meters_of_each_batch_anew() -> None:
    """The dictionary of the batch before is kept, because the same meters answer at every slot; others may follow."""
    sealer = BatchSealer(Signer(), seeded_bytes(1))
    told = []
    for points in ((1, 2), (1, 2), (2, 3), (1, 2)):
        readings = tuple(ReadingRow(no, no, NOW_MS, no * 1_000, 0, stamp(NOW_MS + 900)) for no in points)
        content, _ = opened(sealer(material(readings=readings, points=points)))
        told.append({point.series.meter_id: point.value_milli for point in content.points()})

    first, other = {meter(9): 1_000, meter(8): 2_000}, {meter(8): 2_000, meter(7): 3_000}
    assert told == [first, first, other, first]


def test_a_plate_travels_in_the_personal_lane_only() -> None:
    event = ParkingEvent(
        event_id=UUID(int=1),
        lot="east",
        what="entry",
        session_id=None,
        vehicle=PLATE.item_id,
        vehicle_class="temporary",
        camera="c1",
        camera_ms=NOW_MS,
        decision="open",
        reason="temporary",
    )
    sealed = seal(material(PLATE, event))
    content, parcel = opened(sealed)
    assert codec.open_personal(content.personal, parcel.personal) == (PLATE,)
    assert [entry.record for entry in content.entries] == [event]
    payload = open_envelope(parcel.signed, Purpose.BATCH).payload
    assert PLATE.value.encode() not in codec.expand(payload, 1 << 20, "it")


def test_a_record_too_large_for_the_wire_becomes_a_note_and_never_stops_the_stream() -> None:
    gap = Gap(
        meter_id=meter(1),
        quantities=("volume",),
        first_slot_ms=NOW_MS,
        last_slot_ms=NOW_MS,
        slots=1,
        reason=GapReason.NO_ANSWER,
        detail="x" * 5_000,
    )
    card = PersonalItem(item_id=UUID(int=4), retention="access", kind="card", value="9" * 600)
    content, _ = opened(seal(material(gap, card)))
    assert [entry.record for entry in content.entries] == [
        Note(what=UNSEALABLE, detail="gap"),
        Note(what=UNSEALABLE, detail="personal"),
    ]
