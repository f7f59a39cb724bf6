"""The families of refusals a cloud domain raises; `kit/httpapi.py` maps each to one HTTP status, in one place.

RefusalError                 400  a request that business rules decline
├── FaultsError              422  a document with faults, all listed
├── MalformedError           422  input that cannot be read at all
├── NotFoundError            404  no such thing, or not yours: the answer is the same
├── ConflictError            409  contradicts what is stored, or the same key with other content
├── UnauthenticatedError     401  nobody we know
├── ForbiddenError           403  known, but not allowed
├── TooLargeError            413  more bytes than the bound
└── BusyError                503  try again later; nothing was changed
"""

from __future__ import annotations

from common.errors import RefusalError


class MalformedError(RefusalError):
    """Input that cannot be read."""


class NotFoundError(RefusalError):
    """The thing named does not exist for this caller."""


class ConflictError(RefusalError):
    """The request contradicts what is stored."""


class UnauthenticatedError(RefusalError):
    """The caller is nobody we know."""


class ForbiddenError(RefusalError):
    """The caller is known but may not do this."""


class TooLargeError(RefusalError):
    """The input is larger than its named bound."""


class BusyError(RefusalError):
    """The work cannot be done now; nothing was changed and a later try may succeed."""
