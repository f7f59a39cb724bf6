"""Who may do what, decided from granted roles alone.

A grant gives a role in one community, or in all of the company's when it names none. A permission is held where a
granted role includes it; residents hold theirs for their own premises only, which `estate` decides by party.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from common.ids import CommunityId


class RoleName(StrEnum):
    """The roles of a company's people."""

    MANAGER = "manager"
    CASHIER = "cashier"
    TECHNICIAN = "technician"
    RESIDENT = "resident"


class Permission(StrEnum):
    """What an endpoint or a page may ask for."""

    SEE_DASHBOARD = "see_dashboard"
    SEE_ESTATE = "see_estate"
    CHANGE_ESTATE = "change_estate"
    SEE_BILLS = "see_bills"
    RUN_BILLS = "run_bills"
    CORRECT = "correct"
    CHANGE_TARIFFS = "change_tariffs"
    SEE_PAYMENTS = "see_payments"
    TAKE_CASH = "take_cash"
    REQUEST_REFUNDS = "request_refunds"
    APPROVE_REFUNDS = "approve_refunds"
    MANAGE_DEPOSITS = "manage_deposits"
    ASK_RELIEF = "ask_relief"
    GRANT_RELIEF = "grant_relief"
    CLOSE_BOOKS = "close_books"
    IMPORT_TABLES = "import_tables"
    SETTLE = "settle"
    READ_SUNSHINE = "read_sunshine"
    RECONCILE = "reconcile"
    SEE_CASES = "see_cases"
    WORK_CASES = "work_cases"
    SEE_FLEET = "see_fleet"
    MANAGE_FLEET = "manage_fleet"
    MANAGE_SEALS = "manage_seals"
    MANAGE_USERS = "manage_users"
    SEE_OWN = "see_own"
    PAY_OWN = "pay_own"


# A merchant account takes the money of several communities, so what it took is for those whose role is in all of them.
# A legal person's seal stands on the papers of all of them, too.
COMPANY_WIDE = frozenset({Permission.RECONCILE, Permission.MANAGE_SEALS})
_OWN = frozenset({Permission.SEE_OWN, Permission.PAY_OWN})
ROLE_PERMISSIONS: dict[RoleName, frozenset[Permission]] = {
    RoleName.MANAGER: frozenset(Permission) - _OWN - {Permission.TAKE_CASH},
    RoleName.CASHIER: frozenset(
        {
            Permission.SEE_ESTATE,
            Permission.SEE_BILLS,
            Permission.SEE_PAYMENTS,
            Permission.TAKE_CASH,
            Permission.REQUEST_REFUNDS,
            Permission.MANAGE_DEPOSITS,
            Permission.ASK_RELIEF,
            Permission.RECONCILE,
            Permission.SEE_CASES,
        }
    ),
    RoleName.TECHNICIAN: frozenset(
        {
            Permission.SEE_ESTATE,
            Permission.SEE_FLEET,
            Permission.MANAGE_FLEET,
            Permission.SEE_CASES,
            Permission.WORK_CASES,
        }
    ),
    RoleName.RESIDENT: _OWN | {Permission.READ_SUNSHINE},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role in one community, or in every community of the company when `community_id` is None."""

    role: RoleName
    community_id: CommunityId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where a permission is held: everywhere in the company, or in some communities."""

    everywhere: bool
    communities: frozenset[CommunityId]

    def __contains__(self, community_id: CommunityId) -> bool:
        """Return whether the permission is held in the community."""
        return self.everywhere or community_id in self.communities


def scope_of(grants: Sequence[Grant], permission: Permission) -> Scope:
    """Return where the grants give the permission."""
    giving = [grant.community_id for grant in grants if permission in ROLE_PERMISSIONS[grant.role]]
    named = frozenset(community_id for community_id in giving if community_id is not None)
    if permission in COMPANY_WIDE:
        named = frozenset()
    return Scope(everywhere=None in giving, communities=named)


def allows(grants: Sequence[Grant], permission: Permission, community_id: CommunityId | None) -> bool:
    """Return whether the grants give the permission in a community, or anywhere at all when None is asked for."""
    scope = scope_of(grants, permission)
    if community_id is None:
        return scope.everywhere or bool(scope.communities)
    return community_id in scope


def may_grant(grants: Sequence[Grant], wanted: Collection[Grant]) -> bool:
    """Return whether somebody with these grants may give the wanted ones: only where he manages users himself.

    Somebody without any role belongs to no community, so he is managed by who manages the users of all.
    """
    scope = scope_of(grants, Permission.MANAGE_USERS)
    return scope.everywhere or (bool(wanted) and len(visible_grants(scope, wanted)) == len(wanted))


def visible_grants(scope: Scope, held: Collection[Grant]) -> tuple[Grant, ...]:
    """Return those grants of a user that somebody sees who manages the users of a scope; a user with none is hidden."""
    return tuple(
        grant
        for grant in held
        if scope.everywhere or (grant.community_id is not None and grant.community_id in scope.communities)
    )
