"""What mandates say has happened: the payer is told of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from cloud.kit.events import Event
from common.ids import AccountId, CommunityId


@dataclass(frozen=True, slots=True, kw_only=True)
class DebitAnnounced(Event):
    """An amount will be taken from a day on, at most this much, unless it is paid before."""

    community_id: CommunityId
    account_id: AccountId
    debit_id: UUID
    amount_fen: int
    first_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DebitFailed(Event):
    """An announced amount could not be taken on any of its days; the bills stay open."""

    community_id: CommunityId
    account_id: AccountId
    debit_id: UUID
    amount_fen: int
    execute_on: date
