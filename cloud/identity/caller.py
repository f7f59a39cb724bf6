"""The signed-in caller of a request, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from cloud.identity.policy import Grant, Permission, Scope, allows, scope_of
from cloud.kit.actor import Actor
from cloud.kit.errors import ForbiddenError
from common.ids import CommunityId, PartyId, TenantId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A user of a company with the grants in force now; `party_id` is whose bills a resident sees."""

    tenant: TenantId
    user_id: UserId
    login: str
    display_name: str
    party_id: PartyId | None
    grants: tuple[Grant, ...]

    @property
    def actor(self) -> Actor:
        """Return the caller as the actor of a unit of work."""
        return Actor(kind="user", id=self.user_id, name=self.login)

    def may(self, permission: Permission, community_id: CommunityId | None = None) -> bool:
        """Return whether the caller holds the permission in a community, or anywhere when None."""
        return allows(self.grants, permission, community_id)

    def require(self, permission: Permission, community_id: CommunityId | None = None) -> None:
        """Go on only when the caller holds the permission there.

        Raises:
            ForbiddenError: he does not.
        """
        if not self.may(permission, community_id):
            where = "" if community_id is None else f" in community {community_id}"
            raise ForbiddenError(f"you may not {permission.value.replace('_', ' ')}{where}; ask your manager")

    def scope(self, permission: Permission) -> Scope:
        """Return where the caller holds the permission."""
        return scope_of(self.grants, permission)
