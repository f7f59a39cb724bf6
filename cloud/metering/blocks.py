"""One compressed block holds the readings of one quantity of one meter on one civil day.

The body is zstd over a one-byte form, then little-endian integers: `count - 1` time steps in milliseconds (int32),
`count - 1` value steps in milli-units (int32, or int64 where one does not fit), and, only where some reading is not
good, `count` quality flags (uint16). First and last register, count and the union of the flags stand beside the body
as columns, so that billing never unpacks it. Merging is a semilattice: any order and any repetition of batches gives
the same block. Pure values and functions; no database.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import zstandard

from common.errors import ensure
from common.reading.reading import Quality

POINTS_PER_BLOCK_MAX = 100_000
_WIDE = 1
_FLAGGED = 2
_COMPRESSION_LEVEL = 3
_INT32_MAX = 2**31 - 1
_STEP_SIZE = 4
_WIDE_SIZE = 8
_FLAG_SIZE = 2


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Point:
    """One register at one instant; `at_ms` counts from 1970-01-01T00:00Z, `value_milli` is before the multiplier."""

    at_ms: int
    value_milli: int
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The points of one day in packed form, with the columns that billing reads instead."""

    first: Point
    last: Point
    count: int
    quality: Quality
    body: bytes


def merge(*series: Iterable[Point]) -> tuple[Point, ...]:
    """Return all points in order of time, one an instant.

    Two different values for one instant cannot both be true: the smaller is kept and flagged as suspect, whichever
    came first, so the result does not depend on the order of arrival.
    """
    by_instant: dict[int, Point] = {}
    for points in series:
        for point in points:
            known = by_instant.get(point.at_ms)
            by_instant[point.at_ms] = point if known is None else _join(known, point)
    return tuple(by_instant[at_ms] for at_ms in sorted(by_instant))


def _join(left: Point, right: Point) -> Point:
    quality = left.quality | right.quality
    if left.value_milli != right.value_milli:
        quality |= Quality.SUSPECT
    return Point(at_ms=left.at_ms, value_milli=min(left.value_milli, right.value_milli), quality=quality)


def pack(points: Sequence[Point]) -> Block:
    """Return the packed form of points in strict order of time.

    Raises:
        InvariantError: there is no point, too many, or they are out of order.
    """
    ensure(0 < len(points) <= POINTS_PER_BLOCK_MAX, f"a block holds 1 to {POINTS_PER_BLOCK_MAX} points")
    time_steps = [right.at_ms - left.at_ms for left, right in pairwise(points)]
    ensure(all(0 < step <= _INT32_MAX for step in time_steps), "the points of a block stand in strict order of time")
    value_steps = [right.value_milli - left.value_milli for left, right in pairwise(points)]
    wide = any(abs(step) > _INT32_MAX for step in value_steps)
    flags = [int(point.quality) for point in points]
    flagged = any(flags)
    form = bytes([(_WIDE if wide else 0) | (_FLAGGED if flagged else 0)])
    steps = len(time_steps)
    body = form + struct.pack(f"<{steps}i", *time_steps) + struct.pack(f"<{steps}{'q' if wide else 'i'}", *value_steps)
    if flagged:
        body += struct.pack(f"<{len(flags)}H", *flags)
    return Block(
        first=points[0],
        last=points[-1],
        count=len(points),
        quality=union_of(points),
        body=zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL).compress(body),
    )


def union_of(points: Iterable[Point]) -> Quality:
    """Return every flag that some point carries."""
    quality = Quality.GOOD
    for point in points:
        quality |= point.quality
    return quality


def unpack(block: Block) -> tuple[Point, ...]:
    """Return the points of a block; the reverse of `pack`.

    Raises:
        InvariantError: the body does not agree with the columns beside it.
    """
    ensure(0 < block.count <= POINTS_PER_BLOCK_MAX, "the count of a block is out of bounds")
    steps = block.count - 1
    size_max = 1 + steps * (_STEP_SIZE + _WIDE_SIZE) + block.count * _FLAG_SIZE
    ensure(0 < zstandard.frame_content_size(block.body) <= size_max, "a block unfolds to more than its count allows")
    raw = zstandard.ZstdDecompressor().decompress(block.body, max_output_size=size_max)
    form = raw[0]
    value_size = _WIDE_SIZE if form & _WIDE else _STEP_SIZE
    flags_at = 1 + steps * (_STEP_SIZE + value_size)
    ensure(len(raw) == flags_at + (block.count * _FLAG_SIZE if form & _FLAGGED else 0), "a block has a wrong length")
    time_steps = struct.unpack_from(f"<{steps}i", raw, 1)
    value_steps = struct.unpack_from(f"<{steps}{'q' if form & _WIDE else 'i'}", raw, 1 + steps * _STEP_SIZE)
    flags = struct.unpack_from(f"<{block.count}H", raw, flags_at) if form & _FLAGGED else (0,) * block.count
    instants = accumulate(time_steps, initial=block.first.at_ms)
    values = accumulate(value_steps, initial=block.first.value_milli)
    points = tuple(
        Point(at_ms=at_ms, value_milli=value, quality=Quality(flag))
        for at_ms, value, flag in zip(instants, values, flags, strict=True)
    )
    ensure(points[-1] == block.last, "a block ends on another point than its columns say")
    return points
