"""Who may do what where: the table of roles and what grants give."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.identity.policy import (
    ROLE_PERMISSIONS,
    Grant,
    Permission,
    RoleName,
    allows,
    may_grant,
    scope_of,
    visible_grants,
)
from common.ids import CommunityId

GARDEN, LANE = CommunityId(UUID(int=1)), CommunityId(UUID(int=2))
EVERYWHERE = Grant(role=RoleName.MANAGER, community_id=None)


def test_every_role_has_its_permissions_and_every_permission_a_role() -> None:
    assert set(ROLE_PERMISSIONS) == set(RoleName)
    assert set().union(*ROLE_PERMISSIONS.values()) == set(Permission)


@pytest.mark.parametrize(
    ("role", "permission", "allowed"),
    [
        (RoleName.MANAGER, Permission.RUN_BILLS, True),
        (RoleName.MANAGER, Permission.TAKE_CASH, False),
        (RoleName.CASHIER, Permission.TAKE_CASH, True),
        (RoleName.CASHIER, Permission.RUN_BILLS, False),
        (RoleName.CASHIER, Permission.CORRECT, False),
        (RoleName.CASHIER, Permission.MANAGE_USERS, False),
        (RoleName.TECHNICIAN, Permission.MANAGE_FLEET, True),
        (RoleName.TECHNICIAN, Permission.SEE_BILLS, False),
        (RoleName.RESIDENT, Permission.SEE_OWN, True),
        (RoleName.RESIDENT, Permission.SEE_ESTATE, False),
        (RoleName.RESIDENT, Permission.SEE_BILLS, False),
    ],
)
def test_a_role_may_do_its_work_and_no_more(role: RoleName, permission: Permission, *, allowed: bool) -> None:
    assert allows([Grant(role=role, community_id=GARDEN)], permission, GARDEN) == allowed


def test_a_grant_in_one_community_says_nothing_about_another() -> None:
    grants = [Grant(role=RoleName.CASHIER, community_id=GARDEN)]
    assert allows(grants, Permission.TAKE_CASH, GARDEN)
    assert not allows(grants, Permission.TAKE_CASH, LANE)
    assert allows(grants, Permission.TAKE_CASH, None)
    assert not scope_of(grants, Permission.TAKE_CASH).everywhere


def test_what_is_the_whole_companys_is_held_by_a_grant_in_all_communities_only() -> None:
    in_one, in_all = (Grant(role=RoleName.CASHIER, community_id=where) for where in (GARDEN, None))
    for asked in (None, GARDEN):
        assert not allows([in_one], Permission.RECONCILE, asked)
        assert allows([in_all], Permission.RECONCILE, asked)


def test_a_grant_without_a_community_holds_in_all() -> None:
    assert allows([EVERYWHERE], Permission.RUN_BILLS, LANE)
    assert not allows([], Permission.RUN_BILLS, None)


@pytest.mark.parametrize(
    ("own", "wanted", "allowed"),
    [
        ([EVERYWHERE], [EVERYWHERE, Grant(role=RoleName.CASHIER, community_id=LANE)], True),
        (
            [Grant(role=RoleName.MANAGER, community_id=GARDEN)],
            [Grant(role=RoleName.CASHIER, community_id=GARDEN)],
            True,
        ),
        ([Grant(role=RoleName.MANAGER, community_id=GARDEN)], [Grant(role=RoleName.CASHIER, community_id=LANE)], False),
        ([Grant(role=RoleName.MANAGER, community_id=GARDEN)], [EVERYWHERE], False),
        ([Grant(role=RoleName.MANAGER, community_id=GARDEN)], [], False),
        ([EVERYWHERE], [], True),
        (
            [Grant(role=RoleName.CASHIER, community_id=None)],
            [Grant(role=RoleName.RESIDENT, community_id=GARDEN)],
            False,
        ),
    ],
)
def test_nobody_gives_what_he_does_not_manage(own: list[Grant], wanted: list[Grant], *, allowed: bool) -> None:
    assert may_grant(own, wanted) == allowed


HELD = [
    Grant(role=RoleName.CASHIER, community_id=GARDEN),
    Grant(role=RoleName.CASHIER, community_id=LANE),
    Grant(role=RoleName.TECHNICIAN, community_id=None),
]


@pytest.mark.parametrize(
    ("own", "seen"),
    [
        (EVERYWHERE, HELD),
        (Grant(role=RoleName.MANAGER, community_id=GARDEN), HELD[:1]),
        (Grant(role=RoleName.CASHIER, community_id=None), []),
    ],
)
def test_who_manages_users_of_one_community_sees_the_roles_held_there_and_no_others(
    own: Grant, seen: list[Grant]
) -> None:
    assert list(visible_grants(scope_of([own], Permission.MANAGE_USERS), HELD)) == seen


GRANTS = st.lists(
    st.builds(
        lambda role, community: Grant(role=role, community_id=community),
        st.sampled_from(RoleName),
        st.sampled_from([None, GARDEN, LANE]),
    ),
    max_size=4,
)


@given(GRANTS, GRANTS, st.sampled_from(Permission), st.sampled_from([None, GARDEN, LANE]))
def test_more_grants_never_take_a_permission_away(
    some: list[Grant], more: list[Grant], permission: Permission, community: CommunityId | None
) -> None:
    assert not allows(some, permission, community) or allows(some + more, permission, community)
