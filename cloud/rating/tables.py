"""Rows of rating inputs and apportionments. Private to the domain."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import CommunityRow, Fen, table_flags


class RatingInputRow(CommunityRow):
    """The bytes that replay some lines, named by their own hash: the same input is stored once."""

    __tablename__ = "rating_input"

    sha: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[bytes]
    engine_version: Mapped[int]
    recorded_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("length(sha) = 64", name="sha"), table_flags(append_only=True, bulk=True))


class ApportionmentRow(CommunityRow):
    """How a pool was split over days: what it cost, and the input that lists the weight of each premises."""

    __tablename__ = "apportionment"

    pool_id: Mapped[UUID] = mapped_column(primary_key=True)
    period_start: Mapped[date] = mapped_column(primary_key=True)
    period_end: Mapped[date] = mapped_column(primary_key=True)
    input_sha: Mapped[str] = mapped_column(primary_key=True)
    total_fen: Mapped[Fen]
    recorded_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("period_start < period_end", name="period"), table_flags(append_only=True))
