"""Access as it crosses HTTP. A card comes in to be hashed and never goes out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cloud.access.kinds import ChargeState, PlaceKind
from cloud.access.service import CardDraft
from common.ids import CommunityId, PremisesId

PlaceName = Annotated[str, Field(min_length=1, max_length=60)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PlaceIn(_In):
    """A door or a pile to be registered."""

    place: PlaceName
    kind: PlaceKind
    gateway_id: UUID


class PlaceOut(BaseModel):
    """A door or a pile."""

    place: str
    kind: PlaceKind


class CardIn(_In):
    """A card permit to be given."""

    card: Annotated[str, Field(min_length=1, max_length=64)]
    premises_id: UUID | None = None
    places: Annotated[tuple[PlaceName, ...], Field(min_length=1, max_length=64)]
    valid_from: AwareDatetime
    valid_to: AwareDatetime

    def draft(self, community_id: CommunityId) -> CardDraft:
        """Return the permit as the domain takes it."""
        return CardDraft(
            community_id=community_id,
            card=self.card,
            premises_id=None if self.premises_id is None else PremisesId(self.premises_id),
            places=self.places,
            valid_from=self.valid_from.astimezone(UTC),
            valid_to=self.valid_to.astimezone(UTC),
        )


class RevokeIn(_In):
    """Why a permit is revoked."""

    reason: Annotated[str, Field(min_length=1, max_length=300)]


class CardOut(BaseModel):
    """A card permit; the card is named by its hash."""

    permit_id: UUID
    card_sha: str
    premises_id: UUID | None
    places: tuple[str, ...]
    valid_from: datetime
    valid_to: datetime
    revoked_at: datetime | None


class ChargeOut(BaseModel):
    """A charge at a pile."""

    session_id: UUID | None
    place: str
    connector: int
    what: str
    started_at: datetime
    ended_at: datetime
    energy_wh: int
    idle_minutes: int
    reason: str
    state: ChargeState
    premises_id: UUID | None
    quote_fen: int | None
