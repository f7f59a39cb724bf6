"""The channel's own signatures and secrets, sharing nothing with the client.

RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2): signed by OpenSSL, as a channel's servers do it, for a load of
a hundred notifications a second must not be spent on powers in plain Python; opened by hand over integers (section
9.2, EMSA encoding), so that whatever the client signs is judged by other code than its own.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")  # SHA-256, RFC 8017 appendix
_FIELD = re.compile(r'([a-z_]+)="([^"]*)"')
_BITS = 2048


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key as its two integers."""

    modulus: int
    exponent: int

    def confirms(self, message: bytes, signature_base64: str) -> bool:
        """Return whether the signature is this key's over the message."""
        try:
            signature = base64.b64decode(signature_base64, validate=True)
        except ValueError:
            return False
        size = _size(self.modulus)
        if len(signature) != size:
            return False
        opened = pow(int.from_bytes(signature), self.exponent, self.modulus)
        return opened.to_bytes(size) == _padded(message, size)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, and the serial under which the other side knows it."""

    serial: str
    pem: bytes
    private: rsa.RSAPrivateKey = field(compare=False)

    def seal(self, message: bytes) -> str:
        """Return the Base64 signature of a message."""
        return base64.b64encode(self.private.sign(message, padding.PKCS1v15(), SHA256())).decode()

    def public_pem(self) -> str:
        """Return the public half as PEM."""
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def new_key(serial: str, name: str = "") -> SigningKey:
    """Return the key pair of a name, drawn once in a process: a test asks for many, and drawing takes 0.1 s."""
    return _from_private(serial, _drawn(name or serial))


def kept_key(file: Path, serial: str) -> SigningKey:
    """Return the key kept in a file, making it at first use."""
    if not file.exists():
        file.write_bytes(_drawn(file.stem))
        file.chmod(0o600)
    return _from_private(serial, file.read_bytes())


def read_public(pem: str) -> PublicKey:
    """Return the integers of a public key in PEM."""
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("a merchant key is RSA")
    numbers = key.public_numbers()
    return PublicKey(numbers.n, numbers.e)


def authorization_fields(header: str) -> dict[str, str]:
    """Return the fields of an Authorization header of the scheme, empty when it is of another scheme."""
    scheme, _, rest = header.partition(" ")
    return dict(_FIELD.findall(rest)) if scheme == "WECHATPAY2-SHA256-RSA2048" else {}


def lines(*parts: str | bytes) -> bytes:
    """Return parts that each end with a line feed, which is what both sides sign."""
    return b"".join((part if isinstance(part, bytes) else part.encode()) + b"\n" for part in parts)


def hide(api_key: str, plain: bytes, associated: str) -> dict[str, str]:
    """Return a secret of a notification."""
    nonce = base64.b32encode(os.urandom(10)).decode()[:12]
    ciphertext = AESGCM(api_key.encode()).encrypt(nonce.encode(), plain, associated.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(ciphertext).decode(),
        "nonce": nonce,
        "associated_data": associated,
    }


@cache
def _drawn(name: str) -> bytes:
    del name
    private = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _from_private(serial: str, pem: bytes) -> SigningKey:
    private = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)  # our own file
    if not isinstance(private, rsa.RSAPrivateKey):
        raise TypeError("the channel's key is RSA")
    return SigningKey(serial, pem, private)


def _size(modulus: int) -> int:
    return (modulus.bit_length() + 7) // 8


def _padded(message: bytes, size: int) -> bytes:
    info = _DIGEST_INFO + hashlib.sha256(message).digest()
    return b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
