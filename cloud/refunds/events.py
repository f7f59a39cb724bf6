"""What refunds say has happened."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cloud.kit.events import Event
from cloud.refunds.rules import RefundSource, RefundState
from common.ids import AccountId, CommunityId


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundMoved(Event):
    """A refund has come to a state; `source_id` is the account or the deposit it is taken from."""

    community_id: CommunityId
    account_id: AccountId
    refund_id: UUID
    source: RefundSource
    source_id: UUID
    state: RefundState
    amount_fen: int
