"""The rows of identity. Secrets are kept as digests only; times of sessions and codes are machine time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.identity.policy import RoleName
from cloud.kit.tables import TenantRow
from common.ids import CommunityId, PartyId, UserId

_USER_KEY = ["tenant_id", "user_id"]
_USER = ["app_user.tenant_id", "app_user.user_id"]


class UserRow(TenantRow):
    """Somebody who can sign in. `login` is a name chosen for it, never a phone number."""

    __tablename__ = "app_user"

    user_id: Mapped[UserId] = mapped_column(primary_key=True)
    login: Mapped[str]
    display_name: Mapped[str]
    party_id: Mapped[PartyId | None]
    password_hash: Mapped[str | None]
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("tenant_id", "login"),
        ForeignKeyConstraint(["tenant_id", "party_id"], ["party.tenant_id", "party.party_id"]),
    )


class RoleGrantRow(TenantRow):
    """A role of a user in one community, or in all when `community_id` is null; kept after it was withdrawn."""

    __tablename__ = "role_grant"

    grant_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UserId]
    role: Mapped[RoleName]
    community_id: Mapped[CommunityId | None]
    granted_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(_USER_KEY, _USER),
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        Index(
            "uq_role_grant_in_force",
            "tenant_id",
            "user_id",
            "role",
            "community_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("withdrawn_at is null"),
        ),
    )


class UserSessionRow(TenantRow):
    """A signed-in browser or program, known by the digest of its token."""

    __tablename__ = "user_session"

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UserId]
    secret_sha: Mapped[bytes]
    started_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (ForeignKeyConstraint(_USER_KEY, _USER), Index("ix_user_session_user", "tenant_id", "user_id"))


class SignInCodeRow(TenantRow):
    """A code that signs its user in once; found through the directory."""

    __tablename__ = "sign_in_code"

    code_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UserId]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (ForeignKeyConstraint(_USER_KEY, _USER),)


class ExternalIdentityRow(TenantRow):
    """A user's identity at a provider, such as a WeChat openid, kept as a digest."""

    __tablename__ = "external_identity"

    provider: Mapped[str] = mapped_column(primary_key=True)
    subject_sha: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UserId]
    linked_at: Mapped[datetime]

    __table_args__ = (ForeignKeyConstraint(_USER_KEY, _USER),)
