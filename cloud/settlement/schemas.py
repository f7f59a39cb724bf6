"""What the endpoints of settlements take and answer."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.settlement.values import FinalReading, MoveOut, Statement
from common.ids import AccountId, MeterId

Milli = Annotated[int, Field(ge=0, lt=1 << 50)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReadingIn(_In):
    """What a dial showed when the party left, in thousandths before the multiplier."""

    meter_id: UUID
    value_milli: Milli


class MoveOutIn(_In):
    """Who leaves on which day, the first it is gone."""

    settlement_id: UUID
    gone_on: date
    readings: Annotated[list[ReadingIn], Field(max_length=20)] = []
    inspection: Annotated[str, Field(max_length=500)] = ""

    def value(self, account_id: UUID) -> MoveOut:
        """Return the move-out as a value."""
        return MoveOut(
            settlement_id=self.settlement_id,
            account_id=AccountId(account_id),
            gone_on=self.gone_on,
            readings=tuple(
                FinalReading(meter_id=MeterId(one.meter_id), value_milli=one.value_milli) for one in self.readings
            ),
            inspection=self.inspection,
        )


class SettlementIn(MoveOutIn):
    """The same with the hash of the statement that was seen."""

    preview_sha: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class StatementLineOut(BaseModel):
    """One open line."""

    number: str
    name_zh: str
    name_en: str
    service: str
    fen: int


class StatementOut(BaseModel):
    """What is owed, what is held, and what goes which way."""

    gone_on: date
    final_number: str | None
    final_fen: int
    owed: list[StatementLineOut]
    owed_fen: int
    ahead_fen: int
    deposit_fen: int
    from_deposit_fen: int
    refund_fen: int
    still_owed_fen: int
    sha: str

    @classmethod
    def of(cls, one: Statement) -> StatementOut:
        """Return what is answered for a statement."""
        return cls(
            gone_on=one.gone_on,
            final_number=one.final_number,
            final_fen=one.final_fen,
            owed=[
                StatementLineOut(
                    number=line.number, name_zh=line.name_zh, name_en=line.name_en, service=line.service, fen=line.fen
                )
                for line in one.owed
            ],
            owed_fen=one.owed_fen,
            ahead_fen=one.ahead_fen,
            deposit_fen=one.deposit_fen,
            from_deposit_fen=one.from_deposit_fen,
            refund_fen=one.refund_fen,
            still_owed_fen=one.still_owed_fen,
            sha=one.sha.hex(),
        )
