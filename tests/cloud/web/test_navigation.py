"""Where a person can go, and where a link may lead."""

from __future__ import annotations

from uuid import UUID

import pytest

from cloud.identity.caller import Caller
from cloud.web.navigation import landing, local_path, places_for
from common.ids import TenantId, UserId


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("/cases?kind=alarm", "/cases?kind=alarm"),
        ("/", "/"),
        ("//evil.example", None),
        ("/\\evil.example", None),
        ("https://evil.example", None),
        ("/a\nb", None),
        ("", None),
    ],
)
def test_a_way_back_is_a_path_of_ours_or_none(wanted: str, found: str | None) -> None:
    assert local_path(wanted) == found


def test_somebody_without_a_role_lands_where_he_is_told_whom_to_ask() -> None:
    nobody = Caller(
        tenant=TenantId(UUID(int=1)),
        user_id=UserId(UUID(int=2)),
        login="li",
        display_name="li",
        party_id=None,
        grants=(),
    )
    assert landing(nobody) == "/no-role"
    assert places_for(None) == ()
