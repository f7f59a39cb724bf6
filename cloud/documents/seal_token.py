"""A seal key that never leaves its token: a smart card, a USB key or a module in the machine room, over PKCS#11.

The token signs, everything else is as with a key in software. One session is kept and used by one at a time, because a
session is no matter for two threads; after any error it is dropped, and the next seal opens another. Before a
certificate is taken into use, the token proves with a challenge that it has the key of that certificate.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from asn1crypto import x509 as asn1_x509
from pkcs11 import ObjectClass, Session
from pkcs11.exceptions import NoSuchKey, PinIncorrect, PinInvalid, PinLocked, PKCS11Error, UserAlreadyLoggedIn
from pyhanko.config.pkcs11 import TokenCriteria
from pyhanko.sign.general import SigningError
from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session

from cloud.documents.errors import ForeignKeyError, TokenError
from cloud.documents.signer import KeySigner, confirms
from cloud.kit.errors import BusyError

SIGN_S_MAX = 30.0
_DIGEST = "sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAddress:
    """Where a token is: the library of its maker, the token's label, and the PIN of its user."""

    module: str
    label: str
    pin: str = field(repr=False)


class SealToken:
    """A token with seal keys, opened at first use; a `KeyKeeper`."""

    def __init__(self, address: TokenAddress) -> None:
        self._address = address
        self._session: Session | None = None
        self._alone = asyncio.Lock()

    async def seal(self, certificate: bytes, key_label: str, pdf: bytes, mark: bytes, when: datetime) -> bytes:
        """Return the file with a seal that the key of a label in the token made.

        Raises:
            TokenError: the token refuses the PIN, or has no such key.
            BusyError: the token did not answer; nothing was sealed.
        """
        async with self._holder(certificate, key_label) as holder:
            return await KeySigner(certificate, holder).seal(pdf, mark, when)

    async def confirm(self, certificate: bytes, key_label: str, challenge: bytes) -> None:
        """Go on when the key of a label in the token is the key of a certificate.

        Raises:
            ForeignKeyError: it is the key of another certificate, or of a kind that does not seal.
            TokenError: the token refuses the PIN, or has no such key.
            BusyError: the token did not answer.
        """
        async with self._holder(certificate, key_label) as holder:
            try:
                signature = await holder.async_sign_raw(challenge, _DIGEST)
            except (PKCS11Error, SigningError, NotImplementedError) as error:  # a key of another kind
                raise ForeignKeyError from error
        if not confirms(certificate, signature, challenge):
            raise ForeignKeyError

    def close(self) -> None:
        """Close the session, if one is open."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(PKCS11Error):  # a token that was pulled out has no session to close
                session.close()

    @asynccontextmanager
    async def _holder(self, certificate: bytes, key_label: str) -> AsyncIterator[PKCS11Signer]:
        async with self._alone:
            try:
                async with asyncio.timeout(SIGN_S_MAX):
                    session = await asyncio.to_thread(self._opened_with, key_label)
                    signing = asn1_x509.Certificate.load(certificate)
                    # The digest is made here: tokens that digest by themselves are fewer than tokens that sign.
                    yield PKCS11Signer(session, signing_cert=signing, key_label=key_label, use_raw_mechanism=True)
            except (PinIncorrect, PinInvalid, PinLocked) as error:
                self.close()
                raise TokenError("the seal token refuses the PIN; set the right one before it locks itself") from error
            except NoSuchKey as error:
                raise TokenError(f"the seal token has no key {key_label}; look at what its own tool lists") from error
            except (PKCS11Error, TimeoutError) as error:
                self.close()
                raise BusyError(
                    f"the seal token {self._address.label} did not answer; nothing was sealed, put it in and try again"
                ) from error

    def _opened_with(self, key_label: str) -> Session:
        """Return the session, with a look whether the key is there."""
        if self._session is None:
            address, criteria = self._address, TokenCriteria(label=self._address.label)
            try:
                self._session = open_pkcs11_session(address.module, token_criteria=criteria, user_pin=address.pin)
            except UserAlreadyLoggedIn:  # a process is logged in once, for all its sessions
                self._session = open_pkcs11_session(address.module, token_criteria=criteria)
        self._session.get_key(ObjectClass.PRIVATE_KEY, label=key_label)
        return self._session
