"""What papers refuse.

NotFoundError
└── UnknownPaperError     there is no such paper, or not yours
ConflictError
├── NotPrintableError     there is nothing yet that this paper could show
├── SealKeyError          the certificate cannot seal for this legal person now
│   └── ForeignKeyError   the token's key is not the certificate's
└── TokenError            the seal token is not set up, refuses its PIN, or has no such key
"""

from __future__ import annotations

from cloud.kit.errors import ConflictError, NotFoundError


class UnknownPaperError(NotFoundError):
    """There is no such paper."""

    def __init__(self) -> None:
        super().__init__("there is no such paper; check the address or scan the code again")


class NotPrintableError(ConflictError):
    """There is nothing yet to print."""


class SealKeyError(ConflictError):
    """The certificate cannot seal for this legal person now."""


class ForeignKeyError(SealKeyError):
    """The token's key is not the certificate's."""

    def __init__(self) -> None:
        super().__init__("the key in the token is not the key of this certificate; bring the certificate of that key")


class TokenError(ConflictError):
    """The seal token is not there, refuses its PIN, or has no such key."""
