"""What proposes an account, and what never does."""

from __future__ import annotations

from uuid import UUID

import pytest

from cloud.reconciliation.remitting import Candidate, Clue, age_of, ages, propose

A, B = UUID(int=1), UUID(int=2)


def candidate(account: UUID, label: str, open_fen: int, *, learnt: bool = False) -> Candidate:
    return Candidate(account_id=account, label=label, open_fen=open_fen, learnt=learnt)


def test_a_learnt_payer_with_the_open_amount_is_proposed() -> None:
    found = propose(100, "", [candidate(A, "1-1-001", 100, learnt=True), candidate(B, "1-1-002", 100)])
    assert found is not None
    assert (found.account_id, found.clue) == (A, Clue.LEARNT)


def test_a_room_in_the_text_with_its_open_amount_is_proposed() -> None:
    found = propose(100, "1-1-002 三月", [candidate(A, "1-1-001", 100), candidate(B, "1-1-002", 100)])
    assert found is not None
    assert (found.account_id, found.clue) == (B, Clue.ROOM_AND_AMOUNT)


@pytest.mark.parametrize(
    ("fen", "memo", "candidates"),
    [
        (101, "1-1-001", [candidate(A, "1-1-001", 100, learnt=True)]),
        (100, "物业费", [candidate(A, "1-1-001", 100)]),
        (100, "", [candidate(A, "1-1-001", 100, learnt=True), candidate(B, "1-1-002", 100, learnt=True)]),
        (100, "1-1-001 1-1-002", [candidate(A, "1-1-001", 100), candidate(B, "1-1-002", 100)]),
        (100, "", []),
    ],
)
def test_another_amount_or_two_that_fit_propose_nobody(fen: int, memo: str, candidates: list[Candidate]) -> None:
    assert propose(fen, memo, candidates) is None


def test_ages_are_counted_by_class() -> None:
    assert [age_of(days) for days in (0, 7, 8, 30, 31, 90, 91)] == [0, 0, 1, 1, 2, 2, 3]
    assert ages({A: (3, 100), B: (100, 50)}) == ((1, 100), (0, 0), (0, 0), (1, 50))
