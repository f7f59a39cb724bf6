"""What the identity endpoints take and answer."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.identity.policy import Grant, Permission, RoleName
from cloud.identity.service import UserView
from common.ids import CommunityId


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignInWithPassword(_In):
    """Login and password."""

    login: str = Field(max_length=100)
    password: str = Field(max_length=200)


class SignInWithCode(_In):
    """A one-time code."""

    code: str = Field(max_length=100)


class SessionOut(BaseModel):
    """A started session; the token goes into the Authorization header of later requests."""

    token: str


class GrantIn(_In):
    """A role in one community, or in all when none is named."""

    role: RoleName
    community_id: UUID | None = None

    def grant(self) -> Grant:
        """Return the grant as a value."""
        named = None if self.community_id is None else CommunityId(self.community_id)
        return Grant(role=self.role, community_id=named)


class GrantOut(GrantIn):
    """A grant in force."""

    id: UUID


class UserIn(_In):
    """A user to add."""

    login: str = Field(min_length=1, max_length=60)
    display_name: str = Field(min_length=1, max_length=100)
    grants: list[GrantIn] = Field(max_length=50)


class UserOut(BaseModel):
    """A user as a manager sees him."""

    id: UUID
    login: str
    display_name: str
    disabled: bool
    grants: list[GrantOut]

    @classmethod
    def of(cls, user: UserView) -> UserOut:
        """Return what is answered for a user."""
        grants = [GrantOut(id=id_, role=grant.role, community_id=grant.community_id) for id_, grant in user.grants]
        return cls(id=user.id, login=user.login, display_name=user.display_name, disabled=user.disabled, grants=grants)


class NewUserOut(BaseModel):
    """A user just added, with the one-time code that is told now and never again."""

    id: UUID
    code: str


class CodeOut(BaseModel):
    """A one-time code, told now and never again."""

    code: str


class PasswordIn(_In):
    """A new password."""

    password: str = Field(max_length=200)


class MeOut(BaseModel):
    """The caller: who he is and what he may do where."""

    user_id: UUID
    login: str
    display_name: str
    party_id: UUID | None
    permissions: dict[Permission, list[UUID] | None] = Field(
        description="permission to communities; null means every community of the company"
    )
