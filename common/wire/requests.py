"""What a gateway asks the cloud, each signed: to be enrolled, to change its key, and for new bundles.

A poll names the versions it has and carries the cloud's last challenge, so that a recorded poll is worth nothing a few
minutes later; the answer is a fresh challenge and the signed bundles that are newer. A poll changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.ids import GatewayId
from common.wire import cbor
from common.wire.batch import VERSION
from common.wire.limits import (
    BUNDLE_BYTES_MAX,
    BUNDLES_PER_POLL_MAX,
    COUNTERS_MAX,
    POLL_ANSWER_BYTES_MAX,
    POLL_BYTES_MAX,
)
from common.wire.refusal import Refusal, WireError
from common.wire.shapes import COUNT, TEXT, UNIQUE_ID, Shape, T, counters, integer, many, octets, shape_of
from common.wire.signing import (
    PUBLIC_KEY_BYTES,
    Envelope,
    Purpose,
    SigningKey,
    key_id_of,
    open_envelope,
    sign,
    verify,
)

CHALLENGE_BYTES = 16
WAIT_S_MAX = 60
NO_CHALLENGE = bytes(CHALLENGE_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentRequest:
    """A new gateway with its one-time code; signed with the very key it wants enrolled."""

    format: int = VERSION
    code: str
    public_key: bytes
    epoch: int
    hardware: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationRequest:
    """A gateway that changes its key: signed with the old key, and the new key signs the gateway's id in `proof`."""

    format: int = VERSION
    gateway_id: GatewayId
    public_key: bytes
    proof: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """A gateway that waits for news, at most `wait_s` seconds; `have` names the version in force of each kind."""

    format: int = VERSION
    gateway_id: GatewayId
    challenge: bytes
    have: Mapping[str, int]
    wait_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PollAnswer:
    """What a poll brought: the challenge for the next one, and signed bundles that speak for themselves."""

    challenge: bytes
    bundles: tuple[bytes, ...]


_PUBLIC_KEY = octets(PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES)
_CHALLENGE = octets(CHALLENGE_BYTES, CHALLENGE_BYTES)
_ENROLMENT = shape_of(EnrolmentRequest, format=COUNT, code=TEXT, public_key=_PUBLIC_KEY, epoch=COUNT, hardware=TEXT)
_ROTATION = shape_of(
    RotationRequest, format=COUNT, gateway_id=UNIQUE_ID, public_key=_PUBLIC_KEY, proof=octets(POLL_BYTES_MAX)
)
_POLL = shape_of(
    Poll,
    format=COUNT,
    gateway_id=UNIQUE_ID,
    challenge=_CHALLENGE,
    have=counters(COUNTERS_MAX),
    wait_s=integer(0, WAIT_S_MAX),
)
_ANSWER = shape_of(PollAnswer, challenge=_CHALLENGE, bundles=many(octets(BUNDLE_BYTES_MAX), BUNDLES_PER_POLL_MAX))


def open_request(data: bytes, purpose: Purpose) -> Envelope:
    """Return the unverified envelope of a request, whose key id leads to the key to verify it with.

    Raises:
        WireError: it is too large, or no such envelope.
    """
    if len(data) > POLL_BYTES_MAX:
        raise WireError(Refusal.OVERSIZE, f"a request has at most {POLL_BYTES_MAX} bytes")
    return open_envelope(data, purpose)


def sign_enrolment(request: EnrolmentRequest, key: SigningKey) -> bytes:
    """Return the signed bytes of an enrolment request."""
    return sign(key, Purpose.ENROLMENT, cbor.encode(_ENROLMENT.pack(request)))


def open_enrolment(data: bytes) -> EnrolmentRequest:
    """Return an enrolment request that was signed with the key it offers.

    Raises:
        WireError: it is no such request, or its sender does not hold the key.
    """
    envelope = open_request(data, Purpose.ENROLMENT)
    request = read_content(_ENROLMENT, envelope.payload, "the enrolment")
    verify(envelope, request.public_key)
    return request


def sign_rotation(gateway_id: GatewayId, new_key: SigningKey, old_key: SigningKey) -> bytes:
    """Return the signed bytes of a key change."""
    proof = sign(new_key, Purpose.ROTATION, gateway_id.bytes)
    request = RotationRequest(gateway_id=gateway_id, public_key=new_key.public_key, proof=proof)
    return sign(old_key, Purpose.ROTATION, cbor.encode(_ROTATION.pack(request)))


def read_rotation(payload: bytes) -> RotationRequest:
    """Return the key change in a verified payload.

    Raises:
        WireError: it is none, or its sender does not hold the new key.
    """
    request = read_content(_ROTATION, payload, "the key change")
    proof = open_envelope(request.proof, Purpose.ROTATION)
    if proof.key_id != key_id_of(request.public_key) or verify(proof, request.public_key) != request.gateway_id.bytes:
        raise WireError(Refusal.BAD_SIGNATURE, "the new key did not sign the gateway's id")
    return request


def sign_poll(poll: Poll, key: SigningKey) -> bytes:
    """Return the signed bytes of a poll."""
    return sign(key, Purpose.POLL, cbor.encode(_POLL.pack(poll)))


def read_poll(payload: bytes) -> Poll:
    """Return the poll in a verified payload.

    Raises:
        WireError: it is none.
    """
    return read_content(_POLL, payload, "the poll")


def pack_answer(challenge: bytes, bundles: Sequence[bytes]) -> bytes:
    """Return the bytes of an answer; the bundles in it are signed one by one."""
    return cbor.encode(_ANSWER.pack(PollAnswer(challenge=challenge, bundles=tuple(bundles))))


def unpack_answer(data: bytes) -> PollAnswer:
    """Return the parts of an answer.

    Raises:
        WireError: it is too large or none.
    """
    if len(data) > POLL_ANSWER_BYTES_MAX:
        raise WireError(Refusal.OVERSIZE, f"an answer has at most {POLL_ANSWER_BYTES_MAX} bytes")
    return _ANSWER.unpack(cbor.decode(data, "the answer"), "answer")


def read_content(shape: Shape[T], payload: bytes, what: str) -> T:
    """Return what a verified payload of this format holds.

    Raises:
        WireError: it has another format or another shape.
    """
    value = cbor.decode(payload, what)
    if isinstance(value, list) and value and value[0] != VERSION:
        raise WireError(Refusal.UNKNOWN_VERSION, f"{what} has another format than {VERSION}, which this side reads")
    return shape.unpack(value, what)
