"""The rows of papers: what was printed, the seal over it, and the keys that seal.

A paper and its seal are only ever added. The data a paper was made from, its template and its font are kept, so the
bytes before the seal can be made again; the sealed bytes are kept themselves, because a seal is never the same twice.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.documents.kinds import PaperKind
from cloud.kit.tables import CommunityRow, TenantRow, table_flags


class PaperRow(CommunityRow):
    """A paper that was issued: one of each kind and subject, with everything it was made from."""

    __tablename__ = "paper"

    paper_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[PaperKind]
    subject_id: Mapped[UUID]
    account_id: Mapped[UUID]
    legal_entity_id: Mapped[UUID]
    number: Mapped[str]
    token: Mapped[str]
    template: Mapped[str]
    template_sha: Mapped[bytes]
    font_sha: Mapped[bytes]
    sheet: Mapped[dict[str, Any]]
    missing_letters: Mapped[str]
    pdf_sha: Mapped[bytes]
    issued_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "account_id"],
            ["account.tenant_id", "account.community_id", "account.account_id"],
        ),
        ForeignKeyConstraint(
            ["tenant_id", "legal_entity_id"], ["legal_entity.tenant_id", "legal_entity.legal_entity_id"]
        ),
        UniqueConstraint("tenant_id", "kind", "subject_id"),
        UniqueConstraint("tenant_id", "token"),
        CheckConstraint("length(token) >= 22", name="token_long_enough"),
        CheckConstraint(
            "octet_length(pdf_sha) = 32 and octet_length(font_sha) = 32 and octet_length(template_sha) = 32",
            name="sha256",
        ),
        Index("ix_paper_account", "tenant_id", "account_id", "issued_at"),
        table_flags(append_only=True),
    )


class SealKeyRow(TenantRow):
    """A key that seals for a legal person: in a token under a label, or here, sealed with the outer key."""

    __tablename__ = "seal_key"

    seal_key_id: Mapped[UUID] = mapped_column(primary_key=True)
    legal_entity_id: Mapped[UUID]
    certificate: Mapped[bytes]
    certificate_sha: Mapped[bytes]
    private_key_sealed: Mapped[bytes]
    token_label: Mapped[str] = mapped_column(server_default=text("''"))
    made_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "legal_entity_id"], ["legal_entity.tenant_id", "legal_entity.legal_entity_id"]
        ),
        UniqueConstraint("tenant_id", "certificate_sha"),
        CheckConstraint("octet_length(certificate_sha) = 32", name="sha256"),
        CheckConstraint("(octet_length(private_key_sealed) = 0) = (token_label <> '')", name="held_in_one_place"),
        Index(
            "uq_seal_key_in_use",
            "tenant_id",
            "legal_entity_id",
            unique=True,
            postgresql_where=text("retired_at is null"),
        ),
    )


class PaperSealRow(CommunityRow):
    """The seal of a paper: once, over exactly the bytes of its digest, with the file that came of it."""

    __tablename__ = "paper_seal"

    paper_id: Mapped[UUID] = mapped_column(primary_key=True)
    seal_key_id: Mapped[UUID]
    sealed_sha: Mapped[bytes]
    sealed_pdf: Mapped[bytes]
    sealed_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "paper_id"], ["paper.tenant_id", "paper.community_id", "paper.paper_id"]
        ),
        ForeignKeyConstraint(["tenant_id", "seal_key_id"], ["seal_key.tenant_id", "seal_key.seal_key_id"]),
        CheckConstraint("octet_length(sealed_sha) = 32", name="sha256"),
        table_flags(append_only=True),
    )
