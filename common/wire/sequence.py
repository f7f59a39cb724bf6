"""The sequence machine: what becomes of a batch, given what is known of its key and its stream.

A stream is (gateway, store epoch); a batch in it has a sequence, a digest and the digest of the batch before. Pure:
the shell looks up the few facts of `Key` and `Stream`, and stores what the verdict says.

    known sequence, same digest       -> repeated   the stored receipt again, nothing changes
    known sequence, other digest      -> refused    ALTERED, alarm
    follows the watermark             -> stored     the watermark moves over it and all that waited behind
    a predecessor is missing          -> pending    kept; the watermark and billing wait, the gap is asked for
    neighbours do not chain           -> refused    CHAIN_BROKEN, alarm
    first batch of an unknown epoch   -> as above, and the epoch is opened once, linked to the one before

Refusals win in the order of `refusal.Refusal`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from common.errors import ensure
from common.wire.batch import GENESIS, BatchHeader
from common.wire.limits import AHEAD_MAX, EPOCHS_MAX
from common.wire.refusal import Refusal, foremost


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What the directory knows of a gateway's key. `not_after` is the first instant it no longer signs."""

    revoked: bool
    not_after: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What the machine looks at of a batch that came."""

    sequence: int
    digest: bytes
    previous_hash: bytes

    @classmethod
    def of(cls, header: BatchHeader, digest: bytes) -> Arrival:
        """Return the arrival of an unpacked header."""
        return cls(sequence=header.sequence, digest=digest, previous_hash=header.previous_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What the store knows around an arrival.

    Attributes:
        opened: a batch of this epoch was stored before.
        epochs: how many epochs of the gateway are known, this one included when opened.
        contiguous: the watermark; all sequences up to it are stored and chained. 0 for a new stream.
        stored: digest stored under the arrival's own sequence, None when it is new.
        before: digest stored under the sequence before it, None when missing.
        after_previous: what the batch stored under the next sequence names as its predecessor, None when missing.
        run_end: the last sequence of the unbroken stored run that begins right after the arrival; the arrival's own
            sequence when nothing is stored there.
    """

    opened: bool
    epochs: int
    contiguous: int
    stored: bytes | None
    before: bytes | None
    after_previous: bytes | None
    run_end: int


class Outcome(StrEnum):
    """What becomes of a batch."""

    STORED = "stored"
    PENDING = "pending"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The machine's answer: the outcome, the watermark after it, and what must be raised."""

    outcome: Outcome
    contiguous: int
    refusal: Refusal | None = None
    opens_epoch: bool = False
    replaces_epoch: bool = False  # the epoch opens while another is known: linked and raised as a case

    @property
    def alarm(self) -> bool:
        """Return whether a person must look: two different histories were signed with one key."""
        return self.refusal in {Refusal.ALTERED, Refusal.CHAIN_BROKEN, Refusal.TOO_MANY_EPOCHS}


def judge_key(key: Key | None, now: datetime) -> Refusal | None:
    """Return why a key may not sign now, or None. A revoked key is told from an expired one."""
    if key is None:
        return Refusal.UNKNOWN_KEY
    if key.revoked:
        return Refusal.REVOKED_KEY
    if key.not_after is not None and now >= key.not_after:
        return Refusal.EXPIRED_KEY
    return None


def judge(arrival: Arrival, stream: Stream) -> Verdict:
    """Return what becomes of a verified batch in its stream."""
    ensure(stream.run_end >= arrival.sequence, "a run begins at the arrival")
    ensure(stream.opened or stream.contiguous == 0, "an unknown epoch has no watermark")
    if stream.stored is not None and stream.stored == arrival.digest:
        return Verdict(outcome=Outcome.REPEATED, contiguous=stream.contiguous)
    if refusals := _refusals(arrival, stream):
        return Verdict(outcome=Outcome.REFUSED, contiguous=stream.contiguous, refusal=foremost(refusals))
    follows = arrival.sequence == stream.contiguous + 1
    return Verdict(
        outcome=Outcome.STORED if follows else Outcome.PENDING,
        contiguous=stream.run_end if follows else stream.contiguous,
        opens_epoch=not stream.opened,
        replaces_epoch=not stream.opened and stream.epochs > 0,
    )


def _refusals(arrival: Arrival, stream: Stream) -> list[Refusal]:
    """Return every reason against a batch that is not a repetition."""
    found = []
    if stream.stored is not None:
        found.append(Refusal.ALTERED)
    expected = GENESIS if arrival.sequence == 1 else stream.before
    if expected is not None and arrival.previous_hash != expected:
        found.append(Refusal.CHAIN_BROKEN)
    if stream.after_previous is not None and stream.after_previous != arrival.digest:
        found.append(Refusal.CHAIN_BROKEN)
    if arrival.sequence > stream.contiguous + AHEAD_MAX:
        found.append(Refusal.TOO_FAR)
    if not stream.opened and stream.epochs >= EPOCHS_MAX:
        found.append(Refusal.TOO_MANY_EPOCHS)
    return found
