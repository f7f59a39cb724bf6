"""The signatures and secrets of WeChat Pay APIv3, as functions from bytes to bytes.

A request is signed by the merchant over method, raw path, timestamp, nonce and body; an answer or a notification is
signed by the channel over timestamp, nonce and raw body. Each part ends with one line feed. Signatures are RSA-SHA256
with PKCS#1 v1.5 padding in Base64; secrets inside a notification are AES-256-GCM.

Invariants: verification looks at raw bytes, never at decoded text; a serial that is not on the ring is refused without
asking anybody; a timestamp further than five minutes from the machine clock is refused. This module reads no clock and
draws no randomness.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.x509 import Certificate, load_pem_x509_certificate

from cloud.payments.channels.trust import Distrust, DistrustedError, is_signed
from common.errors import RefusalError

SCHEME = "WECHATPAY2-SHA256-RSA2048"
WINDOW_S = 300
API_KEY_SIZE = 32
_TIMESTAMP = re.compile(r"[0-9]{1,11}", re.ASCII)
_HEADER_SIZE_MAX = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantKey:
    """The merchant's own key: the number and serial that name it, and the private half."""

    merchant_number: str
    serial: str
    private_key: RSAPrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """The channel's public keys by serial, oldest first: during a rotation two of them are live at once."""

    keys: Mapping[str, RSAPublicKey]

    def __post_init__(self) -> None:
        """Check that somebody can be believed."""
        if not self.keys:
            raise RefusalError("no channel key is configured; add the channel's public key to the merchant account")

    @property
    def newest(self) -> str:
        """Return the serial that answers are asked to be signed with."""
        return list(self.keys)[-1]

    def find(self, serial: str) -> RSAPublicKey:
        """Return the key of a serial.

        Raises:
            DistrustedError: the serial is not on the ring.
        """
        key = self.keys.get(serial)
        if key is None:
            raise DistrustedError(
                Distrust.UNKNOWN_SERIAL,
                "the message names a channel key that is not configured; add the key to the merchant account",
            )
        return key


def request_message(method: str, path: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    """Return what a merchant signs: `path` is the raw path with its query, exactly as sent."""
    return f"{method}\n{path}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"


def answer_message(timestamp: str, nonce: str, body: bytes) -> bytes:
    """Return what the channel signs over an answer or a notification."""
    return f"{timestamp}\n{nonce}\n".encode() + body + b"\n"


def invoke_message(app_id: str, timestamp: str, nonce: str, prepay_id: str) -> bytes:
    """Return what a merchant signs so that the page or mini-program may open the payment sheet."""
    return f"{app_id}\n{timestamp}\n{nonce}\nprepay_id={prepay_id}\n".encode()


def authorization(merchant: MerchantKey, timestamp: str, nonce: str, signature: str) -> str:
    """Return the Authorization header of a signed request."""
    fields = (
        f'mchid="{merchant.merchant_number}",nonce_str="{nonce}",signature="{signature}",'
        f'timestamp="{timestamp}",serial_no="{merchant.serial}"'
    )
    return f"{SCHEME} {fields}"


def verify_answer(headers: Mapping[str, str], body: bytes, ring: KeyRing, now_s: int) -> None:
    """Check that the channel signed these bytes within the time window.

    The order of refusal is fixed: missing header, bad timestamp, stale, unknown serial, bad signature.

    Args:
        headers: the headers as they came; names in any case.
        body: the raw body, before any decoding.
        ring: the channel's public keys.
        now_s: the machine clock, seconds since 1970.

    Raises:
        DistrustedError: with the first reason that applies.
    """
    found = {name.lower(): value for name, value in headers.items()}
    timestamp, nonce, serial, signature = (
        _header(found, f"wechatpay-{name}") for name in ("timestamp", "nonce", "serial", "signature")
    )
    if _TIMESTAMP.fullmatch(timestamp) is None:
        raise DistrustedError(Distrust.BAD_TIMESTAMP, "Wechatpay-Timestamp is not a count of seconds")
    if abs(now_s - int(timestamp)) > WINDOW_S:
        raise DistrustedError(
            Distrust.STALE, f"the message is more than {WINDOW_S} s away from our clock; check the machine's time"
        )
    if not is_signed(ring.find(serial), answer_message(timestamp, nonce, body), signature):
        raise DistrustedError(Distrust.BAD_SIGNATURE, "the signature is not the channel's over these bytes")


def open_secret(api_key: bytes, nonce: bytes, associated: bytes, ciphertext: bytes) -> bytes:
    """Return the plain text of an AES-GCM secret of a notification.

    Raises:
        DistrustedError: key, nonce, associated data and cipher text do not belong together.
    """
    try:
        return AESGCM(api_key).decrypt(nonce, ciphertext, associated)
    except (InvalidTag, ValueError) as error:
        raise DistrustedError(
            Distrust.UNREADABLE, "the secret does not open with the APIv3 key; check the key of the merchant account"
        ) from error


def check_api_key(api_key: bytes) -> bytes:
    """Return the APIv3 key when it has the only size the channel issues.

    Raises:
        RefusalError: the key does not have 32 bytes.
    """
    if len(api_key) != API_KEY_SIZE:
        raise RefusalError(f"the APIv3 key has {len(api_key)} bytes; set the {API_KEY_SIZE}-byte key of the merchant")
    return api_key


def open_field(key: RSAPrivateKey, ciphertext: bytes) -> bytes:
    """Return a sensitive field that the channel encrypted to the merchant (RSA-OAEP; the channel prescribes SHA-1)."""
    oaep = OAEP(mgf=MGF1(SHA1()), algorithm=SHA1(), label=None)  # noqa: S303 - the channel's protocol fixes SHA-1 here
    return key.decrypt(ciphertext, oaep)


def seal_field(key: RSAPublicKey, plain: bytes) -> bytes:
    """Return a sensitive field (a card number, a name) encrypted to the channel."""
    oaep = OAEP(mgf=MGF1(SHA1()), algorithm=SHA1(), label=None)  # noqa: S303 - the channel's protocol fixes SHA-1 here
    return key.encrypt(plain, oaep)


def open_platform_certificate(api_key: bytes, serial: str, secret: Mapping[str, str]) -> Certificate:
    """Return the channel's certificate from one entry of `/v3/certificates`, whose PEM is an AES-GCM secret.

    Raises:
        DistrustedError: the secret does not open, or the certificate has another serial than the entry announced.
    """
    nonce, associated = secret["nonce"].encode(), secret["associated_data"].encode()
    certificate = load_pem_x509_certificate(open_secret(api_key, nonce, associated, b64decode(secret["ciphertext"])))
    if f"{certificate.serial_number:X}" != serial.upper():
        raise DistrustedError(Distrust.UNREADABLE, "the certificate's serial differs from the one announced")
    return certificate


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value or len(value) > _HEADER_SIZE_MAX:
        raise DistrustedError(Distrust.HEADER_MISSING, f"{name} is missing or oversized")
    return value
