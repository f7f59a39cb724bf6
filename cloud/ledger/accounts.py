"""The chart of accounts: what kinds of account there are, on which side they grow, and which are guarded.

An account is named by whose book it is in (community and legal entity), the fund it belongs to, its type and its
owner. The id is derived from that name, so every process finds the same account without looking it up first, and
two processes that open it at once open one account. Values only; no database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from cloud.tariffs.charge import FundClass, Nature
from common.errors import ensure
from common.ids import CommunityId, LegalEntityId, TenantId

_UUID_BYTES = 16


class Side(StrEnum):
    """The side of an entry."""

    DEBIT = "debit"
    CREDIT = "credit"


class Guard(StrEnum):
    """Which side of an account may never exceed the other.

    A credit guard keeps debits (reserved ones too) within credits, as for a prepayment; a debit guard mirrors it.
    """

    NONE = "none"
    CREDIT = "credit"
    DEBIT = "debit"


class AccountType(StrEnum):
    """What an account counts; the owner it needs is named in each remark."""

    RECEIVABLE = "receivable"  # a billing account: what it owes
    PREPAYMENT = "prepayment"  # a billing account: what it paid ahead
    INCOME = "income"  # a charge item: revenue earned
    AGENCY = "agency"  # a charge item: collected for another and owed on
    FUND = "fund"  # a charge item: held for a purpose, such as the maintenance fund
    DEPOSIT_HELD = "deposit_held"  # a deposit: owed back to its payer
    CLEARING = "clearing"  # a merchant account: paid by residents, not yet in the bank
    CASH = "cash"  # a cash box
    BANK = "bank"  # a bank account
    CASH_DIFFERENCE = "cash_difference"  # a cash box: counted above or below its book, with a reason
    SUSPENSE = "suspense"  # a merchant or bank account: money that nobody is named for yet
    CHANNEL_FEE = "channel_fee"  # a merchant account: what the channel keeps
    WRITE_OFF = "write_off"  # a legal entity: debt given up
    OPENING = "opening"  # a legal entity: balances brought in from an older book


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountKind:
    """How the accounts of one type behave.

    A hot account takes a transfer from nearly every journal: it keeps no balance row that they would queue for.
    """

    grows_on: Side
    guard: Guard = Guard.NONE
    hot: bool = False


CHART: Mapping[AccountType, AccountKind] = MappingProxyType(
    {
        AccountType.RECEIVABLE: AccountKind(grows_on=Side.DEBIT),
        AccountType.PREPAYMENT: AccountKind(grows_on=Side.CREDIT, guard=Guard.CREDIT),
        AccountType.INCOME: AccountKind(grows_on=Side.CREDIT, hot=True),
        AccountType.AGENCY: AccountKind(grows_on=Side.CREDIT, hot=True),
        AccountType.FUND: AccountKind(grows_on=Side.CREDIT, hot=True),
        AccountType.DEPOSIT_HELD: AccountKind(grows_on=Side.CREDIT, guard=Guard.CREDIT),
        AccountType.CLEARING: AccountKind(grows_on=Side.DEBIT, hot=True),
        AccountType.CASH: AccountKind(grows_on=Side.DEBIT, guard=Guard.DEBIT),
        AccountType.BANK: AccountKind(grows_on=Side.DEBIT, hot=True),
        AccountType.CASH_DIFFERENCE: AccountKind(grows_on=Side.DEBIT),
        AccountType.SUSPENSE: AccountKind(grows_on=Side.CREDIT, guard=Guard.CREDIT),
        AccountType.CHANNEL_FEE: AccountKind(grows_on=Side.DEBIT, hot=True),
        AccountType.WRITE_OFF: AccountKind(grows_on=Side.DEBIT, hot=True),
        AccountType.OPENING: AccountKind(grows_on=Side.CREDIT, hot=True),
    }
)
ensure(set(CHART) == set(AccountType), "every account type stands in the chart")

EARNED_AS: Mapping[Nature, AccountType] = MappingProxyType(
    {
        Nature.REVENUE: AccountType.INCOME,
        Nature.AGENCY: AccountType.AGENCY,
        Nature.LIABILITY: AccountType.FUND,
    }
)
ensure(set(EARNED_AS) == set(Nature), "every nature of a charge has an account to be booked in")


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The book of one fund of one legal entity in one community; a transfer never leaves it sideways."""

    community_id: CommunityId
    legal_entity_id: LegalEntityId
    fund_class: FundClass

    def account(self, account_type: AccountType, owner_id: UUID) -> LedgerAccountRef:
        """Return the account of a type and owner in this book."""
        return LedgerAccountRef(book=self, type=account_type, owner_id=owner_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAccountRef:
    """The name of a ledger account."""

    book: Book
    type: AccountType
    owner_id: UUID

    @property
    def kind(self) -> AccountKind:
        """Return how accounts of this type behave."""
        return CHART[self.type]

    def account_id(self, tenant_id: TenantId) -> UUID:
        """Return the id that follows from the name (RFC 9562 version 8, of a SHA-256)."""
        name = b"".join(
            (
                tenant_id.bytes,
                self.book.community_id.bytes,
                self.book.legal_entity_id.bytes,
                self.owner_id.bytes,
                f"{self.book.fund_class}/{self.type}".encode(),
            )
        )
        value = int.from_bytes(hashlib.sha256(name).digest()[:_UUID_BYTES])
        value = value & ~(0xF << 76) | 0x8 << 76
        value = value & ~(0b11 << 62) | 0b10 << 62
        return UUID(int=value)
