"""What residents read of the owners' funds. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from cloud.tariffs.charge import FundClass
from common.civil import Period
from common.errors import RefusalError
from common.ids import ChargeItemId, CommunityId
from common.money.amount import check_int64

TEXT_LENGTH_MAX = 200
OWNERS_FUNDS = (FundClass.COMMON_INCOME, FundClass.MAINTENANCE)


class EntryKind(StrEnum):
    """Which way money of a fund went."""

    INCOME = "income"
    SPENDING = "spending"


@dataclass(frozen=True, slots=True, kw_only=True)
class FundEntry:
    """Money that came into or went out of an owners' fund without a bill: rent of an advertisement, a repair paid.

    `evidence` names the paper behind it, such as a contract or an invoice; `entry_id` is made where the act begins.
    """

    entry_id: UUID
    community_id: CommunityId
    charge_item_id: ChargeItemId
    kind: EntryKind
    fen: int
    day: date
    words_zh: str
    words_en: str
    evidence: str

    def __post_init__(self) -> None:
        """Check amount and words.

        Raises:
            RefusalError: one of them cannot be.
        """
        if check_int64(self.fen, "entry") <= 0:
            raise RefusalError("an entry is above zero; say by its kind which way the money went")
        for text in (self.words_zh, self.words_en, self.evidence):
            if not 0 < len(text.strip()) <= TEXT_LENGTH_MAX:
                raise RefusalError(f"an entry has words in both languages and evidence, each up to {TEXT_LENGTH_MAX}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FundLine:
    """What one charge item brought into a fund in a period, billed to households and otherwise, and what was spent."""

    charge_item_id: ChargeItemId
    name_zh: str
    name_en: str
    billed_fen: int
    other_income_fen: int
    spent_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FundReport:
    """An owners' fund over a period: what it held at the beginning, what came and went, what it holds at the end."""

    fund: FundClass
    period: Period
    before_fen: int
    lines: tuple[FundLine, ...]
    entries: tuple[FundEntry, ...]

    @property
    def income_fen(self) -> int:
        """Return all income of the period."""
        return sum(line.billed_fen + line.other_income_fen for line in self.lines)

    @property
    def spent_fen(self) -> int:
        """Return all spending of the period."""
        return sum(line.spent_fen for line in self.lines)

    @property
    def after_fen(self) -> int:
        """Return what the fund holds at the end."""
        return self.before_fen + self.income_fen - self.spent_fen
