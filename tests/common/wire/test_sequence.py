"""The sequence machine: the order of refusals as a table, and a stream under any order of delivery."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from common.wire.batch import GENESIS
from common.wire.limits import AHEAD_MAX, EPOCHS_MAX
from common.wire.refusal import PRECEDENCE, TEMPORARY, Refusal, foremost
from common.wire.sequence import Arrival, Key, Outcome, Stream, Verdict, judge, judge_key
from tests.common.wire.builders import NOW, header

ONE, TWO, OTHER = b"1" * 32, b"2" * 32, b"x" * 32


def arrival(sequence: int = 2, digest: bytes = TWO, previous: bytes = ONE) -> Arrival:
    return Arrival(sequence=sequence, digest=digest, previous_hash=previous)


def stream(  # noqa: PLR0913 - the facts around an arrival, with defaults
    *,
    opened: bool = True,
    epochs: int = 1,
    contiguous: int = 1,
    stored: bytes | None = None,
    before: bytes | None = ONE,
    after_previous: bytes | None = None,
    run_end: int = 2,
) -> Stream:
    return Stream(
        opened=opened,
        epochs=epochs,
        contiguous=contiguous,
        stored=stored,
        before=before,
        after_previous=after_previous,
        run_end=run_end,
    )


NEW = stream(opened=False, epochs=0, contiguous=0, before=None, run_end=1)
FIRST = arrival(1, ONE, GENESIS)


@pytest.mark.parametrize(
    ("came", "known", "expected"),
    [
        (arrival(), stream(), Verdict(outcome=Outcome.STORED, contiguous=2)),
        (arrival(), stream(run_end=9, after_previous=TWO), Verdict(outcome=Outcome.STORED, contiguous=9)),
        (arrival(), stream(stored=TWO), Verdict(outcome=Outcome.REPEATED, contiguous=1)),
        (arrival(5), stream(before=None, run_end=5), Verdict(outcome=Outcome.PENDING, contiguous=1)),
        (arrival(5), stream(before=ONE, run_end=7), Verdict(outcome=Outcome.PENDING, contiguous=1)),
        (FIRST, NEW, Verdict(outcome=Outcome.STORED, contiguous=1, opens_epoch=True)),
        (
            FIRST,
            stream(opened=False, contiguous=0, before=None, run_end=1),
            Verdict(outcome=Outcome.STORED, contiguous=1, opens_epoch=True, replaces_epoch=True),
        ),
        (
            arrival(3),
            stream(opened=False, epochs=0, contiguous=0, before=None, run_end=3),
            Verdict(outcome=Outcome.PENDING, contiguous=0, opens_epoch=True),
        ),
    ],
    ids=[
        "the next one",
        "the one others waited for",
        "the same again",
        "a predecessor is missing",
        "behind one that waits",
        "the very first",
        "the first of a new card",
        "a new stream seen from its third batch",
    ],
)
def test_what_becomes_of_an_honest_batch(came: Arrival, known: Stream, expected: Verdict) -> None:
    assert judge(came, known) == expected
    assert not expected.alarm


@pytest.mark.parametrize(
    ("came", "known", "refusal", "alarm"),
    [
        (arrival(), stream(stored=OTHER), Refusal.ALTERED, True),
        (arrival(), stream(stored=OTHER, before=OTHER), Refusal.ALTERED, True),
        (arrival(), stream(before=OTHER), Refusal.CHAIN_BROKEN, True),
        (arrival(), stream(after_previous=OTHER, run_end=3), Refusal.CHAIN_BROKEN, True),
        (arrival(1, ONE, OTHER), NEW, Refusal.CHAIN_BROKEN, True),
        (arrival(AHEAD_MAX + 2), stream(before=OTHER, run_end=AHEAD_MAX + 2), Refusal.CHAIN_BROKEN, True),
        (arrival(AHEAD_MAX + 2), stream(before=None, run_end=AHEAD_MAX + 2), Refusal.TOO_FAR, False),
        (
            FIRST,
            stream(opened=False, epochs=EPOCHS_MAX, contiguous=0, before=None, run_end=1),
            Refusal.TOO_MANY_EPOCHS,
            True,
        ),
    ],
)
def test_refusals_of_the_chain_win_in_their_order(
    came: Arrival,
    known: Stream,
    refusal: Refusal,
    alarm: bool,  # noqa: FBT001 - a column of the table
) -> None:
    verdict = judge(came, known)
    assert (verdict.outcome, verdict.refusal, verdict.alarm) == (Outcome.REFUSED, refusal, alarm)
    assert verdict.contiguous == known.contiguous
    assert not verdict.opens_epoch


def test_the_farthest_batch_allowed_is_accepted() -> None:
    last = AHEAD_MAX + 1
    assert judge(arrival(last), stream(before=None, run_end=last)).outcome is Outcome.PENDING


@pytest.mark.parametrize(
    ("key", "refusal"),
    [
        (None, Refusal.UNKNOWN_KEY),
        (Key(revoked=True, not_after=NOW), Refusal.REVOKED_KEY),
        (Key(revoked=True, not_after=None), Refusal.REVOKED_KEY),
        (Key(revoked=False, not_after=NOW), Refusal.EXPIRED_KEY),
        (Key(revoked=False, not_after=NOW - timedelta(days=1)), Refusal.EXPIRED_KEY),
        (Key(revoked=False, not_after=NOW + timedelta(microseconds=1)), None),
        (Key(revoked=False, not_after=None), None),
    ],
)
def test_a_key_signs_while_it_is_known_not_revoked_and_not_expired(key: Key | None, refusal: Refusal | None) -> None:
    assert judge_key(key, NOW) is refusal


def test_the_order_in_which_refusals_win_is_written_down() -> None:
    assert [str(refusal) for refusal in PRECEDENCE] == [
        "oversize",
        "malformed",
        "unknown_key",
        "bad_signature",
        "revoked_key",
        "expired_key",
        "bomb",
        "unreadable",
        "unknown_version",
        "foreign_gateway",
        "personal_altered",
        "altered",
        "chain_broken",
        "too_far",
        "too_many_epochs",
        "stale_challenge",
        "stale_version",
        "expired",
    ]


@pytest.mark.parametrize("place", range(len(PRECEDENCE) - 1))
def test_each_refusal_wins_over_all_that_follow_it(place: int) -> None:
    assert foremost(PRECEDENCE[place:]) is PRECEDENCE[place]
    assert foremost(tuple(reversed(PRECEDENCE[place:]))) is PRECEDENCE[place]


def test_nothing_that_proves_two_histories_is_tried_again() -> None:
    assert not TEMPORARY & {Refusal.ALTERED, Refusal.CHAIN_BROKEN, Refusal.BAD_SIGNATURE, Refusal.REVOKED_KEY}


def test_an_arrival_is_what_the_header_says() -> None:
    assert Arrival.of(header(4, OTHER), ONE) == Arrival(sequence=4, digest=ONE, previous_hash=OTHER)


def chain(name: str, length: int) -> list[Arrival]:
    """Return the batches of one honest gateway."""
    made, previous = [], GENESIS
    for sequence in range(1, length + 1):
        digest = sha256(f"{name} {sequence}".encode()).digest()
        made.append(Arrival(sequence=sequence, digest=digest, previous_hash=previous))
        previous = digest
    return made


class Streams(RuleBasedStateMachine):
    """Two honest epochs delivered in any order, doubled at will, with forgeries in between.

    The model is the sets of batches delivered; the machine under test sees only what a store would tell it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.honest = {epoch: chain(epoch, 12) for epoch in ("old", "new")}
        self.stored: dict[str, dict[int, Arrival]] = {}
        self.contiguous: dict[str, int] = {}
        self.delivered: dict[str, set[int]] = {"old": set(), "new": set()}
        self.replaced = 0

    sent = Bundle("sent")

    def known(self, epoch: str, sequence: int) -> Stream:
        held = self.stored.get(epoch, {})
        run_end = sequence
        while run_end + 1 in held:
            run_end += 1
        at, before, after = held.get(sequence), held.get(sequence - 1), held.get(sequence + 1)
        return Stream(
            opened=epoch in self.stored,
            epochs=len(self.stored),
            contiguous=self.contiguous.get(epoch, 0),
            stored=at.digest if at else None,
            before=before.digest if before else None,
            after_previous=after.previous_hash if after else None,
            run_end=run_end,
        )

    def deliver(self, epoch: str, came: Arrival) -> Verdict:
        verdict = judge(came, self.known(epoch, came.sequence))
        if verdict.outcome in {Outcome.STORED, Outcome.PENDING}:
            assert verdict.opens_epoch == (epoch not in self.stored)
            self.replaced += verdict.replaces_epoch
            self.stored.setdefault(epoch, {})[came.sequence] = came
            self.contiguous[epoch] = verdict.contiguous
        return verdict

    @rule(target=sent, epoch=st.sampled_from(["old", "new"]), place=st.integers(0, 11))
    def an_honest_batch_arrives(self, epoch: str, place: int) -> tuple[str, Arrival]:
        came = self.honest[epoch][place]
        verdict = self.deliver(epoch, came)
        if came.sequence in self.delivered[epoch]:
            assert verdict.outcome is Outcome.REPEATED
        else:
            assert verdict.outcome in {Outcome.STORED, Outcome.PENDING}
        self.delivered[epoch].add(came.sequence)
        return epoch, came

    @rule(batch=sent)
    def a_batch_arrives_again(self, batch: tuple[str, Arrival]) -> None:
        before = (dict(self.contiguous), {epoch: dict(held) for epoch, held in self.stored.items()})
        assert self.deliver(*batch).outcome is Outcome.REPEATED
        assert before == (self.contiguous, self.stored)

    @rule(batch=sent, digest=st.binary(min_size=32, max_size=32))
    def a_known_sequence_arrives_with_another_hash(self, batch: tuple[str, Arrival], digest: bytes) -> None:
        epoch, came = batch
        forged = Arrival(sequence=came.sequence, digest=digest, previous_hash=came.previous_hash)
        verdict = self.deliver(epoch, forged)
        assert (verdict.refusal, verdict.alarm) == (Refusal.ALTERED, True)

    @rule(batch=sent, digest=st.binary(min_size=32, max_size=32))
    def a_batch_arrives_that_follows_another_history(self, batch: tuple[str, Arrival], digest: bytes) -> None:
        epoch, came = batch
        if came.sequence + 1 in self.delivered[epoch]:
            return
        forged = Arrival(sequence=came.sequence + 1, digest=digest, previous_hash=b"f" * 32)
        assert self.deliver(epoch, forged).refusal is Refusal.CHAIN_BROKEN

    @invariant()
    def the_watermark_stands_at_the_first_gap(self) -> None:
        for epoch, numbers in self.delivered.items():
            expected = next(n for n in range(14) if n + 1 not in numbers)
            assert self.contiguous.get(epoch, 0) == expected

    @invariant()
    def what_is_stored_is_what_was_honestly_delivered(self) -> None:
        for epoch, numbers in self.delivered.items():
            assert set(self.stored.get(epoch, {})) == numbers

    @invariant()
    def a_second_epoch_is_linked_once(self) -> None:
        assert self.replaced == max(len(self.stored) - 1, 0)


TestStreams = Streams.TestCase
TestStreams.settings = settings(max_examples=60, stateful_step_count=40)
