"""The words and values of arrears: what a wish for relief is and where it stands. Pure; no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cloud.ledger.journals import LineRef
from common.errors import RefusalError
from common.ids import AccountId

REASON_LENGTH_MAX = 500
LINES_MAX = 200


class ReliefKind(StrEnum):
    """A waiver takes a charge back as if it had not been made; a write-off gives up a debt that stands."""

    WAIVER = "waiver"
    WRITE_OFF = "write_off"


class ReliefState(StrEnum):
    """Where a wish for relief stands."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


MOVES: Mapping[ReliefState, frozenset[ReliefState]] = {
    ReliefState.ASKED: frozenset({ReliefState.GRANTED, ReliefState.REFUSED}),
    ReliefState.GRANTED: frozenset(),
    ReliefState.REFUSED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RelievedLine:
    """A part of an open bill line that is to be waived or written off."""

    line: LineRef
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliefWish:
    """What somebody asks for; `relief_id` is made where the act begins."""

    relief_id: UUID
    account_id: AccountId
    kind: ReliefKind
    lines: tuple[RelievedLine, ...]
    reason: str

    def __post_init__(self) -> None:
        """Check lines and reason.

        Raises:
            RefusalError: one of them cannot be.
        """
        if not 0 < len(self.lines) <= LINES_MAX:
            raise RefusalError(f"relief is of 1 to {LINES_MAX} lines; name them")
        if len({one.line for one in self.lines}) != len(self.lines):
            raise RefusalError("a line is named twice; name each once")
        if any(one.fen <= 0 for one in self.lines):
            raise RefusalError("relief of a line is above zero")
        if not 0 < len(self.reason.strip()) <= REASON_LENGTH_MAX:
            raise RefusalError(f"relief has a reason of at most {REASON_LENGTH_MAX} characters; write why")

    @property
    def total_fen(self) -> int:
        """Return the sum of the lines."""
        return sum(one.fen for one in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relief:
    """A wish for relief as it stands."""

    wish: ReliefWish
    community_id: UUID
    state: ReliefState
    asked_at: datetime
    asked_by: UUID
    decided_at: datetime | None
    decided_by: UUID | None
    note: str
