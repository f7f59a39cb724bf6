"""Signatures: COSE_Sign1 (RFC 9052 section 4.2) with EdDSA over Ed25519 (RFC 9053 section 2.2), and nothing else.

The protected header is fixed: algorithm, the type of what is signed (RFC 9596) and the key id, in the deterministic
encoding, so there is one way to write a signature and none to talk a verifier into another algorithm or to pass a
receipt for a batch. The unprotected header is empty. A key id is the start of the SHA-256 of the public key.

This is the only module of the core that touches the crypto library. Private keys are never printed and never leave
their `SigningKey`, except through `seed_text` for the owner's key file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from typing_extensions import override

from common.errors import RefusalError
from common.wire import cbor
from common.wire.refusal import Refusal, WireError

ALGORITHM_EDDSA = -8
SEED_BYTES = 32
PUBLIC_KEY_BYTES = 32
KEY_ID_BYTES = 16
SIGNATURE_BYTES = 64
_HEADER_ALGORITHM, _HEADER_KEY_ID, _HEADER_TYPE = 1, 4, 16
_SEED_PREFIX = "gatehouse-ed25519-v1 "


class Purpose(StrEnum):
    """What a signature is for; a signature made for one purpose is worth nothing for another."""

    BATCH = "application/x-gatehouse-batch"
    RECEIPT = "application/x-gatehouse-receipt"
    BUNDLE = "application/x-gatehouse-bundle"
    ENROLMENT = "application/x-gatehouse-enrolment"
    ROTATION = "application/x-gatehouse-rotation"
    POLL = "application/x-gatehouse-poll"
    CHARGE = "application/x-gatehouse-charge"
    CHARGE_ANSWER = "application/x-gatehouse-charge-answer"


def key_id_of(public_key: bytes) -> bytes:
    """Return the 16 bytes that name a public key."""
    return sha256(public_key).digest()[:KEY_ID_BYTES]


class SigningKey:
    """A private key that signs; it shows its public half and its id only."""

    __slots__ = ("_private", "key_id", "public_key")

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._private.public_key().public_bytes_raw()
        self.key_id = key_id_of(self.public_key)

    @classmethod
    def generate(cls, random_bytes: Callable[[int], bytes]) -> SigningKey:
        """Return a new key from 32 random bytes."""
        return cls(random_bytes(SEED_BYTES))

    @classmethod
    def from_seed_text(cls, text: str) -> SigningKey:
        """Return the key of a key file.

        Raises:
            RefusalError: the text is not a key file's; its content is not repeated in the message.
        """
        body = text.removeprefix(_SEED_PREFIX).strip()
        try:
            seed = bytes.fromhex(body)
        except ValueError:
            seed = b""
        if not text.startswith(_SEED_PREFIX) or len(seed) != SEED_BYTES:
            raise RefusalError("the key file is damaged; restore it, or remove it and enrol again with a new code")
        return cls(seed)

    def seed_text(self) -> str:
        """Return the line to keep in the owner's key file, readable by nobody else."""
        return f"{_SEED_PREFIX}{self._private.private_bytes_raw().hex()}\n"

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature."""
        return self._private.sign(message)

    @override
    def __repr__(self) -> str:
        """Return the id of the key, never the key."""
        return f"SigningKey({self.key_id.hex()})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A COSE_Sign1 taken apart and not yet verified."""

    protected: bytes
    purpose: Purpose
    key_id: bytes
    payload: bytes
    signature: bytes


def sign(key: SigningKey, purpose: Purpose, payload: bytes) -> bytes:
    """Return the COSE_Sign1 of a payload, tagged (18)."""
    protected = _protected(purpose, key.key_id)
    signature = key.sign(_to_be_signed(protected, payload))
    return cbor.encode(cbor2.CBORTag(cbor.COSE_SIGN1_TAG, [protected, {}, payload, signature]))


def open_envelope(data: bytes, purpose: Purpose) -> Envelope:
    """Return the parts of a COSE_Sign1 of the purpose, unverified; `verify` comes next, with the key it names.

    Raises:
        WireError: the bytes are not exactly such an envelope.
    """
    value = cbor.decode(data, "the envelope")
    parts = value.value if isinstance(value, cbor2.CBORTag) and value.tag == cbor.COSE_SIGN1_TAG else None
    match parts:
        case [bytes(protected), Mapping() as unprotected, bytes(payload), bytes(signature)] if not unprotected:
            key_id = _key_id_in(protected, purpose)
        case _:
            raise WireError(Refusal.MALFORMED, "not a COSE_Sign1 with an empty unprotected header")
    if len(signature) != SIGNATURE_BYTES:
        raise WireError(Refusal.MALFORMED, f"an Ed25519 signature has {SIGNATURE_BYTES} bytes")
    return Envelope(protected=protected, purpose=purpose, key_id=key_id, payload=payload, signature=signature)


def verify(envelope: Envelope, public_key: bytes) -> bytes:
    """Return the payload of an envelope that the key signed.

    Raises:
        WireError: the signature is not of this key over these bytes.
    """
    if key_id_of(public_key) != envelope.key_id:
        raise WireError(Refusal.BAD_SIGNATURE, "the key offered is not the one the envelope names")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(
            envelope.signature, _to_be_signed(envelope.protected, envelope.payload)
        )
    except (InvalidSignature, ValueError) as error:
        raise WireError(Refusal.BAD_SIGNATURE, f"the signature is not of key {envelope.key_id.hex()}") from error
    return envelope.payload


def _protected(purpose: Purpose, key_id: bytes) -> bytes:
    return cbor.encode({_HEADER_ALGORITHM: ALGORITHM_EDDSA, _HEADER_KEY_ID: key_id, _HEADER_TYPE: str(purpose)})


def _key_id_in(protected: bytes, purpose: Purpose) -> bytes:
    header: Any = cbor.decode(protected, "the protected header")
    key_id = header.get(_HEADER_KEY_ID) if isinstance(header, dict) else None
    if not isinstance(key_id, bytes) or len(key_id) != KEY_ID_BYTES or protected != _protected(purpose, key_id):
        raise WireError(Refusal.MALFORMED, f"the protected header is not EdDSA, one key id and {purpose}")
    return key_id


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """Return the Sig_structure of RFC 9052 section 4.4 without external data."""
    return cbor.encode(["Signature1", protected, b"", payload])
