"""Rows of lots, permits, acts and stays. Private to the domain.

A plate never stands here: an act names the personal item that holds it, a permit the hash by which the gate knows it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import CommunityRow, Fen, table_flags
from cloud.parking.kinds import Act, Settlement, StayState, VehicleClass

_LOT = ["parking_lot.tenant_id", "parking_lot.community_id", "parking_lot.lot"]


class ParkingLotRow(CommunityRow):
    """A car park; `spaces` is NULL when its places are not counted."""

    __tablename__ = "parking_lot"

    lot: Mapped[str] = mapped_column(primary_key=True)
    gateway_id: Mapped[UUID]
    spaces: Mapped[int | None]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("tenant_id", "lot"),
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        ForeignKeyConstraint(["tenant_id", "gateway_id"], ["gateway.tenant_id", "gateway.gateway_id"]),
        table_flags(),
    )


class ParkingPermitRow(CommunityRow):
    """What a vehicle may do and who pays for it, from an instant to another; lots empty means all of the community.

    Vehicles that share a `space` share its one place; `granted_minutes` are those of a visitor's coupon.
    """

    __tablename__ = "parking_permit"

    permit_id: Mapped[UUID] = mapped_column(primary_key=True)
    plate_sha: Mapped[str]
    vehicle_class: Mapped[VehicleClass]
    premises_id: Mapped[UUID | None]
    charge_to_account: Mapped[bool]
    space: Mapped[str | None]
    granted_minutes: Mapped[int]
    lots: Mapped[list[Any]]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("valid_from < valid_to", name="validity"),
        CheckConstraint("charge_to_account <= (premises_id is not null)", name="account_has_premises"),
        CheckConstraint("length(plate_sha) = 64", name="sha"),
        CheckConstraint("granted_minutes >= 0", name="granted_not_negative"),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "premises_id"],
            ["premises.tenant_id", "premises.community_id", "premises.premises_id"],
        ),
        Index("ix_parking_permit_plate", "tenant_id", "community_id", "plate_sha"),
        table_flags(),
    )


class ParkingEventRow(CommunityRow):
    """One act at a lot, as a gateway reported it, with the batch it came in."""

    __tablename__ = "parking_event"

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    lot: Mapped[str]
    act: Mapped[Act]
    session_id: Mapped[UUID | None]
    vehicle: Mapped[UUID | None]
    vehicle_class: Mapped[str]
    at: Mapped[datetime]
    entered_at: Mapped[datetime | None]
    decision: Mapped[str]
    reason: Mapped[str]
    offline: Mapped[bool]
    quote_fen: Mapped[Fen | None]
    tariff_code: Mapped[str | None]
    tariff_from: Mapped[date | None]
    tariff_rev: Mapped[int | None]
    gateway_id: Mapped[UUID]
    store_epoch: Mapped[int]
    sequence: Mapped[int]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id", "lot"], _LOT),
        Index("ix_parking_event_session", "tenant_id", "community_id", "session_id"),
        table_flags(append_only=True),
    )


class ParkingSessionRow(CommunityRow):
    """A stay as the acts known so far tell it; worked out again with every act."""

    __tablename__ = "parking_session"

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    lot: Mapped[str]
    vehicle_class: Mapped[str]
    entered_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    state: Mapped[StayState]
    settlement: Mapped[Settlement]
    quote_fen: Mapped[Fen | None]
    paid_fen: Mapped[Fen]
    premises_id: Mapped[UUID | None]

    __table_args__ = (
        CheckConstraint("(state = 'left') = (left_at is not null)", name="left_at_iff_left"),
        ForeignKeyConstraint(["tenant_id", "community_id", "lot"], _LOT),
        Index("ix_parking_session_lot", "tenant_id", "community_id", "lot", "state"),
        table_flags(),
    )


class NightStatementRow(CommunityRow):
    """What a vehicle that stood in a lot over a night is told in the morning, once for each stay and night.

    `night` is the civil day on which the night ended. `amount_fen` is what the stay cost until then, by the tariff of
    the lot; NULL where it could not be priced, for the reason given. The bill is another document.
    """

    __tablename__ = "parking_night_statement"

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    night: Mapped[date] = mapped_column(primary_key=True)
    lot: Mapped[str]
    premises_id: Mapped[UUID | None]
    entered_at: Mapped[datetime]
    until_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    amount_fen: Mapped[Fen | None]
    reason: Mapped[str]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("entered_at <= until_at", name="in_order"),
        CheckConstraint("(amount_fen is null) = (reason <> '')", name="reason_iff_unpriced"),
        ForeignKeyConstraint(["tenant_id", "community_id", "lot"], _LOT),
        Index("ix_parking_night_statement_premises", "tenant_id", "community_id", "premises_id", "night"),
        table_flags(append_only=True),
    )
