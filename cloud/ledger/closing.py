"""Sealing the days of a community's book, and proving that a journal is in one of them.

Days are sealed in order, each with the root of the day before as its first leaf. A sealed day takes no more journals:
sealing holds the book, so a journal in flight is either in the seal or refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.ledger import repository
from cloud.ledger.sealing import NO_ROOT, ProofStep, day_root, inclusion_proof, journal_leaf
from cloud.ledger.tables import SealRow
from common.ids import CommunityId

_DAY = timedelta(days=1)
DAYS_AT_ONCE_MAX = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That a journal is in the seal of its day: `root_of_proof(leaf, steps)` is the root."""

    business_date: date
    leaf: bytes
    steps: tuple[ProofStep, ...]
    root: bytes


async def seal_through(unit: Unit, community_id: CommunityId, day: date) -> int:
    """Seal every day that is not sealed yet, up to a day inclusive, and return how many were sealed.

    Raises:
        ConflictError: the day is not over in every zone, so movements may still be dated in it.
    """
    if day >= unit.now.date() - _DAY:
        raise ConflictError(f"{day} is not over everywhere yet; seal it two days later")
    book = await repository.lock_book(unit.session, community_id)
    if book is None:
        return 0
    through = book.sealed_through
    first = through + _DAY if through else await repository.first_day(unit.session, community_id)
    if first is None or first > day:
        return 0
    previous = await _last_root(unit.session, community_id)
    count = min((day - first).days + 1, DAYS_AT_ONCE_MAX)
    for offset in range(count):
        previous = await _seal_day(unit, community_id, first + offset * _DAY, previous)
    unit.record("sealed", "book", community_id, after={"through": (first + (count - 1) * _DAY).isoformat()})
    return count


async def _seal_day(unit: Unit, community_id: CommunityId, day: date, previous: bytes) -> bytes:
    journals = await repository.journals_of_day(unit.session, community_id, day)
    root = day_root(previous, [journal_leaf(journal_id, sha) for journal_id, sha in journals])
    seal = SealRow(
        tenant_id=unit.tenant,
        community_id=community_id,
        business_date=day,
        journals=len(journals),
        transfers_fen=await repository.fen_of_day(unit.session, community_id, day),
        merkle_root=root,
        previous_root=previous,
        sealed_at=unit.now,
    )
    await repository.add_seal(unit.session, seal)
    return root


async def _last_root(session: AsyncSession, community_id: CommunityId) -> bytes:
    seals = await repository.seals(session, community_id)
    return seals[-1].merkle_root if seals else NO_ROOT


async def proof(session: AsyncSession, community_id: CommunityId, journal_id: UUID) -> Proof:
    """Return the proof that a journal is in the seal of its day.

    Raises:
        NotFoundError: there is no such journal, or its day is not sealed yet.
    """
    day = await repository.day_of_journal(session, community_id, journal_id)
    sealed = {seal.business_date: seal for seal in await repository.seals(session, community_id)}
    if day is None or day not in sealed:
        raise NotFoundError("there is no seal over such a journal yet")
    journals = await repository.journals_of_day(session, community_id, day)
    leaves = [journal_leaf(each, sha) for each, sha in journals]
    position = [each for each, _ in journals].index(journal_id)
    seal = sealed[day]
    return Proof(
        business_date=day,
        leaf=leaves[position],
        steps=inclusion_proof(seal.previous_root, leaves, position),
        root=seal.merkle_root,
    )
