"""The words and values of charges. Pure; no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from cloud.tariffs.assignment import Target
from common.civil import Period
from common.errors import RefusalError
from common.ids import BillId, ChargeItemId, CommunityId, PremisesId
from common.money.amount import check_int64

TITLE_LENGTH_MAX = 100
REFERENCE_LENGTH_MAX = 100
TARGETS_MAX = 1_000


class Sharing(StrEnum):
    """How the amount of a one-off charge falls on households: the same for each, or a total split by a weight."""

    EACH = "each"
    BY_HOUSEHOLD = "by_household"
    BY_AREA = "by_area"
    BY_PERSONS = "by_persons"
    BY_COEFFICIENT = "by_coefficient"


class ChargeState(StrEnum):
    """Where a one-off charge stands; only a draft is thrown away, what is issued is taken back by credits."""

    DRAFT = "draft"
    ISSUED = "issued"
    DROPPED = "dropped"
    WITHDRAWN = "withdrawn"


MOVES: Mapping[ChargeState, frozenset[ChargeState]] = {
    ChargeState.DRAFT: frozenset({ChargeState.ISSUED, ChargeState.DROPPED}),
    ChargeState.ISSUED: frozenset({ChargeState.WITHDRAWN}),
    ChargeState.DROPPED: frozenset(),
    ChargeState.WITHDRAWN: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Which premises a charge is for: the targets, and everybody in the named groups; neither means all."""

    targets: tuple[Target, ...] = ()
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the bound."""
        if len(self.targets) + len(self.groups) > TARGETS_MAX:
            raise RefusalError(f"a charge names at most {TARGETS_MAX} targets; make a group of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOneOff:
    """A one-off charge to draft; `charge_id` is made where the act begins.

    `amount_fen` is what each household pays, or with a weight the total that is split to the fen. `reference` names
    the paper behind it, such as the number of an invoice.
    """

    charge_id: UUID
    community_id: CommunityId
    charge_item_id: ChargeItemId
    name_zh: str
    name_en: str
    sharing: Sharing
    amount_fen: int
    coverage: Coverage
    service: Period
    due_on: date
    reference: str = ""

    def __post_init__(self) -> None:
        """Check names, amount and days.

        Raises:
            RefusalError: one of them cannot be.
        """
        for name in (self.name_zh, self.name_en):
            if not 0 < len(name.strip()) <= TITLE_LENGTH_MAX:
                raise RefusalError(f"a charge has a name of 1 to {TITLE_LENGTH_MAX} characters in both languages")
        if len(self.reference) > REFERENCE_LENGTH_MAX:
            raise RefusalError(f"a reference has at most {REFERENCE_LENGTH_MAX} characters")
        if check_int64(self.amount_fen, "charge") <= 0:
            raise RefusalError("a charge is above zero; to give money back, withdraw what was issued")


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOff:
    """A one-off charge as it stands."""

    new: NewOneOff
    state: ChargeState
    drafted_at: datetime
    issued_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdShare:
    """What one party at some premises is to pay of a one-off charge; the weight is in thousandths."""

    premises_id: PremisesId
    label: str
    weight_milli: int
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unshared:
    """Premises that stop a split because something about them is not known, in both languages."""

    premises_id: PremisesId
    label: str
    why_zh: str
    why_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A named group of premises, such as the owners who voted for a lift."""

    code: str
    name: str
    premises: frozenset[PremisesId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What residents are told before it holds; it is for all, or for the premises named."""

    announcement_id: UUID
    community_id: CommunityId
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    holds_from: date
    premises: frozenset[PremisesId] | None
    published_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCharge:
    """A document of a one-off charge."""

    bill_id: BillId
    number: str
    fen: int
