"""The words and values of arrears: wishes for relief, agreements to pay by instalments. Pure; no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from cloud.ledger.journals import LineRef
from common.errors import RefusalError
from common.ids import AccountId, CommunityId

REASON_LENGTH_MAX = 500
LINES_MAX = 200
INSTALMENTS_MAX = 36


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


class LateRule(StrEnum):
    """What an agreement says of late charges on the debts it covers."""

    FORGIVEN_IF_KEPT = "forgiven_if_kept"
    CHARGED = "charged"


class AgreementState(StrEnum):
    """Where an agreement stands: asked for, in force, or how it ended."""

    ASKED = "asked"
    AGREED = "agreed"
    KEPT = "kept"
    BROKEN = "broken"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


AGREEMENT_MOVES: Mapping[AgreementState, frozenset[AgreementState]] = {
    AgreementState.ASKED: frozenset({AgreementState.AGREED, AgreementState.REFUSED, AgreementState.WITHDRAWN}),
    AgreementState.AGREED: frozenset({AgreementState.KEPT, AgreementState.BROKEN}),
    AgreementState.KEPT: frozenset(),
    AgreementState.BROKEN: frozenset(),
    AgreementState.REFUSED: frozenset(),
    AgreementState.WITHDRAWN: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """One payment of a plan: how much is to be paid by the end of a day."""

    due_on: date
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementWish:
    """What somebody proposes: all that an account owes past its due day, in equal parts a month apart.

    `agreement_id` is made where the act begins. The sums are computed here, never taken from a browser.
    """

    agreement_id: UUID
    account_id: AccountId
    parts: int
    first_on: date
    late_rule: LateRule
    reason: str

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            RefusalError: one of them cannot be.
        """
        if not 1 < self.parts <= INSTALMENTS_MAX:
            raise RefusalError(f"an agreement has 2 to {INSTALMENTS_MAX} instalments")
        if not 0 < len(self.reason.strip()) <= REASON_LENGTH_MAX:
            raise RefusalError(f"an agreement has a reason of at most {REASON_LENGTH_MAX} characters; write why")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """An agreement to pay arrears by instalments: the debts it covers, as they stood when it was asked for."""

    agreement_id: UUID
    community_id: CommunityId
    account_id: AccountId
    lines: tuple[RelievedLine, ...]
    plan: tuple[Instalment, ...]
    late_rule: LateRule
    reason: str
    state: AgreementState
    asked_at: datetime
    asked_by: UUID
    decided_at: datetime | None
    decided_by: UUID | None
    ended_at: datetime | None
    note: str

    @property
    def total_fen(self) -> int:
        """Return the sum of the debts."""
        return sum(line.fen for line in self.lines)
