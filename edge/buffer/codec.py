"""Records as the bytes of an event row and back; the kind stands beside the body, so a body names its type once."""

from __future__ import annotations

from typing import get_args

import msgspec

from common.errors import InvariantError, ensure
from edge.buffer.records import Record

EVENT_BYTES_MAX = 64 * 1024
_TYPES: dict[str, type[Record]] = {record_type.KIND: record_type for record_type in get_args(Record)}
_ENCODER = msgspec.msgpack.Encoder()


def encode(record: Record) -> bytes:
    """Return the body of an event row.

    Raises:
        InvariantError: the record is larger than the store takes.
    """
    body = _ENCODER.encode(record)
    ensure(len(body) <= EVENT_BYTES_MAX, f"a {record.KIND} record of {len(body)} bytes exceeds {EVENT_BYTES_MAX}")
    return body


def decode(kind: str, body: bytes) -> Record:
    """Return the record of an event row.

    Raises:
        InvariantError: the kind is unknown or the body is not of it.
    """
    ensure(kind in _TYPES, f"the store holds an event of unknown kind {kind!r}")
    try:
        return msgspec.msgpack.decode(body, type=_TYPES[kind])
    except msgspec.DecodeError as error:
        raise InvariantError(f"a {kind} event of the store does not decode: {error}") from error
