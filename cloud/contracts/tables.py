"""Rows of contracts and their terms. Private to the domain."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud.contracts.terms import ContractKind, Every
from cloud.kit.tables import CommunityRow, Fen, table_flags


class ContractRow(CommunityRow):
    """A contract with one party over one premises; its dates are half-open."""

    __tablename__ = "contract"

    contract_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str]
    kind: Mapped[ContractKind]
    premises_id: Mapped[UUID]
    party_id: Mapped[UUID]
    start_on: Mapped[date]
    end_on: Mapped[date]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("tenant_id", "community_id", "number"),
        CheckConstraint("start_on < end_on", name="dates"),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "premises_id"],
            ["premises.tenant_id", "premises.community_id", "premises.premises_id"],
        ),
        table_flags(),
    )


class ContractTermRow(CommunityRow):
    """An amount due again and again while a term of a contract runs; a changed term is a new revision."""

    __tablename__ = "contract_term"

    contract_id: Mapped[UUID] = mapped_column(primary_key=True)
    term_no: Mapped[int] = mapped_column(primary_key=True)
    rev: Mapped[int] = mapped_column(primary_key=True)
    charge_item_id: Mapped[UUID]
    start_on: Mapped[date]
    end_on: Mapped[date]
    every: Mapped[Every]
    amount_fen: Mapped[Fen]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("start_on < end_on", name="dates"),
        CheckConstraint("amount_fen >= 0", name="amount"),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "contract_id"],
            ["contract.tenant_id", "contract.community_id", "contract.contract_id"],
        ),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "charge_item_id"],
            ["charge_item.tenant_id", "charge_item.community_id", "charge_item.charge_item_id"],
        ),
        table_flags(append_only=True),
    )
