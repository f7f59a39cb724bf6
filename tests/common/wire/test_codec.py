"""A batch read back is the batch that was packed, and unpacking never trusts nor unfolds without bound."""

from __future__ import annotations

import tracemalloc
from typing import Any
from uuid import UUID

import cbor2
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from common.wire import codec
from common.wire.batch import BatchContent, PersonalItem
from common.wire.cbor import encode
from common.wire.columns import arrange
from common.wire.limits import CONTENT_BYTES_MAX, PARCEL_BYTES_MAX
from common.wire.records import Evidence, Note
from common.wire.refusal import Refusal, WireError
from tests.common.wire.builders import METER, NOW_MS, calm, content, contents, header, row, sample, series

ITEM = PersonalItem(item_id=UUID(int=9), retention="parking", kind="plate", value="沪A12345")
SALT = bytes(16)


@calm
@given(contents())
def test_a_batch_read_back_is_the_batch_that_was_packed(made: BatchContent) -> None:
    assert codec.unpack_content(codec.pack_content(made)) == made


@calm
@given(contents())
def test_the_same_content_gives_the_same_bytes(made: BatchContent) -> None:
    assert codec.pack_content(made) == codec.pack_content(codec.unpack_content(codec.pack_content(made)))


def test_points_and_records_are_told_in_order() -> None:
    note, frame = (
        Note(what="boot", detail=""),
        Evidence(meter_id=METER, serial="1", slot_ms=NOW_MS, profile="p", request=b"\x01", response=b"\x02"),
    )
    made = content(note, frame, rows=(row(value=5),))
    assert [point.value_milli for point in made.points()] == [1000, 1007, 1014, 1021, 5]
    assert [record for _, record in made.records(Evidence)] == [frame]


def test_a_hole_is_no_reading() -> None:
    columns, _ = arrange([sample(slot=0, value=10), sample(slot=1, value=20), sample(slot=3, value=40)])
    assert [point.value_milli for point in content(columns=columns).points()] == [10, 20, 40]


@calm
@given(st.binary(max_size=300))
def test_garbage_is_refused_and_nothing_else_happens(garbage: bytes) -> None:
    for read in (codec.unpack_content, codec.unpack_parcel):
        with pytest.raises(WireError):
            read(garbage)


@calm
@given(contents(), st.data())
def test_a_damaged_payload_is_refused_or_is_another_valid_batch(made: BatchContent, data: st.DataObject) -> None:
    raw = bytearray(codec.expand(codec.pack_content(made), CONTENT_BYTES_MAX, "it"))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        read = codec.unpack_content(codec.compress(bytes(raw)))
    except WireError:
        return
    assert read != made


def test_a_small_batch_that_would_unfold_into_gigabytes_is_refused_before_it_does() -> None:
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(200 * 1024 * 1024))
    assert len(bomb) < 50_000
    tracemalloc.start()
    with pytest.raises(WireError, match="would unfold to 209715200 bytes") as refused:
        codec.unpack_content(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.value.reason is Refusal.BOMB
    assert peak < 1_000_000


def test_a_frame_that_hides_its_size_is_refused() -> None:
    stream = zstandard.ZstdCompressor().compressobj()
    hidden = stream.compress(bytes(1000)) + stream.flush()
    with pytest.raises(WireError, match="does not state its unpacked size"):
        codec.unpack_content(hidden)


def test_bytes_after_the_frame_are_refused() -> None:
    with pytest.raises(WireError, match="not a zstd frame"):
        codec.unpack_content(codec.pack_content(content()) + b"\x00")


def parts_of(made: BatchContent) -> list[Any]:
    parts: list[Any] = cbor2.loads(codec.expand(codec.pack_content(made), CONTENT_BYTES_MAX, "it"))
    return parts


def test_a_batch_of_a_later_version_is_told_from_a_damaged_one() -> None:
    parts = parts_of(content())
    parts[0][0] = 2
    with pytest.raises(WireError) as refused:
        codec.unpack_content(codec.compress(encode([*parts, "what the future adds"])))
    assert refused.value.reason is Refusal.UNKNOWN_VERSION


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        (0, None, "header"),
        (1, [[1]], "anchors"),
        (2, [["only", "two"]], "do not fit"),
        (2, [], "name a kind"),
        (3, [1], "first upper half"),
        (3, [2**64 - 1, cbor2.CBORTag(64, b""), cbor2.CBORTag(71, bytes(15))], "broken"),
        (3, [1, cbor2.CBORTag(64, b"\x01"), cbor2.CBORTag(64, b"\x00")], "do not fit"),
        (3, [1, cbor2.CBORTag(64, b""), cbor2.CBORTag(64, b"")], "do not fit"),
        (3, [1, cbor2.CBORTag(64, b"\x01"), cbor2.CBORTag(71, bytes(16))], "wider"),
        (3, [0, cbor2.CBORTag(64, b""), cbor2.CBORTag(64, b"")], "name a meter"),
        (4, [cbor2.CBORTag(72, b"\x00")], "two arrays"),
        (4, [cbor2.CBORTag(72, b"\x00"), cbor2.CBORTag(72, b"")], "do not fit"),
        (4, [cbor2.CBORTag(72, b"\x01"), cbor2.CBORTag(72, b"\x00")], "name a meter"),
        (4, [cbor2.CBORTag(72, b"\x00"), cbor2.CBORTag(72, b"\xff")], "name a kind"),
        (6, [[1, 0, 0, 0, [1, 1, 1, 0, 1]]], "name a series"),
        (7, [[1, [1, 1, 1, 0, 1], [99]]], "known kind"),
        (7, [[1, [1, 1, 1, 0, 1], [True, "boot", ""]]], "known kind"),
        (7, [[1, [1, 1, 1, 0, 1], [10, "boot"]]], "2 fields"),
        (7, [[1, [1, 1, 1, 0, 1], [10, "boot", "x" * 2000]]], "1024 bytes"),
        (8, [[bytes(16), "parking", bytes(31)]], "digest"),
    ],
)
def test_content_that_is_not_what_the_schema_says_is_refused(part: int, value: Any, words: str) -> None:
    parts = parts_of(content())
    parts[part] = value
    with pytest.raises(WireError, match=words) as refused:
        codec.unpack_content(codec.compress(encode(parts)))
    assert refused.value.reason is Refusal.UNREADABLE


def test_missing_parts_are_refused() -> None:
    with pytest.raises(WireError, match="not 9 parts"):
        codec.unpack_content(codec.compress(encode(parts_of(content())[:-1])))
    with pytest.raises(WireError, match="no array"):
        codec.unpack_content(codec.compress(encode([])))


def test_a_meter_may_stand_in_many_series() -> None:
    made = content(series=(series(), series(quantity="power"), series(quantity="voltage")))
    assert codec.unpack_content(codec.pack_content(made)).series == made.series


def test_personal_bodies_can_go_while_the_signed_hash_stays() -> None:
    ref, body = codec.pack_personal(ITEM, SALT)
    made = content(personal=(ref,))
    signed = codec.pack_content(made)
    full, emptied = codec.Parcel(signed=signed, personal=(body,)), codec.Parcel(signed=signed)
    assert full.digest == emptied.digest
    assert codec.open_personal(made.personal, full.personal) == (ITEM,)
    assert ITEM.value.encode() not in codec.expand(signed, CONTENT_BYTES_MAX, "it")


def test_the_same_plate_has_another_hash_in_another_batch() -> None:
    assert codec.pack_personal(ITEM, SALT)[0].digest != codec.pack_personal(ITEM, b"another salt 16b")[0].digest


def test_personal_bodies_that_do_not_have_the_signed_hash_are_refused() -> None:
    ref, body = codec.pack_personal(ITEM, SALT)
    other_ref, other_body = codec.pack_personal(
        PersonalItem(item_id=UUID(int=8), retention="parking", kind="plate", value="沪B00000"), SALT
    )
    swapped = type(ref)(item_id=other_ref.item_id, retention="parking", digest=ref.digest)
    for refs, bodies in [((ref,), ()), ((), (body,)), ((ref,), (other_body,)), ((swapped,), (body,))]:
        with pytest.raises(WireError) as refused:
            codec.open_personal(refs, bodies)
        assert refused.value.reason is Refusal.PERSONAL_ALTERED


def test_a_parcel_read_back_is_the_parcel_packed() -> None:
    parcel = codec.unpack_parcel(codec.pack_parcel(b"signed", [b"one", b"two"]))
    assert parcel == codec.Parcel(signed=b"signed", personal=(b"one", b"two"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (bytes(PARCEL_BYTES_MAX + 1), Refusal.OVERSIZE),
        (encode([b"signed"]), Refusal.MALFORMED),
        (encode([b"signed", [b"x" * 600]]), Refusal.MALFORMED),
        (encode(["signed", []]), Refusal.MALFORMED),
        (b"", Refusal.MALFORMED),
        (encode([b"signed", []]) + b"\x00", Refusal.MALFORMED),
    ],
)
def test_what_is_no_parcel_is_refused(body: bytes, reason: Refusal) -> None:
    with pytest.raises(WireError) as refused:
        codec.unpack_parcel(body)
    assert refused.value.reason is reason


def test_a_batch_of_another_gateway_names_it() -> None:
    assert codec.unpack_content(codec.pack_content(content(header=header(5)))).header.sequence == 5
