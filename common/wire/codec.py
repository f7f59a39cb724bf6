"""Batch content as zstd (RFC 8878) over CBOR (RFC 8949) and back; the parcel that joins it with its personal lane.

The content is an array: header, anchors, kinds of series, meters, series, blocks, rows, entries, personal references.
Meter ids are sorted and sent as a typed array of lower halves and one of the differences of upper halves. Unpacking is
bounded before it starts: a frame must state its size, and the size must lie within the limit.

A parcel is `[signed, bodies]`: the COSE_Sign1 over the content, and beside it the bodies of the personal lane, of which
the content holds the salted hashes. The bodies can expire while hash and signature stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate, pairwise
from uuid import UUID

import zstandard

from common.ids import MeterId
from common.wire import cbor
from common.wire.batch import (
    DIGEST_BYTES,
    VERSION,
    BatchContent,
    BatchHeader,
    PersonalItem,
    PersonalRef,
    Row,
    Series,
)
from common.wire.columns import BLOCKS, from_blocks, to_blocks
from common.wire.entries import ANCHOR, ENTRIES, STAMP
from common.wire.limits import (
    ANCHORS_MAX,
    CONTENT_BYTES_MAX,
    PARCEL_BYTES_MAX,
    PERSONAL_BODY_BYTES_MAX,
    PERSONAL_MAX,
    READINGS_MAX,
    SERIES_MAX,
    SIGNED_BYTES_MAX,
    ZSTD_WINDOW_MAX,
)
from common.wire.refusal import Refusal, WireError
from common.wire.shapes import COUNT, INTEGER, TEXT, UNIQUE_ID, integer, many, octets, refuse, shape_of

ZSTD_LEVEL = 9
SALT_BYTES = 16
_HALF = 1 << 64
_PARTS = 9
_METER_PARTS = 3
_UPPER_HALF = integer(0, _HALF - 1)

_HEADER = shape_of(
    BatchHeader,
    version=COUNT,
    gateway_id=UNIQUE_ID,
    epoch=COUNT,
    previous_epoch=COUNT,
    sequence=integer(1),
    previous_hash=octets(DIGEST_BYTES, DIGEST_BYTES),
    made=STAMP.kind(),
)
_ROW = shape_of(Row, series=COUNT, slot_ms=INTEGER, value_milli=INTEGER, quality=COUNT, stamp=STAMP.kind())
_PERSONAL_REF = shape_of(PersonalRef, item_id=UNIQUE_ID, retention=TEXT, digest=octets(DIGEST_BYTES, DIGEST_BYTES))


@dataclass(frozen=True, slots=True, kw_only=True)
class _PersonalBody:
    salt: bytes
    item_id: UUID
    retention: str
    kind: str
    value: str


_PERSONAL_BODY = shape_of(
    _PersonalBody, salt=octets(SALT_BYTES, SALT_BYTES), item_id=UNIQUE_ID, retention=TEXT, kind=TEXT, value=TEXT
)
_ANCHORS = many(ANCHOR.kind(), ANCHORS_MAX)
_ROWS = many(_ROW.kind(), READINGS_MAX)
_PERSONAL_REFS = many(_PERSONAL_REF.kind(), PERSONAL_MAX)
_KINDS = many(many(TEXT, 3), SERIES_MAX)
_BODIES = many(octets(PERSONAL_BODY_BYTES_MAX, 1), PERSONAL_MAX)
_SIGNED = octets(SIGNED_BYTES_MAX, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What one POST carries: the signed batch and the bodies of its personal lane."""

    signed: bytes
    personal: tuple[bytes, ...] = ()

    @property
    def digest(self) -> bytes:
        """Return the batch's hash: of the signed bytes only, so it outlives the personal bodies."""
        return sha256(self.signed).digest()


def pack_content(content: BatchContent) -> bytes:
    """Return the compressed content, the payload to sign."""
    kinds = sorted({(series.quantity, series.unit, series.profile) for series in content.series})
    meter_ids = [series.meter_id.int for series in content.series]
    meters = sorted(set(meter_ids))
    kind_of = {kind: number for number, kind in enumerate(kinds)}
    meter_of = {meter: number for number, meter in enumerate(meters)}
    series_kinds = [kind_of[series.quantity, series.unit, series.profile] for series in content.series]
    parts = [
        _HEADER.pack(content.header),
        _ANCHORS.pack(content.anchors),
        _KINDS.pack(kinds),
        _pack_meters(meters),
        [
            cbor.pack_steps([meter_of[meter_id] for meter_id in meter_ids]),
            cbor.pack_steps(series_kinds),
        ],
        BLOCKS.pack(to_blocks(content.columns, series_kinds)),
        _ROWS.pack(content.rows),
        ENTRIES.pack(content.entries),
        _PERSONAL_REFS.pack(content.personal),
    ]
    return compress(cbor.encode(parts))


def unpack_content(payload: bytes) -> BatchContent:
    """Return the content of a payload whose signature was verified.

    Raises:
        WireError: it would unfold beyond the bound, has a version from the future, or is not what the schema says.
    """
    raw = expand(payload, CONTENT_BYTES_MAX, "the batch content")
    parts = cbor.decode(raw, "the batch content")
    if not isinstance(parts, list) or len(parts) == 0:
        refuse("the batch content", "is no array")
    header = _HEADER.unpack(parts[0], "header")
    if header.version != VERSION:
        raise WireError(Refusal.UNKNOWN_VERSION, f"version {header.version} of the batch; this side reads {VERSION}")
    if len(parts) != _PARTS:
        refuse("the batch content", f"has not {_PARTS} parts")
    series = _unpack_series(parts[2], parts[3], parts[4])
    rows = _ROWS.unpack(parts[6], "rows")
    if any(row.series >= len(series) for row in rows):
        refuse("rows", "name a series that the dictionary does not hold")
    return BatchContent(
        header=header,
        anchors=_ANCHORS.unpack(parts[1], "anchors"),
        series=series,
        columns=from_blocks(BLOCKS.unpack(parts[5], "blocks"), len(series)),
        rows=rows,
        entries=ENTRIES.unpack(parts[7], "entries"),
        personal=_PERSONAL_REFS.unpack(parts[8], "personal"),
    )


def _pack_meters(meters: Sequence[int]) -> list[object]:
    upper = [meter // _HALF for meter in meters]
    return [
        upper[0] if upper else 0,
        cbor.pack_integers([after - before for before, after in pairwise(upper)], signed=False),
        cbor.pack_integers([meter % _HALF for meter in meters], signed=False),
    ]


def _unpack_meters(value: object) -> tuple[MeterId, ...]:
    if not isinstance(value, list) or len(value) != _METER_PARTS:
        refuse("meters", "are not a first upper half, differences and lower halves")
    first = _UPPER_HALF.unpack(value[0], "meters")
    steps = cbor.unpack_integers(value[1], "meters", signed=False, count_max=SERIES_MAX)
    lower = cbor.unpack_integers(value[2], "meters", signed=False, count_max=SERIES_MAX)
    upper = tuple(accumulate(steps, initial=first)) if lower or first or steps else ()
    if len(upper) != len(lower) or max(upper, default=0) >= _HALF:
        refuse("meters", "have halves that do not fit")
    return tuple(MeterId(UUID(int=high * _HALF + low)) for high, low in zip(upper, lower, strict=True))


def _unpack_series(kinds_part: object, meters_part: object, series_part: object) -> tuple[Series, ...]:
    kinds = _KINDS.unpack(kinds_part, "kinds")
    meters = _unpack_meters(meters_part)
    if not isinstance(series_part, list) or len(series_part) != 2:  # noqa: PLR2004 - meter and kind
        refuse("series", "are not two arrays")
    meter_numbers = cbor.unpack_steps(series_part[0], "series", count_max=SERIES_MAX)
    kind_numbers = cbor.unpack_steps(series_part[1], "series", count_max=SERIES_MAX)
    if len(meter_numbers) != len(kind_numbers) or any(len(kind) != 3 for kind in kinds):  # noqa: PLR2004 - q, u, p
        refuse("series", "have parts that do not fit")
    if not all(0 <= number < len(meters) for number in meter_numbers):
        refuse("series", "name a meter that is not in the dictionary")
    if not all(0 <= number < len(kinds) for number in kind_numbers):
        refuse("series", "name a kind that is not in the dictionary")
    return tuple(
        Series(meter_id=meters[meter], quantity=kinds[kind][0], unit=kinds[kind][1], profile=kinds[kind][2])
        for meter, kind in zip(meter_numbers, kind_numbers, strict=True)
    )


def compress(raw: bytes) -> bytes:
    """Return the bytes as one zstd frame that states its size."""
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(raw)


def expand(payload: bytes, bytes_max: int, what: str) -> bytes:
    """Return the bytes of one zstd frame, refusing before unfolding when it would exceed the bound.

    Raises:
        WireError: the frame is broken, does not state its size, or is too large.
    """
    try:
        frame = zstandard.get_frame_parameters(payload)
        stated = frame.content_size
        if stated == zstandard.CONTENTSIZE_UNKNOWN:
            raise WireError(Refusal.UNREADABLE, f"{what} does not state its unpacked size")
        if stated > bytes_max or frame.window_size > max(ZSTD_WINDOW_MAX, bytes_max):
            raise WireError(Refusal.BOMB, f"{what} would unfold to {stated} bytes; the bound is {bytes_max}")
        raw = zstandard.ZstdDecompressor().decompress(payload, max_output_size=bytes_max, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise WireError(Refusal.UNREADABLE, f"{what} is not a zstd frame") from error
    return raw


def pack_personal(item: PersonalItem, salt: bytes) -> tuple[PersonalRef, bytes]:
    """Return what the signed part keeps of a personal item, and its separable body."""
    body = cbor.encode(
        _PERSONAL_BODY.pack(
            _PersonalBody(salt=salt, item_id=item.item_id, retention=item.retention, kind=item.kind, value=item.value)
        )
    )
    return PersonalRef(item_id=item.item_id, retention=item.retention, digest=sha256(body).digest()), body


def open_personal(refs: Sequence[PersonalRef], bodies: Sequence[bytes]) -> tuple[PersonalItem, ...]:
    """Return the items of the personal lane, each checked against its signed hash.

    Raises:
        WireError: a body is missing, too many, altered, or not what it must be.
    """
    if len(refs) != len(bodies):
        raise WireError(Refusal.PERSONAL_ALTERED, f"{len(bodies)} personal bodies came for {len(refs)} signed hashes")
    return tuple(_open_body(ref, body) for ref, body in zip(refs, bodies, strict=True))


def _open_body(ref: PersonalRef, body: bytes) -> PersonalItem:
    if sha256(body).digest() != ref.digest:
        raise WireError(Refusal.PERSONAL_ALTERED, f"the body of personal item {ref.item_id} has not the signed hash")
    opened = _PERSONAL_BODY.unpack(cbor.decode(body, "a personal body"), "personal body")
    if (opened.item_id, opened.retention) != (ref.item_id, ref.retention):
        raise WireError(Refusal.PERSONAL_ALTERED, f"the body of personal item {ref.item_id} names another item")
    return PersonalItem(item_id=opened.item_id, retention=opened.retention, kind=opened.kind, value=opened.value)


def pack_parcel(signed: bytes, personal: Iterable[bytes]) -> bytes:
    """Return the bytes of one POST."""
    return cbor.encode([signed, list(personal)])


def unpack_parcel(body: bytes) -> Parcel:
    """Return the two parts of a POST, unverified.

    Raises:
        WireError: it is too large or no parcel.
    """
    if len(body) > PARCEL_BYTES_MAX:
        raise WireError(Refusal.OVERSIZE, f"a parcel has at most {PARCEL_BYTES_MAX} bytes")
    parts = cbor.decode(body, "the parcel")
    if not isinstance(parts, list) or len(parts) != 2:  # noqa: PLR2004 - signed, bodies
        raise WireError(Refusal.MALFORMED, "the parcel is not an array of two parts")
    try:
        return Parcel(signed=_SIGNED.unpack(parts[0], "signed"), personal=_BODIES.unpack(parts[1], "personal"))
    except WireError as error:
        raise WireError(Refusal.MALFORMED, error.detail) from error
