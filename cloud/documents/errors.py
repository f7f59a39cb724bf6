"""What papers refuse.

NotFoundError
└── UnknownPaperError     there is no such paper, or not yours
ConflictError
└── NotPrintableError     there is nothing yet that this paper could show
"""

from __future__ import annotations

from cloud.kit.errors import ConflictError, NotFoundError


class UnknownPaperError(NotFoundError):
    """There is no such paper."""

    def __init__(self) -> None:
        super().__init__("there is no such paper; check the address or scan the code again")


class NotPrintableError(ConflictError):
    """There is nothing yet to print."""
