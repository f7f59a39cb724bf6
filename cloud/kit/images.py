"""Rows as the bytes that binary COPY takes and gives, made and read by numpy without a loop over rows. Pure.

    image([uuids(ids), text("regular"), int8(fen), None])     one row for each id; constants are repeated, None is NULL

A column is a table of bytes: one row of them for each row of the image, or a single one that stands for all. All rows
of one image have the same length, so rows whose texts differ in length go into different images.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np
import numpy.typing as npt

from common.clock import to_epoch_ms
from common.errors import ensure

Cells: TypeAlias = npt.NDArray[np.uint8]
Ids: TypeAlias = npt.NDArray[np.bytes_]
Integers: TypeAlias = npt.NDArray[np.int64]
Columns: TypeAlias = dict[str, npt.NDArray[Any]]

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
ID = np.dtype("S16")
EPOCH_DAY = date(2000, 1, 1)
EPOCH_MS = 946_684_800_000
MICRO_PER_MILLI = 1_000
_ARRAY_HEAD = ">iiiii"
_UUID_OID = 2950
_LENGTH_SIZE = 4
_NULL = -1
_UUID_TEXT = 36
_DASHES = (8, 13, 18, 23)
_ZERO = ord("0")


@dataclass(frozen=True, slots=True)
class IdArray:
    """A column of ids as the value of a statement: it is sent as `uuid[]` in binary form."""

    ids: Ids


def id_array(values: Ids) -> bytes:
    """Return ids as a PostgreSQL array in binary form."""
    if not len(values):
        return struct.pack(">iii", 0, 0, _UUID_OID)
    cells = np.empty((len(values), _LENGTH_SIZE + ID.itemsize), dtype=np.uint8)
    cells[:, :_LENGTH_SIZE] = np.frombuffer(struct.pack(">i", ID.itemsize), dtype=np.uint8)
    cells[:, _LENGTH_SIZE:] = uuids(values)
    return struct.pack(_ARRAY_HEAD, 1, 0, _UUID_OID, len(values), 1) + cells.tobytes()


def image(columns: Sequence[Cells | None], rows: int) -> Cells:
    """Return rows of columns as binary COPY takes them, one row of bytes each, without signature and trailer."""
    return images_abreast([columns], rows)


def images_abreast(records: Sequence[Sequence[Cells | None]], rows: int) -> Cells:
    """Return several images of as many rows, put behind each other row by row.

    What is the same in all rows is laid out once and repeated, so a row costs what differs in it.
    """
    common = bytearray()
    differing: list[tuple[int, Cells]] = []
    for columns in records:
        common += struct.pack(">h", len(columns))
        for column in columns:
            common += struct.pack(">i", _NULL if column is None else column.shape[1])
            if column is None:
                continue
            if len(column) == 1:
                common += column.tobytes()
            else:
                differing.append((len(common), column))
                common += bytes(column.shape[1])
    made = np.empty((rows, len(common)), dtype=np.uint8)
    made[:] = np.frombuffer(common, dtype=np.uint8)
    for at, column in differing:
        made[:, at : at + column.shape[1]] = column
    return made


def int8(values: Integers | int) -> Cells:
    """Return 64-bit integers, or one for all rows."""
    return _cells(np.atleast_1d(np.asarray(values, dtype=np.int64)).astype(">i8"), 8)


def boolean(value: bool) -> Cells:  # noqa: FBT001
    """Return one boolean for all rows."""
    return np.array([[int(value)]], dtype=np.uint8)


def booleans(values: npt.NDArray[np.bool_]) -> Cells:
    """Return booleans."""
    return values.astype(np.uint8).reshape(-1, 1)


def day(value: date) -> Cells:
    """Return one civil day for all rows."""
    return _constant(struct.pack(">i", day_number(value)))


def instant(value: datetime) -> Cells:
    """Return one instant for all rows; below the millisecond nothing is kept."""
    return _constant(struct.pack(">q", instant_number(value)))


def uuid(value: UUID) -> Cells:
    """Return one id for all rows."""
    return _constant(value.bytes)


def uuids(values: Ids) -> Cells:
    """Return ids."""
    return _cells(np.ascontiguousarray(values), ID.itemsize)


def text(value: str) -> Cells:
    """Return one text for all rows."""
    return _constant(value.encode())


def blob(value: bytes) -> Cells:
    """Return the same bytes for all rows."""
    return _constant(value)


def blobs(joined: bytes, size: int) -> Cells:
    """Return bytes of one size, given joined."""
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, size)


def json_nothing() -> Cells:
    """Return the empty JSON object in binary form for all rows."""
    return _constant(b"\x01{}")


def uuid_texts(values: Ids) -> Cells:
    """Return ids in their usual text."""
    digits = blobs(binascii.hexlify(np.ascontiguousarray(values).tobytes()), 2 * ID.itemsize)
    made = np.full((len(values), _UUID_TEXT), ord("-"), dtype=np.uint8)
    places = [place for place in range(_UUID_TEXT) if place not in _DASHES]
    made[:, places] = digits
    return made


def digits(values: Integers, count: int) -> Cells:
    """Return numbers as decimal text of so many digits, zeros in front."""
    ensure(values.size == 0 or 0 <= int(values.min()) <= int(values.max()) < 10**count, "the digits hold the numbers")
    powers = 10 ** np.arange(count - 1, -1, -1, dtype=np.int64)
    return (values[:, None] // powers % 10 + _ZERO).astype(np.uint8)


def joined(parts: Sequence[Cells], rows: int) -> Cells:
    """Return texts or bytes put behind each other in every row."""
    return np.hstack([np.broadcast_to(part, (rows, part.shape[1])) for part in parts])


def ids_of(values: Sequence[UUID]) -> Ids:
    """Return ids as a column."""
    return np.frombuffer(b"".join(value.bytes for value in values), dtype=ID).copy()


def ids_from(values: Cells) -> Ids:
    """Return rows of 16 bytes as a column of ids."""
    return np.ascontiguousarray(values).view(ID).ravel()


def id_at(values: Ids, position: int) -> UUID:
    """Return one id of a column."""
    return UUID(bytes=bytes(values[position]).ljust(ID.itemsize, b"\0"))


def id_list(values: Ids) -> list[UUID]:
    """Return a column of ids as ids."""
    raw, size = np.ascontiguousarray(values).tobytes(), ID.itemsize
    return [UUID(bytes=raw[at : at + size]) for at in range(0, len(raw), size)]


def pairs_of(left: Ids, right: Ids) -> npt.NDArray[np.bytes_]:
    """Return pairs of ids as a column, to be looked up as one."""
    size = ID.itemsize
    joined_ids = np.hstack([_cells(np.ascontiguousarray(side), size) for side in (left, right)])
    return np.ascontiguousarray(joined_ids).view(f"S{2 * size}").ravel()


def text_list(cells: Cells) -> list[str]:
    """Return texts of one length as strings."""
    return [one.decode() for one in bytes_list(cells)]


def bytes_list(cells: Cells) -> list[bytes]:
    """Return texts of one length as bytes."""
    found: list[bytes] = np.ascontiguousarray(cells).view(f"S{cells.shape[1]}").ravel().tolist()
    return found


def day_of(number: int) -> date:
    """Return the civil day that a binary date stands for."""
    return EPOCH_DAY + timedelta(days=number)


def day_number(value: date) -> int:
    """Return a civil day as binary COPY counts it."""
    return (value - EPOCH_DAY).days


def instant_number(value: datetime) -> int:
    """Return an instant as binary COPY counts it, in microseconds; below the millisecond nothing is kept."""
    return (to_epoch_ms(value) - EPOCH_MS) * MICRO_PER_MILLI


def _cells(column: npt.NDArray[np.generic], size: int) -> Cells:
    return column.view(np.uint8).reshape(-1, size)


def _constant(value: bytes) -> Cells:
    return np.frombuffer(value, dtype=np.uint8).reshape(1, -1)


def array_of(given: bytes | None, kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return a PostgreSQL array in binary form as a column in the machine's byte order; None is an array of nothing.

    Raises:
        InvariantError: it has several dimensions, or an element that is NULL or of another width.
    """
    element = np.dtype([("length", ">i4"), ("value", kind)])
    if given is None:
        return _native(np.zeros(0, dtype=element)["value"])
    dimensions, _, _, count, _ = struct.unpack_from(_ARRAY_HEAD, given)
    size = len(given) - struct.calcsize(_ARRAY_HEAD)
    ensure(dimensions == 1 and size == count * element.itemsize, "an array has one dimension and elements of one width")
    elements = np.frombuffer(given, dtype=element, count=count, offset=struct.calcsize(_ARRAY_HEAD))
    width = element["value"].itemsize
    ensure(bool((elements["length"] == width).all()), f"every element of an array is {width} bytes wide")
    return _native(elements["value"])


def _native(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.ascontiguousarray(column.astype(column.dtype.newbyteorder("="), copy=True))
