"""Reading the wire without the code that writes it: COSE_Sign1, zstd and CBOR by the published schema (schema.cddl).

Only general libraries are used (cbor2, zstandard, cryptography). Bytes that are not what the schema says give a batch
that is not readable, never an exception, so that a forged one shows up in the comparison.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from typing import Any
from uuid import UUID

import cbor2
import zstandard
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.simulation.promises.stores import Look

EVIDENCE, PARKING, PROVISIONAL = 2, 3, 6  # the records of schema.cddl that comparisons look at
_COSE_SIGN1 = 18
_KEY_ID, _TYPE = 4, 16
_LAYOUTS = {64: "B", 69: "H", 70: "I", 71: "Q", 72: "b", 77: "h", 78: "i", 79: "q"}
_HALF_BITS = 64
_CONTENT_BYTES_MAX = 1 << 27
_BROKEN = (ValueError, TypeError, IndexError, KeyError, struct.error, cbor2.CBORError, zstandard.ZstdError)
BatchKey = tuple[UUID, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A COSE_Sign1 taken apart."""

    protected: bytes
    key_id: bytes
    purpose: str
    payload: bytes
    signature: bytes

    def holds(self, public_key: bytes | None) -> bool:
        """Return whether a key signed exactly these bytes."""
        if public_key is None:
            return False
        signed_bytes = cbor2.dumps(["Signature1", self.protected, b"", self.payload])
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(self.signature, signed_bytes)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class WireReading:
    """One register as a gateway sent it."""

    meter_id: UUID
    quantity: str
    slot_ms: int
    value_milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One signed batch as the cloud keeps it; without readings and records when it is not readable."""

    key: BatchKey
    received_ms: int
    readable: bool
    readings: tuple[WireReading, ...] = ()
    records: tuple[list[Any], ...] = ()

    def of_kind(self, code: int) -> Iterator[list[Any]]:
        """Yield the records of a kind, without their code."""
        return (record[1:] for record in self.records if record[0] == code)


def take_apart(data: bytes) -> Signed | None:
    """Return the parts of a COSE_Sign1, or None when the bytes are none."""
    try:
        tagged = cbor2.loads(data)
        protected, unprotected, payload, signature = tagged.value
        if tagged.tag != _COSE_SIGN1 or unprotected:
            return None
        header = cbor2.loads(protected)
        return Signed(
            protected=protected, key_id=header[_KEY_ID], purpose=header[_TYPE], payload=payload, signature=signature
        )
    except (*_BROKEN, AttributeError):
        return None


def unfold(signed: Signed) -> Any:
    """Return the value that a payload holds, compressed or not.

    Raises:
        ValueError: it holds none; other errors of the libraries are of `_BROKEN` too.
    """
    raw = zstandard.ZstdDecompressor().decompress(signed.payload, max_output_size=_CONTENT_BYTES_MAX)
    return cbor2.loads(raw)


def batches(look: Look) -> list[Batch]:
    """Return every batch that the cloud keeps, read from its signed bytes."""
    query = """
        select gateway_id, epoch, sequence, received_at, signed from gateway_batch order by gateway_id, epoch, sequence
    """
    found = []
    for row in look.rows(query):
        key = (row.gateway_id, row.epoch, row.sequence)
        received_ms = round(row.received_at.timestamp() * 1000)
        found.append(read_batch(key, received_ms, row.signed))
    return found


def unreadable(found: list[Batch]) -> list[str]:
    """Return a fault for each batch that cannot be read."""
    return [f"batch {_name(batch.key)} is not readable" for batch in found if not batch.readable]


def _name(key: BatchKey) -> str:
    return f"{str(key[0])[-6:]}/{key[1]}/{key[2]}"


def read_batch(key: BatchKey, received_ms: int, data: bytes) -> Batch:
    """Return a batch as its signed bytes tell it."""
    signed = take_apart(data)
    try:
        content = _content(unfold(signed)) if signed is not None else None
    except (*_BROKEN, AttributeError):
        content = None
    if content is None:
        return Batch(key=key, received_ms=received_ms, readable=False)
    readings, records = content
    return Batch(key=key, received_ms=received_ms, readable=True, readings=readings, records=records)


def _content(content: Any) -> tuple[tuple[WireReading, ...], tuple[list[Any], ...]]:
    """Return the readings and the records of a batch's content."""
    _, _, kinds, meters, series, blocks, rows, entries, _ = content
    names = _series(kinds, meters, series)
    readings = [reading for block in blocks for reading in _of_block(block, names)]
    for number, slot_ms, value_milli, _, _ in rows:
        meter_id, quantity = names[number]
        readings.append(WireReading(meter_id=meter_id, quantity=quantity, slot_ms=slot_ms, value_milli=value_milli))
    return tuple(readings), tuple(entry[2] for entry in entries)


def _series(kinds: Any, meters: Any, series: Any) -> list[tuple[UUID, str]]:
    first, steps, lower = meters
    halves = _integers(lower)
    upper = list(accumulate(_integers(steps), initial=first))[: len(halves)]
    ids = [UUID(int=(high << _HALF_BITS) + low) for high, low in zip(upper, halves, strict=True)]
    pairs = zip(_steps(series[0]), _steps(series[1]), strict=True)
    return [(ids[meter], kinds[kind][0]) for meter, kind in pairs]


def _of_block(block: Any, names: list[tuple[UUID, str]]) -> Iterator[WireReading]:
    start_ms, step_ms, count, _, _, _, _, divisor, members, firsts, deltas, holes, _ = block
    steps = _integers(deltas)
    flat = _integers(holes)
    empty = set(zip(flat[::2], flat[1::2], strict=True))
    for place, (number, first) in enumerate(zip(_steps(members), _integers(firsts), strict=True)):
        own = steps[place * (count - 1) : (place + 1) * (count - 1)]
        for position, value in enumerate(accumulate(own, initial=first)):
            if (place, position) not in empty:
                yield WireReading(
                    meter_id=names[number][0],
                    quantity=names[number][1],
                    slot_ms=start_ms + position * step_ms,
                    value_milli=value * divisor,
                )


def _integers(tagged: Any) -> list[int]:
    """Return the numbers of a typed array (RFC 8746, little endian)."""
    layout = _LAYOUTS[tagged.tag]
    return list(struct.unpack(f"<{len(tagged.value) // struct.calcsize(layout)}{layout}", tagged.value))


def _steps(tagged: Any) -> list[int]:
    """Return the numbers of an array that holds its first value and then the differences."""
    return list(accumulate(_integers(tagged)))


def digest(data: bytes) -> bytes:
    """Return the SHA-256 of some bytes."""
    return sha256(data).digest()
