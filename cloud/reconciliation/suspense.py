"""What lies in suspense: each open line of a bank statement with its age and whose it probably is, for a person.

Who sent a line and what he wrote is opened here and shown to whoever may reconcile; it is in no log and no export.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.errors import NotFoundError
from cloud.kit.secretbox import SecretBox
from cloud.reconciliation import bank_repository as repository
from cloud.reconciliation.remitting import Candidate, Proposal, age_of, propose
from cloud.reconciliation.tables import BankLineRow
from common.ids import AccountId, CommunityId


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """A line whose payer is not known: its age, what it says, and whose it probably is."""

    bank_line_id: UUID
    bank_account_id: UUID
    day: date
    fen: int
    age_days: int
    age_class: int
    name: str = field(repr=False)
    memo: str = field(repr=False)
    proposal: Proposal | None


async def forget_payer(unit: Unit, bank_line_id: UUID) -> None:
    """Take back what was learnt from a line: its payer's bank account proposes nobody any more.

    Raises:
        NotFoundError: there is no such line.
    """
    row = await repository.bank_line(unit.session, bank_line_id)
    if row is None:
        raise NotFoundError("there is no such line of a statement")
    for link in await repository.payer_links(unit.session, row.payer_sha):
        link.revoked_at = unit.now
    unit.record("forgot", "payer_link", bank_line_id)


async def suspense(session: AsyncSession, box: SecretBox, community_id: CommunityId, today: date) -> list[Suspended]:
    """Return the open lines of a community, the oldest first, each with its age and whose it probably is."""
    rows = await repository.open_lines(session, community_id)
    candidates = await _candidates(session, community_id, today) if rows else []
    found = []
    for row in rows:
        told = _opened(box, row)
        learnt = {link.account_id for link in await repository.payer_links(session, row.payer_sha)}
        fitting = [_learnt(one, learnt) for one in candidates]
        memo = f"{told['memo']} {told['name']}"
        days = (today - row.day).days
        found.append(
            Suspended(
                bank_line_id=row.bank_line_id,
                bank_account_id=row.bank_account_id,
                day=row.day,
                fen=row.fen,
                age_days=days,
                age_class=age_of(days),
                name=told["name"],
                memo=told["memo"],
                proposal=propose(row.fen, memo, fitting) if row.fen > 0 else None,
            )
        )
    return found


async def _candidates(session: AsyncSession, community_id: CommunityId, today: date) -> list[Candidate]:
    labels = {premises.id: premises.label for premises in await estate.premises_in(session, community_id, day=today)}
    accounts = [one for one in await billing.accounts_in(session, community_id) if one.premises_id in labels]
    open_fen: Counter[AccountId] = Counter()
    for line in await billing.open_lines_of(session, [account.account_id for account in accounts]):
        open_fen[line.account_id] += line.open_fen
    return [
        Candidate(
            account_id=account.account_id,
            label=labels[account.premises_id],
            open_fen=open_fen[account.account_id],
            learnt=False,
        )
        for account in accounts
    ]


def _learnt(candidate: Candidate, learnt: set[UUID]) -> Candidate:
    return Candidate(
        account_id=candidate.account_id,
        label=candidate.label,
        open_fen=candidate.open_fen,
        learnt=candidate.account_id in learnt,
    )


def _opened(box: SecretBox, row: BankLineRow) -> dict[str, str]:
    told: dict[str, str] = json.loads(box.open(row.tenant_id, f"bank_line:{row.bank_line_id}", row.text_sealed))
    return told
