"""What a move-out settlement is made of. Pure values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from common.errors import RefusalError
from common.ids import AccountId, MeterId

READINGS_MAX = 20
EVIDENCE_LENGTH_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalReading:
    """What a dial showed when the party left, in thousandths before the multiplier."""

    meter_id: MeterId
    value_milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOut:
    """Who leaves on which day, the first it is gone; the dials then, and what the inspection found."""

    settlement_id: UUID
    account_id: AccountId
    gone_on: date
    readings: tuple[FinalReading, ...] = ()
    inspection: str = ""

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            RefusalError: too many readings, a meter twice, or too long a text.
        """
        if len(self.readings) > READINGS_MAX or len({one.meter_id for one in self.readings}) != len(self.readings):
            raise RefusalError(f"give at most {READINGS_MAX} readings, each meter once")
        if len(self.inspection) > EVIDENCE_LENGTH_MAX:
            raise RefusalError(f"what the inspection found has at most {EVIDENCE_LENGTH_MAX} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One line of the statement: an open bill line, or one of the last bill."""

    number: str
    name_zh: str
    name_en: str
    service: str
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is owed, what is held, and what goes which way; every amount in fen.

    `refund_fen` is what the party gets once the deposit is free, `still_owed_fen` what it has to pay.
    """

    gone_on: date
    final_number: str | None
    final_fen: int
    owed: tuple[StatementLine, ...]
    owed_fen: int
    ahead_fen: int
    deposit_fen: int
    from_deposit_fen: int
    refund_fen: int
    still_owed_fen: int

    def to_plain(self) -> Mapping[str, Any]:
        """Return the statement as it is kept."""
        return {
            "gone_on": self.gone_on.isoformat(),
            "final_number": self.final_number,
            "final_fen": self.final_fen,
            "owed": [[line.number, line.name_zh, line.name_en, line.service, line.fen] for line in self.owed],
            "owed_fen": self.owed_fen,
            "ahead_fen": self.ahead_fen,
            "deposit_fen": self.deposit_fen,
            "from_deposit_fen": self.from_deposit_fen,
            "refund_fen": self.refund_fen,
            "still_owed_fen": self.still_owed_fen,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Statement:
        """Return a statement that was kept."""
        return cls(
            gone_on=date.fromisoformat(plain["gone_on"]),
            final_number=plain["final_number"],
            final_fen=plain["final_fen"],
            owed=tuple(
                StatementLine(number=number, name_zh=zh, name_en=en, service=service, fen=fen)
                for number, zh, en, service, fen in plain["owed"]
            ),
            owed_fen=plain["owed_fen"],
            ahead_fen=plain["ahead_fen"],
            deposit_fen=plain["deposit_fen"],
            from_deposit_fen=plain["from_deposit_fen"],
            refund_fen=plain["refund_fen"],
            still_owed_fen=plain["still_owed_fen"],
        )

    @property
    def sha(self) -> bytes:
        """Return the SHA-256 over the amounts, so that what was seen is what is settled.

        The number of the last bill is taken only when it is issued, so it is left out.
        """
        plain = {**self.to_plain(), "final_number": None}
        plain["owed"] = [line[1:] for line in plain["owed"]]
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).digest()
