"""Rows of imports and of what each made, so that a whole import can be taken back. Private to the domain."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud.imports.kinds import ImportKind, ImportState, MadeKind
from cloud.kit.tables import CommunityRow, table_flags

_IMPORT = ["import_run.tenant_id", "import_run.community_id", "import_run.import_id"]


class ImportRunRow(CommunityRow):
    """A table that was taken in whole; the same file of the same kind is taken in once while it stands."""

    __tablename__ = "import_run"

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[ImportKind]
    file_name: Mapped[str]
    file_sha: Mapped[bytes]
    rows: Mapped[int]
    state: Mapped[ImportState]
    applied_at: Mapped[datetime]
    applied_by: Mapped[UUID]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[UUID | None]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        CheckConstraint("(state = 'undone') = (undone_at is not null)", name="undone_says_when"),
        CheckConstraint("octet_length(file_sha) = 32", name="sha256"),
        table_flags(),
    )


class ImportMadeRow(CommunityRow):
    """One thing that an import made; `detail` holds what taking it back needs beside the id."""

    __tablename__ = "import_made"

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[MadeKind]
    object_id: Mapped[UUID]
    detail: Mapped[dict[str, Any]]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id", "import_id"], _IMPORT),
        UniqueConstraint("tenant_id", "community_id", "import_id", "kind", "object_id", "n"),
        table_flags(append_only=True),
    )
