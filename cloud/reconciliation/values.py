"""A bank account as the modules of reconciliation hand it on."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cloud.ledger.accounts import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccount:
    """A bank account and whose money of which fund it holds."""

    bank_account_id: UUID
    book: Book
    bank: str
    number_tail: str
