"""The secrets of signing in: tokens, one-time codes, passwords. What is stored of them cannot be turned back.

A session token reads `<company>.<session>.<secret>`: it says itself where to look, and only its secret opens.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cloud.kit.errors import MalformedError
from common.ids import TenantId

PASSWORD_LENGTH_MIN = 10
PASSWORD_LENGTH_MAX = 200
_SECRET_BYTES = 32
_CODE_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_CODE_GROUPS = 3
_CODE_GROUP = 5
_HASH_S_MAX = 10
_TOKEN = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{32})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A session token taken apart."""

    tenant: TenantId
    session_id: UUID
    secret: str

    @property
    def text(self) -> str:
        """Return the token as the caller carries it."""
        return f"{self.tenant.hex}.{self.session_id.hex}.{self.secret}"

    def opens(self, secret_sha: bytes) -> bool:
        """Return whether the secret is the one whose digest is kept."""
        return hmac.compare_digest(digest(self.secret), secret_sha)


def new_token(tenant: TenantId, session_id: UUID) -> Token:
    """Return a token with a fresh secret for a session."""
    return Token(tenant=tenant, session_id=session_id, secret=secrets.token_urlsafe(_SECRET_BYTES))


def parse_token(text: str) -> Token | None:
    """Return the token that a caller carries, or None when it is none."""
    found = _TOKEN.fullmatch(text)
    if found is None:
        return None
    tenant, session, secret = found.groups()
    return Token(tenant=TenantId(UUID(tenant)), session_id=UUID(session), secret=secret)


def new_code() -> str:
    """Return a fresh one-time code, in groups that can be read out: about 74 bits."""
    groups = ("".join(secrets.choice(_CODE_ALPHABET) for _ in range(_CODE_GROUP)) for _ in range(_CODE_GROUPS))
    return "-".join(groups)


def plain_code(typed: str) -> str:
    """Return a typed code as it was printed: capitals, without stray spaces."""
    return "".join(typed.split()).upper()


def digest(secret: str) -> bytes:
    """Return the digest of a secret that is random enough to need no salt."""
    return sha256(secret.encode()).digest()


class Passwords:
    """Hashing of passwords, slow on purpose and off the event loop."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe(_SECRET_BYTES))

    async def hash(self, password: str) -> str:
        """Return the hash of a new password.

        Raises:
            MalformedError: the password is too short or too long.
        """
        if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
            raise MalformedError(f"a password has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters")
        async with asyncio.timeout(_HASH_S_MAX):
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Return whether the password is right; without a hash the answer takes as long and is no."""
        async with asyncio.timeout(_HASH_S_MAX):
            matches = await asyncio.to_thread(self._matches, password_hash or self._nobody, password)
        return matches and password_hash is not None

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password[:PASSWORD_LENGTH_MAX])
        except (VerificationError, InvalidHashError):
            return False
