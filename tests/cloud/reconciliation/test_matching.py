"""Matching two books: every row ends in exactly one place, and a fen, a copy or a gap is always named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.reconciliation.matching import (
    BookEntry,
    Break,
    BreakClass,
    ChannelEntry,
    Day,
    EntryKey,
    EntryKind,
    Outcome,
    Sides,
    figures,
    match_day,
)

START = datetime(2026, 3, 4, 16, tzinfo=UTC)
DAY = Day(start=START, end=START + timedelta(days=1))
NOON = START + timedelta(hours=12)
LATE = DAY.end - timedelta(minutes=1)
BILL = UUID(int=9)


def key(number: str, kind: EntryKind = EntryKind.PAYMENT) -> EntryKey:
    return EntryKey(number=number, kind=kind)


def ours(number: str, fen: int, at: datetime = NOON, **changes: Any) -> BookEntry:
    return BookEntry(**{"key": key(number), "fen": fen, "at": at, "object_id": UUID(int=1), **changes})


def theirs(number: str, fen: int, at: datetime = NOON, **changes: Any) -> ChannelEntry:
    return ChannelEntry(**{"key": key(number), "fen": fen, "at": at, "statement_id": BILL, "line": 1, **changes})


def compared(book: list[BookEntry], channel: list[ChannelEntry], known: dict[EntryKey, UUID] | None = None) -> Outcome:
    return match_day(Sides(book=book, channel=channel, known_unbooked=known or {}), DAY)


def kinds(outcome: Outcome) -> list[BreakClass]:
    return [broken.kind for broken in outcome.breaks]


def test_equal_books_match_to_the_fen_and_all_is_explained() -> None:
    outcome = compared([ours("A", 100), ours("B", 200)], [theirs("B", 200), theirs("A", 100)])
    assert {pair.book.key.number for pair in outcome.matches} == {"A", "B"}
    assert figures(outcome).explained_basis_points == 10_000
    assert figures(outcome).matched_fen == 300


@pytest.mark.parametrize("fen", [99, 101])
def test_a_wrong_amount_by_a_fen_is_a_break(fen: int) -> None:
    outcome = compared([ours("A", 100)], [theirs("A", fen)])
    assert kinds(outcome) == [BreakClass.AMOUNT_DIFFERS]
    assert figures(outcome).explained_basis_points == 0


def test_the_same_number_as_payment_and_refund_are_two_things() -> None:
    refund = key("A", EntryKind.REFUND)
    outcome = compared([ours("A", 100), ours("A", 30, key=refund)], [theirs("A", 30, key=refund), theirs("A", 100)])
    assert len(outcome.matches) == 2


def test_one_sided_rows_are_told_apart() -> None:
    known = {key("LOST"): UUID(int=5)}
    outcome = compared([ours("MISSING", 1)], [theirs("LOST", 2), theirs("STRANGER", 3)], known)
    assert {broken.key.number: broken.kind for broken in outcome.breaks} == {
        "MISSING": BreakClass.BOOK_ONLY,
        "LOST": BreakClass.LOST_NOTIFICATION,
        "STRANGER": BreakClass.CHANNEL_ONLY,
    }


def test_a_doubled_row_is_named_and_its_first_copy_still_matches() -> None:
    outcome = compared([ours("A", 100)], [theirs("A", 100), theirs("A", 100, line=2)])
    assert len(outcome.matches) == 1
    assert kinds(outcome) == [BreakClass.DOUBLED_ROW]


def test_a_refund_done_there_and_only_reserved_here_is_a_state_difference() -> None:
    refund = key("R", EntryKind.REFUND)
    assert kinds(compared([ours("R", 5, key=refund, done=False)], [theirs("R", 5, key=refund)])) == [
        BreakClass.STATE_DIFFERS
    ]
    assert compared([ours("R", 5, key=refund, done=False)], []) == Outcome(matches=(), breaks=(), waiting=())


def test_a_row_of_the_last_half_hour_waits_for_the_next_day_and_then_matches_or_breaks() -> None:
    today = compared([ours("A", 100, LATE)], [theirs("B", 7, LATE)])
    assert (len(today.waiting), today.breaks) == (2, ())
    assert figures(today).explained_basis_points == 10_000
    tomorrow = Day(start=DAY.end, end=DAY.end + timedelta(days=1))
    book, channel = [ours("A", 100, LATE)], [theirs("B", 7, LATE)]
    found = match_day(Sides(book=book, channel=[*channel, theirs("A", 100, LATE)]), tomorrow)
    assert len(found.matches) == 1
    assert kinds(found) == [BreakClass.CHANNEL_ONLY]
    assert kinds(match_day(Sides(book=book, channel=[]), tomorrow)) == [BreakClass.BOOK_ONLY]


def test_one_open_fen_in_a_million_is_not_a_hundred_percent() -> None:
    outcome = compared([ours("A", 10**9)], [theirs("A", 10**9), theirs("X", 1)])
    assert figures(outcome).explained_basis_points == 9_999
    assert figures(outcome, closed=[key("X")]).explained_basis_points == 10_000


ENTRIES = st.dictionaries(st.sampled_from([f"N{n}" for n in range(30)]), st.integers(1, 10**9), max_size=30)


@given(ENTRIES, ENTRIES, st.randoms(use_true_random=False))
def test_every_row_of_either_side_is_explained_exactly_once_in_any_order(
    book: dict[str, int], channel: dict[str, int], shuffler: Any
) -> None:
    left = [ours(number, fen) for number, fen in book.items()]
    right = [theirs(number, fen) for number, fen in channel.items()]
    outcome = compared(left, right)
    shuffler.shuffle(left)
    shuffler.shuffle(right)
    again = compared(left, right)
    assert (set(again.matches), set(again.breaks)) == (set(outcome.matches), set(outcome.breaks))
    named_left = [pair.book for pair in outcome.matches] + [broken.book for broken in outcome.breaks if broken.book]
    named_right = [pair.channel for pair in outcome.matches]
    named_right += [broken.channel for broken in outcome.breaks if broken.channel]
    assert sorted(entry.key.number for entry in named_left) == sorted(book)
    assert sorted(entry.key.number for entry in named_right) == sorted(channel)
    agree = {number for number in book.keys() & channel.keys() if book[number] == channel[number]}
    assert {pair.book.key.number for pair in outcome.matches} == agree


def test_a_break_states_the_larger_side_as_money_at_risk() -> None:
    broken = Break(kind=BreakClass.AMOUNT_DIFFERS, key=key("A"), book=ours("A", 5), channel=theirs("A", 7))
    assert broken.fen == 7
