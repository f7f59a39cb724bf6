"""Why a message that claims to come from a channel is not believed; and what all channels do with RSA keys.

Signatures are over raw bytes. This module reads no clock and draws no randomness.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from common.errors import RefusalError

KEY_BITS_MIN = 2048


class Distrust(StrEnum):
    """Why a message that claims to come from the channel is not believed; also the label of its counter."""

    HEADER_MISSING = "header_missing"
    BAD_TIMESTAMP = "bad_timestamp"
    STALE = "stale"
    UNKNOWN_SERIAL = "unknown_serial"
    BAD_SIGNATURE = "bad_signature"
    UNREADABLE = "unreadable"
    OTHER_MERCHANT = "other_merchant"


class DistrustedError(RefusalError):
    """A message that claims to come from the channel and does not prove it."""

    def __init__(self, reason: Distrust, message: str) -> None:
        self.reason = reason
        super().__init__(message)


def unreadable(message: str) -> DistrustedError:
    """Return the refusal of a message that cannot be read."""
    return DistrustedError(Distrust.UNREADABLE, message)


def sign(key: RSAPrivateKey, message: bytes) -> str:
    """Return the Base64 signature of a message (RSA-SHA256, PKCS#1 v1.5)."""
    return b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def is_signed(key: RSAPublicKey, message: bytes, signature: str) -> bool:
    """Return whether the signature is the key's over exactly these bytes; a probe or broken Base64 is simply not."""
    try:
        key.verify(b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, Base64Error, ValueError):
        return False
    return True


def load_private_key(pem: bytes) -> RSAPrivateKey:
    """Return a merchant's private key from PEM.

    Raises:
        RefusalError: the text is no RSA key of at least 2048 bits.
    """
    try:
        key = load_pem_private_key(pem, password=None)
    except ValueError as error:
        raise RefusalError("the merchant key is not a PEM private key; paste the key file as issued") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < KEY_BITS_MIN:
        raise RefusalError(f"the merchant key is not an RSA key of {KEY_BITS_MIN} bits or more")
    return key


def load_public_key(pem: bytes) -> RSAPublicKey:
    """Return a channel's public key from PEM, bare or inside a certificate.

    Raises:
        RefusalError: the text is no RSA public key of at least 2048 bits.
    """
    try:
        key = load_pem_x509_certificate(pem).public_key() if b"CERTIFICATE" in pem else load_pem_public_key(pem)
    except ValueError as error:
        raise RefusalError("the channel key is not a PEM public key; paste the key file as issued") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < KEY_BITS_MIN:
        raise RefusalError(f"the channel key is not an RSA key of {KEY_BITS_MIN} bits or more")
    return key
