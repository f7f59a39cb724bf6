"""Receipts: what the cloud signs for a batch, and all that lets a gateway settle it.

A receipt names the batch by its digest and says for every item whether it was accepted, rejected or kept; what is not
listed was accepted. `contiguous` is the highest sequence up to which all is stored, `asked` the ranges the cloud still
misses, `pace_ms` how long the gateway is asked to wait between batches. A gateway deletes nothing without one that
verifies. A refusal of an authentic batch is a receipt as well, so that only the cloud can stop a stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from common.clock import from_epoch_ms
from common.ids import GatewayId
from common.wire import cbor
from common.wire.batch import DIGEST_BYTES, VERSION
from common.wire.limits import ASKED_RANGES_MAX, OUTCOMES_MAX, RECEIPT_BYTES_MAX
from common.wire.refusal import Refusal, WireError
from common.wire.sequence import Outcome
from common.wire.shapes import COUNT, INTEGER, TEXT, UNIQUE_ID, choice, many, octets, optional, shape_of
from common.wire.signing import Purpose, SigningKey, open_envelope, sign, verify


class Section(StrEnum):
    """Which list of a batch an item outcome speaks of."""

    SERIES = "series"
    ENTRIES = "entries"
    PERSONAL = "personal"


class ItemVerdict(StrEnum):
    """What becomes of one item that was not simply accepted."""

    REJECTED = "rejected"  # gone for good, counted as lost, never sent again
    KEPT = "kept"  # stored, but nothing is made of it until a person has looked


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemOutcome:
    """The outcome of one item by its place in a section."""

    section: Section
    place: int
    verdict: ItemVerdict
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceRange:
    """Sequences from `first` to `last`, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The cloud's answer to one batch. `epoch` and `sequence` are 0 when the content could not be read."""

    version: int = VERSION
    gateway_id: GatewayId
    epoch: int
    sequence: int
    digest: bytes
    outcome: Outcome
    refusal: Refusal | None = None
    items: tuple[ItemOutcome, ...] = ()
    contiguous: int
    asked: tuple[SequenceRange, ...] = ()
    pace_ms: int = 0
    received_ms: int

    @property
    def received_at(self) -> datetime:
        """Return the cloud's time when it took the batch in."""
        return from_epoch_ms(self.received_ms)


_DIGEST = octets(DIGEST_BYTES, DIGEST_BYTES)
_ITEM = shape_of(ItemOutcome, section=choice(Section), place=COUNT, verdict=choice(ItemVerdict), reason=TEXT)
_RANGE = shape_of(SequenceRange, first=COUNT, last=COUNT)
_RECEIPT = shape_of(
    Receipt,
    version=COUNT,
    gateway_id=UNIQUE_ID,
    epoch=COUNT,
    sequence=COUNT,
    digest=_DIGEST,
    outcome=choice(Outcome),
    refusal=optional(choice(Refusal)),
    items=many(_ITEM.kind(), OUTCOMES_MAX),
    contiguous=COUNT,
    asked=many(_RANGE.kind(), ASKED_RANGES_MAX),
    pace_ms=COUNT,
    received_ms=INTEGER,
)


def sign_receipt(receipt: Receipt, key: SigningKey) -> bytes:
    """Return the signed bytes of a receipt."""
    return sign(key, Purpose.RECEIPT, cbor.encode(_RECEIPT.pack(receipt)))


def open_receipt(data: bytes, trusted: Mapping[bytes, bytes]) -> Receipt:
    """Return a receipt that one of the trusted cloud keys (public keys by key id) signed.

    Raises:
        WireError: it is no receipt, or nobody trusted signed it.
    """
    if len(data) > RECEIPT_BYTES_MAX:
        raise WireError(Refusal.OVERSIZE, f"a receipt has at most {RECEIPT_BYTES_MAX} bytes")
    envelope = open_envelope(data, Purpose.RECEIPT)
    if envelope.key_id not in trusted:
        raise WireError(Refusal.UNKNOWN_KEY, f"the receipt is signed with unknown key {envelope.key_id.hex()}")
    payload = verify(envelope, trusted[envelope.key_id])
    receipt = _RECEIPT.unpack(cbor.decode(payload, "the receipt"), "receipt")
    if receipt.version != VERSION:
        raise WireError(Refusal.UNKNOWN_VERSION, f"version {receipt.version} of the receipt; this side reads {VERSION}")
    return receipt
