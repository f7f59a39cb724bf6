"""Secrets at rest: sealed with a key that never enters the database.

AES-256-GCM; the sealed bytes are a version, a nonce and the cipher text. Each secret is bound to the thing it belongs
to, so that a sealed value copied to another row does not open.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from common.errors import InvariantError, RefusalError, ensure

KEY_SIZE = 32
_VERSION = b"\x01"
_NONCE_SIZE = 12


class Vault:
    """Seals and opens secrets with one key."""

    def __init__(self, key: bytes, random_bytes: Callable[[int], bytes]) -> None:
        if len(key) != KEY_SIZE:
            raise RefusalError(f"the vault key has {len(key)} bytes; set one of {KEY_SIZE} random bytes")
        self._cipher = AESGCM(key)
        self._random_bytes = random_bytes

    def seal(self, plain: bytes, bound_to: str) -> bytes:
        """Return the secret sealed; `bound_to` names the thing it belongs to, such as `merchant_account:<id>`."""
        nonce = self._random_bytes(_NONCE_SIZE)
        ensure(len(nonce) == _NONCE_SIZE, "the random source returned a wrong count of bytes")
        return _VERSION + nonce + self._cipher.encrypt(nonce, plain, bound_to.encode())

    def open(self, sealed: bytes, bound_to: str) -> bytes:
        """Return the secret of the thing it was bound to.

        Raises:
            InvariantError: the bytes were not sealed with this key for this thing.
        """
        ensure(sealed[:1] == _VERSION, "the sealed secret has an unknown version")
        nonce, ciphertext = sealed[1 : 1 + _NONCE_SIZE], sealed[1 + _NONCE_SIZE :]
        try:
            return self._cipher.decrypt(nonce, ciphertext, bound_to.encode())
        except (InvalidTag, ValueError) as error:
            raise InvariantError(f"the secret of {bound_to} does not open with the configured vault key") from error
