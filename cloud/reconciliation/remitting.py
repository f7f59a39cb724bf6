"""Decisions about bank transfers as functions of values: what becomes of a line, and whose it may be.

Only a remittance code whose check symbol holds is posted without a person. Everything else is at most a proposal, and
one that fits two accounts is none. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

AGES = (7, 30, 90)


class BankLineState(StrEnum):
    """What became of a line."""

    SUSPENSE = "suspense"
    IDENTIFIED = "identified"
    SETTLEMENT = "settlement"
    EXPLAINED = "explained"


class Clue(StrEnum):
    """Why an account is proposed."""

    LEARNT = "learnt"  # the payer's bank account was confirmed before, and the amount is what is open
    ROOM_AND_AMOUNT = "room_and_amount"  # the room stands in the text, and the amount is what is open


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An account that a line may pay: what is open on it, the text of its room, whether its payer was learnt."""

    account_id: UUID
    label: str
    open_fen: int
    learnt: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Whose a line probably is, for a person to confirm."""

    account_id: UUID
    label: str
    clue: Clue


def propose(fen: int, memo: str, candidates: Sequence[Candidate]) -> Proposal | None:
    """Return the one account that a line fits, None when none or several do."""
    fitting = [one for one in candidates if one.open_fen == fen]
    learnt = [one for one in fitting if one.learnt]
    if len(learnt) == 1:
        return Proposal(account_id=learnt[0].account_id, label=learnt[0].label, clue=Clue.LEARNT)
    named = [one for one in fitting if one.label and one.label in memo]
    if len(named) == 1 and not learnt:
        return Proposal(account_id=named[0].account_id, label=named[0].label, clue=Clue.ROOM_AND_AMOUNT)
    return None


def age_of(days: int) -> int:
    """Return the age class of a line in suspense: how many of the limits of 7, 30 and 90 days it has passed."""
    return sum(days > limit for limit in AGES)


def ages(lines: Mapping[UUID, tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return count and fen of each age class, the youngest first, of lines given as (days, fen)."""
    found = [[0, 0] for _ in range(len(AGES) + 1)]
    for days, fen in lines.values():
        found[age_of(days)][0] += 1
        found[age_of(days)][1] += fen
    return tuple((count, fen) for count, fen in found)
