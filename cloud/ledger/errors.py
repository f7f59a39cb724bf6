"""What the book refuses.

ConflictError
├── IdempotencyError    the key of the movement was used for another one
├── GuardError          a guarded account would go below what is there
├── ResolvedError       the reservation is resolved already, or is none
└── SealedDayError      the day of the movement is sealed
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from cloud.kit.errors import ConflictError


class IdempotencyError(ConflictError):
    """The same key with other content."""

    def __init__(self, idem_key: str) -> None:
        self.idem_key = idem_key
        super().__init__(f"movement {idem_key!r} is booked with other content; nothing was changed, look at the first")


class GuardError(ConflictError):
    """A guarded account would go below what is there."""

    def __init__(self, ledger_account_id: UUID, available_fen: int, asked_fen: int) -> None:
        self.ledger_account_id = ledger_account_id
        self.available_fen = available_fen
        self.asked_fen = asked_fen
        super().__init__(
            f"account {ledger_account_id} has {available_fen} fen available and {asked_fen} were asked; "
            "nothing was booked, ask for no more than is available"
        )


class ResolvedError(ConflictError):
    """The reservation cannot be resolved (again)."""

    def __init__(self, journal_id: UUID, n: int, why: str) -> None:
        self.journal_id = journal_id
        self.n = n
        super().__init__(f"reservation {journal_id}/{n} {why}; nothing was booked")


class SealedDayError(ConflictError):
    """The book of the day is sealed."""

    def __init__(self, business_date: date, sealed_through: date) -> None:
        self.business_date = business_date
        self.sealed_through = sealed_through
        super().__init__(
            f"the book is sealed through {sealed_through}; date the movement after it instead of {business_date}"
        )
