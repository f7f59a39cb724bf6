"""Secrets at rest: sealed with AES-GCM under a key from outside the database.

A sealed value names the company and the purpose it belongs to, as data that is authenticated with it, so a value
moved to another row or another company does not open. The form is `1` (version), 12 bytes of nonce, ciphertext.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from common.errors import InvariantError, RefusalError
from common.ids import TenantId

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


class SecretBox:
    """Seals and opens secrets under one key."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise RefusalError(f"the secret key has {KEY_BYTES} bytes, in base64; make one with `gatehouse cloud init`")
        self._cipher = AESGCM(key)

    def seal(self, tenant: TenantId, purpose: str, plain: bytes) -> bytes:
        """Return the sealed form of a secret of a company, for one purpose."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plain, _context(tenant, purpose))

    def open(self, tenant: TenantId, purpose: str, sealed: bytes) -> bytes:
        """Return the secret.

        Raises:
            InvariantError: the bytes were sealed for something else, under another key, or were changed.
        """
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _VERSION:
            raise InvariantError(f"a sealed {purpose} has an unknown form")
        try:
            return self._cipher.decrypt(nonce, body, _context(tenant, purpose))
        except InvalidTag as error:
            raise InvariantError(f"a sealed {purpose} does not open: other key, or changed bytes") from error


def _context(tenant: TenantId, purpose: str) -> bytes:
    return tenant.bytes + purpose.encode()


def decode_key(text: str, where: str) -> bytes:
    """Return the key of its base64 text.

    Raises:
        RefusalError: the text is no key.
    """
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise RefusalError(f"{where}: the secret key is not base64; make one with `gatehouse cloud init`") from error
    if len(key) != KEY_BYTES:
        raise RefusalError(f"{where}: the secret key has {KEY_BYTES} bytes, not {len(key)}")
    return key


def make_key_file(path: Path) -> None:
    """Write a fresh key into a file that only its owner can read; a key that is there is never replaced."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
