"""What papers refuse.

NotFoundError
└── UnknownPaperError     there is no such paper, or not yours
ConflictError
├── NotPrintableError     there is nothing yet that this paper could show
├── SealKeyError          the certificate cannot seal for this legal person now
│   └── ForeignKeyError   the keeper's key is not the certificate's
└── KeeperError           whoever should keep the seal key is not set up
    ├── TokenError        the seal token refuses its PIN, or has no such key
    └── SealServiceError  the seal service refuses, or answers what is not its seal
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
    """The keeper's key is not the certificate's."""

    def __init__(self) -> None:
        super().__init__(
            "the key that is kept there is not the key of this certificate; bring the certificate of that key"
        )


class KeeperError(ConflictError):
    """Whoever should keep the seal key is not set up, or refuses."""


class TokenError(KeeperError):
    """The seal token refuses its PIN, or has no such key."""


class SealServiceError(KeeperError):
    """The seal service refuses, or answers what is not its seal."""
