"""The book as files for others: CSV with one row a transfer, and Beancount, whose own checker then proves it balances.

Accounts are named by what they are (`Assets:Receivable:Operating:E1:O17`); owners are numbered in the order in which
they first appear, so that no name of a person leaves the house. Amounts are exact. Reservations move nothing and are
left out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from types import MappingProxyType
from typing import TextIO
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.ledger import lookups, reports
from cloud.ledger.accounts import AccountType, LedgerAccountRef
from cloud.ledger.journals import TransferKind
from cloud.ledger.reports import Posting
from common.errors import ensure
from common.ids import CommunityId
from common.money.amount import CNY, format_minor

_T = AccountType
_ROOTS: Mapping[AccountType, str] = MappingProxyType(
    {
        _T.RECEIVABLE: "Assets",
        _T.CLEARING: "Assets",
        _T.CASH: "Assets",
        _T.BANK: "Assets",
        _T.PREPAYMENT: "Liabilities",
        _T.AGENCY: "Liabilities",
        _T.FUND: "Liabilities",
        _T.DEPOSIT_HELD: "Liabilities",
        _T.SUSPENSE: "Liabilities",
        _T.INCOME: "Income",
        _T.CASH_DIFFERENCE: "Expenses",
        _T.CHANNEL_FEE: "Expenses",
        _T.WRITE_OFF: "Expenses",
        _T.OPENING: "Equity",
    }
)
ensure(set(_ROOTS) == set(AccountType), "every account type stands under a root")
_MOVES = frozenset({TransferKind.POSTED.value, TransferKind.POST.value})
CSV_HEADER = (
    "date",
    "journal",
    "n",
    "kind",
    "route",
    "debit",
    "credit",
    "amount",
    "currency",
    "bill",
    "line",
    "document_kind",
    "document",
    "fingerprint",
)


@dataclass(slots=True)
class AccountNames:
    """The names of accounts in one export: the same account has the same name throughout."""

    entities: dict[UUID, int] = field(default_factory=dict)
    owners: dict[UUID, int] = field(default_factory=dict)

    def name(self, ref: LedgerAccountRef) -> str:
        """Return the name of an account."""
        entity = self.entities.setdefault(ref.book.legal_entity_id, len(self.entities) + 1)
        owner = self.owners.setdefault(ref.owner_id, len(self.owners) + 1)
        words = [_ROOTS[ref.type], _word(ref.type), _word(ref.book.fund_class), f"E{entity}", f"O{owner}"]
        return ":".join(words)


def _word(code: str) -> str:
    return "".join(part.capitalize() for part in code.split("_"))


async def postings_in(session: AsyncSession, community_id: CommunityId, through: date | None) -> tuple[Posting, ...]:
    """Return every posting of a book that moves something, by day and journal, up to a day inclusive."""
    rows = await lookups.transfers_in(session, community_id, through)
    found = await reports.named(session, rows)
    return tuple(posting for posting in found if posting.kind in _MOVES)


def write_csv(postings: Iterable[Posting], out: TextIO) -> int:
    """Write one row for each transfer and return how many."""
    names, count = AccountNames(), 0
    writer = csv.writer(out)
    writer.writerow(CSV_HEADER)
    for posting in postings:
        count += 1
        writer.writerow(
            (
                posting.business_date.isoformat(),
                posting.journal_id,
                posting.n,
                posting.journal_kind,
                posting.route,
                names.name(posting.debit),
                names.name(posting.credit),
                format_minor(posting.fen),
                CNY.code,
                posting.bill_id or "",
                posting.line_n or "",
                posting.document_kind,
                posting.document_id,
                posting.request_sha,
            )
        )
    return count


def write_beancount(postings: Iterable[Posting], title: str, out: TextIO) -> int:
    """Write the book as a Beancount ledger, ending in the balance of every account, and return the transactions."""
    names, ordered = AccountNames(), list(postings)
    out.write(f'option "title" "{_quoted(title)}"\noption "operating_currency" "{CNY.code}"\n\n')
    opened: dict[str, date] = {}
    balances: dict[str, int] = {}
    for posting in ordered:
        for ref, fen in ((posting.debit, posting.fen), (posting.credit, -posting.fen)):
            name = names.name(ref)
            opened.setdefault(name, posting.business_date)
            balances[name] = balances.get(name, 0) + fen
    first = min(opened.values(), default=None)
    out.writelines(f"{first} open {name} {CNY.code}\n" for name in sorted(opened))
    count = 0
    for text in _transactions(ordered, names):
        count += 1
        out.write(f"\n{text}")
    if ordered:
        # Beancount checks a balance at the beginning of its day.
        day = date.fromordinal(max(posting.business_date for posting in ordered).toordinal() + 1)
        out.write("\n")
        out.writelines(
            f"{day} balance {name}  {format_minor(fen)} {CNY.code}\n" for name, fen in sorted(balances.items())
        )
    return count


def _transactions(postings: Iterable[Posting], names: AccountNames) -> Iterator[str]:
    for _, group in groupby(postings, key=lambda posting: posting.journal_id):
        rows = list(group)
        head = rows[0]
        lines = [f'{head.business_date} * "{head.journal_kind}"', f'  journal: "{head.journal_id}"']
        lines.append(f'  fingerprint: "{head.request_sha}"')
        for row in rows:
            amount = format_minor(row.fen)
            lines.append(f"  {names.name(row.debit)}  {amount} {CNY.code}")
            lines.append(f"  {names.name(row.credit)}  -{amount} {CNY.code}")
        yield "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
