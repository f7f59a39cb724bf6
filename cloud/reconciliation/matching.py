"""Matching our book against a channel's trade bill: values in, matches, breaks and waiting rows out.

A row is known by its number and its kind (payment or refund); time never matches alone and the tolerance on amounts is
zero. It is a hash join: linear in rows, whatever their order. A one-sided row of the last half hour before midnight
waits for the next day, because the two sides may cut the day differently; any other one-sided row is a break at once.
A break that a later bill explains closes itself where its class allows it; it never waits in silence.

No database, no clock, no framework.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from common.errors import ensure

DAY_CUT = timedelta(minutes=30)
WHOLE_BASIS_POINTS = 10_000


class EntryKind(StrEnum):
    """Which way the money went."""

    PAYMENT = "payment"
    REFUND = "refund"


class BreakClass(StrEnum):
    """How two books can disagree about one number."""

    LOST_NOTIFICATION = "lost_notification"  # channel paid, our attempt is open or closed (掉单)
    CHANNEL_ONLY = "channel_only"  # channel paid, the number is not ours
    BOOK_ONLY = "book_only"  # booked here, the channel has nothing
    AMOUNT_DIFFERS = "amount_differs"
    STATE_DIFFERS = "state_differs"  # a refund done at one side only
    DOUBLED_ROW = "doubled_row"  # the bill names one number twice


class FirstAction(StrEnum):
    """What is done first about a break."""

    ASK_CHANNEL = "ask_channel"
    LOOK_FOR_OTHER_SYSTEM = "look_for_other_system"
    FREEZE = "freeze"
    FETCH_AGAIN = "fetch_again"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakRule:
    """What a class of break asks for; `closes_itself` when a later run finds agreement."""

    first_action: FirstAction
    closes_itself: bool


BREAK_RULES: Mapping[BreakClass, BreakRule] = MappingProxyType(
    {
        BreakClass.LOST_NOTIFICATION: BreakRule(first_action=FirstAction.ASK_CHANNEL, closes_itself=True),
        BreakClass.CHANNEL_ONLY: BreakRule(first_action=FirstAction.LOOK_FOR_OTHER_SYSTEM, closes_itself=False),
        BreakClass.BOOK_ONLY: BreakRule(first_action=FirstAction.ASK_CHANNEL, closes_itself=True),
        BreakClass.AMOUNT_DIFFERS: BreakRule(first_action=FirstAction.FREEZE, closes_itself=False),
        BreakClass.STATE_DIFFERS: BreakRule(first_action=FirstAction.ASK_CHANNEL, closes_itself=True),
        BreakClass.DOUBLED_ROW: BreakRule(first_action=FirstAction.FETCH_AGAIN, closes_itself=True),
    }
)
ensure(set(BREAK_RULES) == set(BreakClass), "every class of break has a rule")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryKey:
    """What a row is known by on both sides."""

    number: str
    kind: EntryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class BookEntry:
    """A payment or refund as our book has it; a reserved refund is not done yet."""

    key: EntryKey
    fen: int
    at: datetime
    object_id: UUID
    done: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelEntry:
    """A row of a trade bill; `statement_id` and `line` say which."""

    key: EntryKey
    fen: int
    at: datetime
    statement_id: UUID
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Both sides say the same about one number."""

    book: BookEntry
    channel: ChannelEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """The two sides disagree about one number; the side that has nothing is None."""

    kind: BreakClass
    key: EntryKey
    book: BookEntry | None
    channel: ChannelEntry | None

    @property
    def fen(self) -> int:
        """Return the money at risk: what the larger side states."""
        return max(self.book.fen if self.book else 0, self.channel.fen if self.channel else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A one-sided row that the neighbouring day may explain."""

    key: EntryKey
    fen: int
    book: BookEntry | None
    channel: ChannelEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The channel's calendar day `[start, end)` as instants."""

    start: datetime
    end: datetime

    def is_cut(self, at: datetime) -> bool:
        """Return whether the next day's bill may hold what happened at the instant."""
        return self.end - DAY_CUT <= at


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What is compared: both sides of the day with what earlier days left waiting, and our numbers not booked."""

    book: Sequence[BookEntry]
    channel: Sequence[ChannelEntry]
    known_unbooked: Mapping[EntryKey, UUID] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the comparison found; every row of either side is in exactly one of the three."""

    matches: tuple[Match, ...]
    breaks: tuple[Break, ...]
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts and sums of an outcome, in rows and fen."""

    matched_rows: int
    matched_fen: int
    waiting_rows: int
    waiting_fen: int
    open_breaks: int
    open_fen: int

    @property
    def explained_basis_points(self) -> int:
        """Return how much is explained in hundredths of a percent: 10000 only when nothing at all is open."""
        if not self.open_breaks:
            return WHOLE_BASIS_POINTS
        explained_fen = self.matched_fen + self.waiting_fen
        share = WHOLE_BASIS_POINTS * explained_fen // (explained_fen + self.open_fen or 1)
        return min(share, WHOLE_BASIS_POINTS - 1)


def match_day(sides: Sides, day: Day) -> Outcome:
    """Compare both sides of a day."""
    book = {entry.key: entry for entry in sides.book}
    ensure(len(book) == len(sides.book), "our book names each number once")
    channel, doubled = _first_of_each(sides.channel)
    matches: list[Match] = []
    breaks: list[Break] = list(doubled)
    waiting: list[Waiting] = []
    for key, theirs in channel.items():
        ours = book.pop(key, None)
        found: Match | Break | Waiting = (
            _channel_only(theirs, sides.known_unbooked, day) if ours is None else _compared(ours, theirs)
        )
        match found:
            case Match():
                matches.append(found)
            case Break():
                breaks.append(found)
            case Waiting():
                waiting.append(found)
    for ours in book.values():
        if not ours.done:
            continue
        if day.is_cut(ours.at):
            waiting.append(Waiting(key=ours.key, fen=ours.fen, book=ours, channel=None))
        else:
            breaks.append(Break(kind=BreakClass.BOOK_ONLY, key=ours.key, book=ours, channel=None))
    return Outcome(matches=tuple(matches), breaks=tuple(breaks), waiting=tuple(waiting))


def figures(outcome: Outcome, closed: Iterable[EntryKey] = ()) -> Figures:
    """Return the sums of an outcome; breaks that a person closed by name count as explained."""
    settled = set(closed)
    open_breaks = [broken for broken in outcome.breaks if broken.key not in settled]
    return Figures(
        matched_rows=len(outcome.matches),
        matched_fen=sum(pair.channel.fen for pair in outcome.matches),
        waiting_rows=len(outcome.waiting),
        waiting_fen=sum(row.fen for row in outcome.waiting),
        open_breaks=len(open_breaks),
        open_fen=sum(broken.fen for broken in open_breaks),
    )


def _first_of_each(rows: Sequence[ChannelEntry]) -> tuple[dict[EntryKey, ChannelEntry], list[Break]]:
    first: dict[EntryKey, ChannelEntry] = {}
    doubled = []
    for row in rows:
        if row.key in first:
            doubled.append(Break(kind=BreakClass.DOUBLED_ROW, key=row.key, book=None, channel=row))
        else:
            first[row.key] = row
    return first, doubled


def _compared(ours: BookEntry, theirs: ChannelEntry) -> Match | Break:
    if ours.fen != theirs.fen:
        return Break(kind=BreakClass.AMOUNT_DIFFERS, key=ours.key, book=ours, channel=theirs)
    if not ours.done:
        return Break(kind=BreakClass.STATE_DIFFERS, key=ours.key, book=ours, channel=theirs)
    return Match(book=ours, channel=theirs)


def _channel_only(theirs: ChannelEntry, known_unbooked: Mapping[EntryKey, UUID], day: Day) -> Break | Waiting:
    if theirs.key in known_unbooked:
        return Break(kind=BreakClass.LOST_NOTIFICATION, key=theirs.key, book=None, channel=theirs)
    if day.is_cut(theirs.at):
        return Waiting(key=theirs.key, fen=theirs.fen, book=None, channel=theirs)
    return Break(kind=BreakClass.CHANNEL_ONLY, key=theirs.key, book=None, channel=theirs)
