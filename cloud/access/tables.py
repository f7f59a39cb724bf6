"""Rows of doors, piles, card permits, acts and charges. Private to the domain.

A card never stands here: a permit keeps its hash, an act names the personal item that holds it. No row of this domain
knows what anybody owes, and none may (promise 9).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud.access.kinds import ChargeState, PlaceKind
from cloud.kit.tables import CommunityRow, table_flags

_PLACE = ["access_place.tenant_id", "access_place.community_id", "access_place.place"]


class AccessPlaceRow(CommunityRow):
    """A door or a charging pile and the gateway that works it."""

    __tablename__ = "access_place"

    place: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[PlaceKind]
    gateway_id: Mapped[UUID]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("tenant_id", "place"),
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        ForeignKeyConstraint(["tenant_id", "gateway_id"], ["gateway.tenant_id", "gateway.gateway_id"]),
        table_flags(),
    )


class AccessPermitRow(CommunityRow):
    """What a card opens, from an instant to another, and the premises whose household it is."""

    __tablename__ = "access_permit"

    permit_id: Mapped[UUID] = mapped_column(primary_key=True)
    card_sha: Mapped[str]
    premises_id: Mapped[UUID | None]
    places: Mapped[list[Any]]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("valid_from < valid_to", name="validity"),
        CheckConstraint("length(card_sha) = 64", name="sha"),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "premises_id"],
            ["premises.tenant_id", "premises.community_id", "premises.premises_id"],
        ),
        Index("ix_access_permit_card", "tenant_id", "community_id", "card_sha"),
        table_flags(),
    )


class AccessActRow(CommunityRow):
    """One act at a door, as a gateway reported it, with the batch it came in."""

    __tablename__ = "access_act"

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    place: Mapped[str]
    at: Mapped[datetime]
    decision: Mapped[str]
    reason: Mapped[str]
    holder: Mapped[UUID | None]
    gateway_id: Mapped[UUID]
    store_epoch: Mapped[int]
    sequence: Mapped[int]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id", "place"], _PLACE),
        Index("ix_access_act_at", "tenant_id", "community_id", "at"),
        table_flags(append_only=True),
    )


class PileChargeRow(CommunityRow):
    """One record of a charge at a pile, as a gateway sealed it."""

    __tablename__ = "pile_charge"

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID | None]
    place: Mapped[str]
    connector: Mapped[int]
    what: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    energy_wh: Mapped[int]
    idle_minutes: Mapped[int]
    reason: Mapped[str]
    state: Mapped[ChargeState]
    premises_id: Mapped[UUID | None]
    quote_fen: Mapped[int | None]
    gateway_id: Mapped[UUID]
    store_epoch: Mapped[int]
    sequence: Mapped[int]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("(state = 'charged') <= (premises_id is not null)", name="charged_to_premises"),
        ForeignKeyConstraint(["tenant_id", "community_id", "place"], _PLACE),
        Index("ix_pile_charge_session", "tenant_id", "community_id", "session_id"),
        table_flags(append_only=True),
    )
