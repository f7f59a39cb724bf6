"""A payer's code shown at a kiosk: what the gateway asks the cloud, and what the cloud answers, both signed.

A wish has an id made at the kiosk; the cloud charges a wish once, whatever is repeated, so a recorded request is worth
nothing. Without a code the same request asks where the wish stands, and what a code would be charged. The code is
in the request alone: it appears in no text, no log and no answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from common.ids import GatewayId
from common.wire import cbor
from common.wire.batch import VERSION
from common.wire.refusal import Refusal, WireError
from common.wire.requests import open_request, read_content
from common.wire.shapes import COUNT, TEXT, UNIQUE_ID, choice, shape_of, text
from common.wire.signing import Purpose, SigningKey, sign, verify

CODE_BYTES_MAX = 32
NO_CODE = ""


class ChargeState(StrEnum):
    """Where a wish stands; the order is the wire's."""

    ABSENT = "absent"  # the cloud has not heard of it; the amount is what a code would be charged
    WAITING = "waiting"  # the payer confirms on his phone, or the channel has not answered yet
    PAID = "paid"
    FAILED = "failed"  # the channel took nothing and never will for this wish
    REFUSED = "refused"  # nothing was sent to a channel; the reason says why
    UNCLEAR = "unclear"  # the channel's answer differs from what we asked; a person looks at it


class Silence(StrEnum):
    """Why a gateway has no answer: it never reached the cloud, or what it sent may have arrived."""

    AWAY = "away"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRequest:
    """A wish to pay a bill, named by the token of its address, with the code the payer shows; no code asks only.

    `amount_fen` is what the payer was shown; the cloud charges that amount or nothing.
    """

    format: int = VERSION
    gateway_id: GatewayId
    wish: UUID
    token: str
    amount_fen: int = 0
    auth_code: str = field(default=NO_CODE, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeAnswer:
    """Where a wish stands, with the number of its receipt when it is paid, or the reason when it was refused."""

    format: int = VERSION
    wish: UUID
    state: ChargeState
    amount_fen: int = 0
    receipt: str = ""
    channel: str = ""
    reason: str = ""


_REQUEST = shape_of(
    ChargeRequest,
    format=COUNT,
    gateway_id=UNIQUE_ID,
    wish=UNIQUE_ID,
    token=TEXT,
    amount_fen=COUNT,
    auth_code=text(CODE_BYTES_MAX),
)
_ANSWER = shape_of(
    ChargeAnswer,
    format=COUNT,
    wish=UNIQUE_ID,
    state=choice(ChargeState),
    amount_fen=COUNT,
    receipt=TEXT,
    channel=TEXT,
    reason=TEXT,
)


def sign_charge(request: ChargeRequest, key: SigningKey) -> bytes:
    """Return the signed bytes of a request."""
    return sign(key, Purpose.CHARGE, cbor.encode(_REQUEST.pack(request)))


def read_charge(payload: bytes) -> ChargeRequest:
    """Return the request in a verified payload.

    Raises:
        WireError: it is none.
    """
    return read_content(_REQUEST, payload, "the charge")


def sign_charge_answer(answer: ChargeAnswer, key: SigningKey) -> bytes:
    """Return the signed bytes of an answer."""
    return sign(key, Purpose.CHARGE_ANSWER, cbor.encode(_ANSWER.pack(answer)))


def open_charge_answer(data: bytes, wish: UUID, trusted: Mapping[bytes, bytes]) -> ChargeAnswer:
    """Return the answer about a wish that one of the trusted cloud keys (public keys by key id) signed.

    Raises:
        WireError: it is no such answer, speaks of another wish, or nobody trusted signed it.
    """
    envelope = open_request(data, Purpose.CHARGE_ANSWER)
    if envelope.key_id not in trusted:
        raise WireError(Refusal.UNKNOWN_KEY, f"the answer is signed with unknown key {envelope.key_id.hex()}")
    answer = read_content(_ANSWER, verify(envelope, trusted[envelope.key_id]), "the answer to the charge")
    if answer.wish != wish:
        raise WireError(Refusal.UNREADABLE, "the answer speaks of another wish")
    return answer
